/** What a snapshot says, in sentences for a person. Worst first, and only the worst few. */
import type { Finding, Severity } from '../collector.ts';
import type { Snapshot } from './collection.ts';
import type { QueueView } from './queue-metrics.ts';

/** A backlog older than this is worth a sentence; Asynq forwards and retries within seconds. */
const lateSeconds = 60;
const forwarderLateSeconds = 60;
/** Asynq trims the archive to 9,999 tasks. */
const archiveFull = 9900;
const rollbackToldSeconds = 900;
const maxFindings = 5;
const nameShown = 60;

/** 1,204. Not Intl, whose first use brings 3 MB of tables into memory. */
const whole = (value: number): string =>
  String(Math.round(value)).replaceAll(/\B(?=(?:\d{3})+$)/g, ',');
export const counted = (value: number, noun: string): string =>
  `${whole(value)} ${noun}${value === 1 ? '' : 's'}`;

/** 40 s, 7 min, 3 h, 2 d. */
function spoken(seconds: number): string {
  if (seconds < 100) return `${Math.round(seconds)} s`;
  if (seconds < 100 * 60) return `${Math.round(seconds / 60)} min`;
  if (seconds < 48 * 3600) return `${Math.round(seconds / 3600)} h`;
  return `${Math.round(seconds / 86_400)} d`;
}

/** A queue's name may hold anything, newlines too, and be long. */
function shownName(queue: string): string {
  const short = queue.length > nameShown ? `${queue.slice(0, nameShown)}…` : queue;
  return /^[\w.:/-]+$/.test(short) ? short : JSON.stringify(short);
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
    ? `no worker has sent a heartbeat for ${spoken(Math.max(0, redisTime - last))}`
    : 'no server is running';
}

function waiting(view: QueueView, snapshot: Snapshot): string {
  const why = whyWaiting(view, snapshot);
  const atLeast = view.latencyIsLowerBound ? 'at least ' : '';
  return (
    `${shownName(view.queue)}: ${counted(view.tasks.pending, 'task')} waiting, the oldest for ` +
    `${atLeast}${spoken(view.latencySeconds)}${why === '' ? '' : `; ${why}`}.`
  );
}

interface Ranked extends Finding {
  /** Within a severity, the larger the sooner. */
  readonly weight: number;
}

function aboutQueue(view: QueueView, snapshot: Snapshot): Ranked[] {
  const found: Ranked[] = [];
  const add = (severity: Severity, weight: number, text: string) =>
    found.push({ severity, weight, text });
  const name = shownName(view.queue);
  if (isUnserved(view)) add('bad', view.latencySeconds, waiting(view, snapshot));
  else if (view.latencySeconds > lateSeconds) {
    const severity = view.paused === 1 ? 'warning' : 'bad';
    add(severity, view.latencySeconds, waiting(view, snapshot));
  }
  if (view.leaseExpired > 0) {
    const tasks = counted(view.leaseExpired, 'task');
    add(
      'warning',
      view.leaseExpired,
      `${name}: ${tasks} taken by a worker that has not been heard of since; a live server gives them back within 2 min.`,
    );
  }
  const lag = Math.max(view.lagSeconds.scheduled, view.lagSeconds.retry);
  if (lag > forwarderLateSeconds) {
    add(
      'warning',
      lag,
      `${name}: scheduled or to-be-retried tasks are ${spoken(lag)} late; no running server forwards them.`,
    );
  }
  const { rolledBackAt, lastRolledBack } = view.notes;
  if (rolledBackAt !== undefined && snapshot.takenAt - rolledBackAt < rollbackToldSeconds) {
    add(
      'bad',
      lastRolledBack,
      `${name}: Redis went back in time ${spoken(snapshot.takenAt - rolledBackAt)} ago: it has forgotten at least ${counted(lastRolledBack, 'finished task')}, which may run again, and whatever was enqueued since.`,
    );
  }
  if (view.listed === 0) {
    add(
      'warning',
      0,
      `${name}: in use, but Redis has lost its name: Asynq's own tools say it does not exist. Restart the program that enqueues.`,
    );
  }
  if (view.tasks.archived >= archiveFull) {
    add(
      'warning',
      0,
      `${name}: the archive is full at ${whole(view.tasks.archived)} tasks; older ones are being thrown away.`,
    );
  }
  return found;
}

const order = { bad: 0, warning: 1, good: 2 } as const;

export function findingsOf(snapshot: Snapshot, views: readonly QueueView[]): Finding[] {
  const found = views.flatMap((view) => aboutQueue(view, snapshot));
  found.sort((a, b) => order[a.severity] - order[b.severity] || b.weight - a.weight);
  const findings: Finding[] = found
    .slice(0, maxFindings)
    .map(({ severity, text }) => ({ severity, text }));
  if (found.length > maxFindings) {
    findings.push({
      severity: found[maxFindings]?.severity ?? 'warning',
      text: `${counted(found.length - maxFindings, 'more problem')} with Asynq queues.`,
    });
  }
  if (found.length === 0 && views.length > 0) {
    const pending = views.reduce((sum, { tasks }) => sum + (tasks.pending || 0), 0);
    findings.push({
      severity: 'good',
      text: `${counted(views.length, 'Asynq queue')}, ${counted(pending, 'task')} waiting.`,
    });
  }
  return findings;
}
