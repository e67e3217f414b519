/** The exporter itself: does it work, is it fresh, what does it cost? */
import { thresholds } from '../../alerts/thresholds.ts';
import { build, uids } from '../kit/dashboard.ts';
import { table } from '../kit/grids.ts';
import { overviewOf } from '../kit/links.ts';
import { colors } from '../kit/palette.ts';
import { lanes } from '../kit/state-timeline.ts';
import { type Panel, figure, line, lines, rising } from '../kit/panels.ts';
import { here, instant, ofWhoAnswers, range } from '../kit/query.ts';

const unscraped = 'No exporter was scraped in this range.';

const unasked =
  'No Redis is watched, so nothing is asked over the network, or no exporter answered.';

const cost: readonly Panel[] = [
  figure({
    title: 'Own CPU',
    description:
      'Share of one core the exporter uses, the most of the selected hosts. `process_cpu_seconds_total`. On a 2-vCPU VPS 2 % is fine; above 10 % tell us.',
    w: 6,
    h: 4,
    unit: 'percentunit',
    decimals: 1,
    query: instant(
      `max(${ofWhoAnswers(`rate(process_cpu_seconds_total{${here}}[$__rate_interval])`)})`,
      'cpu',
    ),
    steps: rising({ warn: 0.05, bad: 0.1 }),
    noValue: 'no data',
  }),
  figure({
    title: 'Own memory',
    description: 'Resident memory of the exporter. `process_resident_memory_bytes`.',
    w: 6,
    h: 4,
    unit: 'bytes',
    query: instant(`max(process_resident_memory_bytes{${here}})`, 'memory'),
    steps: rising({ warn: 150e6, bad: 300e6 }),
    noValue: 'no data',
  }),
  figure({
    title: 'Series per scrape',
    description:
      'How many series one scrape of one host adds. `scrape_samples_scraped`, written by Prometheus. It must not grow with the days: if it does, a label is not bounded.',
    w: 6,
    h: 4,
    unit: 'short',
    query: instant(`max(scrape_samples_scraped{${here}})`, 'series'),
    steps: rising({ warn: 450, bad: 1000 }),
    noValue: 'no data',
  }),
  figure({
    title: 'Kernel records lost',
    description:
      'Records of /dev/kmsg that were overwritten before they were read, in the range shown. `stealwatch_kmsg_lost_records_total`. A hung task report may have been among them.',
    w: 6,
    h: 4,
    unit: 'short',
    query: instant(
      `sum(increase(stealwatch_kmsg_lost_records_total{${here}}[$__range])) or max(stealwatch_signal_supported{${here},signal="hung_task_log"} == 0) - 1`,
      'lost',
    ),
    steps: rising({ warn: 1, bad: 100 }),
    meanings: [{ value: -1, text: 'not readable here', color: colors.unknown }],
    noValue: 'not readable here',
  }),
];

const success = lanes({
  title: 'Collectors',
  description:
    'Whether each source could be read. `stealwatch_collector_success`. "Failed": the reason is in the log of the exporter and on its own page, never in a label. Redis is expected to fail while it is frozen.',
  w: 12,
  h: 10,
  lanes: [
    range(
      `min by (collector) (min_over_time(stealwatch_collector_success{${here}}[$__rate_interval]))`,
      '{{collector}}',
    ),
  ],
  meanings: [
    { value: 0, text: 'failed', color: colors.bad },
    { value: 1, text: 'ok', color: colors.ok },
  ],
});

const duration = lines({
  title: 'How long each collector takes',
  description:
    'The slowest read of each source that is asked over the network. `stealwatch_collector_duration_seconds`. A source that hangs stops at its deadline and is not asked again until it answers; the scrape does not wait.',
  w: 12,
  h: 10,
  unit: 's',
  logarithmic: true,
  noValue: unasked,
  lines: [
    line(
      `max by (collector) (max_over_time(stealwatch_collector_duration_seconds{${here}}[$__rate_interval]))`,
      '{{collector}}',
    ),
  ],
});

const age = lines({
  title: 'Age of what each collector knows',
  description:
    'Time since the last successful read of each source that is asked over the network. `stealwatch_collector_last_success_timestamp_seconds`. A line that climbs: that source is stuck, and its numbers on other pages are missing, not old.',
  w: 12,
  h: 8,
  unit: 's',
  min: 0,
  noValue: unasked,
  lines: [
    line(
      `max by (collector) (clamp_min(time() - (stealwatch_collector_last_success_timestamp_seconds{${here}} > 0), 0))`,
      '{{collector}}',
    ),
  ],
});

const samplers = lines({
  title: 'Age of the background clocks',
  description:
    'Time since each background clock last ticked: once a second, the reading of the queues every five. `stealwatch_sampler_age_seconds`. Dashed: over 15 s `/status` answers 503. All at once: the machine stood still; one: that worker is stuck.',
  w: 12,
  h: 8,
  unit: 's',
  min: 0,
  softMax: 20,
  limits: [
    { from: null, color: 'transparent' },
    { from: thresholds.samplerAgeSeconds.bad, color: colors.bad },
  ],
  noValue: unscraped,
  lines: [
    line(
      `max by (sampler) (max_over_time(stealwatch_sampler_age_seconds{${here}}[$__rate_interval]))`,
      '{{sampler}}',
    ),
  ],
});

