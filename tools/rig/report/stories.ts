/** What happened to machines that do not exist, as the readers would hand it on. */
import type { Facts, Series } from '../../../exporter/report/facts/facts.ts';
import { boot, noFacts, placed, recorded, redis, rounds, series, source, time } from './build.ts';

export interface Story {
  readonly facts: Facts;
  readonly now: number;
}

const machine: Facts['machine'] = {
  hostname: 'shop-db-1.example.com',
  addresses: ['192.0.2.10', '2001:db8::10'],
  instanceUuid: '00000000-0000-4000-8000-000000000001',
  hypervisor: 'kvm',
  cpus: 2,
  memoryBytes: 8 * 2 ** 30,
  kernelRelease: '6.12.117+deb13-cloud-amd64',
};

const sources = {
  journal: source('journal', 'journal', 'journal, boot bbbbbbbb', 211),
  redis: source('redis', 'redis_log', '/var/log/redis/redis-server.log', 16),
  sysstat: source('sysstat', 'sysstat', '/var/log/sysstat/sa14, sa15', 2483),
  prometheus: source('prometheus', 'prometheus', 'http://watcher.example.net:9090', 9000),
} as const;

const began = time('2026-10-13 20:00:00');
const froze = time('2026-10-14 21:03:31');
const reset = time('2026-10-15 06:40:55');
const now = time('2026-10-15 09:00:00');
const during = (from: number, to: number, then: number, else_: number) => (at: number) =>
  at > from && at <= to ? then : else_;

interface Guest {
  readonly from?: number;
  readonly to?: number;
  readonly idle?: number;
  readonly load?: number;
  readonly steal?: number;
  readonly busy?: number;
  readonly operations?: number;
  readonly pressure?: number;
  readonly used?: number;
  readonly until?: number;
}

/** Ten minutes a row, as sysstat keeps them; what is not said is as on a quiet day. */
function sysstat({
  from = froze,
  to = reset,
  idle = 0.904,
  load = 2.2,
  steal = 0.021,
  busy = 0.004,
  operations = 3,
  pressure = 0,
  used = 0.426,
  until = reset,
}: Guest): Series[] {
  const shape = { from: began, to: until, step: 600 };
  return [
    series('cpu_idle', shape, during(from, to, idle, 0.85), 0.03),
    series('cpu_own', shape, during(from, to, Math.max(0, 1 - idle - steal), 0.12), 0.02),
    series('cpu_steal', shape, during(from, to, steal, 0.025), 0.01),
    series('cpu_iowait', shape, () => 0.003, 0.002),
    series('load_1m', shape, during(from, to, load, 0.2), 0.05),
    series('tasks_in_io_wait', shape, () => 0),
    series('memory_used', shape, during(from, to, used, 0.426), 0.006),
    series('swap_in_pages', shape, () => 0),
    series('pressure_memory', shape, during(from, to, pressure, 0)),
    series('disk_busy', { ...shape, of: 'vda' }, during(from, to, busy, 0.004), 0.002),
    series('disk_operations', { ...shape, of: 'vda' }, during(from, to, operations, 3), 1),
  ];
}

const pageIn = recorded('6.12-redis-kvm-async-pf').slice(0, 2);
const bootedAt = time('2026-10-13 19:00:00');
const oneReset = [
  boot('boot-1', '2026-10-13 19:00:00', { at: reset, how: 'unclean' }, [
    'the next boot found the journal not closed',
  ]),
  boot('boot-2', '2026-10-15 06:42:07'),
];

const redisBefore = [
  redis('2026-10-13 19:00:20', 'started'),
  redis('2026-10-13 19:00:21', 'ready'),
  redis('2026-10-14 21:03:10', 'save_due', { text: '100 changes in 300 seconds. Saving...' }),
  redis('2026-10-14 21:03:12', 'saved', { text: 'Background saving terminated with success' }),
];
const redisAfter = [
  redis('2026-10-15 06:42:25', 'started', { pid: 812 }),
  redis('2026-10-15 06:42:26', 'rdb_age', {
    pid: 812,
    seconds: time('2026-10-15 06:42:26') - time('2026-10-14 21:03:12'),
  }),
  redis('2026-10-15 06:42:28', 'loaded', { pid: 812, keys: 1764 }),
  redis('2026-10-15 06:42:29', 'ready', { pid: 812, text: 'Ready to accept connections tcp' }),
];

