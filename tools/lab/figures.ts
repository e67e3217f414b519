/** What Prometheus saw of one scenario, reduced to what the report shows. */
import { verdicts } from '../../exporter/core/verdict.ts';
import type { ClientFigures } from './client.ts';
import type { Note } from './lab.ts';
import type { Points, Prometheus, Series } from './prometheus.ts';

/** Of nothing, before a scenario begins. */
export const baselineSeconds = 30;

interface Signal {
  readonly title: string;
  readonly query: string;
  /** How far a counter went, per minute, or the highest value of a gauge. */
  readonly kind: 'per_minute' | 'highest';
  readonly unit: 'count' | 'seconds' | 'ratio';
  /** A signal that other exporters have as well. */
  readonly generic?: true;
}

const cpu = (mode: string) => `sum(stealwatch_cpu_seconds_total{mode="${mode}"})`;
const pressure = (resource: string) =>
  `sum(stealwatch_pressure_seconds_total{resource="${resource}",kind="some"})`;

export const signals: readonly Signal[] = [
  {
    title: 'page-ins by the host (`stealwatch_async_page_faults_total`)',
    query: 'sum(stealwatch_async_page_faults_total)',
    kind: 'per_minute',
    unit: 'count',
  },
  {
    title: 'idle pages found paged out (`stealwatch_cold_page_host_faults_total`)',
    query: 'sum(stealwatch_cold_page_host_faults_total)',
    kind: 'per_minute',
    unit: 'count',
  },
  {
    title: 'touch of an idle page waiting (`stealwatch_cold_page_outstanding_seconds`)',
    query: 'max(stealwatch_cold_page_outstanding_seconds)',
    kind: 'highest',
    unit: 'seconds',
  },
  {
    title: 'blocked for the host (`stealwatch_blocked_task_longest_seconds`)',
    query: 'max(stealwatch_blocked_task_longest_seconds{reason="host_page_in"})',
    kind: 'highest',
    unit: 'seconds',
  },
  {
    title: 'hung tasks for the host (`stealwatch_hung_tasks_total`)',
    query: 'sum(stealwatch_hung_tasks_total{cause="host_page_in"})',
    kind: 'per_minute',
    unit: 'count',
  },
  {
    title: 'soft lockups (`stealwatch_kernel_events_total`)',
    query: 'sum(stealwatch_kernel_events_total{event="soft_lockup"})',
    kind: 'per_minute',
    unit: 'count',
  },
  {
    title: 'Redis silent (`redis_unresponsive_seconds`)',
    query: 'max(redis_unresponsive_seconds)',
    kind: 'highest',
    unit: 'seconds',
  },
  {
    title: 'share of demand stolen (`stealwatch_steal_demand_ratio`)',
    query:
      'max(rate(stealwatch_steal_demand_ratio_sum[1m]) / rate(stealwatch_steal_demand_ratio_count[1m]))',
    kind: 'highest',
    unit: 'ratio',
  },
  {
    title: 'standstill (`stealwatch_stall_seconds_sum`)',
    query: 'sum(stealwatch_stall_seconds_sum)',
    kind: 'per_minute',
    unit: 'seconds',
  },
  {
    title: 'load average',
    query: 'max(stealwatch_load1)',
    kind: 'highest',
    unit: 'count',
    generic: true,
  },
  { title: 'user CPU', query: cpu('user'), kind: 'per_minute', unit: 'seconds', generic: true },
  { title: 'system CPU', query: cpu('system'), kind: 'per_minute', unit: 'seconds', generic: true },
  { title: 'steal', query: cpu('steal'), kind: 'per_minute', unit: 'seconds', generic: true },
  { title: 'iowait', query: cpu('iowait'), kind: 'per_minute', unit: 'seconds', generic: true },
  {
    title: 'procs_blocked',
    query: 'max(stealwatch_procs_blocked)',
    kind: 'highest',
    unit: 'count',
    generic: true,
  },
  {
    title: 'major faults',
    query: 'sum(stealwatch_memory_events_total{event="major_fault"})',
    kind: 'per_minute',
    unit: 'count',
    generic: true,
  },
  {
    title: 'memory pressure',
    query: pressure('memory'),
    kind: 'per_minute',
    unit: 'seconds',
    generic: true,
  },
  {
    title: 'I/O pressure',
    query: pressure('io'),
    kind: 'per_minute',
    unit: 'seconds',
    generic: true,
  },
];