const loop = lines({
  title: 'Event loop and scrape',
  description:
    'Delay of the event loop (99th percentile of the process) and time of a scrape as Prometheus saw it. `nodejs_eventloop_lag_p99_seconds`, `scrape_duration_seconds`.',
  w: 12,
  h: 8,
  unit: 's',
  min: 0,
  noValue: unscraped,
  lines: [
    line(
      `max(max_over_time(nodejs_eventloop_lag_p99_seconds{${here}}[$__rate_interval]))`,
      'event loop p99',
    ),
    line(`max(max_over_time(scrape_duration_seconds{${here}}[$__rate_interval]))`, 'scrape', {
      color: colors.neutral,
    }),
  ],
});

const requests = lines({
  title: 'Requests and heartbeats',
  description:
    'Answers per second by path and code, and beats to the outside receiver by result. `stealwatch_http_requests_total`, `stealwatch_heartbeats_total`. No beats although one is configured: the outside receiver will raise the alarm.',
  w: 12,
  h: 8,
  unit: 'reqps',
  min: 0,
  noValue: unscraped,
  lines: [
    line(
      `sum by (path, code) (rate(stealwatch_http_requests_total{${here}}[$__rate_interval]))`,
      '{{path}} {{code}}',
    ),
    line(
      `sum by (result) (rate(stealwatch_heartbeats_total{${here}}[$__rate_interval]))`,
      'heartbeat {{result}}',
      { dashed: true },
    ),
  ],
});

const queues = lines({
  title: 'Reading the queues',
  description:
    'Asynq is read in the background: how old the last reading is, and how long it took, the worst of the selected hosts. `asynq_collection_age_seconds`, `asynq_collection_duration_seconds`. An age that climbs: Redis does not answer, and there are no queue numbers meanwhile.',
  w: 12,
  h: 8,
  unit: 's',
  min: 0,
  values: ['max'],
  noValue: 'There is no Asynq here, or no exporter answered.',
  lines: [
    line(`max(max_over_time(asynq_collection_age_seconds{${here}}[$__rate_interval]))`, 'age'),
    line(
      `max(max_over_time(asynq_collection_duration_seconds{${here}}[$__rate_interval]))`,
      'duration',
    ),
  ],
});

const unread = lines({
  title: 'What could not be read of the queues',
  description:
    'Readings that failed, by reason, and by kind what there is too much of to be read whole (1: a part was left out). `asynq_errors_total`, `asynq_truncated`. Nothing at all is the good case.',
  w: 12,
  h: 8,
  unit: 'none',
  min: 0,
  values: ['max'],
  noValue: 'Everything was read in this range, there is no Asynq here, or no exporter answered.',
  lines: [
    line(
      `sum by (reason) (increase(asynq_errors_total{${here}}[$__rate_interval])) > 0`,
      '{{reason}}',
    ),
    line(
      `max by (collector) (max_over_time(asynq_truncated{${here}}[$__rate_interval])) > 0`,
      'too many: {{collector}}',
      { dashed: true },
    ),
  ],
});

const resets = lines({
  title: 'Counters that stepped back',
  description:
    'CPU times of the kernel that were lower than before (a live migration, some old kernels), and totals of Asynq (Redis came back from an older dump). `stealwatch_cpu_time_resets_total`, `asynq_counter_rollbacks_total`. What we publish never goes back.',
  w: 24,
  h: 6,
  unit: 'none',
  min: 0,
  noValue: unscraped,
  lines: [
    line(`sum(increase(stealwatch_cpu_time_resets_total{${here}}[$__rate_interval]))`, 'CPU times'),
    line(
      `sum(increase(asynq_counter_rollbacks_total{${here}}[$__rate_interval]))`,
      'Asynq totals',
      { color: colors.degraded },
    ),
  ],
});

const versions = table({
  title: 'What runs where',
  description:
    'Version of the exporter and of Node, file descriptors, and when it was started. `stealwatch_build_info`, `process_open_fds`, `process_start_time_seconds`.',
  w: 12,
  h: 6,
  columns: [
    { title: 'Host', label: 'host', link: overviewOf('Host') },
    { title: 'Version', label: 'version', width: 100 },
    {
      title: 'Files open',
      width: 95,
      expr: `max by (host, version) (process_open_fds{${here}} * on (host, job, instance) group_left (version) stealwatch_build_info{${here}})`,
      unit: 'none',
    },
    {
      title: 'Up for',
      width: 110,
      expr: `max by (host, version) ((time() - process_start_time_seconds{${here}}) * on (host, job, instance) group_left (version) stealwatch_build_info{${here}})`,
      unit: 's',
      decimals: 0,
    },
  ],
  noValue: unscraped,
});

const hosts = table({
  title: 'What it runs on',
  description:
    'Read once at start. `stealwatch_host_info`, from systeminformation and /sys. Tells which host feature to look for: async page faults need KVM and the kvm-clock.',
  w: 12,
  h: 6,
  columns: [
    { title: 'Host', label: 'host', link: overviewOf('Host') },
    { title: 'Kernel', label: 'kernel', width: 190 },
    { title: 'Virtual', label: 'virtualization', width: 75 },
    { title: 'Clock', label: 'clocksource', width: 95 },
    {
      title: 'vCPUs',
      width: 70,
      expr: `max by (host, virtualization, kernel, clocksource) (stealwatch_host_info{${here}} * on (host, job, instance) group_left () stealwatch_cpus{${here}})`,
      unit: 'none',
    },
  ],
  noValue: unscraped,
});

export const exporter = build({
  uid: uids.exporter,
  description: 'Does the exporter work, is what it says fresh, and what does it cost?',
  from: '1h',
  refresh: '30s',
  panels: [
    ...cost,
    success,
    duration,
    age,
    samplers,
    loop,
    requests,
    queues,
    unread,
    resets,
    versions,
    hosts,
  ],
});
