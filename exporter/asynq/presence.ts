/** Whether there is an Asynq to see. */
import type { Snapshot } from './collection.ts';

export function isWithoutAsynq({ queues, listed, fleet, legacyQueues }: Snapshot): boolean {
  const known = queues.length + legacyQueues.length + fleet.servers.length;
  return known === 0 && fleet.schedulers === 0 && fleet.missing === 'none' && listed.unnamed === 0;
}
