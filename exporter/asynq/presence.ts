/** Whether there is an Asynq to see. */
import type { Known } from './known.ts';

export function isWithoutAsynq({ queues, snapshot }: Known): boolean {
  const { fleet, legacyQueues, listed } = snapshot;
  const known = queues + legacyQueues.length + fleet.servers.length + listed.unnamed;
  return known === 0 && fleet.schedulers === 0 && fleet.missing === 'none';
}
