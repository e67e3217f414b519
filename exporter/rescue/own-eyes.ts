/**
 * The verdict without the exporter, which may be frozen like everything else: by its own collectors and
 * rule, here in another process. Two of them are enough for pages that do not come back.
 */
import { asyncPageFaultsCollector } from '../collectors/async-page-faults.ts';
import { blockedTasksCollector } from '../collectors/blocked-tasks.ts';
import { verdictFrom } from '../core/status.ts';
import type { Clock } from '../measure/clock.ts';
import type { PseudoFs } from '../procfs/reader.ts';
import type { Said } from './exporter.ts';

export interface OwnEyes {
  verdict(): Said;
}

export function openOwnEyes(sources: {
  readonly procfs: PseudoFs;
  readonly sysfs: PseudoFs;
  readonly clock: Clock;
  readonly rescueRecord: string;
}): OwnEyes {
  const collectors = [asyncPageFaultsCollector(sources), blockedTasksCollector(sources)];
  return {
    verdict() {
      const { name, text } = verdictFrom(collectors.map((one) => one.report?.() ?? {}));
      return { verdict: name, text };
    },
  };
}
