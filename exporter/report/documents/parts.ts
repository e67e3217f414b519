/** Parts that both documents have: tables of what was judged, the trace, the sources. */
import { percentText } from '../../measure/percent.ts';
import { explainTrace } from '../../tasks/frames.ts';
import { symbolOfFrame } from '../../tasks/reasons.ts';
import type { KernelReport, Source, SourceKind } from '../facts/facts.ts';
import type { Judged } from '../cause/judge.ts';
import type { Suspect, SuspectId } from '../cause/suspects.ts';
import type { Stats } from '../cause/window.ts';
import type { Sentence } from '../claims/claim.ts';
import { timelineOf } from '../claims/timeline.ts';
import { durationText } from '../../measure/duration.ts';
import {
  fenced,
  fixed,
  name,
  type Replace,
  say,
  table,
  type Text,
  toMarkdown,
} from '../text/say.ts';
import { counted, figure, utc } from '../text/units.ts';

/** A document is made line by line, with one way to replace what must not leave the box. */
export interface Page {
  readonly replace: Replace;
  readonly md: (text: Text) => string;
}

export function pageOf(replace: Replace): Page {
  return { replace, md: (text) => toMarkdown(text, replace) };
}

export function section(title: string, lines: readonly string[]): string[] {
  return lines.length === 0 ? [] : ['', `## ${title}`, '', ...lines];
}

export function bullets(sentences: readonly Sentence[], { md }: Page): string[] {
  return sentences.map(({ text }) => `- ${md(text)}`);
}

const kinds: Readonly<Record<SourceKind, string>> = {
  journal: 'journal',
  container_log: 'container logs',
  kernel_log: 'kernel log',
  sysstat: 'sysstat',
  redis_log: 'Redis log',
  prometheus: 'Prometheus',
  evidence: 'evidence of stealwatch',
  machine: 'machine',
};

function kindOf(sources: readonly Source[], id: string): string {
  const source = sources.find((one) => one.id === id);
  return source === undefined ? '' : kinds[source.kind];
}

export function timeline(judged: Judged, { md }: Page): string[] {
  const rows = timelineOf(judged).map(({ at, text, source }) => [
    utc(at),
    md(text),
    kindOf(judged.facts.sources, source),
  ]);
  return rows.length === 0 ? [] : table(['UTC', 'what', 'source'], rows);
}

interface Wording {
  readonly title: string;
  readonly show: (value: number) => string;
  /** Whether the lowest value matters, and what the mean is of. */
  readonly low?: true;
  readonly unit?: string;
  readonly out: string;
  readonly suspicious: string;
}

const suspects: Readonly<Record<SuspectId, Wording>> = {
  cpu: {
    title: 'Our own CPU load',
    show: percentText,
    low: true,
    unit: ' idle',
    out: 'never less than half idle',
    suspicious: 'the VM was busy',
  },
  steal: {
    title: 'CPU steal',
    show: percentText,
    out: 'below 10 %',
    suspicious: '10 % or more at times',
  },
  disk: {
    title: 'Our disk',
    show: percentText,
    unit: ' busy',
    out: 'hardly used',
    suspicious: 'busy at times',
  },
  iowait: {
    title: 'Waiting for disk (iowait)',
    show: percentText,
    out: 'negligible',
    suspicious: 'CPUs waited for it',
  },
  tasks_in_io: {
    title: 'Tasks waiting for I/O',
    show: figure,
    out: 'none',
    suspicious: 'some waited',
  },
  memory: {
    title: 'Guest short of memory',
    show: percentText,
    unit: ' used',
    out: 'plenty free',
    suspicious: 'nearly full at times',
  },
  swap: {
    title: 'Guest swapping',
    show: figure,
    unit: ' pages/s in',
    out: 'it did not',
    suspicious: 'it swapped',
  },
  pressure: {
    title: 'Memory pressure (PSI)',
    show: percentText,
    out: 'none to speak of',
    suspicious: 'tasks waited for memory',
  },
  errors: {
    title: 'Disk or file system errors',
    show: String,
    out: 'none in the kernel log',
    suspicious: 'the kernel logged some',
  },
};

function shownStats(stats: Stats | undefined, { show, low, unit = '' }: Wording): string {
  if (stats === undefined) return '';
  const extreme = low === true ? `min ${show(stats.least)}` : `max ${show(stats.most)}`;
  return `${show(stats.mean)}${unit}, ${extreme}`;
}

function verdict({ ruling, during }: Suspect, { out, suspicious }: Wording): string {
  if (ruling === 'no_data') return '**no data: cannot say**';
  if (ruling === 'ruled_out') return `ruled out: ${out}`;
  if (ruling === 'suspicious') return `**not ruled out**: ${suspicious}`;
  if (during?.coarse === true) {
    return `not ruled out: one value for ${durationText(during.stepSeconds)} may hide it`;
  }
  return `not ruled out: only ${percentText(during?.covered ?? 0)} of the time was measured`;
}

