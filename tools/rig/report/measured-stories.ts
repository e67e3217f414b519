/** Stories that no kernel report tells: figures, single events, or nothing. */
import type { Facts } from '../../../exporter/report/facts/facts.ts';
import { boot, noFacts, series, time } from './build.ts';
import {
  during,
  type Guest,
  machine,
  now,
  oneReset,
  sources,
  type Story,
  sysstat,
} from './machine.ts';

const busyFrom = time('2026-10-14 22:00:00');
const busyTo = time('2026-10-15 00:00:00');

function measuredOnly(guest: Guest, more: Partial<Facts> = {}): Story {
  return {
    now,
    facts: {
      ...noFacts,
      machine,
      sources: [sources.journal, sources.sysstat],
      boots: [boot('boot-1', '2026-10-13 19:00:00')],
      series: sysstat({ from: busyFrom, to: busyTo, load: 0.2, ...guest }),
      ...more,
    },
  };
}

export const quiet = (): Story => measuredOnly({ idle: 0.85 });

export const ownLoad = (): Story => measuredOnly({ idle: 0.02, load: 6, steal: 0.01 });

export const ownDisk = (): Story => measuredOnly({ idle: 0.7, busy: 0.97, operations: 900 });

export const shortOfMemory = (): Story => measuredOnly({ idle: 0.5, pressure: 0.45, used: 0.97 });

/** Half of what the guest asked for was taken, of a guest that asked for a third. */
export const stealStorm = (): Story => measuredOnly({ idle: 0.66, steal: 0.16 });

export const outOfMemory = (): Story =>
  measuredOnly(
    { idle: 0.6, used: 0.98 },
    {
      kernelEvents: [
        {
          at: busyFrom + 1234,
          boot: 'boot-1',
          kind: 'oom_machine',
          text: 'Out of memory: Killed process 812 (redis-server) total-vm:8123456kB',
          source: 'journal',
        },
      ],
    },
  );

export function noSources(): Story {
  return {
    now,
    facts: {
      ...noFacts,
      missing: [
        {
          what: 'journal',
          why: 'no /var/log/journal',
          command: 'mkdir -p /var/log/journal && journalctl --flush',
        },
        {
          what: 'sysstat',
          why: 'no file under /var/log/sysstat',
          command: 'systemctl enable --now sysstat',
        },
      ],
    },
  };
}

const step15 = { from: busyFrom - 3600, to: busyTo, step: 15, source: 'prometheus' };

function seenByPrometheus(name: 'stopped' | 'slow' | 'page' | 'refused', idle = 0.9): Story {
  const [from, to] = [busyFrom, busyFrom + 600];
  const blocked = name === 'page' ? 2 : 0;
  return {
    now,
    facts: {
      ...noFacts,
      machine,
      sources: [sources.prometheus],
      series: [
        series('redis_up', step15, during(from, to, name === 'slow' ? 1 : 0, 1)),
        series(
          'redis_latency_seconds',
          step15,
          during(from, to, name === 'slow' ? 4 : 0.001, 0.001),
        ),
        series('threads_in_d', step15, during(from, to, blocked, 0)),
        series('threads_waiting_for_page', step15, during(from, to, blocked, 0)),
        series('cpu_idle', step15, () => idle, 0.01),
      ],
      alerts:
        name === 'slow' || name === 'refused'
          ? []
          : [
              {
                name: 'RedisFrozen',
                severity: 'page',
                from: from + 12,
                to: to + 30,
                source: 'prometheus',
              },
            ],
    },
  };
}

export const stoppedBySignal = (): Story => seenByPrometheus('stopped');
/** The same, of a process whose state was seen, on a machine that is busy all the while. */
export function seenStopped(stopped = 1): Story {
  const story = seenByPrometheus('stopped', 0.01);
  const { series: before } = story.facts;
  const seen = series('redis_stopped', step15, during(busyFrom, busyFrom + 600, stopped, 0));
  return { ...story, facts: { ...story.facts, series: [...before, seen] } };
}
export const slowCommand = (): Story => seenByPrometheus('slow');
export const pageWaitMeasured = (): Story => seenByPrometheus('page');

/** A reset, and nothing else that was kept. */
export const resetAlone = (): Story => ({
  now,
  facts: { ...noFacts, machine, sources: [sources.journal], boots: oneReset },
});

export const refusedConnections = (): Story => seenByPrometheus('refused');
