/** What the Overview says of now: the sentence, the four questions, what fires, and the hosts. */
import { thresholds } from '../../alerts/thresholds.ts';
import { table } from '../kit/grids.ts';
import { forensicsOf, runbook } from '../kit/links.ts';
import { colors } from '../kit/palette.ts';
import { type Panel, figure, rising } from '../kit/panels.ts';
import { here, instant, ofWhoAnswers } from '../kit/query.ts';
import { noneKnown, ofQueues, unreadable } from '../kit/queues.ts';
import { verdictRank, verdictRanks, verdictSentences, worstVerdict } from '../kit/verdict.ts';

const silent = thresholds.redisUnresponsiveSeconds;

/** Of the last two minutes, as the verdict is. */
export const stealOfDemand = ofWhoAnswers(
  `sum by (host, job, instance) (rate(stealwatch_steal_demand_ratio_sum{${here}}[2m])) / sum by (host, job, instance) (rate(stealwatch_steal_demand_ratio_count{${here}}[2m]) > 0)`,
);

/** -1 where this machine cannot see them. */
export const pageIns = ofWhoAnswers(
  `rate(stealwatch_async_page_faults_total{${here}}[2m]) or on (host, job, instance) (stealwatch_signal_supported{${here},signal="async_page_faults"} == 0) - 1`,
);

/** How long Redis has answered nothing; -2 turns us away, 0 answers. One for all, or one by host. */
function silence(by: '' | 'by (host) '): string {
  const on = by === '' ? 'on ()' : 'on (host)';
  return `max ${by}(redis_unresponsive_seconds{${here}} > ${silent.warn}) or ${on} max ${by}((redis_up{${here}} == 0) - 2) or ${on} max ${by}(redis_up{${here}} * 0)`;
}

/** How long the oldest task has waited, or that Redis does not say. */
const oldest = (by: '' | 'by (host) ') =>
  ofQueues(`max ${by}(asynq_queue_latency_seconds{${here}} >= 0)`, by);

/** A host that answers and has none: not the same as one of which nothing is known. */
const nothing = `on (host) max by (host) ((up{${here}} == 1) - 4)`;

export const headline = figure({
  title: 'Is my host stealing from me?',
  description:
    'The worst answer of all selected hosts, and of how many it is true. The first of these that holds: no answer to the last scrape; memory (a page-in every ten seconds, a thread waiting over 5 s for the host, or time without a CPU that is not steal); CPU (over 5 % of what you asked for was denied); disk; own load; no data; quiet. *Nothing seen*: quiet, on a machine that cannot see page-ins and has no canary, so its quiet proves little. Rule `instance:stealwatch_verdict:code`, over the last two minutes, and `up`.',
  w: 14,
  h: 4,
  unit: 'none',
  query: instant(worstVerdict(), '{{hosts}} of {{of}} hosts'),
  steps: [{ from: null, color: colors.unknown }],
  meanings: verdictSentences,
  noValue: 'Unknown, no data',
  saysItself: true,
  filled: true,
  named: true,
});

/** Of the selected machines, and those that are about none. */
const pages = `ALERTS{alertstate="firing",severity="page",host=~"$host|"}`;

/** Beside the sentence: whoever opens this page most often does because of Redis. */
export const redisAndQueues: readonly Panel[] = [
  figure({
    title: 'Redis silent for',
    description:
      'The longest that a Redis has answered nothing, now. `redis_unresponsive_seconds`, one PING a second. *Turns us away*: one answers and lets nobody in (loading, password, -MISCONF), `redis_up` is 0. Quiet above and silent here: Redis itself, or something that nobody sees.',
    w: 5,
    h: 4,
    unit: 's',
    query: instant(silence(''), 'silent'),
    steps: rising(silent),
    meanings: [
      { value: -2, text: 'turns us away', color: colors.bad },
      { value: 0, text: 'it answers', color: 'text' },
    ],
    noValue: 'no Redis here',
  }),
  figure({
    title: 'Oldest task',
    description:
      'Age of the oldest pending Asynq task of all queues, now. `asynq_queue_latency_seconds`. What users feel. While Redis does not answer nobody can tell, and nothing is picked up; *no queue known*: nobody has seen one there.',
    w: 5,
    h: 4,
    unit: 's',
    query: instant(oldest(''), 'oldest'),
    steps: rising(thresholds.queueLatencySeconds),
    meanings: [unreadable, noneKnown],
    noValue: 'no Asynq here',
  }),
];

export const toldAndSeen: readonly Panel[] = [
  figure({
    title: 'Pages that fire',
    description:
      'For how many things somebody is called now. `ALERTS`, `alertmanager_notifications_failed_total`, `prometheus_notifications_errors_total`. *Messages fail*: within 15 minutes one was not delivered, so do not trust that anybody knows. What they are stands below.',
    w: 6,
    h: 4,
    unit: 'none',
    query: instant(
      `(sum(increase(alertmanager_notifications_failed_total[15m])) > 0) * 0 - 1 or on () (sum(increase(prometheus_notifications_errors_total[15m])) > 0) * 0 - 1 or on () count(${pages}) or on () max(ALERTS{alertname="Watchdog"} * 0)`,
      'pages',
    ),
    steps: [
      { from: null, color: 'text' },
      { from: 1, color: colors.bad },
    ],
    meanings: [
      { value: -1, text: 'messages fail', color: colors.bad },
      { value: 0, text: 'none', color: 'text' },
    ],
    noValue: 'no alert rules loaded',
    saysItself: true,
  }),
  figure({
    title: 'Scraped',
    description:
      'Hosts that answered the last scrape, as a share of those selected. `up`, written by Prometheus itself. Below 100 %: the exporter, the machine or the network between.',
    w: 6,
    h: 4,
    unit: 'percentunit',
    decimals: 0,
    query: instant(`avg(up{${here}})`, 'up'),
    steps: [
      { from: null, color: colors.bad },
      { from: 1, color: 'text' },
    ],
    noValue: 'no target',
    saysItself: true,
  }),
];

