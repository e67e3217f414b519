/** What sysstat collected, through sadf: the only reader of all its formats. */
import { createHash, type Hash } from 'node:crypto';
import { leftOutRecords } from '../cause/sane-times.ts';
import { messageOf } from '../../measure/errors.ts';
import type { Boot, Gap, Gathered, Instant, Missing, Source } from '../facts/facts.ts';
import type { ReadContext } from './context.ts';
import type { Focus } from './focus.ts';
import { whyNot } from './packed-file.ts';
import { places, refusedIn } from './permission.ts';
import { askLines, type Answer } from './run.ts';
import { createSadfReader, type SadfRow } from './sadf-rows.ts';
import { createSeriesBuilder, type SeriesBuilder } from './series.ts';
import { type Readable, readable, type SysstatFile, sysstatFiles } from './sysstat-files.ts';
import { readLog } from './text-file.ts';

/** Zones aside, no clock that was set is ahead of who reads. */
const aheadSeconds = 24 * 3600;

/** The rest of the file is used, and may not be called ordinary. */
const shareless = (samples: number): Missing[] =>
  samples === 0
    ? []
    : [
        {
          what: leftOutRecords,
          why: `the shares of the CPUs in ${samples} samples of sysstat are missing or cannot be, and were left out`,
        },
      ];

const toCome = (samples: number): string =>
  `${samples} of its samples are of a time to come, by a clock that was ahead: they were left out`;

/** Its week is what the rate of page-ins is compared with. */
const daysBefore = 7;
const deadlineMs = 10_000;
const mostBytes = 64 * 1024 * 1024;

/** The newest words first; a sadf that does not know them is asked in older ones. */
const questions: readonly (readonly string[])[] = [
  ['-u', 'ALL', '-P', 'ALL', '-q', 'ALL', '-B', '-W', '-r', '-d', '-p', '-I', 'ALL', '--int=HYP'],
  ['-u', 'ALL', '-P', 'ALL', '-q', 'ALL', '-B', '-W', '-r', '-d', '-p', '-I', 'ALL'],
  ['-u', 'ALL', '-P', 'ALL', '-q', '-B', '-W', '-r', '-d', '-p'],
];

const notCollected: Missing = {
  what: 'sysstat: CPU, steal, memory, disk and page-ins of the host before the reboot',
  why: 'there are no files of it',
  command:
    'apt-get install sysstat && sed -i \'s/^ENABLED=.*/ENABLED="true"/\' /etc/default/sysstat && sed -i \'s/^SADC_OPTIONS=.*/SADC_OPTIONS="-S DISK,INT"/\' /etc/sysstat/sysstat && systemctl enable --now sysstat',
};

/** Of folders that were named no advice to collect is of use. */
const noneIn = (named: readonly string[]): Missing => ({
  what: 'sysstat',
  why: `there are no files of the time of interest in ${named.join(', ')}`,
});

const withoutInterrupts: Missing = {
  what: "page-ins of the host (HYP) in sysstat's files",
  why: 'it does not collect interrupts, or is older than 12.5.6',
  command:
    'sed -i \'s/^SADC_OPTIONS=.*/SADC_OPTIONS="-S DISK,INT"/\' /etc/sysstat/sysstat && systemctl restart sysstat',
};

type Env = ReadContext['surroundings']['env'];

async function askSadf(path: string, env: Env, onLine: (line: string) => void): Promise<Answer> {
  let answer: Answer | undefined;
  for (const words of questions) {
    answer = await askLines({
      program: 'sadf',
      args: ['-d', '-U', path, '--', ...words],
      env,
      package: 'sysstat',
      deadlineMs,
      mostBytes,
      onLine,
    });
    if (!answer.complaint.startsWith('Usage:')) break;
  }
  return answer as Answer;
}

const version = /sysstat version (\d+(?:\.\d+)+)/;

/** The first version that is named in what sadf says to these arguments. */
async function versionSaid(args: readonly string[], env: Env): Promise<string | undefined> {
  let said: string | undefined;
  const onLine = (line: string) => void (said ??= version.exec(line)?.[1]);
  const question = { program: 'sadf', package: 'sysstat', deadlineMs, mostBytes: 65_536 };
  const { complaint } = await askLines({ ...question, args, env, onLine });
  return said ?? version.exec(complaint)?.[1];
}

