/** The answer of `GET /evidence`: from memory, and never longer than it may be. */
import { columnNames } from '../core/second.ts';
import {
  type EvidenceAnswer,
  type EvidenceIncident,
  type EvidenceMachine,
  type KernelExcerpt,
  schemaVersion,
} from './format.ts';
import type { Incident } from './incident.ts';
import type { Recorder } from './recorder.ts';

export const mostAnswerBytes = 256 * 1024;
/** Rows are thinned first: down to this what the kernel said may take from them. */
const leastRowBytes = 48 * 1024;
/** The head of the answer, and around the rows of each incident. */
const frameBytes = 8 * 1024;
/** Of an incident whose kernel lines had to go. */
const mostHeads = 8;

type Told = Omit<EvidenceIncident, 'samples'>;

/** Milliseconds are told, and no noise behind them. */
const rounded = (_key: string, value: unknown): unknown =>
  typeof value === 'number' ? Math.round(value * 1000) / 1000 : value;

const jsonOf = (value: unknown): string => JSON.stringify(value, rounded);

const cut = (excerpt: KernelExcerpt, lines: number): KernelExcerpt => ({
  ...excerpt,
  lines: excerpt.lines.slice(0, lines),
});

/** What is left of it once its place is needed: first the traces go, then what is many. */
const shorter: readonly ((told: Told) => Told)[] = [
  (told) => ({
    ...told,
    kernel: told.kernel.map((one) => cut(one, 1)),
  }),
  (told) => ({
    ...told,
    kernel: told.kernel.slice(0, mostHeads).map((one) => cut(one, 0)),
    tasks: told.tasks.slice(0, mostHeads),
  }),
];

/** The oldest are shortened first. */
function fitted(incidents: readonly Incident[], most: number): string[] {
  const told = incidents.map((incident) => incident.record());
  const texts = told.map(jsonOf);
  const bytes = () => texts.reduce((sum, text) => sum + Buffer.byteLength(text), 0);
  for (const shorten of shorter) {
    for (let i = 0; i < texts.length && bytes() > most; i += 1) {
      const one = told[i];
      if (one !== undefined) texts[i] = jsonOf(shorten(one));
    }
  }
  return texts;
}

const columns = JSON.stringify(['time', ...columnNames]);

function samplesOf(recorder: Recorder, incident: Incident): string {
  let text = `{"columns":${columns},"parts":[`;
  let step: number | undefined;
  for (const row of recorder.rows(incident)) {
    if (row.step === step) text += ',';
    else text += `${step === undefined ? '' : ']},'}{"step":${row.step},"rows":[`;
    text += row.text;
    step = row.step;
  }
  return `${text}${step === undefined ? '' : ']}'}]}`;
}

export interface AnswerSettings {
  readonly recorder: Recorder;
  readonly machine: EvidenceMachine;
  readonly bootId: string;
  readonly version: string;
  readonly now: () => EvidenceAnswer['now'];
}

export interface EvidenceText {
  /** The same as long as the answer is, but for the time in it. */
  tag(): string;
  text(): string;
}

export function createEvidenceText({
  recorder,
  machine,
  bootId,
  version,
  now,
}: AnswerSettings): EvidenceText {
  return {
    tag: () => `${Math.round(recorder.start * 1000)}-${recorder.generation()}`,
    text() {
      const incidents = recorder.incidents();
      const texts = fitted(incidents, mostAnswerBytes - frameBytes - leastRowBytes);
      const taken = texts.reduce((sum, text) => sum + Buffer.byteLength(text), 0);
      recorder.limitRows(mostAnswerBytes - frameBytes - taken);
      const time = now();
      const head = jsonOf({
        schema: schemaVersion,
        machine,
        boot: { id: bootId, start: time.wall - time.monotonic },
        exporter: { version, start: recorder.start },
        now: time,
      });
      const listed = incidents.map(
        (incident, i) =>
          `${(texts[i] ?? '{').slice(0, -1)},"samples":${samplesOf(recorder, incident)}}`,
      );
      return `${head.slice(0, -1)},"incidents":[${listed.join(',')}]}\n`;
    },
  };
}
