/** One rescue from the first look to the last: what a person types and what the watcher does are the same. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Rescue, RescueRecorder } from '../core/rescue-record.ts';
import type { AskExporter } from '../doctor/exporter.ts';
import { type Clock, systemClock } from '../measure/clock.ts';
import { messageOf } from '../measure/errors.ts';
import type { RedisAddress } from '../redis/address.ts';
import { createRedisProbe } from '../redis/probe.ts';
import type { Place } from './grounds.ts';
import { keepEvidence } from './keep.ts';
import { readKernelLog } from './kernel-log.ts';
import { type Look, look } from './look.ts';
import type { Msrs } from './msr.ts';
import { createParkedThreads } from './parked.ts';
import { release, type Released } from './release.ts';

export interface ActSettings {
  readonly place: Place;
  readonly msrs: Msrs;
  readonly kmsg: string;
  readonly redis: RedisAddress;
  readonly out: string;
  readonly allCpus: boolean;
  /** Rejects where there is no exporter. */
  readonly ask: () => Promise<AskExporter>;
  readonly record: RescueRecorder;
  readonly sinceBoot: () => number;
  readonly clock?: Clock;
  readonly sleep?: (seconds: number) => Promise<void>;
  /** Files of evidence that stay; all where it is left out. */
  readonly mostKept?: number;
}

export interface Acting {
  readonly look: Look;
  /** Once more: nothing else may have been asked meanwhile. */
  readonly act: (tell: (line: string) => void) => Promise<Released>;
}

/** Long enough to see whether pages come back on a machine that is paged. */
const watchedSeconds = 3;

const afterAll = (seconds: number) => sleep(seconds * 1000).then(() => undefined);

/** What cannot be written down keeps nobody from what it is there for. */
export function loosely(record: RescueRecorder, tell: (line: string) => void): RescueRecorder {
  const attempt = (work: () => void) => {
    try {
      work();
    } catch (error) {
      tell(`The record for the exporter cannot be written: ${messageOf(error)}.`);
    }
  };
  return {
    intend: (cpu) => attempt(() => record.intend(cpu)),
    done: (rescue) => attempt(() => record.done(rescue)),
    watching: (watch) => attempt(() => record.watching(watch)),
  };
}

const rescueOf = (released: Released, time: number): Rescue => ({
  time,
  result: released.result,
  cpus: released.written.map(({ cpu }) => cpu),
  text: released.text,
});

export async function begin(settings: ActSettings): Promise<Acting> {
  const { place, msrs, allCpus, ask, sinceBoot, redis, out, mostKept } = settings;
  const { clock = systemClock, sleep: pause = afterAll } = settings;
  const parked = createParkedThreads({ procfs: place.procfs, clock });
  const kernelLog = () => readKernelLog(settings.kmsg);
  const looked = await look({
    place,
    msrs,
    parked,
    kernelLog,
    ask,
    sleep: pause,
    sinceBoot,
    watchedSeconds,
    allCpus,
  });
  return {
    look: looked,
    async act(tell) {
      const now = () => clock.wall();
      const most = mostKept === undefined ? {} : { most: mostKept };
      const kept = { directory: out, ask, kernelLog, now, ...most };
      tell(
        await keepEvidence(looked, kept).then(
          (path) => `The evidence is in ${path}.`,
          (error: unknown) => `The evidence could not be kept: ${messageOf(error)}.`,
        ),
      );
      const probe = createRedisProbe(redis, clock);
      const letGo = probe.hold();
      const record = loosely(settings.record, tell);
      try {
        const released = await release(looked, {
          place,
          msrs,
          parked,
          probe,
          record,
          sleep: pause,
          tell,
        });
        record.done(rescueOf(released, sinceBoot()));
        return released;
      } finally {
        letGo();
      }
    },
  };
}
