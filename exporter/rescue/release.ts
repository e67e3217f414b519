/**
 * The write itself: on each vCPU where something is parked, what was just read there, two seconds apart,
 * each confirmed by what moved; then half a minute of looking whether it helped. A write that does not
 * get through ends it: nothing is tried twice. Where all have woken by then, nothing is written, and what
 * woke by itself is no merit of a write.
 */
import type { RescueRecorder, RescueResult } from '../core/rescue-record.ts';
import type { RedisProbe } from '../redis/probe.ts';
import { messageOf } from '../measure/errors.ts';
import { hypMoved, type Look, readHyp } from './look.ts';
import type { Place } from './grounds.ts';
import type { Msrs } from './msr.ts';
import type { Fate, ParkedThread, ParkedThreads } from './parked.ts';

export interface Written {
  readonly cpu: number;
  /** How far HYP of that vCPU went within two seconds: the host answers by one. */
  readonly hyp: number;
  /** Threads that slept there before the write and had woken by then, of how many. */
  readonly woke: number;
  readonly of: number;
}

export interface Released {
  readonly result: RescueResult;
  readonly written: readonly Written[];
  /** Of each thread that was parked, at the end. */
  readonly fates: readonly { readonly thread: ParkedThread; readonly fate: Fate }[];
  /** A sentence of Redis. */
  readonly redis: string;
  /** Why a write did not get through; a sentence without its full stop. */
  readonly failure?: string;
  /** A sentence of all; where nothing was written, why. */
  readonly text: string;
}

export interface ReleaseSettings {
  readonly place: Place;
  readonly msrs: Msrs;
  readonly parked: ParkedThreads;
  readonly probe: Pick<RedisProbe, 'verdict'>;
  readonly record: Pick<RescueRecorder, 'intend'>;
  readonly sleep: (seconds: number) => Promise<void>;
  readonly tell: (line: string) => void;
}

const betweenSeconds = 2;
const watchSeconds = 30;
/** All is well for so long: there is nothing to wait for. */
const wellSeconds = 3;

const isAwake = (fate: Fate) => fate === 'awake' || fate === 'gone';

/** `absent`: nobody listens, so nobody is waited for. */
type RedisSign = 'answers' | 'absent' | 'silent';

function redisSign({ probe }: Pick<ReleaseSettings, 'probe'>): RedisSign {
  const verdict = probe.verdict();
  if (verdict === undefined) return 'silent';
  if (verdict.alive) return 'answers';
  return verdict.state === 'refused' || verdict.state === 'unreachable' ? 'absent' : 'silent';
}

function wokeText(fates: Released['fates']): string {
  const count = (...some: readonly Fate[]) =>
    fates.filter(({ fate }) => some.includes(fate)).length;
  if (fates.length === 0) return 'nothing was parked';
  const again = count('again');
  const waiting = again === 0 ? '' : `, ${again} of them wait for a page again`;
  return `${count('awake', 'gone', 'again')} of ${fates.length} parked threads woke${waiting}`;
}

function textOf(written: readonly Written[], fates: Released['fates'], redis: RedisSign): string {
  const cpus = written.map(({ cpu }) => cpu).join(', ');
  const where = written.length === 1 ? `vCPU ${cpus}` : `vCPUs ${cpus}`;
  const redisWords = {
    answers: 'Redis answers',
    absent: 'no Redis listens',
    silent: 'Redis does not answer',
  } as const;
  return `The async page fault MSR was written back on ${where}: ${wokeText(fates)}, ${redisWords[redis]}.`;
}

export async function release(look: Look, settings: ReleaseSettings): Promise<Released> {
  const { place, msrs, parked, probe, record, sleep, tell } = settings;
  const written: Written[] = [];
  /** Those that waited when their vCPU was written. */
  const needing: ParkedThread[] = [];

  const fatesOf = (threads: readonly ParkedThread[]) =>
    threads.map((thread) => ({ thread, fate: parked.fateOf(thread) }));

  async function writeOn(cpu: number): Promise<void> {
    const value = look.vcpus.find((one) => one.cpu === cpu)?.value;
    if (value === undefined) throw new Error(`vCPU ${cpu} was not read`);
    const all = look.threads.filter((one) => one.cpu === cpu);
    const threads = all.filter((one) => !isAwake(parked.fateOf(one)));
    if (all.length > 0 && threads.length === 0) {
      tell(`vCPU ${cpu}: not written, what was parked there has woken by itself.`);
      return;
    }
    needing.push(...threads);
    const asleep = threads.filter((one) => parked.fateOf(one) === 'asleep');
    record.intend(cpu);
    const before = readHyp(place);
    await msrs.rewrite(cpu, value);
    await sleep(betweenSeconds);
    const hyp = hypMoved(before, readHyp(place), cpu);
    const woke = fatesOf(asleep).filter(({ fate }) => fate !== 'asleep').length;
    written.push({ cpu, hyp, woke, of: asleep.length });
    const confirmed =
      hyp > 0 ? `HYP went up by ${hyp}` : 'HYP did not move: the host has not answered';
    tell(`vCPU ${cpu}: written; ${confirmed}; ${woke} of ${asleep.length} threads have woken.`);
  }

  async function writeAll(): Promise<string | undefined> {
    for (const cpu of look.targets) {
      try {
        await writeOn(cpu);
      } catch (error) {
        return messageOf(error);
      }
    }
    return undefined;
  }

  function outcome() {
    const fates = fatesOf(look.threads);
    const sign = redisSign(settings);
    return { fates, sign, well: sign !== 'silent' && fates.every(({ fate }) => isAwake(fate)) };
  }

  /** Ends early where nothing is left to be seen. */
  async function follow(): Promise<void> {
    let well = 0;
    for (let second = 0; second < watchSeconds && well < wellSeconds; second += 1) {
      await sleep(1);
      well = outcome().well ? well + 1 : 0;
    }
  }

  const failure = await writeAll();
  if (written.length > 0) await follow();
  const { fates, sign, well } = outcome();
  const common = { written, fates, redis: probe.verdict()?.reason ?? 'Redis was not heard yet.' };
  if (failure !== undefined) {
    return {
      ...common,
      result: 'failed',
      failure,
      text: `A write did not get through: ${failure}.`,
    };
  }
  if (written.length === 0) {
    const text = 'Nothing was written: what was parked had woken by itself.';
    return { ...common, result: 'refused', text };
  }
  const text = textOf(written, fatesOf(needing), sign);
  return { ...common, result: well ? 'released' : 'not_released', text };
}