const alerts = (severity: string, rank: number) =>
  `ALERTS{alertstate="firing",alertname!="Watchdog",severity${severity},host=~"$host|"} * ${rank}`;

export const firing = table({
  title: 'What fires now',
  description:
    'Each alert that is firing, pages first, of the selected hosts and of no host in particular. `ALERTS`. Its name leads to the runbook, whose first line is the first command to type; the host leads to the forensics.',
  w: 9,
  h: 9,
  columns: [
    {
      title: 'For',
      expr: `max by (alertname, host) (${alerts('="page"', 3)} or ${alerts('="ticket"', 2)} or ${alerts('!~"page|ticket"', 1)})`,
      meanings: [
        { value: 3, text: 'page', color: colors.bad },
        { value: 2, text: 'ticket', color: colors.degraded },
        { value: 1, text: 'to know', color: 'text' },
      ],
      width: 75,
    },
    // As wide as the longest of our alerts; names of hosts have what is left.
    { title: 'Alert', label: 'alertname', width: 180, link: runbook },
    { title: 'Host', label: 'host', link: forensicsOf('Host') },
  ],
  reasons: [
    {
      when: 'absent(ALERTS{alertname="Watchdog"})',
      says: 'No alert rules are loaded in this Prometheus.',
    },
  ],
  noValue: 'Nothing fires.',
  saysItself: true,
  sortBy: [{ column: 'For' }],
});

export const hosts = table({
  title: 'Hosts, worst first',
  description:
    'Each selected host as it is now; its name leads to its forensics. *Fires*: how many pages fire about it (`ALERTS`), which comes before its verdict: a host may be quiet and its Redis dead. *Host*: the sentence above in a word. *Redis* silent for, *Oldest* task waits, *Taken* of the CPU time asked for, *Page-ins* a second, longest thread *In D*, *Unseen*: kinds of trouble that this machine cannot show. `instance:stealwatch_verdict:code`, `redis_unresponsive_seconds`, `asynq_queue_latency_seconds`, `stealwatch_signal_supported` and those of the figures below.',
  w: 15,
  h: 9,
  columns: [
    { title: 'Name', label: 'host', link: forensicsOf('Name') },
    {
      title: 'Fires',
      expr: `count by (host) (ALERTS{alertstate="firing",severity="page",host=~"$host"}) or on (host) max by (host) (up{${here}} * 0) and on () ALERTS{alertname="Watchdog"}`,
      unit: 'none',
      steps: [
        { from: null, color: 'text' },
        { from: 1, color: colors.bad },
      ],
      width: 70,
    },
    { title: 'Host', expr: verdictRank(), meanings: verdictRanks, width: 115 },
    {
      title: 'Redis',
      expr: `${silence('by (host) ')} or ${nothing}`,
      unit: 's',
      decimals: 0,
      steps: rising(silent),
      meanings: [
        { value: -3, text: 'none', color: colors.unknown },
        { value: -2, text: 'no entry', color: colors.bad },
        { value: 0, text: 'answers', color: 'text' },
      ],
      width: 75,
    },
    {
      title: 'Oldest',
      expr: `${oldest('by (host) ')} or ${nothing}`,
      unit: 's',
      decimals: 0,
      steps: rising(thresholds.queueLatencySeconds),
      meanings: [
        { value: -3, text: 'none', color: colors.unknown },
        { ...unreadable, text: 'unknown' },
        { ...noneKnown, text: 'unread' },
      ],
      width: 75,
    },
    {
      title: 'Taken',
      expr: `max by (host) (${stealOfDemand})`,
      unit: 'percentunit',
      decimals: 0,
      steps: rising(thresholds.stealRatio),
      width: 65,
    },
    {
      title: 'Page-ins',
      expr: `max by (host) (${pageIns})`,
      unit: 'none',
      decimals: 1,
      steps: rising(thresholds.hostPageInsPerSecond),
      meanings: [{ value: -1, text: 'unseen', color: colors.unknown }],
      width: 75,
    },
    {
      title: 'In D',
      expr: `max by (host) (stealwatch_blocked_task_longest_seconds{${here}})`,
      unit: 's',
      decimals: 0,
      steps: rising(thresholds.taskBlockedSeconds),
      width: 65,
    },
    {
      title: 'Unseen',
      expr: `sum by (host) (stealwatch_signal_supported{${here}} == bool 0)`,
      unit: 'none',
      width: 65,
    },
  ],
  reasons: [
    { when: `absent(up{${here}})`, says: 'Nothing is scraped.' },
    {
      when: `absent(instance:stealwatch_verdict:code{${here}})`,
      says: 'The rules of the verdict are not loaded in this Prometheus.',
    },
  ],
  noValue: 'No such host.',
  saysItself: true,
  sortBy: [{ column: 'Fires' }, { column: 'Host' }],
});
