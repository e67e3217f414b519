/** What the one who reads the page does next, from what is the matter. */
import type { Check, Signal, Stopped } from '../../core/collector.ts';
import type { Status } from '../../core/status.ts';
import type { Verdict } from '../../core/verdict.ts';
import type { IncidentSummary } from '../../evidence/summary.ts';
import { durationText } from '../../measure/duration.ts';

export interface NextStep {
  /** The beginning of a sentence, without its full stop. */
  readonly text: string;
  /** What to type. */
  readonly command?: string;
  /** The name of a runbook, or empty for the list of them. */
  readonly runbook?: string;
}

/** Looks and changes nothing. */
const rescue = 'stealwatch rescue';

const ofVerdict: Readonly<Record<Verdict['name'], NextStep | undefined>> = {
  page_in_lost: {
    text: 'Do not kill or restart what hangs: it cannot end before it wakes',
    command: rescue,
    runbook: 'PageInStuck',
  },
  page_in_stuck: {
    text: 'Do not kill or restart what hangs: it cannot end before its page is back',
    command: rescue,
    runbook: 'PageInStuck',
  },
  host_paging: {
    text: 'Write to your provider while it lasts, with what is seen here',
    runbook: 'HostPageInThrash',
  },
  host_paging_unannounced: {
    text: 'Write to your provider while it lasts, with what is seen here',
    runbook: 'HostPageInThrash',
  },
  kernel_page_in: {
    text: 'Look whether it goes on before you restart anything',
    runbook: 'HostStalled',
  },
  cpu_steal: {
    text: 'See whether it follows your own load, and write to your provider if it does not',
    runbook: 'StealHigh',
  },
  disk: { text: 'See who waits, and for which disk or file system', runbook: 'TaskStuckInD' },
  own_load: { text: 'See which of your own processes it is', command: 'top' },
  unknown: undefined,
  quiet: undefined,
};

/** Whatever hangs, hangs in the host: what Redis says of itself comes after that. */
export const hostFirst: ReadonlySet<Verdict['name']> = new Set(['page_in_lost', 'page_in_stuck']);

const runbook = 'RedisFrozen';

/** By the state of the check `redis`. */
const ofRedis: Readonly<Record<string, NextStep>> = {
  frozen: {
    text: 'Do not kill or restart Redis before you know what it waits for',
    command: rescue,
    runbook,
  },
  refused: { text: 'See whether Redis runs, and what its log said last', runbook: 'RedisDown' },
  unreachable: { text: 'See name, route and firewall between here and it', runbook: 'RedisDown' },
  loading: {
    text: 'Wait, it reads its data set: a restart begins that anew',
    runbook: 'RedisDown',
  },
  auth_failed: {
    text: 'See whether the password was changed, and whether applications still get in',
    runbook: 'RedisDown',
  },
  error: { text: 'See what Redis says', runbook: 'RedisDown' },
};

/** A look at the threads of this machine says nothing of a Redis that is none of them. */
const frozenElsewhere: NextStep = {
  text: 'Do not kill or restart Redis before you know what it waits for, and look where it runs',
  command: rescue,
  runbook,
};

/** Whatever else is the matter with it: until then it does nothing. */
function stoppedStep({ by, pid, seenFrom }: Stopped): NextStep {
  const host = seenFrom === 'container' ? ', on the host' : '';
  if (by === 'debugger') {
    const text = `See which debugger holds Redis (TracerPid), and end that${host}`;
    return seenFrom === 'part'
      ? { text: `${text}: Redis is pid ${pid} where this exporter runs`, runbook }
      : { text, command: `grep TracerPid /proc/${pid}/status`, runbook };
  }
  const text = `Let Redis go on, unless somebody stopped it on purpose${host}`;
  return seenFrom === 'part'
    ? { text: `${text}: it needs SIGCONT, and is pid ${pid} where this exporter runs`, runbook }
    : { text, command: `kill -CONT ${pid}`, runbook };
}

const soon: NextStep = { text: 'Look again in a second' };

function redisStep({ checks, signals, stopped }: Known): NextStep | undefined {
  const redis = checks.find(({ name, ok }) => name === 'redis' && !ok);
  if (stopped !== undefined) return stoppedStep(stopped);
  if (redis === undefined) return undefined;
  if (redis.pending === true) return soon;
  const seen = signals.some(({ name, supported }) => name === 'redis_process' && supported);
  return redis.state === 'frozen' && !seen ? frozenElsewhere : ofRedis[redis.state];
}

function stoppedClock(checks: readonly Check[]): NextStep | undefined {
  const stale = checks.some(({ name, ok }) => name.startsWith('sampler_') && !ok);
  return stale
    ? { text: 'See whether the machine stands still, or one source of it', runbook: 'SamplerStale' }
    : undefined;
}

/** Who was asleep reads of it in the morning. */
const rememberedSeconds = 24 * 3600;

function afterwards(incidents: readonly IncidentSummary[], wall: number): NextStep | undefined {
  const last = incidents.findLast(({ open }) => !open);
  if (last === undefined) return undefined;
  const ago = wall - (last.began + last.seconds);
  if (ago > rememberedSeconds) return undefined;
  return {
    text: `An incident ended ${durationText(Math.max(0, ago))} ago, ticket and post-mortem draft`,
    command: 'stealwatch report',
  };
}

/** What is known now, and what was before. */
export interface Known extends Pick<Status, 'verdict' | 'checks' | 'findings'> {
  /** Of those that are not seen here the page says why. */
  readonly signals: readonly Signal[];
  /** Its process is on this machine, and stopped. */
  readonly stopped?: Stopped | undefined;
  readonly incidents: readonly IncidentSummary[];
  /** Unix time. */
  readonly wall: number;
}

/** What no other step is for. */
function illStep(checks: readonly Check[]): NextStep {
  return checks.some(({ name, state }) => name === 'asynq' && state === 'unserved')
    ? {
        text: 'See whether your Asynq servers run, and for which queues',
        runbook: 'AsynqNoConsumers',
      }
    : { text: 'Look for what you see', runbook: '' };
}

/** In the order of the headline (overview.ts): what goes on before what has ended, the grave before the small. */
export function nextStep(known: Known): NextStep | undefined {
  const { verdict, checks, findings, signals, incidents, wall } = known;
  const own = ofVerdict[verdict.name];
  if (own !== undefined && hostFirst.has(verdict.name)) return own;
  const bad = findings.filter(({ severity, past }) => severity === 'bad' && past !== true);
  const critical = checks.some((check) => check.critical && !check.ok);
  const isIll = critical || bad.some(({ ended }) => ended !== true);
  const isGrave = verdict.severity === 'bad';
  const step =
    redisStep(known) ??
    (isGrave && verdict.ended !== true ? own : undefined) ??
    stoppedClock(checks) ??
    (isIll ? illStep(checks) : undefined) ??
    (isGrave ? own : undefined) ??
    (bad.length > 0 ? illStep(checks) : own);
  if (step !== undefined) return step;
  if (verdict.pending === true) return soon;
  if (verdict.name === 'unknown' && signals.some(({ supported }) => !supported)) {
    return { text: 'See below what cannot be seen here, and what would grant it' };
  }
  return afterwards(incidents, wall);
}