const hyp = series('host_page_ins', { from: began, to: reset, step: 600 }, (at) =>
  at > froze ? 0.41 : at > froze - 3600 ? 3.25 : 0.02,
);

/** The recorded traces of redis-server and its thread, reported in five rounds as a kernel with 122 s does. */
export function pagedOut(): Story {
  const reports = rounds(pageIn, { at: froze + 122, bootedAt, seconds: 122 }, 5);
  const facts: Facts = {
    ...noFacts,
    machine,
    sources: [sources.journal, sources.redis, sources.sysstat],
    missing: [
      {
        what: 'Prometheus',
        why: 'no URL was given',
        command: 'stealwatch report --prometheus http://WATCHER:9090 --host NAME',
      },
    ],
    boots: oneReset,
    kernelReports: reports,
    redis: [...redisBefore, ...redisAfter],
    series: [...sysstat({}), hyp],
    systemEvents: [
      { at: time('2026-10-15 06:33:40'), kind: 'login', text: '', source: 'journal' },
      {
        at: time('2026-10-15 06:40:55'),
        kind: 'container_stop_failed',
        text: 'stopping a container did not work',
        source: 'journal',
      },
      {
        at: time('2026-10-15 06:42:08'),
        kind: 'journal_recovered',
        text: 'the journal was found not closed: an unclean stop came before',
        source: 'journal',
      },
    ],
  };
  return { facts, now };
}

/** As recorded: two rounds of ten seconds, then Redis goes on. */
export function pagedOutAndBack(): Story {
  const all = recorded('6.12-redis-kvm-async-pf');
  const at = (one: (typeof all)[number]) => bootedAt + one.report.microseconds / 1e6;
  const first = all[0];
  const stalled = first === undefined ? bootedAt : at(first) - 10;
  const lines = [
    redis('2026-10-13 19:00:20', 'started'),
    { ...redis('2026-10-13 19:00:20', 'saved'), at: stalled - 4, text: 'DB saved on disk' },
    {
      ...redis('2026-10-13 19:00:20', 'save_due'),
      at: stalled + 41,
      text: '1 changes in 60 seconds. Saving...',
    },
  ];
  return {
    now: bootedAt + 7200,
    facts: {
      ...noFacts,
      machine,
      sources: [sources.journal, sources.redis],
      boots: [boot('boot-1', '2026-10-13 19:00:00')],
      kernelReports: all.map((one) => placed(one, { at: at(one), bootedAt })),
      redis: lines,
    },
  };
}

/** A kernel log as text and a Redis log: the first says nothing after its tenth report. */
export function textLogsOnly(): Story {
  const { facts } = pagedOut();
  const last = facts.kernelReports.at(-1)?.at ?? froze;
  return {
    now,
    facts: {
      ...noFacts,
      sources: [
        source('journal', 'kernel_log', '/var/log/kern.log and 2 rotated', 240),
        sources.redis,
      ],
      boots: [
        boot('boot-1', '2026-10-13 19:00:00', { at: last, how: 'unknown' }),
        boot('boot-2', '2026-10-15 06:42:07'),
      ],
      kernelReports: facts.kernelReports,
      redis: facts.redis,
    },
  };
}

/** One task of ours parked for good while other pages come back; its name is nobody's business. */
export function lostMessage(): Story {
  const all = recorded('6.12-lost-notification');
  const from = time('2026-10-14 21:03:31');
  const end = from + 75;
  const reports = all.map((one, i) =>
    placed(one, { at: from + 10 + i * 10.2, bootedAt, seconds: 10 + i * 10 }),
  );
  const shape = { from: from - 1800, to: end + 600, step: 15, source: 'prometheus' };
  return {
    now,
    facts: {
      ...noFacts,
      machine,
      sources: [sources.journal, sources.prometheus],
      boots: [boot('boot-1', '2026-10-13 19:00:00', { at: from + 60, how: 'unclean' })],
      kernelReports: reports,
      series: [
        series('host_page_ins', shape, () => 1.5),
        series('threads_waiting_for_page', shape, during(from, end, 1, 0)),
        series('cpu_idle', shape, () => 0.9, 0.01),
      ],
    },
  };
}

