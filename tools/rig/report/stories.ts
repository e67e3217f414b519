/** What happened to machines that do not exist, as the readers would hand it on. */
import type { Facts } from '../../../exporter/report/facts/facts.ts';
import { boot, noFacts, placed, recorded, redis, rounds, series, source, time } from './build.ts';
import {
  bootedAt,
  during,
  froze,
  hyp,
  machine,
  now,
  oneReset,
  pageIn,
  redisAfter,
  redisBefore,
  sources,
  type Story,
  sysstat,
  began,
} from './machine.ts';

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

/** The page-in trace on a machine that says it is no KVM guest. */
export function otherHypervisor(): Story {
  const { facts, now: at } = pagedOutAndBack();
  return { now: at, facts: { ...facts, machine: { ...machine, hypervisor: 'xen' } } };
}

/** A Redis that was asked to stop, and a frozen disk under an idle guest. */
export function diskOfTheHost(own: boolean): Story {
  const [first] = recorded('3.13-jbd2');
  if (first === undefined) throw new Error('the recording has a report');
  const from = time('2026-10-14 21:00:00');
  const to = time('2026-10-14 23:00:00');
  const shape = { from: began, to: to + 3600, step: 600, of: 'vda' };
  return {
    now: to + 7200,
    facts: {
      ...noFacts,
      machine,
      sources: [sources.journal, sources.sysstat],
      boots: [boot('boot-1', '2026-10-13 19:00:00', { at: to, how: 'unclean' })],
      kernelReports: rounds([first], { at: from + 120, bootedAt, seconds: 120 }, 10),
      series: [
        series('disk_operations', shape, during(from, to, own ? 800 : 0.2, 3), 0.1),
        series('disk_await_seconds', shape, during(from, to, 4, 0.002)),
        series('disk_busy', shape, during(from, to, own ? 0.95 : 0.3, 0.01)),
        series('cpu_idle', { ...shape }, () => 0.9),
      ],
    },
  };
}

/** Two sources without samples at once, and a clock that jumped after it. */
export function stoodStill(shown: boolean): Story {
  const [from, to] = [time('2026-10-14 21:00:10'), time('2026-10-14 21:04:00')];
  return {
    now,
    facts: {
      ...noFacts,
      machine,
      sources: [sources.journal, sources.prometheus],
      boots: [boot('boot-1', '2026-10-13 19:00:00')],
      gaps: [
        { from, to, source: 'journal' },
        { from: from - 5, to: to + 5, source: 'prometheus' },
      ],
      systemEvents: shown
        ? [
            {
              at: to + 1,
              kind: 'clock_stepped',
              text: 'the clock went forward by 230 s',
              source: 'journal',
            },
          ]
        : [],
    },
  };
}
