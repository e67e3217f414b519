/** Whether there is an Asynq to see. */
import type { Snapshot } from './collection.ts';

export function isWithoutAsynq({ queues, fleet, legacyQueues }: Snapshot): boolean {
  const fleetSize = (fleet?.servers.length ?? 0) + (fleet?.schedulers ?? 0);
  return queues.length === 0 && legacyQueues.length === 0 && fleetSize === 0;
}
