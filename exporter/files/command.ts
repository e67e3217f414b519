/** `stealwatch files DIR`: rules, dashboards, configurations and units, written out of the package or the image. */
import { parseArgs } from 'node:util';
import type { OneShot } from '../core/one-shot.ts';
import { version } from '../core/version.ts';
import { messageOf } from '../measure/errors.ts';
import { shippedFiles } from './shipped.ts';
import { writeFiles } from './write.ts';

const wrongOptions = 2;

const helpText = `stealwatch files: what belongs beside the exporter, for a Prometheus, an Alertmanager and a Grafana.

Usage: stealwatch files [--force] DIR

Writes below DIR, in the folders that a checkout has and the documents name:
  alerts/generated/         rules, for rule_files of Prometheus
  alerts/alertmanager/      alertmanager.yml with its templates, and start.sh that fills it in
  dashboards/generated/     dashboards of Grafana; dashboards/provisioning/ loads them
  deploy/                   systemd units, the script for a second machine, start.sh of Prometheus and Grafana
  docker-compose.yml        all of it in containers, with .env.example and targets/

What is there and is the same stays. Where something else is there nothing is written, and it is named.
  --force
      Write over it.
  --help
      Print this and end.
`;

interface Options {
  readonly directory: string;
  readonly force: boolean;
}

/** A text to print, or what to do; throws for what is neither. */
function optionsOf(argv: readonly string[]): Options | string {
  const { values, positionals } = parseArgs({
    args: [...argv],
    allowPositionals: true,
    options: { force: { type: 'boolean' }, help: { type: 'boolean', short: 'h' } },
  });
  if (values.help === true) return helpText;
  const [directory = '', ...more] = positionals;
  if (directory === '' || more.length > 0) {
    throw new Error('expected one folder to write to: stealwatch files DIR');
  }
  return { directory, force: values.force === true };
}

const listed = (paths: readonly string[]) => paths.map((path) => `  ${path}\n`).join('');

export const files: OneShot = async ({ argv, print, complain }) => {
  let options: Options | string;
  try {
    options = optionsOf(argv);
  } catch (error) {
    // Node's own sentence goes on with advice about positional arguments.
    complain(`stealwatch files: ${messageOf(error).split('. ')[0]}; --help says more.\n`);
    return wrongOptions;
  }
  if (typeof options === 'string') {
    print(options);
    return 0;
  }
  const { directory, force } = options;
  try {
    const { written, others } = await writeFiles(directory, shippedFiles(), force);
    if (others.length > 0 && !force) {
      complain(
        `stealwatch files: nothing is written, for these are there and are not as version ${version} has them (--force writes over them):\n${listed(others)}`,
      );
      return 1;
    }
    print(
      written.length === 0
        ? `All is there in ${directory}, as version ${version} has it.\n`
        : `Written to ${directory}, from version ${version}:\n${listed(written)}`,
    );
    return 0;
  } catch (error) {
    complain(`stealwatch files: ${messageOf(error)}\n`);
    return 1;
  }
};
