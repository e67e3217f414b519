/** What a snapshot says, in sentences for a person. Worst first, and only the worst few. */
import { bySeverity, type Finding, type Severity } from '../core/collector.ts';
import type { Snapshot } from './collection.ts';
import type { QueueView } from './queue-metrics.ts';
import { limits } from '../measure/limits.ts';
import { durationText } from '../measure/duration.ts';

/** A backlog older than this is worth a sentence; Asynq forwards and retries within seconds. */
const lateSeconds = limits.queueLatencySeconds.bad;
const forwarderLateSeconds = limits.scheduleLagSeconds.bad;
const archiveFull = limits.archivedTasks.bad;
const rollbackToldSeconds = 900;
const maxFindings = 5;
const nameShown = 60;

/** 1,204. Not Intl, whose first use brings 3 MB of tables into memory. */
const whole = (value: number): string =>
  String(Math.round(value)).replaceAll(/\B(?=(?:\d{3})+$)/g, ',');
export const counted = (value: number, noun: string): string =>
  `${whole(value)} ${noun}${value === 1 ? '' : 's'}`;

/** A queue's name may hold anything, newlines too, and be long. */
function shownName(queue: string): string {
  const short = queue.length > nameShown ? `${queue.slice(0, nameShown)}…` : queue;
  if (/^[\w.:/-]+$/.test(short)) return short;
  // What turns the direction of the text around, or is not seen at all, is shown.
  return JSON.stringify(short).replaceAll(
    /\p{C}/gu,
    (one) => `\\u{${(one.codePointAt(0) ?? 0).toString(16)}}`,
  );
}

/** Tasks wait and nobody takes them. */
export function isUnserved({ tasks, consumers, paused }: QueueView): boolean {
  return tasks.pending > 0 && consumers === 0 && paused === 0;
}

function whyWaiting(view: QueueView, snapshot: Snapshot): string {
  if (view.paused === 1) return 'the queue is paused';
  if (view.consumers > 0) {
    return `${whole(view.busyWorkers)} of ${counted(view.concurrency, 'worker')} at work on it`;
  }
  const { fleet, redisTime } = snapshot;
  if (Number.isNaN(view.consumers)) return '';
  if (fleet.live.length > 0) {
    return 'no running server takes tasks from this queue';
  }
  const last = Math.max(...fleet.servers.map(({ heartbeatSeconds }) => heartbeatSeconds));
  return Number.isFinite(last)
    ? `no worker has sent a heartbeat for ${durationText(Math.max(0, redisTime - last))}`
    : 'no server is running';
}

function waiting(view: QueueView, snapshot: Snapshot): string {
  const why = whyWaiting(view, snapshot);
  const atLeast = view.latencyIsLowerBound ? 'at least ' : '';
  return (
    `${shownName(view.queue)}: ${counted(view.tasks.pending, 'task')} waiting, the oldest for ` +
    `${atLeast}${durationText(view.latencySeconds)}${why === '' ? '' : `; ${why}`}.`
  );
}

interface Ranked {
  readonly severity: Severity;
  /** Within a severity, the larger the sooner. */
  readonly weight: number;
  /** Of thousands only the worst few are put into words. */
  readonly text: () => string;
}

type Add = (severity: Severity, weight: number, text: () => string) => void;

function aboutQueue(view: QueueView, snapshot: Snapshot, add: Add): void {
  if (isUnserved(view)) add('bad', view.latencySeconds, () => waiting(view, snapshot));
  else if (view.latencySeconds > lateSeconds) {
    const severity = view.paused === 1 ? 'warning' : 'bad';
    add(severity, view.latencySeconds, () => waiting(view, snapshot));
  }
  if (view.leaseExpired > 0) {
    add(
      'warning',
      view.leaseExpired,
      () =>
        `${shownName(view.queue)}: ${counted(view.leaseExpired, 'task')} taken by a worker that has not been heard of since; a live server gives them back within 2 min.`,
    );
  }
  const lag = Math.max(view.lagSeconds.scheduled, view.lagSeconds.retry);
  if (lag > forwarderLateSeconds) {
    add(
      'warning',
      lag,
      () =>
        `${shownName(view.queue)}: scheduled or to-be-retried tasks are ${durationText(lag)} late; no running server forwards them.`,
    );
  }
  const { rolledBackAt, lastRolledBack } = view.notes;
  if (rolledBackAt !== undefined && snapshot.takenAt - rolledBackAt < rollbackToldSeconds) {
    add(
      'bad',
      lastRolledBack,
      () =>
        `${shownName(view.queue)}: Redis went back in time ${durationText(snapshot.takenAt - rolledBackAt)} ago: it has forgotten at least ${counted(lastRolledBack, 'finished task')}, which may run again, and whatever was enqueued since.`,
    );
  }
  if (view.listed === 0) {
    add(
      'warning',
      0,
      () =>
        `${shownName(view.queue)}: in use, but Redis has lost its name: Asynq's own tools say it does not exist. Restart the program that enqueues.`,
    );
  }
  if (view.tasks.archived >= archiveFull) {
    add(
      'warning',
      0,
      () =>
        `${shownName(view.queue)}: the archive is full at ${whole(view.tasks.archived)} tasks; older ones are being thrown away.`,
    );
  }
}

const isWorse = (a: Ranked, b: Ranked): boolean => (bySeverity(a, b) || b.weight - a.weight) < 0;

export interface Findings {
  about(view: QueueView): void;
  findings(): Finding[];
}

/** Queue by queue; of all there is to say the worst few are kept, and how many more there were. */
export function createFindings(snapshot: Snapshot): Findings {
  const worst: Ranked[] = [];
  let [found, queues, pending] = [0, 0, 0];

  function add(severity: Severity, weight: number, text: () => string): void {
    const one = { severity, weight, text };
    found += 1;
    const before = worst.findIndex((other) => isWorse(one, other));
    if (before === -1) worst.push(one);
    else worst.splice(before, 0, one);
    // One more than is told: how bad the rest is.
    worst.length = Math.min(worst.length, maxFindings + 1);
  }

  return {
    about(view) {
      queues += 1;
      pending += view.tasks.pending || 0;
      aboutQueue(view, snapshot, add);
    },
    findings() {
      const told: Finding[] = worst
        .slice(0, maxFindings)
        .map(({ severity, text }) => ({ severity, text: text() }));
      if (found > maxFindings) {
        told.push({
          severity: worst[maxFindings]?.severity ?? 'warning',
          text: `${counted(found - maxFindings, 'more problem')} with Asynq queues.`,
        });
      }
      if (found === 0 && queues > 0) {
        const text = `${counted(queues, 'Asynq queue')}, ${counted(pending, 'task')} waiting.`;
        told.push({ severity: 'good', text });
      }
      return told;
    },
  };
}