function isNewer(one: string, other: string): boolean {
  const [left = [], right = []] = [one, other].map((text) => text.split('.').map(Number));
  const index = left.findIndex((part, at) => part !== (right[at] ?? 0));
  return index >= 0 && (left[index] ?? 0) > (right[index] ?? 0);
}

/** A reader that is older than the writer says that the file is invalid, or nothing at all. */
async function whyNoSamples(
  path: string,
  env: Env,
  complaint: string | undefined,
): Promise<string> {
  const writer = await versionSaid(['-H', path], env);
  const reader = await versionSaid(['-V'], env);
  if (writer !== undefined && reader !== undefined && isNewer(writer, reader))
    return `unreadable here: it was written by sysstat ${writer}, and sadf is of ${reader}. Run sadf -d -U FILE -- -u ALL -P ALL -q ALL -B -W -S -r -d -I ALL where it was written, and hand over its output with --sysstat`;
  return complaint ?? 'sadf finds no sample in it: one sample alone makes no row';
}

interface Taken {
  readonly rows: number;
  readonly problems: readonly string[];
}

async function readOne(
  { path, isText, problems }: Readable,
  env: Env,
  hash: Hash,
  onRow: (row: SadfRow) => void,
): Promise<Taken> {
  const parse = createSadfReader();
  let rows = 0;
  let samples = 0;
  const onLine = (line: string): void => {
    hash.update(`${line}\n`);
    const row = parse(line);
    if (row === undefined) return;
    rows++;
    if (row.points !== undefined && row.points.length > 0) samples++;
    onRow(row);
  };
  if (isText) {
    const read = await readLog(path, { env, mostBytes }, onLine);
    if (samples > 0) return { rows, problems: read.problems };
    const none =
      rows === 0 ? 'no line of it is a row of sadf -d' : 'none of its rows has figures that can be';
    return { rows: 0, problems: [...read.problems, none] };
  }
  const { code, complaint, cut } = await askSadf(path, env, onLine);
  const told = [...problems, ...(cut === undefined ? [] : [cut])];
  const failed = complaint !== '' && code !== 0;
  const words = complaint.replaceAll(`${path}: `, '').slice(0, 200);
  const said = failed ? `sadf says: ${words}` : undefined;
  // Marks of a restart alone are nothing that figures could be taken from.
  if (samples === 0) return { rows: 0, problems: [...told, await whyNoSamples(path, env, said)] };
  const kept = said === undefined ? [] : [`${said}: what came before is used`];
  return { rows, problems: [...told, ...kept] };
}

/** A time without samples, of more than twice the usual step; a new file costs one sample. */
const stepsOfGap = 2.5;

function gapsOf(samples: readonly Instant[], step: number, source: string): Gap[] {
  return samples.flatMap((to, index) => {
    const from = samples[index - 1];
    return from !== undefined && to - from > stepsOfGap * step ? [{ from, to, source }] : [];
  });
}

interface Collected {
  readonly series: SeriesBuilder;
  readonly samples: Set<Instant>;
  readonly restarts: Set<Instant>;
}

/** Restarts date a boot, and so does an upgrade of sysstat: only where nobody else knows better. */
const bootsOf = ({ restarts }: Collected, known: boolean, source: string): Boot[] =>
  known
    ? []
    : [...restarts].map((at) => ({
        id: `sysstat ${new Date(at * 1000).toISOString().slice(0, 19)}`,
        start: { earliest: at - 300, latest: at },
        endSaid: [],
        source,
      }));

const mostHosts = 5;

/** Of files that somebody named the rows of the first machine; those in their usual places are of this one, whatever its name was. */
function hostFilter(named: boolean, onRow: (row: SadfRow) => void) {
  let owner: string | undefined;
  const others = new Set<string>();
  return {
    take(row: SadfRow): void {
      owner ??= row.host;
      if (!named || row.host === owner) onRow(row);
      else if (others.size < mostHosts) others.add(row.host);
    },
    problems: () =>
      others.size === 0
        ? []
        : [
            `rows of another machine (${[...others].join(', ')}) than the first (${owner ?? ''}) were left out`,
          ],
  };
}

