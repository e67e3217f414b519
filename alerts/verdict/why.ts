/**
 * The verdict of a machine as a sentence, for the message of an alert: what could be said of its host
 * at that moment, with the figure that it hangs on, or that nothing can be told.
 *
 * A message knows only labels, a value and what it asks for, so the sentence is a recording rule: its label
 * `why` is the sentence, `figure` how its value is said, and `verdict` the answer in a word. One
 * series a machine, from a closed set of sentences. `exporter/core/verdict.ts` says the same to who
 * looks at the exporter's page.
 */
import { thresholds } from '../thresholds.ts';
import { latest, recent } from './latest.ts';
import { verdict } from './verdict.ts';

/** What the rule is called: one series per `host`. */
export const whyRecord = 'host:stealwatch_why:figure';
/** What was last known of a machine that gives no answer now. */
const knownRecord = 'instance:stealwatch_verdict:known10m';
const code = 'instance:stealwatch_verdict:code';

interface Sentence {
  readonly verdict: keyof typeof verdict;
  /** Without its full stop. */
  readonly why: string;
  /** Said behind it: a format of the value in percent, seconds or pages. */
  readonly figure?: string;
  /** Has a value where this is so; what it is, where there is a figure. */
  readonly value: string;
}

/** Of a machine with this answer. Without a `host` nobody could say which machine it is. */
const answer = (name: keyof typeof verdict) => `${code}{host!=""} == ${verdict[name]}`;
const ofTarget = 'host, job, instance';

/** Each side may lack a machine, so a sentence without its figure stands behind the one with it. */
const isSo = (name: keyof typeof verdict, value: string) =>
  `${value}\n  and on (${ofTarget}) ${answer(name)}`;

const pagedOut =
  'Your host has paged out memory of this machine and something has waited for a page of it';
/** From where on a wait is one at all, however young: as for the causes of a spent budget. */
const youngSeconds = 1;

const waitsForPage = (seconds: number) => `(
  max without (reason) (${latest('stealwatch_blocked_task_longest_seconds{reason="host_page_in"}')}) > ${seconds}
  or ${latest('stealwatch_cold_page_outstanding_seconds')} > ${seconds}
)`;

const waitsForDisk = (seconds: number) =>
  `max without (reason) (${latest('stealwatch_blocked_task_longest_seconds{reason=~"disk|filesystem"}')}) > ${seconds}`;

function silent(last: keyof typeof verdict, then: string): Sentence {
  return {
    verdict: 'unknown',
    why: `It answers nothing now; when it last did (within 10 min) ${then}`,
    value: `${knownRecord} == ${verdict[last]}\n  and on (${ofTarget}) (${unanswered})`,
  };
}

/** The verdict is unknown and no scrape has come through. */
const unanswered = `${answer('unknown')} unless on (${ofTarget}) (max_over_time(up{job="stealwatch"}[${recent}]) or up{job="stealwatch"}) == 1`;

/**
 * The verdict outlasts scrapes that fail. What accuses the host still holds then, because scrapes fail when it is at its
 * worst; what acquits it was true until then, and says so.
 */
function justSilent(last: keyof typeof verdict, until: string): Sentence {
  return {
    verdict: 'unknown',
    why: `It does not answer at the moment; until then ${until}`,
    value: isSo(last, 'up{job="stealwatch"} == 0'),
  };
}

