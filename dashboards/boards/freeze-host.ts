/** What the page of a freeze shows of the machine beside Redis: its disks, its memory, its cold pages. */
import { colors } from '../kit/palette.ts';
import { line, lines } from '../kit/panels.ts';
import { here } from '../kit/query.ts';
import { axis } from './freeze-redis.ts';

export const disks = lines({
  title: 'Disk: time per operation',
  description:
    'Mean time of a read, write or flush, the slowest disk. `stealwatch_disk_seconds_total` / `stealwatch_disk_operations_total`, from /proc/diskstats. A flush that takes seconds is what delays the AOF.',
  w: 12,
  h: 6,
  unit: 's',
  min: 0,
  axis,
  lines: [
    line(
      `max by (op) (rate(stealwatch_disk_seconds_total{${here}}[$__rate_interval]) / (rate(stealwatch_disk_operations_total{${here}}[$__rate_interval]) > 0))`,
      '{{op}}',
    ),
  ],
});

export const memory = lines({
  title: 'Memory',
  description:
    'What this machine believes to have. *balloon*: memory the host asked back openly. `stealwatch_memory_bytes`, from /proc/meminfo and /proc/vmstat. Plenty available while Redis is paged in: the memory is missing on the host, not here.',
  w: 12,
  h: 6,
  unit: 'bytes',
  min: 0,
  axis,
  lines: [
    line(`max by (kind) (stealwatch_memory_bytes{${here},kind=~"available|balloon"})`, '{{kind}}'),
  ],
});

export const swap = lines({
  title: 'Own swap',
  description:
    'What this machine itself has swapped out, the most of the selected hosts. `stealwatch_memory_bytes`, from /proc/meminfo. Flat while Redis is paged in: it is the host that swaps, not this machine.',
  w: 12,
  h: 6,
  unit: 'bytes',
  min: 0,
  axis,
  lines: [
    line(
      `max(stealwatch_memory_bytes{${here},kind="swap_total"} - on (host, job, instance) stealwatch_memory_bytes{${here},kind="swap_free"})`,
      'own swap used',
      { color: colors.degraded },
    ),
  ],
});

export const canary = lines({
  title: 'Cold pages',
  description:
    'The canary (`--canary`): pages of its own that it touches every 2, 15 and 60 minutes. Touches per second that the host had to page in, at least. `stealwatch_cold_page_host_faults_total`.',
  w: 12,
  h: 6,
  unit: 'cps',
  min: 0,
  axis,
  noValue: 'The canary is off (start the exporter with --canary), or no exporter answered.',
  lines: [
    line(
      `max by (age) (rate(stealwatch_cold_page_host_faults_total{${here}}[$__rate_interval]))`,
      'paged in after {{age}}',
    ),
  ],
});

export const canaryWaits = lines({
  title: 'Cold page that is waited for',
  description:
    'How long the touch of a cold page that is under way has been waiting (`--canary`). `stealwatch_cold_page_outstanding_seconds`. Seconds: the host is bringing the page back, and whatever else is cold waits as long.',
  w: 12,
  h: 6,
  unit: 's',
  min: 0,
  axis,
  noValue: 'The canary is off (start the exporter with --canary), or no exporter answered.',
  lines: [
    line(
      `max(max_over_time(stealwatch_cold_page_outstanding_seconds{${here}}[$__rate_interval]))`,
      'touch outstanding',
      { color: colors.pageIn },
    ),
  ],
});