export function suspectTable(judged: Judged, { md }: Page): string[] {
  if (judged.suspects.length === 0) return [];
  const baseline = judged.suspects.some(({ before }) => before !== undefined);
  const rows = judged.suspects.map((suspect) => {
    const wording = suspects[suspect.id];
    const title =
      suspect.of === undefined ? say`${wording.title}` : say`${wording.title} (${suspect.of})`;
    const during =
      suspect.count === undefined ? shownStats(suspect.during, wording) : String(suspect.count);
    const before = baseline ? [shownStats(suspect.before, wording)] : [];
    return [md(title), during, ...before, verdict(suspect, wording)];
  });
  return table(['suspect', 'during', ...(baseline ? ['the day before'] : []), 'verdict'], rows);
}

const headline = /^(INFO: task )(.*)(:\d+ blocked (?:in I\/O wait )?for more than \d+ seconds.*)$/s;
const taskLine = /^(task:)(\S.*?)( +state:\S+ .*)$/s;
const around = /^\s*(?:Not tainted|Tainted: )|^Call Trace:|^\s*<\/?TASK>\s*$/;
/** Addresses in front of frames on older kernels. */
const address = /\[<[^>]*>\] /g;
const mostLines = 40;

/** Only lines of known shape: registers, `Code:` and all that is not known here stay on the box. */
export function shownTrace({ lines }: KernelReport, { replace }: Page): string[] {
  const shown = lines.flatMap((line) => {
    const [, before, comm = '', after] = headline.exec(line) ?? taskLine.exec(line) ?? [];
    if (before !== undefined && after !== undefined) {
      return [`${before}${replace(comm, 'process')}${after}`];
    }
    if (around.test(line)) return [line];
    return symbolOfFrame(line) === undefined ? [] : [line.replaceAll(address, '')];
  });
  return fenced(shown.slice(0, mostLines));
}

/** Of a sleep that the kernel reported each time its detector looked, the other reports: a line each. */
const mostFurther = 10;

export function furtherReports([, ...further]: readonly KernelReport[]): string[] {
  if (further.length === 0) return [];
  const shown =
    further.length <= mostFurther
      ? further
      : [...further.slice(0, mostFurther / 2), ...further.slice(-mostFurther / 2)];
  const rows = shown.map(
    ({ at, report: { seconds } }) => `${utc(at)} blocked for more than ${seconds} seconds`,
  );
  const left = further.length - shown.length;
  if (left > 0) rows.splice(mostFurther / 2, 0, `(${counted(left, 'report')} in between)`);
  return [
    `The kernel reported the same sleep again, ${counted(further.length, 'time')}:`,
    '',
    ...fenced(rows),
    '',
  ];
}

export function frameTable({ report }: KernelReport, { md }: Page): string[] {
  const rows = explainTrace(report.frames)
    .filter(({ meaning }) => meaning !== '')
    .map(({ symbol, meaning, proves }) => [
      md(say`${name(symbol)}`),
      proves === undefined ? md(say`${meaning}`) : `**${md(say`${meaning}`)}**`,
    ]);
  return rows.length === 0 ? [] : table(['frame', 'meaning'], rows);
}

export function sureTable(sentences: readonly Sentence[], { md }: Page): string[] {
  if (sentences.length === 0) return [];
  const rows = sentences.map(({ text, certainty, answer }) => [
    md(text),
    certainty === 'proven' ? '**proven**' : certainty,
    answer === undefined ? '' : md(answer),
  ]);
  return table(['statement', 'sure?', 'by what, or what would settle it'], rows);
}

function accuracy({ timeErrorSeconds }: Source): string {
  return timeErrorSeconds === undefined ? 'not known' : `±${durationText(timeErrorSeconds)}`;
}

/** Those that gave anything. */
export function sourceTable({ facts }: Judged, { md }: Page): string[] {
  const read = facts.sources.filter(({ records }) => records > 0);
  if (read.length === 0) return [];
  const rows = read.map((source) => [
    kinds[source.kind],
    md(say`${name(source.name)}`),
    String(source.records),
    accuracy(source),
    source.sha256 === undefined ? '' : md(say`${fixed(source.sha256.slice(0, 12))}`),
  ]);
  return table(['source', 'what', 'records', 'times good to', 'SHA-256 (first 12)'], rows);
}

/** What could not be read, and what was not there: each with the command that would have kept it. */
export function missingList({ facts }: Judged, { md }: Page): string[] {
  const problems = facts.sources.flatMap(({ name: what, problems: of }) =>
    of.map((problem) => `- ${md(say`${name(what)}: ${problem}`)}`),
  );
  const missing = facts.missing.map(({ what, why, command }) =>
    command === undefined
      ? `- ${md(say`**${what}**: ${why}`)}`
      : `- ${md(say`**${what}**: ${why}. To keep it the next time: ${name(command)}`)}`,
  );
  return [...missing, ...problems];
}

export function identity({ facts: { machine } }: Judged): Text[] {
  const gib = (machine.memoryBytes ?? 0) / 2 ** 30;
  return [
    ...(machine.instanceUuid === undefined
      ? []
      : [say`instance UUID (DMI) ${fixed(machine.instanceUuid)}`]),
    ...(machine.cpus === undefined ? [] : [say`${counted(machine.cpus, 'vCPU')}`]),
    ...(machine.memoryBytes === undefined ? [] : [say`${gib.toFixed(1)} GiB`]),
    ...(machine.kernelRelease === undefined
      ? []
      : [say`guest kernel ${fixed(machine.kernelRelease)}`]),
    say`all times UTC`,
  ];
}
