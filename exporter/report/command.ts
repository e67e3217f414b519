/** `stealwatch report`: options, sources, findings, documents. */
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import type { OneShot, Surroundings } from '../core/one-shot.ts';
import { messageOf } from '../measure/errors.ts';
import { createPseudoFs } from '../procfs/reader.ts';
import { called } from './cause/incidents.ts';
import { judge, type Judged } from './cause/judge.ts';
import { askDoctor, askRecorder, withDoctor } from './from-doctor.ts';
import { type Documents, documentsOf } from './documents/all.ts';
import type { Facts } from './facts/facts.ts';
import { commandFor, helpText, readOptions, type ReportOptions } from './options.ts';
import { gather } from './sources/index.ts';
import { unusedLines } from './unused.ts';
import { claimDirectory, type OutFile, writeFiles } from './write.ts';

const written = 0;
const notWritten = 1;
const wrongUse = 2;
const nothingFound = 3;

function filesOf({ ticket, report, json }: Documents, facts: Facts, raw: boolean): OutFile[] {
  return [
    ...(ticket === undefined ? [] : [{ name: 'ticket.md', text: ticket }]),
    { name: 'report.md', text: report },
    { name: 'report.json', text: json },
    ...(raw
      ? [{ name: 'facts.json', text: `${JSON.stringify(facts, null, 1)}\n`, secret: true as const }]
      : []),
  ];
}

function directoryOf({ out }: ReportOptions, { incident }: Judged): string {
  if (out !== undefined) return out;
  return incident === undefined ? 'stealwatch-report' : `stealwatch-report-${incident.id}`;
}

function summaryOf(
  documents: Documents,
  files: readonly OutFile[],
  directory: string,
  redacted: boolean,
): string {
  const { summary, ticket, replaced } = documents;
  const listed = files.map(({ name, text, secret }) => {
    const digest = createHash('sha256').update(text).digest('hex');
    return `  ${join(directory, name)}${secret === true ? ` (for you alone; SHA-256 ${digest})` : ''}`;
  });
  const hidden =
    ticket === undefined || replaced.length === 0
      ? []
      : [
          '',
          redacted ? 'Replaced in what was written:' : 'Replaced in the ticket:',
          ...replaced.map(({ tag, original }) => `  ${tag} ${JSON.stringify(original)}`),
        ];
  return [...summary, '', 'Written:', ...listed, ...hidden, ''].join('\n');
}

/** An id that is not there is worth a line on the terminal, with those that are. */
function unknownIncident({ incident }: ReportOptions, { incidents }: Judged): string | undefined {
  if (incident === undefined || called(incidents, incident) !== undefined) return undefined;
  const ids = incidents.slice(-20).map(({ id }) => id);
  return `--incident: there is no ${incident}; there ${ids.length === 0 ? 'are none' : `are ${ids.join(', ')}`}`;
}

async function run(
  options: ReportOptions,
  { env, print, complain }: Surroundings,
): Promise<number> {
  const tell = (line: string) => complain(`stealwatch report: ${line}\n`);
  const now = Date.now() / 1000;
  try {
    if (options.out !== undefined) await claimDirectory(options.out, options.force);
    // Before the others and not beside them: what takes our time must not look like Redis being late.
    const found = await askDoctor(options, env);
    const gathered = await gather(options, {
      env,
      now: () => now,
      uid: process.getuid?.(),
      procfs: createPseudoFs('/proc'),
      recorder: await askRecorder(options, env),
    });
    const facts = withDoctor(gathered, found);
    const wanted = { ...options, id: options.incident };
    const judged = judge(facts, wanted, now);
    const unknown = unknownIncident(options, judged);
    if (unknown !== undefined) tell(unknown);
    for (const line of unusedLines(facts, options)) tell(line);
    const documents = documentsOf(judged, options.redaction, {
      hosts: options.host === undefined ? [] : [options.host],
      commandFor: (id) => commandFor(options, id),
    });
    const directory = directoryOf(options, judged);
    if (options.out === undefined) await claimDirectory(directory, options.force);
    const files = filesOf(documents, facts, options.raw);
    await writeFiles(directory, files);
    print(
      options.json
        ? documents.json
        : summaryOf(documents, files, directory, options.redaction === 'all'),
    );
    return judged.incident === undefined ? nothingFound : written;
  } catch (error) {
    tell(messageOf(error));
    return notWritten;
  }
}

export const report: OneShot = async (surroundings) => {
  const command = readOptions(surroundings.argv, surroundings.env);
  if (command.kind === 'run') return run(command.options, surroundings);
  if (command.kind === 'help') {
    surroundings.print(helpText());
    return written;
  }
  for (const problem of command.problems) surroundings.complain(`stealwatch report: ${problem}\n`);
  return wrongUse;
};