async function readAll(
  files: readonly SysstatFile[],
  context: ReadContext,
  onRow: (row: SadfRow) => void,
) {
  const { env } = context.surroundings;
  const hash = createHash('sha256');
  const problems: string[] = [];
  let rows = 0;
  const ofOneHost = hostFilter(context.options.sysstat.length > 0, onRow);
  for (const { path } of files) {
    const told = (problem: string) =>
      void problems.push(files.length > 1 ? `${path}: ${problem}` : problem);
    try {
      const file = await readable(path, env);
      try {
        const taken = await readOne(file, env, hash, (row) => ofOneHost.take(row));
        rows += taken.rows;
        taken.problems.forEach(told);
      } finally {
        file.done();
      }
    } catch (error) {
      if (messageOf(error).startsWith('sadf ')) throw error;
      told(whyNot(error));
    }
  }
  return { rows, problems: [...problems, ...ofOneHost.problems()], sha256: hash.digest('hex') };
}

const directoryOf = (files: readonly SysstatFile[]): string =>
  files.at(-1)?.path.replace(/\/[^/]*$/, '') ?? '';

/** Samples of the time around the incident, and of the week before; all where nothing else dates one. */
export async function readSysstat(context: ReadContext, focus: Focus): Promise<Gathered> {
  const { options } = context;
  const from = focus.undated ? -Infinity : focus.from - daysBefore * 86_400;
  const range = { from, to: focus.to };
  const files = sysstatFiles(options.sysstat, options.root, range);
  const refused = options.sysstat.length > 0 ? [] : refusedIn(options.root, places.sysstat);
  if (files.length === 0) {
    if (options.sysstat.length > 0) return { missing: [noneIn(options.sysstat)] };
    return { missing: refused.length > 0 ? refused : [notCollected] };
  }
  const id = 'sysstat';
  const collected: Collected = {
    series: createSeriesBuilder(id),
    samples: new Set(),
    restarts: new Set(),
  };
  let interval = 0;
  let ahead = 0;
  let without = 0;
  const { now } = context.surroundings;
  const latest = now() + aheadSeconds;
  const take = ({ at, points, isSample, interval: own }: SadfRow): void => {
    if (at > latest && isSample) ahead++;
    if (at < range.from || at > range.to) return;
    if (isSample) interval = own;
    if (isSample && points?.length === 0) without++;
    if (points === undefined) collected.restarts.add(at);
    if (isSample) collected.samples.add(at);
    for (const { measure, of, value } of points ?? []) {
      collected.series.add(measure, of, at, value);
    }
  };
  try {
    const { rows, problems, sha256 } = await readAll(files, context, take);
    const series = collected.series.all(interval);
    const idle = series.find(({ measure, of }) => measure === 'cpu_idle' && of === undefined);
    const samples = [...collected.samples].sort((one, other) => one - other);
    const source: Source = {
      id,
      kind: 'sysstat',
      name:
        files.length === 1
          ? (files[0]?.path ?? id)
          : `${files.length} files in ${directoryOf(files)}`,
      // What is all left out was of no use.
      records: series.length === 0 && ahead > 0 ? 0 : rows,
      sha256,
      timeErrorSeconds: 1,
      problems: [...problems, ...(ahead === 0 ? [] : [toCome(ahead)])],
    };
    const hasPageIns = series.some(({ measure }) => measure === 'host_page_ins');
    return {
      sources: [source],
      missing: [
        ...(hasPageIns || series.length === 0 ? [] : [withoutInterrupts]),
        ...shareless(without),
      ],
      boots: bootsOf(collected, context.boots.length > 0, id),
      series,
      gaps: gapsOf(samples, idle?.stepSeconds ?? Infinity, id),
    };
  } catch (error) {
    const why = `its files are in ${directoryOf(files)}, and cannot be read: ${messageOf(error)}`;
    return { missing: [{ what: 'sysstat', why, command: 'apt-get install sysstat' }] };
  }
}
