/**
 * What `stealwatch rescue` has done on this machine, and whether its watcher still looks: from the record
 * that it keeps in memory (core/rescue-record.ts). Nothing is published where nobody ever ran it.
 */
import type { Clock } from '../measure/clock.ts';
import {
  byLabel,
  type Collector,
  counter,
  type Finding,
  gauge,
  single,
} from '../core/collector.ts';
import {
  readRescueRecord,
  type Rescue,
  type RescueRecord,
  rescueRecordPath,
  secondsSinceBoot,
} from '../core/rescue-record.ts';
import { limits } from '../measure/limits.ts';
import { durationText } from '../measure/duration.ts';

const rescues = counter({
  name: 'stealwatch_rescues_total',
  help: 'Rescues since boot by what became of them, from the record of stealwatch rescue.',
  note: 'Writes of the async page fault MSR by `stealwatch rescue` since boot, by result: released (what was parked woke, and Redis answers), not_released, refused (nothing was written, once for each reason), failed (a write did not get through). From its record, /run/stealwatch-rescue/record.json.',
  labels: ['result'],
});
const lookAge = gauge({
  name: 'stealwatch_rescue_watch_age_seconds',
  help: 'Time since stealwatch rescue --watch last looked, from its record.',
  note: 'How long ago `stealwatch rescue --watch` last looked, every 5 s, from /run/stealwatch-rescue/record.json; absent where none has run since boot.',
});

const readEverySeconds = 5;
const shownSeconds = 15 * 60;

function rescueFinding(rescue: Rescue, now: number): Finding[] {
  const ago = now - rescue.time;
  if (ago > shownSeconds || ago < 0) return [];
  const severity = rescue.result === 'released' ? 'warning' : 'bad';
  return [{ severity, text: `stealwatch rescue, ${durationText(ago)} ago: ${rescue.text}` }];
}

function watchFinding({ watch }: RescueRecord, now: number): Finding[] {
  if (watch === undefined) return [];
  const age = now - watch.lookedAt;
  if (age > limits.rescueWatchAgeSeconds.warn) {
    const text = `stealwatch rescue --watch has not looked for ${durationText(age)}: nobody would write if it were time.`;
    return [{ severity: 'warning', text }];
  }
  if (watch.problem === undefined) return [];
  const text = `stealwatch rescue --watch could not write if it were time: ${watch.problem}.`;
  return [{ severity: 'warning', text }];
}

export function rescueCollector({
  clock,
  rescueRecord = rescueRecordPath,
  sinceBoot = secondsSinceBoot,
}: {
  clock: Pick<Clock, 'every'>;
  rescueRecord?: string;
  sinceBoot?: () => number;
}): Collector {
  let record: RescueRecord | undefined;

  function read(): void {
    record = readRescueRecord(rescueRecord) ?? record;
  }

  /** What is wrong with it `collect` tells. */
  function tick(): void {
    try {
      read();
    } catch {
      // As it was.
    }
  }

  tick();
  const stop = clock.every(readEverySeconds, tick);

  return {
    name: 'rescue',
    metrics: [rescues, lookAge],
    async collect() {
      read();
      if (record === undefined) return [];
      const { counts, watch } = record;
      return [
        byLabel(rescues, counts),
        ...(watch === undefined
          ? []
          : [single(lookAge, Math.max(0, sinceBoot() - watch.lookedAt))]),
      ];
    },
    report() {
      if (record === undefined) return {};
      const now = sinceBoot();
      const last = record.rescues.at(-1);
      return {
        findings: [
          ...(last === undefined ? [] : rescueFinding(last, now)),
          ...watchFinding(record, now),
        ],
        rescues: record.rescues,
      };
    },
    async close() {
      stop();
    },
  };
}
