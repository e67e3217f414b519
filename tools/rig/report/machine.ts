/** The machine of the stories, and its quiet days. */
import type { Facts, Series } from '../../../exporter/report/facts/facts.ts';
import { boot, recorded, redis, series, source, time } from './build.ts';

export interface Story {
  readonly facts: Facts;
  readonly now: number;
}

export const machine: Facts['machine'] = {
  hostname: 'shop-db-1.example.com',
  addresses: ['192.0.2.10', '2001:db8::10'],
  instanceUuid: '00000000-0000-4000-8000-000000000001',
  hypervisor: 'kvm',
  cpus: 2,
  memoryBytes: 8 * 2 ** 30,
  kernelRelease: '6.12.117+deb13-cloud-amd64',
};

export const sources = {
  journal: source('journal', 'journal', 'journal, boot bbbbbbbb', 211),
  redis: source('redis', 'redis_log', '/var/log/redis/redis-server.log', 16),
  sysstat: source('sysstat', 'sysstat', '/var/log/sysstat/sa14, sa15', 2483),
  prometheus: source('prometheus', 'prometheus', 'http://watcher.example.net:9090', 9000),
} as const;

export const began = time('2026-10-13 20:00:00');
export const froze = time('2026-10-14 21:03:31');
const reset = time('2026-10-15 06:40:55');
export const now = time('2026-10-15 09:00:00');
export const during = (from: number, to: number, then: number, else_: number) => (at: number) =>
  at > from && at <= to ? then : else_;

export interface Guest {
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
export function sysstat({
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

export const pageIn = recorded('6.12-redis-kvm-async-pf').slice(0, 2);
export const bootedAt = time('2026-10-13 19:00:00');
export const oneReset = [
  boot('boot-1', '2026-10-13 19:00:00', { at: reset, how: 'unclean' }, [
    'the next boot found the journal not closed',
  ]),
  boot('boot-2', '2026-10-15 06:42:07'),
];

export const redisBefore = [
  redis('2026-10-13 19:00:20', 'started'),
  redis('2026-10-13 19:00:21', 'ready'),
  // It saves each hour, so that nine hours of silence say something.
  ...Array.from({ length: 26 }, (_, i) => {
    const due = redis('2026-10-13 20:00:00', 'save_due', {
      text: '1 changes in 3600 seconds. Saving...',
    });
    return { ...due, at: due.at + i * 3600 };
  }).filter(({ at }) => at < time('2026-10-14 21:03:10')),
  redis('2026-10-14 21:03:10', 'save_due', { text: '100 changes in 300 seconds. Saving...' }),
  redis('2026-10-14 21:03:12', 'saved', { text: 'Background saving terminated with success' }),
];
export const redisAfter = [
  redis('2026-10-15 06:42:25', 'started', { pid: 812 }),
  redis('2026-10-15 06:42:26', 'rdb_age', {
    pid: 812,
    seconds: time('2026-10-15 06:42:26') - time('2026-10-14 21:03:12'),
  }),
  redis('2026-10-15 06:42:28', 'loaded', { pid: 812, keys: 1764 }),
  redis('2026-10-15 06:42:29', 'ready', { pid: 812, text: 'Ready to accept connections tcp' }),
];

export const hyp = series('host_page_ins', { from: began, to: reset, step: 600 }, (at) =>
  at > froze ? 0.41 : at > froze - 3600 ? 3.25 : 0.02,
);
