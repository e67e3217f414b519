/** What the kernel log has of this boot: since when it knows that a thread sleeps, and its last words. */
import { createEpisodes, type Episode } from '../kmsg/episodes.ts';
import { assembleReports } from '../kmsg/hung-task.ts';
import { parseRecord } from '../kmsg/record.ts';
import { readAll } from '../kmsg/source.ts';
import { reasonOfTrace } from '../tasks/reasons.ts';
import { codeOf, messageOf } from '../measure/errors.ts';

export interface KernelLog {
  /** The last that the kernel itself printed, oldest first. */
  readonly lines: readonly string[];
  /** How long ago the kernel saw this thread's sleep begin, where it reported it within the last minutes. */
  sleepSeconds(tid: number, now: number): number | undefined;
  /** Why there is none. */
  readonly problem?: string;
}

const mostLines = 200;
/** More than any log holds: a file that grows faster than it is read has an end as well. */
const mostRecords = 100_000;
/** The detector reports a sleep again in each round, twice its time-out apart at most. */
const stillSeconds = 300;

function sleepIn(episodes: readonly Episode[], tid: number, now: number): number | undefined {
  const episode = episodes.findLast(({ pid }) => pid === tid);
  if (episode === undefined || now - episode.lastMicroseconds / 1e6 > stillSeconds)
    return undefined;
  return now - episode.startMicroseconds / 1e6;
}

export function readKernelLog(path: string): KernelLog {
  const lines: string[] = [];
  const episodes = createEpisodes();
  const reports = assembleReports((report) => {
    episodes.note(report, reasonOfTrace(report.frames));
  });
  const logOf = (problem?: string): KernelLog => ({
    lines,
    sleepSeconds: (tid, now) => sleepIn(episodes.recent(), tid, now),
    ...(problem === undefined ? {} : { problem }),
  });
  try {
    readAll(path, mostRecords, (raw) => {
      const record = parseRecord(raw);
      if (record?.facility !== 0) return;
      lines.push(`[${(record.microseconds / 1e6).toFixed(6)}] ${record.text}`);
      if (lines.length > mostLines) lines.shift();
      reports.feed(record, true);
    });
    reports.interrupt();
    return logOf();
  } catch (error) {
    return logOf(`${path}: ${codeOf(error) ?? messageOf(error)}`);
  }
}
