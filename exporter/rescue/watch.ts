/**
 * `--watch`: follows the verdict and writes when it is due. Every minute it does all but the write, so
 * that the log tells at noon what would stand in the way at night, and so that what it needs stays in
 * memory: Node cannot lock its pages there.
 */
import type { RescueRecord, RescueRecorder, RescueResult } from '../core/rescue-record.ts';
import type { AskExporter } from '../doctor/exporter.ts';
import type { Clock } from '../measure/clock.ts';
import { messageOf } from '../measure/errors.ts';
import type { Acting } from './act.ts';
import { createDue, type Incident, type Why } from './due.ts';
import { askVerdict, type Said } from './exporter.ts';
import type { Look } from './look.ts';
import type { OwnEyes } from './own-eyes.ts';
import type { Released } from './release.ts';

export interface WatchLog {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
}

export interface WatchSettings {
  readonly clock: Pick<Clock, 'monotonic'>;
  readonly stuckAfter: number;
  readonly ask: () => Promise<AskExporter>;
  readonly eyes: OwnEyes;
  readonly begin: () => Promise<Acting>;
  readonly record: RescueRecorder;
  /** What anybody has done on this machine since the boot; may throw. */
  readonly readRecord: () => RescueRecord | undefined;
  readonly sinceBoot: () => number;
  readonly log: WatchLog;
}

export interface Watch {
  /** One look; never rejects. */
  step(): Promise<void>;
}

export const secondsBetweenLooks = 5;
const secondsBetweenRehearsals = 60;

/** Says something once, until it is something else. */
function onChange(tell: (text: string | undefined) => void) {
  let before: string | undefined | null = null;
  return (text: string | undefined): void => {
    if (text !== before) tell(text);
    before = text;
  };
}

type Past = Pick<WatchSettings, 'readRecord' | 'sinceBoot'>;

function recordOf({ readRecord }: Past): RescueRecord | undefined {
  try {
    return readRecord();
  } catch {
    return undefined;
  }
}

/** How long ago this watcher, one beside it or a person last wrote. */
function lastWriteAgo(past: Past): number {
  const ago = (recordOf(past)?.rescues ?? [])
    .filter(({ result }) => result !== 'refused')
    .map(({ time }) => past.sinceBoot() - time);
  return Math.min(Infinity, ...ago.filter((seconds) => seconds >= 0));
}

function incidentBefore(past: Past): Incident | undefined {
  const incident = recordOf(past)?.watch?.incident;
  if (incident === undefined) return undefined;
  const { written, missingAt } = incident;
  return { written, missingAgo: Math.max(0, past.sinceBoot() - missingAt) };
}

/** For timers that are early. */
const almost = 0.9;

/**
 * Somebody may say of another machine that a page is lost, and each page that comes back parks a thread
 * for a moment: the one that is to be woken was seen to sleep from the first look to the last.
 */
function whyNobodySleeps({ threads, watchedSeconds }: Look): string | undefined {
  return threads.some(({ seconds }) => seconds >= watchedSeconds * almost)
    ? undefined
    : `no thread of this machine has slept through ${watchedSeconds} s of looking`;
}

export function createWatch(settings: WatchSettings): Watch {
  const { clock, stuckAfter, ask, eyes, begin, record, sinceBoot, log } = settings;
  const due = createDue({ clock, stuckAfter, before: incidentBefore(settings) });
  let rehearsedAt = -Infinity;
  let obstacle: string | undefined;

  const tellObstacle = onChange((reason) => {
    if (reason === undefined) log.info({}, 'ready to write');
    else log.warn({ reason }, 'could not write if it were time');
  });
  const tellExporter = onChange((error) => {
    if (error === undefined) log.info({}, 'the exporter answers');
    else log.warn({ error }, 'the exporter says nothing of now: looking by ourselves');
  });
  const tellVerdict = onChange((verdict) => log.info({ verdict }, 'verdict'));
  const tellRefusal = onChange((reason) => {
    if (reason !== undefined) log.warn({ reason }, 'it is time to write, and it is refused');
  });

  async function said(): Promise<Said> {
    try {
      const answer = await askVerdict(await ask());
      tellExporter(undefined);
      return answer;
    } catch (error) {
      tellExporter(messageOf(error));
      return eyes.verdict();
    }
  }

  async function rehearse(): Promise<void> {
    if (clock.monotonic() - rehearsedAt < secondsBetweenRehearsals) return;
    rehearsedAt = clock.monotonic();
    ({ obstacle } = (await begin()).look);
    tellObstacle(obstacle);
  }

  function note(result: RescueResult, text: string): void {
    record.done({ time: sinceBoot(), result, cpus: [], text });
  }

  let refusedFor: string | undefined;
  /** Each reason is counted once while it lasts. */
  function refuse(reason: string, why: Why): void {
    due.refused();
    tellRefusal(reason);
    if (refusedFor !== reason) note('refused', `Nothing was written (${why}): ${reason}.`);
    refusedFor = reason;
  }

  /** What ends in an error may have been written. */
  async function acted(act: Acting['act']): Promise<Released> {
    let result: RescueResult = 'failed';
    try {
      const released = await act((line) => log.info({}, line));
      ({ result } = released);
      return released;
    } finally {
      if (result === 'refused') due.refused();
      else due.wrote();
    }
  }

  async function write(why: Why, said: Said): Promise<void> {
    const { look, act } = await begin();
    const reason = look.refusal ?? whyNobodySleeps(look);
    if (reason !== undefined) {
      refuse(reason, why);
      return;
    }
    refusedFor = undefined;
    tellRefusal(undefined);
    log.warn(
      { why, verdict: said.text, cpus: look.targets },
      'writing the async page fault MSR back',
    );
    const released = await acted(act);
    const { result, written, fates, redis, failure } = released;
    const threads = fates.map(({ thread, fate }) => ({
      tid: thread.tid,
      process: thread.process,
      fate,
    }));
    const more = failure === undefined ? {} : { failure };
    const fields = { result, written, threads, redis, ...more };
    if (result === 'released' || result === 'refused') log.info(fields, released.text);
    else log.warn(fields, released.text);
  }

  async function look(): Promise<void> {
    const now = await said();
    tellVerdict(now.verdict);
    const why = due.verdict(now.verdict, lastWriteAgo(settings));
    if (why === undefined) await rehearse();
    else await write(why, now);
  }

  return {
    async step() {
      try {
        await look();
      } catch (error) {
        // Until the next rehearsal says otherwise.
        obstacle = messageOf(error);
        due.refused();
        tellObstacle(obstacle);
      }
      const lookedAt = sinceBoot();
      const incident = due.incident();
      record.watching({
        lookedAt,
        ...(incident === undefined
          ? {}
          : {
              incident: {
                written: incident.written,
                missingAt: Math.max(0, lookedAt - incident.missingAgo),
              },
            }),
        ...(obstacle === undefined ? {} : { problem: obstacle.slice(0, 1000) }),
      });
    },
  };
}
