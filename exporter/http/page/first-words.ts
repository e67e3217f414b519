/** What somebody who starts the exporter by hand wants to know, in three lines: JSON is not for them. */
import type { Report } from '../../core/collector.ts';
import { visible } from './shown.ts';

/** A sentence as part of a line. */
const part = (sentence: string): string => sentence.replace(/\.$/, '');

function listed(words: readonly string[]): string | undefined {
  const all = words.filter((word) => word !== '');
  return all.length === 0 ? undefined : visible(all.join('; '));
}

export interface Started {
  /** Where it listens, as a browser on this machine is told. */
  readonly url: URL;
  /** After the first looks: until then nothing is found. */
  readonly reports: readonly Report[];
  /** Nobody has said which Redis to watch. */
  readonly redisUnset: boolean;
}

export function firstWords({ url, reports, redisUnset }: Started): string {
  const checks = reports.flatMap((report) => report.checks ?? []);
  const signals = reports.flatMap((report) => report.signals ?? []);
  const names = (supported: boolean) =>
    signals.filter((signal) => signal.supported === supported).map(({ name }) => name);
  const reasons = (wanted: boolean) =>
    checks
      .filter(({ name, ok }) => ok === wanted && (!ok || name === 'redis'))
      .map(({ reason }) => part(reason));
  const whichRedis = redisUnset ? ['which Redis to watch (--redis-url)'] : [];
  const missing = listed([...whichRedis, ...reasons(false), names(false).join(', ')]);
  return [
    `stealwatch listens at ${url.href}`,
    `found: ${listed([...reasons(true), names(true).join(', ')]) ?? 'nothing'}`,
    `missing: ${missing === undefined ? 'nothing' : `${missing}. That address says why, and what to do.`}`,
    '',
  ].join('\n');
}
