/**
 * What the generator adds to each alert for the message on a phone: why, what it cost, what to type.
 * The rules themselves say what (`summary`).
 *
 * Each is asked for when the rule is evaluated, so a text says how it is when there is no answer.
 */
import { whyRecord } from '../verdict/why.ts';

/** Of these the cause is known whatever the host does, and the verdict would accuse somebody else. */
const knownCauses: Readonly<Record<string, string>> = {
  HungTaskLogGoingSilent: 'A budget of the kernel that is never refilled.',
  RdbConfigDrift: 'Redis itself: its configuration is not what was declared.',
  RedisMemoryFull: 'Redis itself: it is at a limit that its configuration sets.',
  RedisRejectsConnections: 'Redis itself: it is at a limit that its configuration sets.',
  AsynqNoConsumers: 'The workers themselves: none serves the queue, whatever the host does.',
  AsynqArchiveFull: 'The queue itself: tasks fail for good.',
  AsynqGhostTasks: 'The queue itself: its lists do not fit together.',
  AsynqQueueUnlisted: 'The queue itself: it is missing in the list of queues.',
  AsynqCounterRollback: 'Redis itself: it has an older state than before.',
};

const aboutWatching =
  'This is about the watching, not about the machine: what is not measured cannot be told.';
const noAnswer =
  'Whether its host is to blame cannot be told: nothing is known of it at this moment.';
const noHost = 'Whether its host is to blame cannot be told: this target has no label host.';

/** Where nothing points at the host it is Redis, unless the kernel holds it, or it is on a machine nobody has asked about. */
const redisItself =
  '{{ if eq (label "verdict" $said) "quiet" }}' +
  '{{ with printf `sort_desc(max by (reason) (last_over_time(redis_process_blocked_seconds{host=%q,instance=%q}[20s])) > 1)` $labels.host $labels.instance | query }}' +
  ' A thread of Redis has been blocked in the kernel for {{ . | first | value | printf "%.0f" }} s, reason {{ . | first | label "reason" }}.' +
  '{{ else }}{{ with printf `redis_process_blocked_seconds{host=%q,instance=%q} >= 0` $labels.host $labels.instance | query }}' +
  ' So look at Redis itself.' +
  '{{ else }} That is the machine of the exporter: Redis is not seen on it.{{ end }}{{ end }}{{ end }}';

/**
 * Of the sentences on a machine the newest. Prometheus does not know, once started anew, that the one from before has
 * ended: for five minutes that one is there as well.
 */
const newestSentence = `${whyRecord}{host=%[1]q} and topk(1, timestamp(${whyRecord}{host=%[1]q}))`;

/** The sentence of the verdict on the alert's machine, as it is at this moment. */
export function whyOf(alert: string, layer: string): string {
  const known = knownCauses[alert] ?? (layer === 'meta' ? aboutWatching : undefined);
  if (known !== undefined) return known;
  return (
    `{{ with $labels.host }}{{ with printf \`${newestSentence}\` . | query }}{{ $said := . | first }}` +
    '{{ $said | label "why" }}{{ with $said | label "figure" }}{{ $said | value | printf . }}{{ end }}.' +
    (layer === 'redis' ? redisItself : '') +
    `{{ else }}${noAnswer}{{ end }}{{ else }}${noHost}{{ end }}`
  );
}

/** Bad seconds of an SLO on a machine since a moment, and their share of what its whole period allows. */
function lost(slo: string, what: string): string {
  return (
    `{{ with printf \`max(sum by (instance) (sum_over_time(slo:bad_seconds:slice15s{slo="${slo}",host=%q}[%.0fs]))) >= 1\` $labels.host $since | query }}` +
    `{{ $lost := . | first | value }}{{ $gap }}{{ $gap = " " }}{{ $lost | printf "%.0f" }} s ${what}` +
    `{{ with printf \`100 * %f / (86400 * slo:time_period:days{slo="${slo}"} * slo:error_budget:ratio{slo="${slo}"})\` $lost | query }}` +
    ', {{ . | first | value | printf "%.1f" }} % of its error budget{{ end }}.{{ end }}'
  );
}

/**
 * What it has cost since it began, a day at most; evaluated as long as the alert fires, so that the last
 * one stands in the message of its end. From half a minute before, which is how late an alert is, and some
 * seconds: no slice ends where the range begins, which each release of Prometheus counts in another way.
 * Slices are 15 s: an alert that is younger has cost nothing that could be told.
 */
export function costOf(alert: string): string {
  return (
    `{{ with printf \`clamp_max(time() - min(ALERTS_FOR_STATE{alertname="${alert}",host=%q}) + 37, 86400) >= 37\` $labels.host | query }}` +
    `{{ $gap := "" }}{{ $since := . | first | value }}${lost('redis_availability', 'without Redis')}${lost('host', 'in which the machine was not well')}{{ end }}`
  );
}

/** Braces of a command are no template. */
const literal = (text: string) => text.replaceAll('{{', '{{ "{{" }}');

/** The command that a runbook begins with, under its name and the line that opens it. */
export function commandOf(runbook: string): string {
  const [, , fence, command = ''] = runbook.split('\n');
  if (fence !== '```sh' || command === '')
    throw new Error('expected a runbook to begin with a command');
  return command;
}

export const doOf = (runbook: string) => literal(commandOf(runbook));