/** fsfreeze in this very machine: the trace is real. */
export function frozenFileSystem(agent: boolean): Story {
  const [first, second] = recorded('6.18-redis-aof-frozen-fs');
  if (first === undefined || second === undefined) throw new Error('the recording has two reports');
  const from = time('2026-10-14 21:03:31');
  const reports = [
    placed(first, { at: from + 10, bootedAt, seconds: 10 }),
    placed(second, { at: from + 20.2, bootedAt, seconds: 20 }),
  ];
  const froze = [
    {
      at: from - 3,
      kind: 'guest_agent_froze' as const,
      text: "the provider's agent froze the file systems, as a backup does",
      source: 'journal',
    },
  ];
  return {
    now: from + 7200,
    facts: {
      ...noFacts,
      machine,
      sources: [sources.journal, sources.redis, sources.sysstat],
      boots: [boot('boot-1', '2026-10-13 19:00:00')],
      kernelReports: reports,
      systemEvents: agent ? froze : [],
      redis: [
        redis('2026-10-13 19:00:20', 'started', { pid: 6104 }),
        redis('2026-10-14 21:03:29', 'saved', { pid: 6104, text: 'DB saved on disk' }),
        redis('2026-10-14 21:04:58', 'other', { pid: 6104 }),
      ],
      series: sysstat({ until: from + 7200, from, to: from + 90, load: 0.3 }),
    },
  };
}

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

/** Two freezes of one Redis in one boot, with life in between. */
export function twoInOneBoot(): Story {
  const [first] = pageIn;
  if (first === undefined) throw new Error('the recording has reports');
  const one = time('2026-10-14 10:00:00');
  const two = time('2026-10-14 15:00:00');
  return {
    now,
    facts: {
      ...noFacts,
      machine,
      sources: [sources.journal, sources.redis],
      boots: [boot('boot-1', '2026-10-13 19:00:00')],
      kernelReports: [
        placed(first, { at: one + 122, bootedAt, seconds: 122 }),
        placed(first, { at: two + 122, bootedAt, seconds: 122 }),
        placed(first, { at: two + 245, bootedAt, seconds: 245 }),
      ],
      redis: [
        redis('2026-10-13 19:00:20', 'started'),
        redis('2026-10-14 09:59:00', 'saved'),
        redis('2026-10-14 10:04:00', 'save_due'),
        redis('2026-10-14 14:58:30', 'saved'),
        redis('2026-10-14 15:06:00', 'save_due'),
      ],
    },
  };
}

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

function seenByPrometheus(name: 'stopped' | 'slow' | 'page'): Story {
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
        series('cpu_idle', step15, () => 0.9, 0.01),
      ],
      alerts:
        name === 'slow'
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
export const slowCommand = (): Story => seenByPrometheus('slow');
export const pageWaitMeasured = (): Story => seenByPrometheus('page');

/** Nothing but sysstat, and a reset: a question, no more. */
export const onlySysstat = (): Story => ({
  now,
  facts: {
    ...noFacts,
    machine,
    sources: [sources.sysstat],
    boots: oneReset,
    series: sysstat({}),
  },
});

/** Names by which their bearers try to break a document. */
export function hostile(): Story {
  const [first] = recorded('6.12-lost-notification');
  if (first === undefined) throw new Error('the recording has reports');
  const comm = 'a|`[x](//e.co)\n';
  const from = time('2026-10-14 21:03:31');
  const report = placed(
    {
      report: { ...first.report, comm },
      lines: [
        `INFO: task ${comm}:155 blocked for more than 10 seconds.`,
        '```',
        '# forged',
        ...first.lines.slice(1),
      ],
    },
    { at: from + 10, bootedAt, seconds: 10 },
  );
  return {
    now,
    facts: {
      ...noFacts,
      machine: { ...machine, hostname: '<script>|](http://e.co)' },
      sources: [source('journal', 'journal', 'x | y\n# forged <b>', 3)],
      missing: [{ what: 'a | b', why: '<img src=x>\n## forged', command: '`rm`' }],
      boots: [boot('boot-1', '2026-10-13 19:00:00')],
      kernelReports: [report],
      systemEvents: [
        {
          at: from + 20,
          kind: 'container_stop_failed',
          text: '| www.e.co\n# forged [a](http://e.co) a@e.co',
          source: 'journal',
        },
      ],
    },
  };
}
