/**
 * Which reports are about one and the same sleep. The detector reports a blocked task again in
 * every round, and a restarted exporter reads all of this boot's reports again: an episode is
 * one pid and one start of the blocking.
 *
 * Kernels of today print the seconds since they first saw the sleep, so report time less seconds
 * stays where it is. Older ones (3.x, 4.x) print the timeout, and do so every timeout: the same
 * number again after no longer than that is the same sleep, since a task that had run in between
 * would have been let off for at least one round more.
 */
import type { Reason } from '../tasks/reasons.ts';
import type { HungTaskReport } from './hung-task.ts';

export interface Episode {
  readonly pid: number;
  readonly comm: string;
  /** The process, where the kernel names it. */
  readonly tgid: number | undefined;
  /** From the first report, and not changed by later ones: it may have been counted. */
  readonly cause: Reason;
  /** Microseconds since boot: first seen blocked, first and last reported. */
  readonly startMicroseconds: number;
  readonly firstMicroseconds: number;
  lastMicroseconds: number;
  /** As last reported. */
  seconds: number;
  reports: number;
  /** First reported before the exporter started. */
  readonly past: boolean;
}

/** Printing waits for a busy console and ticks are lost in a stall: allow for some of it. */
const toleranceSeconds = 5;
/** 6,100 blocked processes were seen on one machine; beyond this the oldest is forgotten. */
const mostTracked = 8192;
const mostRecent = 64;

export interface Episodes {
  /** Take in a report; says whether it opened an episode. */
  note(
    report: HungTaskReport,
    cause: Reason,
  ): { readonly episode: Episode; readonly isNew: boolean };
  /** The last 64 that began, oldest first. */
  recent(): readonly Episode[];
}

function continues(episode: Episode, report: HungTaskReport): boolean {
  const start = report.microseconds / 1e6 - report.seconds;
  if (Math.abs(start - episode.startMicroseconds / 1e6) <= toleranceSeconds) return true;
  const gap = (report.microseconds - episode.lastMicroseconds) / 1e6;
  return report.seconds === episode.seconds && gap >= 0 && gap <= report.seconds + toleranceSeconds;
}

export function createEpisodes(): Episodes {
  /** By pid, the one reported longest ago first. */
  const byPid = new Map<number, Episode>();
  const recent: Episode[] = [];

  function open(report: HungTaskReport, cause: Reason): Episode {
    const { pid, comm, tgid, seconds, microseconds, past } = report;
    const episode: Episode = {
      pid,
      comm,
      tgid,
      cause,
      startMicroseconds: microseconds - seconds * 1e6,
      firstMicroseconds: microseconds,
      lastMicroseconds: microseconds,
      seconds,
      reports: 1,
      past,
    };
    recent.push(episode);
    if (recent.length > mostRecent) recent.shift();
    return episode;
  }

  function track(episode: Episode): void {
    byPid.delete(episode.pid);
    byPid.set(episode.pid, episode);
    if (byPid.size <= mostTracked) return;
    for (const pid of byPid.keys()) {
      byPid.delete(pid);
      return;
    }
  }

  return {
    note(report, cause) {
      const known = byPid.get(report.pid);
      const isNew = known === undefined || !continues(known, report);
      const episode = isNew ? open(report, cause) : known;
      if (!isNew) {
        episode.lastMicroseconds = report.microseconds;
        episode.seconds = report.seconds;
        episode.reports++;
      }
      track(episode);
      return { episode, isNew };
    },
    recent: () => [...recent],
  };
}
