/**
 * Recording rules of the dashboards: the verdict, and what would be slow to compute for a week.
 *
 * Written here and not in YAML because the numbers are those of alerts/thresholds.ts. Aggregations
 * say `without`, never `by`, so that whatever labels the scrape job sets (host, provider,
 * price) reach the dashboards. No rule of the boards reads another one of this file: they can be evaluated
 * over old data in one pass. Only the sentence of a message (why.ts) builds on the verdict.
 */
import { thresholds } from '../thresholds.ts';
import { latest, recent } from './latest.ts';
import { verdict } from './verdict.ts';
import { whyRules } from './why.ts';

interface Rule {
  readonly record: string;
  readonly expr: string;
}

interface Group {
  readonly name: string;
  /** Why the group exists; becomes a comment. */
  readonly why: string;
  readonly interval?: string;
  readonly rules: readonly Rule[];
}

/** Share of demand that the host denied, as the mean of the seconds that had any demand. */
const stealOfDemand = `
rate(stealwatch_steal_demand_ratio_sum[2m])
/
(rate(stealwatch_steal_demand_ratio_count[2m]) > 0.05)`;

/** As far back as the rates that are divided by it: one scrape that failed takes neither away. */
const cpus = 'last_over_time(stealwatch_cpus[2m])';

/** Share of all CPUs that this machine itself kept busy. */
const ownOfCpus = `
sum without (mode) (rate(stealwatch_cpu_seconds_total{mode!~"idle|iowait|steal"}[2m]))
/
${cpus}`;

/**
 * Time without a CPU that nobody booked as steal. Waiting for a core of the host is steal, so
 * this is memory the host had to bring back in kernel mode (or a pause, which a restore shows).
 * Not by a rate: vmalert takes what was before a gap into it, and nobody saw why that was.
 */
const standstillWithoutSteal = `
(
  ${latest('stealwatch_stall_seconds_sum')} - min_over_time(stealwatch_stall_seconds_sum[2m]) > ${thresholds.stalledSecondsIn2m.bad}
  and on (host, job, instance) ${latest('stealwatch_signal_supported{signal="steal"}')} == 1
  unless on (host, job, instance) rate(stealwatch_cpu_seconds_total{mode="steal"}[2m]) / on (host, job, instance) ${cpus} > ${thresholds.stealRatio.warn}
  unless on (host, job, instance) increase(stealwatch_vm_restores_total[2m]) > 0
)`;

const pageIn = `
max without (reason) (${latest('stealwatch_blocked_task_longest_seconds{reason="host_page_in"}')}) > ${thresholds.pageInStuckSeconds.warn}
or rate(stealwatch_async_page_faults_total[2m]) > ${thresholds.hostPageInsPerSecond.warn}
or sum without (age) (${latest('stealwatch_cold_page_host_faults_total')} - min_over_time(stealwatch_cold_page_host_faults_total[5m])) >= ${thresholds.coldPageIns.warn}
or ${latest('stealwatch_cold_page_outstanding_seconds')} > ${thresholds.pageInStuckSeconds.warn}
or ${standstillWithoutSteal.trim()}`;

const disk = `
max without (reason) (${latest('stealwatch_blocked_task_longest_seconds{reason=~"disk|filesystem"}')}) > ${thresholds.taskBlockedSeconds.warn}
or sum without (resource, kind) (rate(stealwatch_pressure_seconds_total{resource="io",kind="full"}[2m])) > ${thresholds.pressureRatio.warn}
or last_over_time((redis_aof_delayed_fsync >= 0)[1m:5s]) - min_over_time(redis_aof_delayed_fsync[2m]) > 0`;

/**
 * Neither quiet nor anything else can be said: a clock stands, this machine counts no steal, or it has
 * stood still for longer than the rates above look back. Whoever scraped it most likely did as well, so
 * nobody saw why. Shorter ones are in those rates.
 */
const blind = `
max without (sampler) (${latest('stealwatch_sampler_age_seconds')}) > ${thresholds.samplerAgeSeconds.bad}
or ${latest('stealwatch_stall_longest_seconds')} > 60
or sum without (signal) (${latest('stealwatch_signal_supported{signal="steal"}')}) == 0`;

function answer(code: number, condition: string): string {
  return `${code} * group without () (\n${indent(condition.trim())}\n)`;
}

function indent(text: string): string {
  return text.replaceAll(/^/gm, '  ');
}

/** 1 where a scrape succeeded recently, 0 where all of them failed. */
const answered = `(max_over_time(up{job="stealwatch"}[${recent}]) or up{job="stealwatch"})`;

/** The first line that applies wins: causes that need a person first. */
const verdictExpression = [
  `(${answered} == 0) + ${verdict.unknown}`,
  answer(verdict.pageIn, pageIn),
  answer(verdict.steal, `(${stealOfDemand}\n) > ${thresholds.stealRatio.warn}`),
  answer(verdict.disk, disk),
  answer(verdict.ownLoad, `(${ownOfCpus}\n) > ${thresholds.ownCpuRatio.bad}`),
  answer(verdict.unknown, blind),
  `(${answered} == 1) * ${verdict.quiet}`,
].join('\nor ');

export const verdictGroup: Group = {
  name: 'stealwatch-verdict',
  why: `Is my host stealing from me? ${verdict.quiet} quiet, ${verdict.ownLoad} own load, ${verdict.steal} CPU, ${verdict.pageIn} memory, ${verdict.disk} disk, ${verdict.unknown} unknown.`,
  rules: [{ record: 'instance:stealwatch_verdict:code', expr: verdictExpression }, ...whyRules],
};

export const dashboardGroup: Group = {
  name: 'stealwatch-dashboards',
  why: 'Ratios that panels show over days, once a minute. The hour of the day as a label to group by.',
  interval: '1m',
  rules: [
    { record: 'instance:stealwatch_steal_of_demand:ratio2m', expr: stealOfDemand },
    {
      record: 'instance:stealwatch_cpu_stolen:ratio2m',
      expr: `
sum without (mode) (rate(stealwatch_cpu_seconds_total{mode="steal"}[2m]))
/
${cpus}`,
    },
    // One sample a minute, so that a sum over time is a number of minutes.
    {
      record: 'instance:stealwatch_paged:minutes',
      expr: 'increase(stealwatch_async_page_faults_total[1m]) > bool 0',
    },
    {
      record: 'instance_hour:stealwatch_cpu_stolen:ratio2m',
      expr: `
sum without (mode) (rate(stealwatch_cpu_seconds_total{mode="steal"}[2m]))
/
${cpus}
* on () group_left (hour) count_values without () ("hour", hour())`,
    },
  ],
};

/** A rule file as text, formatted as a person would write it. */
export function ruleFile(groups: readonly Group[]): string {
  const lines = [
    '# Generated by `npm run generate` from alerts/verdict/rules.ts and alerts/thresholds.ts.',
    'groups:',
  ];
  for (const { name, why, interval, rules } of groups) {
    lines.push(`  # ${why}`, `  - name: ${name}`);
    if (interval !== undefined) lines.push(`    interval: ${interval}`);
    lines.push('    rules:');
    for (const { record, expr } of rules) {
      lines.push(`      - record: ${record}`, '        expr: |-');
      lines.push(expr.trim().replaceAll(/^(?=.)/gm, '          '));
    }
  }
  return `${lines.join('\n')}\n`;
}
