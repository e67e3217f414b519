/** Facts of a report made by hand, for tests of what is concluded from them. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { assembleReports, type HungTaskReport } from '../../../exporter/kmsg/hung-task.ts';
import { parseRecord } from '../../../exporter/kmsg/record.ts';
import type {
  Boot,
  Facts,
  KernelReport,
  Measure,
  RedisEvent,
  RedisEventKind,
  Series,
  Source,
  SourceKind,
} from '../../../exporter/report/facts/facts.ts';

export const time = (text: string): number => Date.parse(`${text.replace(' ', 'T')}Z`) / 1000;

export const noFacts: Facts = {
  machine: { addresses: [] },
  sources: [],
  missing: [],
  boots: [],
  kernelReports: [],
  kernelEvents: [],
  systemEvents: [],
  series: [],
  gaps: [],
  redis: [],
  alerts: [],
  recorded: [],
};

export function source(id: string, kind: SourceKind, name: string, records = 100): Source {
  const sha256 = id.length.toString(16).padStart(64, '03d35e96cd37c7d22badd1cc6533b88cee32');
  return { id, kind, name, records, sha256, timeErrorSeconds: 0.1, problems: [] };
}

export function boot(id: string, from: string, end?: Boot['end'], said: string[] = []): Boot {
  const start = { earliest: time(from) - 0.1, latest: time(from) };
  return { id, start, endSaid: said, source: 'journal', ...(end === undefined ? {} : { end }) };
}

interface Assembled {
  readonly report: HungTaskReport;
  readonly lines: readonly string[];
}

/** The reports of a recording in fixtures/kmsg, with all their lines. */
export function recorded(name: string): Assembled[] {
  const path = join(import.meta.dirname, '../../../exporter/fixtures/kmsg', `${name}.txt`);
  const found: HungTaskReport[] = [];
  const assembler = assembleReports((report) => found.push(report));
  const records = readFileSync(path, 'utf8')
    .split('\n')
    .flatMap((line) => parseRecord(line) ?? []);
  for (const record of records) assembler.feed(record, true);
  assembler.interrupt();
  return found.map((report, i) => {
    const until = found[i + 1]?.microseconds ?? Infinity;
    const lines = records
      .filter(({ microseconds: at }) => at >= report.microseconds && at < until)
      .map(({ text }) => text);
    return { report, lines };
  });
}

interface Placed {
  readonly at: number;
  readonly bootedAt: number;
  readonly boot?: string;
  readonly seconds?: number;
  readonly pid?: number;
}

/** A report of a recording, as printed at another time with other seconds. */
export function placed(
  { report, lines }: Assembled,
  { at, bootedAt, boot: of = 'boot-1', seconds = report.seconds, pid = report.pid }: Placed,
): KernelReport {
  const renumbered = (line: string) =>
    line
      .replace(`:${report.pid} blocked`, `:${pid} blocked`)
      .replace(`more than ${report.seconds} seconds`, `more than ${seconds} seconds`)
      .replaceAll(new RegExp(`(?<=pid:)${report.pid}\\b`, 'g'), String(pid));
  const tgid = report.tgid === report.pid ? pid : report.tgid;
  return {
    at,
    boot: of,
    report: { ...report, pid, tgid, seconds, microseconds: Math.round((at - bootedAt) * 1e6) },
    lines: lines.map(renumbered),
    source: 'journal',
  };
}

/** Each round again, so many times, a timeout apart. */
export function rounds(
  reports: readonly Assembled[],
  first: {
    readonly at: number;
    readonly bootedAt: number;
    readonly boot?: string;
    readonly seconds: number;
  },
  count: number,
): KernelReport[] {
  return Array.from({ length: count }).flatMap((_, round) =>
    reports.map((one, i) => {
      const later = round * (first.seconds + 1);
      return placed(one, {
        ...first,
        at: first.at + later + i * 0.01,
        seconds: first.seconds + later,
      });
    }),
  );
}

interface Shape {
  readonly from: number;
  readonly to: number;
  readonly step: number;
  readonly source?: string;
  readonly of?: string;
}

/** A value a step, with a little that changes, the same on each run. */
export function series(
  measure: Measure,
  { from, to, step, source: id = 'sysstat', of }: Shape,
  value: (at: number) => number,
  waver = 0,
): Series {
  const points = Array.from({ length: Math.floor((to - from) / step) }, (_, i) => {
    const at = from + (i + 1) * step;
    return { at, value: value(at) + waver * (((i * 7) % 11) / 11 - 0.5) };
  });
  return { measure, stepSeconds: step, points, source: id, ...(of === undefined ? {} : { of }) };
}

export function redis(
  at: string,
  kind: RedisEventKind,
  rest: Partial<RedisEvent> = {},
): RedisEvent {
  return { at: time(at), kind, text: '', pid: 160, source: 'redis', ...rest };
}
