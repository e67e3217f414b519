/** A machine that lies in a folder, as `stealwatch doctor --root` sees it, and nobody answering on it. */
import { systemClock } from '../../exporter/measure/clock.ts';
import { parseRedisAddress } from '../../exporter/redis/address.ts';
import { examine, type ExamineOptions } from '../../exporter/doctor/examine.ts';
import { checks } from '../../exporter/doctor/checks.ts';
import type { Result } from '../../exporter/doctor/check.ts';

/** Port 1 of loopback refuses at once, unless somebody went to lengths. */
const nobody = { redis: 'redis://127.0.0.1:1', http: 'http://127.0.0.1:1' };

function doctorOptions(root: string): ExamineOptions {
  return {
    clock: systemClock,
    root,
    procfs: `${root}/proc`,
    sysfs: `${root}/sys`,
    kmsg: `${root}/dev/kmsg`,
    redis: parseRedisAddress(nobody.redis),
    exporter: { url: new URL(nobody.http), token: undefined },
    alertmanager: undefined,
  };
}

/** What one check says. */
export async function examineOne(
  id: string,
  root: string,
  options: Partial<ExamineOptions> = {},
): Promise<Result> {
  const only = checks.filter((check) => check.id === id);
  const [result] = await examine({ ...doctorOptions(root), ...options, checks: only });
  if (result === undefined) throw new Error(`no check ${id}`);
  return result;
}

/** State and reason, as a test compares them. */
export const saidBy = ({ state, reason }: Result): string => `${state}: ${reason}`;
