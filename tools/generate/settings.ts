/** docs/settings.md, from the table of settings and from what docker-compose.yml makes of each. */
import { type Setting, settings } from '../../exporter/config/settings.ts';
import { composeFile, variablesIn } from '../rig/compose.ts';
import type { GeneratedFiles } from './files.ts';

export const allSettings: readonly Setting<unknown>[] = Object.values(settings);

/** Flags that compose gives no variable of .env, and what stands there instead. */
export const withoutVariable: Readonly<Record<string, string>> = {
  'check-config': '`docker compose run --rm exporter --check-config`',
  listen: '`EXPORTER_PORT`, where the port is open',
  procfs: "the host's, handed in",
  sysfs: "the container's shows the host",
  kmsg: "the host's, handed in",
  'kmsg-userspace': 'for tests',
  'evidence-dir': '`EVIDENCE_DIR`, on a watcher',
  agents: '`TARGETS_DIR`, on a watcher',
  'agent-token': "of the watcher's",
  'agent-user': "of the watcher's",
  'agent-password': "of the watcher's",
  'agent-ca-file': '`secrets/watcher/agent-ca.pem`',
};

/** Variables that can hold it: by name, and a secret in a file as well. */
export function variablesOf({ variables: [first = ''], secret }: Setting<unknown>): string[] {
  return secret === true ? [first, `${first}_FILE`] : [first];
}

/** The variable of .env that fills this one of a service of docker-compose.yml. */
export function variableInEnv(service: string, variable: string): string | undefined {
  const text = composeFile().services[service]?.environment?.[variable] ?? '';
  return variablesIn(text)[0]?.name;
}

function rowOf(setting: Setting<unknown>): string {
  const { flag, placeholder, optional, variables, fallback, help, secret } = setting;
  const value =
    placeholder === undefined ? '' : optional === true ? `[=${placeholder}]` : ` ${placeholder}`;
  const named = variables.map((name) => `\`${name}\``).join(', then ');
  const inEnv = ['exporter', 'prober']
    .map((service) => variableInEnv(service, variables[0] ?? ''))
    .filter((name, i, names) => name !== undefined && names.indexOf(name) === i)
    .map((name) => `\`${name}\``)
    .join(', ');
  const cells = [
    `\`--${flag}${value}\``,
    secret === true ? `${named} (or \`_FILE\`)` : named,
    inEnv === '' ? (withoutVariable[flag] ?? '') : inEnv,
    fallback === '' ? '' : `\`${fallback}\``,
    help,
  ];
  return `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
}

export function generatedSettings(): GeneratedFiles {
  const text = [
    '# Settings of the exporter',
    '',
    'Generated from the code by `npm run generate`; `exporter/stealwatch --help` says the same. A flag wins over its variable,',
    'a variable that is set to nothing counts as not set, and everything that is wrong is listed at once before the exporter',
    'ends. What may hold a secret may stand in a file that the variable with `_FILE` behind its name gives. With Docker',
    'Compose the variables stand in `.env`, under the names of the third column, `PROBER_...` on a watcher; the systemd unit',
    'reads those of the second from `/etc/stealwatch/environment`.',
    '',
    '| flag | variable | in `.env` | default | what |',
    '|---|---|---|---|---|',
    ...allSettings.map(rowOf),
    '',
  ].join('\n');
  return new Map([['docs/settings.md', text]]);
}
