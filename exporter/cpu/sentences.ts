/** What is said of steal and of standing still, in sentences. */
import type { Check, Finding, Signal } from '../core/collector.ts';
import { durationText } from '../measure/duration.ts';
import { limits } from '../measure/limits.ts';
import type { MinuteSample } from '../measure/last-minute.ts';
import { percentText } from '../measure/percent.ts';

/** So long a standstill counts as of now, and one that was shorter does not take its place. */
const stallFreshSeconds = 5 * 60;
const stallShownSeconds = 15 * 60;
/** Steal under this share is the noise of any shared host. */
const noticedRatio = 0.02;

/** `told`: the host has reported steal since boot, so a 0 means something. */
export function stealFinding(minute: MinuteSample, threshold: number, told: boolean): Finding[] {
  const ratio = minute.demand > 0 ? minute.steal / minute.demand : 0;
  const { stolenSeconds } = minute;
  if (stolenSeconds >= 1 && ratio <= threshold) {
    // A storm or a single stolen vCPU, which the average over a minute hides.
    const text = `In ${Math.round(stolenSeconds)} of the last 60 seconds your host took more than ${percentText(threshold)} of the CPU you asked for, on all vCPUs or on one.`;
    return [{ severity: stolenSeconds >= 6 ? 'bad' : 'warning', text }];
  }
  if (ratio >= noticedRatio) {
    const text = `Your host is taking ${percentText(ratio)} of the CPU you ask for (last minute).`;
    return [{ severity: ratio > threshold ? 'bad' : 'warning', text }];
  }
  if (!told || minute.demand === 0) return [];
  return [{ severity: 'good', text: 'Your host gave you the CPU you asked for (last minute).' }];
}

export interface Stall {
  readonly endedAt: number;
  readonly seconds: number;
}

/** The one that is told: the longest of the last minutes, not what came last. */
export function worstStall(known: Stall, next: Stall): Stall {
  const fresh = next.endedAt - known.endedAt <= stallFreshSeconds;
  return fresh && known.seconds > next.seconds ? known : next;
}

/** Several short ones are as bad as a long one: `recently`, of the last two minutes together. */
export function stallFinding(stallSeconds: number, agoSeconds: number, recently = 0): Finding[] {
  if (agoSeconds > stallShownSeconds) return [];
  const text = `This machine stood still for ${durationText(stallSeconds)}, ${durationText(agoSeconds)} ago: nothing ran, not even this exporter.`;
  if (agoSeconds <= stallFreshSeconds) {
    const hurts = Math.max(stallSeconds, recently) >= limits.stalledSecondsIn2m.warn;
    return [{ severity: hurts ? 'bad' : 'warning', text, ended: true }];
  }
  return [{ severity: 'warning', text, past: true }];
}

/** Critical: with the wrong folder all signals of the machine are missing, not well. */
export function procfsChecks(
  wrong: { readonly reason: string; readonly since: number } | undefined,
  now: number,
  name = '--procfs',
): Check[] {
  if (wrong === undefined) return [];
  const reason = `${name}: ${wrong.reason}`;
  const times = { sinceSeconds: now - wrong.since, ageSeconds: 0 };
  return [{ name: 'procfs', critical: true, ok: false, state: 'wrong', reason, ...times }];
}

/** Why steal cannot be told; the collector never saw it. */
export const untold = {
  absent: '/proc/stat is not there: mount the proc file system of the host',
  noColumn: '/proc/stat has no steal column, as before Linux 2.6.11',
} as const;

export function stealSignal(told: boolean | undefined, why: string): Signal {
  const name = 'steal';
  if (told === undefined) return { name, supported: false, reason: why };
  const reason = told
    ? 'the steal column of /proc/stat, and the host fills it'
    : 'the steal column of /proc/stat; it has been 0 since boot, as it is for ever on bare metal and on hosts that do not tell their guests';
  return { name, supported: true, reason };
}