/** null: this machine does not have the signal, or no scrape came through. */
export interface Row {
  readonly title: string;
  readonly before: number | null;
  readonly during: number | null;
}

export interface Outcome {
  readonly name: string;
  readonly cpu: string;
  /** Packages and versions. */
  readonly madeOf: readonly string[];
  /** Unix times. */
  readonly from: number;
  readonly event: number;
  readonly to: number;
  readonly notes: readonly Note[];
  readonly client: { readonly before: ClientFigures; readonly during: ClientFigures };
  readonly rows: readonly Row[];
  /** Seconds from the event to the first time it fired. */
  readonly alerts: readonly { readonly name: string; readonly afterSeconds: number }[];
  readonly firingBefore: readonly string[];
  readonly verdicts: readonly { readonly name: string; readonly afterSeconds: number }[];
  readonly dashboardVerdicts: Outcome['verdicts'];
  /** Scrapes that failed or ran out of time, of all. */
  readonly scrapes: { readonly failed: number; readonly all: number };
  /** Where it ended with a reset. */
  readonly hostPageIns?: HostPageIns;
}

/** How often the host said that a page is there, by the two that count it. */
export interface HostPageIns {
  /** `stealwatch_async_page_faults_total`, as it was scraped. */
  readonly exporter: Points;
  /** HYP of the file that remained, per second. */
  readonly sysstat: Points;
}

/** Of `HostPageIns`. */
export async function countedBy(prometheus: Prometheus, from: number, to: number): Promise<Points> {
  const series = await prometheus.range('sum(stealwatch_async_page_faults_total)', from, to);
  return series[0]?.points ?? [];
}

function reduce(series: readonly Series[], kind: Signal['kind']): number | null {
  const points = series[0]?.points ?? [];
  const first = points[0];
  const last = points.at(-1);
  if (first === undefined || last === undefined) return null;
  if (kind === 'highest') return Math.max(...points.map(([, value]) => value));
  return last[0] === first[0] ? null : ((last[1] - first[1]) / (last[0] - first[0])) * 60;
}

/** The answers of the dashboards' recording rule, by their number. */
const dashboardWords = ['quiet', 'own load', 'CPU', 'memory', 'disk', 'unknown'];

/** Which verdict held when: the changes only. */
function changes(
  series: readonly Series[],
  event: number,
  word: (labels: Series['labels'], value: number) => string,
): Outcome['verdicts'] {
  const held = series
    .flatMap(({ labels, points }) =>
      points.map(([at, value]) => ({ at, name: word(labels, value) })),
    )
    .sort((a, b) => a.at - b.at);
  return held
    .filter(({ name }, i) => held[i - 1]?.name !== name)
    .map(({ name, at }) => ({ name, afterSeconds: Math.round(at - event) }));
}

type Window = Pick<Outcome, 'from' | 'event' | 'to'>;

export async function figuresOf(prometheus: Prometheus, { from, event, to }: Window) {
  const rows: Row[] = [];
  for (const { title, query, kind } of signals) {
    const [before, during] = await Promise.all([
      prometheus.range(query, from, event),
      prometheus.range(query, event, to),
    ]);
    rows.push({ title, before: reduce(before, kind), during: reduce(during, kind) });
  }
  const firing = await prometheus.range(
    'min by (alertname) (ALERTS{alertstate="firing",alertname!="Watchdog"})',
    from,
    to,
  );
  const alerts = firing
    .map(({ labels, points }) => ({
      name: labels['alertname'] ?? '',
      afterSeconds: Math.round((points[0]?.[0] ?? 0) - event),
    }))
    .sort((a, b) => a.afterSeconds - b.afterSeconds);
  const up = (await prometheus.range('up', from, to)).flatMap(({ points }) => points);
  return {
    rows,
    alerts: alerts.filter(({ afterSeconds }) => afterSeconds > 0),
    firingBefore: alerts.filter(({ afterSeconds }) => afterSeconds <= 0).map(({ name }) => name),
    verdicts: changes(
      await prometheus.range('stealwatch_verdict', from, to),
      event,
      (_, value) => verdicts[value] ?? String(value),
    ),
    dashboardVerdicts: changes(
      await prometheus.range('instance:stealwatch_verdict:code', from, to),
      event,
      (_, value) => dashboardWords[value] ?? String(value),
    ),
    scrapes: { failed: up.filter(([, value]) => value === 0).length, all: up.length },
  };
}
