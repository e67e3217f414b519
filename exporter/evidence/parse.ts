/**
 * An answer of /evidence, as anybody may have sent it: with bounds, and of the right shape or an
 * error that names the place. Fields of a later version are left out.
 */
import { listOf, matching, nullOr, number, object, oneOf, optional, text } from './checks.ts';
import {
  type EvidenceAnswer,
  type EvidenceFile,
  type EvidenceIncident,
  schemaVersion,
} from './format.ts';

/** Ours are 8; a later version may keep more. */
const mostIncidents = 64;
const mostExcerpts = 64;
const mostLines = 256;
const mostAgain = 64;
const mostTasks = 64;
const mostStates = 128;
const mostParts = 64;
const mostRows = 16_384;
const mostColumns = 64;
const mostRescues = 64;
const mostCpus = 8192;

const word = matching(/^\w{1,40}$/, 'a word');
/** As a file is called by it: nothing that leads out of a folder. */
const incidentName = /^[0-9a-z](?:[0-9a-z-]{0,78}[0-9a-z])?$/;
const name = matching(incidentName, 'letters, digits and dashes, at most 80');
const span = object({ earliest: number, latest: number });
const note = text(200);

const excerpt = object({
  kind: word,
  time: number,
  last: number,
  count: number,
  hash: matching(/^[0-9a-f]{1,64}$/, 'hexadecimal digits'),
  seconds: optional(number),
  again: optional(listOf(object({ time: number, seconds: number }), mostAgain)),
  lines: listOf(text(1024), mostLines),
});

const thread = object({
  comm: note,
  state: oneOf('D'),
  wchan: note,
  reason: word,
  since: number,
  last: number,
});

const rows = object({ step: number, rows: listOf(listOf(nullOr(number), mostColumns), mostRows) });

const rescue = object({
  time: number,
  result: word,
  cpus: listOf(number, mostCpus),
  text: text(1000),
});

const samples = object({
  columns: listOf(word, mostColumns),
  parts: listOf(rows, mostParts),
});

const incident = object({
  id: name,
  formerIds: listOf(name, 8),
  state: oneOf('open', 'closed'),
  onset: span,
  last: optional(number),
  end: optional(span),
  openedBy: listOf(object({ time: number, rule: word }), mostStates),
  cause: object({ name: word, text: text(1000) }),
  kernel: listOf(excerpt, mostExcerpts),
  tasks: listOf(thread, mostTasks),
  redis: optional(
    object({
      states: listOf(object({ time: number, state: word }), mostStates),
      reason: optional(text(1000)),
    }),
  ),
  rescues: optional(listOf(rescue, mostRescues)),
  samples,
});

const answer = object({
  schema: oneOf(schemaVersion),
  machine: object({
    hostname: optional(note),
    kernelRelease: optional(note),
    virtualization: optional(note),
    vendor: optional(note),
    product: optional(note),
    cpuModel: optional(note),
    clocksource: optional(note),
  }),
  boot: object({ id: name, start: number }),
  exporter: object({ version: note, start: number }),
  now: object({ wall: number, monotonic: number }),
  incidents: listOf(incident, mostIncidents),
});

const file = object({ host: note, fetched: number });

function widthsHold({ id, samples: { columns, parts } }: EvidenceIncident): void {
  if (columns[0] !== 'time') throw new Error(`incident ${id}: expected the time as first column`);
  for (const part of parts) {
    const torn = part.rows.findIndex((row) => row.length !== columns.length || row[0] === null);
    if (torn >= 0) throw new Error(`incident ${id}: row ${torn} is not as wide as its columns`);
  }
}

function parsed(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    throw new Error('expected JSON');
  }
}

function answerOf(value: unknown): EvidenceAnswer {
  const found = answer(value, '');
  found.incidents.forEach(widthsHold);
  return found;
}

/** Throws an error that names what was not as expected, and shows nothing of it. */
export function parseEvidence(json: string): EvidenceAnswer {
  return answerOf(parsed(json));
}

/** The same of a file that the prober kept. */
export function parseEvidenceFile(json: string): EvidenceFile {
  const value = parsed(json);
  return { ...answerOf(value), ...file(value, '') };
}
