/**
 * What Asynq's servers and schedulers say of themselves, from internal/proto/asynq.proto of
 * github.com/hibiken/asynq v0.18 to v0.26. Payloads of tasks are skipped.
 */
import { isUtf8 } from 'node:buffer';
import { labelValue, longestLabelValue } from '../core/label-value.ts';
import { bytesAt, type Field, fieldsOf, integerAt, messagesAt } from './protobuf.ts';

/** Texts are as labels have them: cut where they are too long, and still apart. */
export interface ServerInfo {
  readonly host: string;
  readonly pid: number;
  readonly concurrency: number;
  /** Queues the server takes tasks from, but for those whose name is no label. */
  readonly queues: readonly string[];
  /** new, active, stopped or closed. */
  readonly status: string;
  readonly activeWorkers: number;
}

export interface WorkerInfo {
  readonly queue: string;
  readonly taskType: string;
  /** Unix time. */
  readonly startSeconds: number;
}

export interface SchedulerEntry {
  readonly spec: string;
  readonly taskType: string;
  readonly queue: string;
  /** Unix times; undefined while there has been none. */
  readonly nextSeconds: number | undefined;
  readonly previousSeconds: number | undefined;
}

/** Go's zero time, the first second of year 1, stands for never. */
const goZeroSeconds = -62_135_596_800;

/** google.protobuf.Timestamp to Unix seconds. */
function timestampAt(fields: readonly Field[], number: number): number | undefined {
  const stamp = messagesAt(fields, number).at(-1);
  if (stamp === undefined) return undefined;
  const seconds = integerAt(stamp, 1);
  return seconds <= goZeroSeconds ? undefined : seconds + integerAt(stamp, 2) / 1e9;
}

/** The name of a queue that can be told by it; others are not read. */
export function queueName(bytes: Buffer): string | undefined {
  return bytes.length <= longestLabelValue && isUtf8(bytes) ? bytes.toString() : undefined;
}

export function decodeServerInfo(value: Buffer): ServerInfo {
  const fields = fieldsOf(value);
  return {
    host: labelValue(bytesAt(fields, 1)),
    pid: integerAt(fields, 2),
    concurrency: integerAt(fields, 4),
    queues: messagesAt(fields, 5).flatMap((entry) => queueName(bytesAt(entry, 1)) ?? []),
    status: labelValue(bytesAt(fields, 7)),
    activeWorkers: integerAt(fields, 9),
  };
}

export function decodeWorkerInfo(value: Buffer): WorkerInfo {
  const fields = fieldsOf(value);
  const startSeconds = timestampAt(fields, 8);
  if (startSeconds === undefined) throw new Error('worker info without a start time');
  const [queue, taskType] = [labelValue(bytesAt(fields, 7)), labelValue(bytesAt(fields, 5))];
  return { queue, taskType, startSeconds };
}

/** An entry's queue is among its options, printed as Go prints them: `Queue("low")`. */
function queueOption(fields: readonly Field[]): string {
  for (const { number, value } of fields) {
    if (number !== 5 || !Buffer.isBuffer(value)) continue;
    const quoted = /^Queue\((".*")\)$/s.exec(value.toString())?.[1];
    if (quoted !== undefined) return unquote(quoted);
  }
  return 'default';
}

/** Go's %q is JSON's notation but for a few escapes of control characters, kept as they are. */
function unquote(quoted: string): string {
  try {
    return String(JSON.parse(quoted));
  } catch {
    return quoted.slice(1, -1);
  }
}

export function decodeSchedulerEntry(value: Buffer): SchedulerEntry {
  const fields = fieldsOf(value);
  return {
    spec: labelValue(bytesAt(fields, 2)),
    taskType: labelValue(bytesAt(fields, 3)),
    queue: labelValue(queueOption(fields)),
    nextSeconds: timestampAt(fields, 6),
    previousSeconds: timestampAt(fields, 7),
  };
}

/**
 * The queues of a server older than v0.18, which wrote JSON; undefined for protobuf. A protobuf
 * message cannot begin with a brace: it would be a group, which proto3 does not have.
 */
export function legacyServerQueues(value: Buffer): string[] | undefined {
  if (value[0] !== 0x7b) return undefined;
  const info: unknown = JSON.parse(value.toString());
  const queues = typeof info === 'object' && info !== null && 'Queues' in info ? info.Queues : {};
  if (typeof queues !== 'object' || queues === null) return [];
  return Object.keys(queues).filter((name) => queueName(Buffer.from(name)) !== undefined);
}