/** The first that holds on any exporter of a machine, causes that need a person first. */
export const sentences: readonly Sentence[] = [
  {
    verdict: 'pageIn',
    why: pagedOut,
    figure: ' for %.0f s',
    value: isSo('pageIn', waitsForPage(thresholds.pageInStuckSeconds.warn)),
  },
  {
    verdict: 'pageIn',
    why: "Your host pages this machine's memory",
    figure: ': it fetched %.0f of its pages back within 2 min',
    value: isSo('pageIn', 'increase(stealwatch_async_page_faults_total[2m]) >= 1'),
  },
  {
    verdict: 'pageIn',
    why: "Your host pages this machine's memory and does not tell",
    figure: ": %.0f idle pages of the exporter's canary came back from its swap within 5 min",
    value: isSo(
      'pageIn',
      'sum without (age) (increase(stealwatch_cold_page_host_faults_total[5m])) >= 1',
    ),
  },
  {
    verdict: 'pageIn',
    why: 'This machine stood still and its host booked next to no steal: it probably paged out memory that the kernel needed',
    value: answer('pageIn'),
  },
  {
    verdict: 'steal',
    why: 'Your host takes CPU that this machine asks for',
    figure: ': %.0f %% of it',
    value: isSo(
      'steal',
      `100 * (last_over_time(instance:stealwatch_steal_of_demand:ratio2m[2m]) > ${thresholds.stealRatio.warn})`,
    ),
  },
  {
    verdict: 'steal',
    why: `Your host takes CPU that this machine asks for: over ${thresholds.stealRatio.warn * 100} % of it`,
    value: answer('steal'),
  },
  justSilent('disk', 'its disk was the bottleneck'),
  {
    verdict: 'disk',
    why: 'The disk or a file system is the bottleneck: something has waited for it',
    figure: ' for %.0f s',
    value: isSo('disk', waitsForDisk(thresholds.taskBlockedSeconds.warn)),
  },
  { verdict: 'disk', why: 'The disk is the bottleneck', value: answer('disk') },
  justSilent('ownLoad', 'it was using its own CPU up'),
  {
    verdict: 'ownLoad',
    why: `This machine uses its own CPU up: over ${thresholds.ownCpuRatio.bad * 100} % of it`,
    value: answer('ownLoad'),
  },
  silent('pageIn', 'its host was paging out its memory'),
  silent('steal', 'its host was taking its CPU'),
  silent('disk', 'its disk was the bottleneck'),
  silent('ownLoad', 'it was using its own CPU up'),
  silent('quiet', 'nothing was to be seen against its host'),
  {
    verdict: 'unknown',
    why: 'It answers nothing: whether its host is to blame cannot be told',
    value: unanswered,
  },
  {
    verdict: 'unknown',
    why: 'Whether its host is to blame cannot be told: too little of it is seen (the page at / of the exporter says what)',
    value: answer('unknown'),
  },
  // A message is sent once, seconds after what it tells of began, and must not call quiet what is only young.
  {
    verdict: 'pageIn',
    why: pagedOut,
    figure: ' for %.0f s',
    value: isSo('quiet', waitsForPage(youngSeconds)),
  },
  {
    verdict: 'disk',
    why: 'Something has waited for the disk or a file system',
    figure: ' for %.0f s',
    value: isSo('quiet', waitsForDisk(youngSeconds)),
  },
  justSilent('quiet', 'nothing was to be seen against its host'),
  {
    verdict: 'quiet',
    why: 'Nothing is seen against its host: it takes no CPU to speak of; page-ins are not visible here',
    value: isSo(
      'quiet',
      `(
  stealwatch_signal_supported{signal="async_page_faults"} == 0
  unless on (${ofTarget}) stealwatch_cold_page_outstanding_seconds
)`,
    ),
  },
  {
    verdict: 'quiet',
    why: 'Its host is quiet: it takes no CPU to speak of and no memory that shows',
    value: answer('quiet'),
  },
];

const indent = (text: string) => text.replaceAll(/^/gm, '  ');

function labelled(expr: string, labels: Readonly<Record<string, string>>): string {
  return Object.entries(labels).reduce(
    (inner, [name, value]) =>
      `label_replace(\n${indent(inner)},\n  "${name}", ${JSON.stringify(value)}, "", ""\n)`,
    expr,
  );
}

function said({ verdict: name, why, figure, value }: Sentence): string {
  return labelled(`max by (host) (\n${indent(value)}\n)`, {
    verdict: name,
    why,
    ...(figure === undefined ? {} : { figure }),
  });
}

export const whyRules = [
  {
    record: knownRecord,
    expr: `last_over_time((${code}{host!=""} != ${verdict.unknown})[10m:30s])`,
  },
  { record: whyRecord, expr: sentences.map(said).join('\nor on (host) ') },
] as const;
