/** docs/doctor.md, from the table of checks. */
import type { Check, Mend, StepKind } from '../../exporter/doctor/check.ts';
import { checks } from '../../exporter/doctor/checks.ts';
import { settingsHelp } from '../../exporter/config/help.ts';
import { doctorSettings } from '../../exporter/doctor/options.ts';
import type { GeneratedFiles } from './files.ts';

const said: Readonly<Record<StepKind, string>> = {
  tried: 'tried in a test',
  not_tried: 'not tried',
  advice: 'by hand',
};

function mendText(mend: Mend): string {
  const steps = mend.map(({ kind, text }) =>
    kind === 'advice' ? `- ${text} (${said[kind]})` : `- \`${text}\` (${said[kind]})`,
  );
  return steps.join('\n');
}

function mendsText({ mends, question }: Check): string {
  if (question === true)
    return 'A question: nothing on the machine can answer it, and it costs no exit code.';
  if (mends.length === 0) return 'Nothing here mends it.';
  return `What mends it${mends.length > 1 ? ', by what is wrong' : ''}:\n\n${mends.map(mendText).join('\n\nor\n\n')}`;
}

function sectionOf(check: Check): string {
  const { id, title, why, source } = check;
  return `## ${title}\n\n\`${id}\`. ${why}\n\nSource: ${source}.\n\n${mendsText(check)}\n`;
}

const intro = `# The doctor

Generated from the table of checks by \`npm run generate\`.

\`\`\`sh
sudo /opt/stealwatch/exporter/stealwatch doctor           # on the machine that is watched, beside the exporter
sudo /opt/stealwatch/exporter/stealwatch doctor --json    # for machines
\`\`\`

On a machine that has no exporter yet it is \`exporter/stealwatch doctor\` in [a checkout](../README.md#run-it).

Its settings are the exporter's: those of its unit in /etc/stealwatch/environment, and what the environment and flags say.
Beside an exporter in Docker, whose own container does not see the files of the machine:

<!-- not run here: needs a Docker engine -->
\`\`\`sh
docker compose run --rm -v /:/host:ro --entrypoint /app/exporter/stealwatch exporter doctor --root /host --exporter http://exporter:10190
\`\`\`

It looks for what would have shortened a freeze and is not in place: nobody outside who notices, a journal in memory that
dies with the reboot, save points that come back, a kernel that has used up its reports. It reads, asks Redis and the exporter,
and changes nothing: it starts no process, asks no Docker daemon, and reads neither arguments nor memory maps of other
processes, which hang with them. Each check has its answer within 3 s, also while Redis is frozen or a file system stands still.

The order is that of what would have shortened the outage most. Each check says \`pass\`, \`WARN\`, \`FAIL\`, or \`?\`: it cannot
see, and why. What cannot be seen is not well: for most of it run the doctor as root and beside a running exporter.

| exit code | |
|---|---|
| 0 | all that can be seen is well, and all that somebody can see was seen |
| 1 | something warns, or could not be seen |
| 2 | something fails |
| 3 | wrong options |

\`--json\` gives \`{"schema":1,"exitCode":N,"results":[...]}\`, each result with \`id\`, \`title\`, \`why\`, \`state\` (\`pass\`, \`warn\`, \`fail\`,
\`cannot_see\`), \`reason\`, \`question\` and \`mend\`, a list of steps with \`kind\` (\`tried\`, \`not_tried\`, \`advice\`) and \`text\`.

A command marked as tried was run by a test exactly as it stands here, and the check passed afterwards; \`redis-cli\` is written
for a Redis on this machine without a password: add \`-h\`, \`-p\`, \`--tls\` and \`REDISCLI_AUTH\` for yours. The doctor runs none.

Its own options; those of the exporter that say where Redis, /proc and the exporter are go with them ([settings](settings.md)):

\`\`\`text
${settingsHelp(doctorSettings).join('\n')}
\`\`\`
`;

export function generatedDoctor(): GeneratedFiles {
  return new Map([['docs/doctor.md', [intro, ...checks.map(sectionOf)].join('\n')]]);
}
