/** docs/slo.md, from the spec: what is promised, what that allows, and how it is counted. */
import { retentionDays, sliceSeconds } from '../thresholds.ts';
import { type Slo, type SloName, type SloSpec } from './spec.ts';
import { durationText } from '../../exporter/measure/duration.ts';

interface Words {
  readonly counted: string;
  readonly good: (limit: number) => string;
}

const words: Readonly<Record<SloName, Words>> = {
  host: {
    counted: `every ${sliceSeconds} s of wall-clock time`,
    good: (share) => `the exporter answered and ${exactly(share)} of the seconds were good`,
  },
  steal: {
    counted: 'every second in which CPU was asked for',
    good: (ratio) => `the host took at most ${exactly(ratio)} of it`,
  },
  redis_availability: {
    counted: 'every second of wall-clock time',
    good: () => 'a PING was answered within 1 s',
  },
  redis_latency: {
    counted: 'every answered PING',
    good: (seconds) => `answered within ${durationText(seconds)}`,
  },
  queue_latency: {
    counted: `every ${sliceSeconds} s of each queue that is not paused`,
    good: (seconds) => `the oldest pending task is at most ${durationText(seconds)} old`,
  },
};

/** What was written, to the digit: 99.95 % is not 100 %. */
const exactly = (share: number) => `${Number((share * 100).toFixed(4))} %`;

function row({ name, objective, limit = 0, alerts }: Slo, periodDays: number): string {
  const budget = durationText((1 - objective) * periodDays * 86_400);
  const { counted, good } = words[name];
  const cells = [
    `\`${name}\``,
    counted,
    good(limit),
    exactly(objective),
    budget,
    alerts.join(', ') || 'nobody',
  ];
  return `| ${cells.join(' | ')} |`;
}

export function sloDocument({ periodDays, slos, burnRates }: SloSpec): string {
  return `<!-- Generated from alerts/slo.yml by npm run generate. Edit that, not this. -->

# Service level objectives

Edit \`alerts/slo.yml\`, run \`npm run generate\`, reload Prometheus.

| SLO | what is counted | good is | objective over ${periodDays} days | may be bad | who hears of it |
|---|---|---|---|---|---|
${slos.map((slo) => row(slo, periodDays)).join('\n')}

## A frozen machine spends budget

A ratio of counters cannot see a machine that stands still: nothing ticks, so nothing is bad, and a
freeze of four hours scores 100 %. \`host\` and \`redis_availability\` are therefore counted by the
wall clock. A slice of ${sliceSeconds} s is bad unless it is proven good: a scrape that failed, a slice that was
never recorded because Prometheus itself stood still, and a machine that answered while its CPU was
taken away all cost the same. Four hours in a day cost 16.7 % of the day, whichever way they came
about; a test holds it to that.

Time before a host was first seen is not counted, nor is its first minute, in which no slice is whole:
a new host starts with a clean sheet. A burn-rate alert speaks only once its long window has been
observed whole. A host that you take away for good goes on being missed:
its series end ${retentionDays + 1} days after it was last seen.

What is left of a budget, \`slo:period_error_budget_remaining:ratio\`, is of the whole ${periodDays} days from
the first minutes on: two bad minutes on the first day are two of those in the table. The days to come
are taken as good, and the events of an event SLO to go on as they came. \`slo:period_elapsed:ratio\` says
how much of the period has been seen so far, \`slo:sli_error:ratio_rate${periodDays}d\` how bad that was.

\`slo:coverage:ratio_rate1h\`, \`1d\` and \`${periodDays}d\` say how much of the time was measured at all. Read an
event SLO (\`steal\`, \`redis_latency\`, \`queue_latency\`) beside it: no event, no verdict. Unknown is
shown as unknown, never as met. While Redis does not answer, a queue that was there is late.

Windows of up to six hours are added up from the slices and move with every slice. Those of a day and
more are added up from quarters of an hour, each summed when it is over (\`slo:good:sum15m\` and so on),
and move with every quarter. A quarter that Prometheus missed is caught up with in the next one; when it
is away for longer, up to a quarter before that counts as unmeasured with it.

## When somebody hears of it

| who | budget burns at | in both windows |
|---|---|---|
${burnRates.map(({ severity, factor, short, long }) => `| ${severity} | ${factor}x | ${short} and ${long} |`).join('\n')}

Everything bad burns at 1 / (1 - objective). A factor above that could never fire, so generating
refuses it: with an objective of 90 %, for example, nothing burns faster than 10x and an alert at
14.4x would be no protection at all.

## Who spent the budget

\`slo:bad_seconds:slice15s\` carries the bad seconds of each slice with one cause, the first that holds:

| cause | holds when |
|---|---|
| \`host_memory\` | more than one page-in by the host per second, a task waiting over 1 s for one, three that the canary found in 5 min or one it waits over 1 s for, or a soft lockup |
| \`host_cpu\` | more than 5 % of the last minute's seconds were stolen |
| \`redis_fork\` | a background save or an AOF rewrite ran |
| \`disk\` | a task waited over 1 s for the disk, an AOF fsync was delayed, or all tasks waited for I/O half the time |
| \`own_load\` | some task waited for CPU half the time, and the host did not take it |
| \`unknown\` | none of these, or nobody measured |

\`slo:bad_seconds:sum${periodDays}d\` is the sum over the period, unrecorded time included as \`unknown\`. The share
of \`host_memory\` and \`host_cpu\` is the argument for another provider.

Prometheus keeps 15 days unless told otherwise and would shorten the window without a word:
\`--storage.tsdb.retention.time=${retentionDays}d\` ships.
`;
}
