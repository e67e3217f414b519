/** A field of INFO that is published as it is, and how fields are read. */
import type { Metric } from '../core/collector.ts';
import { numberOf, type RedisInfo, statusOf } from './info.ts';

export interface InfoField {
  readonly metric: Metric;
  /** Undefined when this server does not have the field, or not now: aof_* while AOF is off. */
  readonly read: (info: RedisInfo) => number | undefined;
}

export const as = (field: string) => (info: RedisInfo) => numberOf(info, field);
export const asStatus = (field: string) => (info: RedisInfo) => statusOf(info, field);

export function microseconds(field: string) {
  return (info: RedisInfo) => {
    const value = numberOf(info, field);
    // Some servers say -1 of what they do not count.
    return value === undefined || value === -1 ? undefined : value / 1e6;
  };
}
