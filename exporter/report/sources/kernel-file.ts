/** One file of a text kernel log, line by line. */
import type { Hash } from 'node:crypto';
import type { Instant } from '../facts/facts.ts';
import { type ReadContext, within } from './context.ts';
import { lookAt } from './file-window.ts';
import {
  type KernelLine,
  type LineContext,
  linesOfDmesgJson,
  parseKernelLine,
  yearless,
} from './kernel-line.ts';
import { createYearCounter, yearOfLast } from './stamps.ts';
import { type FileLimits, type FileRead, whyNot } from './packed-file.ts';
import { readLog } from './text-file.ts';
import { utc } from './zone.ts';

const mostBytesOfFile = 96 * 1024 * 1024;
/** A log that has no stamp without a year in its first lines has none. */
const linesToTell = 200;
/** A ring holds a few megabytes. */
const mostJsonLines = 1_000_000;

/** The year of the first stamp, of a log whose stamps have none. */
async function firstYear(path: string, limits: FileLimits): Promise<number | undefined> {
  const counter = createYearCounter();
  let last: readonly [number, number] | undefined;
  let lines = 0;
  const { mtime } = await readLog(path, limits, (line) => {
    const date = yearless(line);
    if (date !== undefined) counter.note(...(last = date));
    return last !== undefined || ++lines < linesToTell;
  });
  return last && yearOfLast(...last, mtime) - counter.crossed();
}

/** Machines that lines at its ends name; of a packed file at its beginning. */
export async function hostsIn(path: string, env: FileLimits['env']): Promise<Set<string>> {
  const form: LineContext = { zone: utc, yearOf: () => 1970 };
  const hosts = new Set<string>();
  const take = (line: string): void => {
    const host = parseKernelLine(line, form)?.host;
    if (host !== undefined) hosts.add(host);
  };
  try {
    const { lines, packed } = await lookAt(path);
    lines.forEach(take);
    let left = linesToTell;
    if (packed)
      await readLog(path, { env, mostBytes: mostBytesOfFile }, (line) => {
        take(line);
        return --left > 0;
      });
  } catch {
    // What is wrong with the file is said when it is read.
  }
  return hosts;
}

/**
 * Of a log that collects the lines of several machines, the one that is meant: the one that was
 * named, or this one, or whose line is the last. Undefined where there is only one.
 */
async function hostOf(path: string, { surroundings, hostname, options }: ReadContext) {
  const hosts = await hostsIn(path, surroundings.env);
  if (hosts.size < 2) return undefined;
  return [options.host, hostname].find((name) => name && hosts.has(name)) ?? [...hosts].at(-1);
}

/** Reads one line after the other: the year and the hour go on from the line before. */
function createReader({ zone, range }: ReadContext, host: string | undefined, year = 1970) {
  const others = new Set<string>();
  const years = createYearCounter();
  let notBefore: Instant | undefined;
  let lines = 0;
  let known = 0;
  let later = false;
  const form: LineContext = {
    zone,
    yearOf(month, day) {
      years.note(month, day);
      return year + years.crossed();
    },
    get notBefore() {
      return notBefore;
    },
  };
  return {
    /** Undefined for what is no line of such a log, or outside of what is asked for. */
    take(text: string): KernelLine | undefined {
      lines++;
      const line = parseKernelLine(text, form);
      if (line === undefined) return undefined;
      known++;
      notBefore = line.stamp ?? notBefore;
      if (host !== undefined && line.host !== undefined && line.host !== host) {
        others.add(line.host);
        return undefined;
      }
      if (line.stamp === undefined || within(range, line.stamp)) return line;
      if (range.to !== undefined && line.stamp > range.to) later = true;
      return undefined;
    },
    /** It is a kernel log, whatever its times. */
    isLog: () => known > 0,
    /** It has lines of its machine from after the times that were asked for. */
    later: () => later,
    problems: () => [
      ...(lines > 0 && known === 0
        ? [`none of its ${lines} lines looks like a line of a kernel log`]
        : []),
      ...(others.size > 0
        ? [`it holds lines of several machines: only those of ${host} were used (--host names one)`]
        : []),
    ],
  };
}

export interface KernelFileRead {
  readonly isLog: boolean;
  readonly later: boolean;
  readonly read: FileRead | undefined;
  readonly problems: readonly string[];
}

/** What is wrong with the file is a problem in words, never an error. */
export async function readKernelFile(
  path: string,
  context: ReadContext,
  hash: Hash,
  onLine: (line: KernelLine) => void,
): Promise<KernelFileRead> {
  const limits = { env: context.surroundings.env, mostBytes: mostBytesOfFile };
  try {
    const reader = createReader(
      context,
      await hostOf(path, context),
      await firstYear(path, limits),
    );
    const json: string[] = [];
    let first = true;
    const take = (text: string): void => {
      const line = reader.take(text);
      if (line !== undefined) onLine(line);
    };
    const read = await readLog(path, { ...limits, hash }, (text) => {
      if (json.length > 0 || (first && text.startsWith('{'))) json.push(text);
      else take(text);
      first = false;
      return json.length < mostJsonLines;
    });
    if (json.length > 0) linesOfDmesgJson(json.join('\n')).forEach(take);
    const problems = [...read.problems, ...reader.problems()];
    return { read, isLog: reader.isLog(), later: reader.later(), problems };
  } catch (error) {
    return { read: undefined, isLog: false, later: false, problems: [whyNot(error)] };
  }
}
