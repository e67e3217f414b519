/** Writes the protobuf messages of Asynq, for the simulator. The exporter itself only reads. */

type Value = number | bigint | string | Buffer | readonly Buffer[];

export function varint(value: number | bigint): Buffer {
  let rest = BigInt.asUintN(64, BigInt(value));
  const bytes: number[] = [];
  do {
    const low = Number(rest & 0x7fn);
    rest >>= 7n;
    bytes.push(rest > 0n ? low | 0x80 : low);
  } while (rest > 0n);
  return Buffer.from(bytes);
}

function field(number: number, value: Value): Buffer {
  if (typeof value === 'number' || typeof value === 'bigint') {
    return Number(value) === 0
      ? Buffer.alloc(0)
      : Buffer.concat([varint(number * 8), varint(value)]);
  }
  if (typeof value === 'string' || Buffer.isBuffer(value)) {
    const bytes = Buffer.from(value);
    return Buffer.concat([varint(number * 8 + 2), varint(bytes.length), bytes]);
  }
  return Buffer.concat(value.map((one) => field(number, one)));
}

/** A message from field numbers to values; an array of Buffers is a repeated field. */
export function message(fields: Readonly<Record<number, Value>>): Buffer {
  return Buffer.concat(
    Object.entries(fields).map(([number, value]) => field(Number(number), value)),
  );
}

export function timestamp(unixSeconds: number): Buffer {
  const seconds = Math.floor(unixSeconds);
  return message({ 1: seconds, 2: Math.round((unixSeconds - seconds) * 1e9) });
}

/** Go's zero time: never. */
export const never = message({ 1: -62_135_596_800n });

export function taskMessage(queue: string, id: string, type: string): Buffer {
  return message({ 1: type, 2: 'x', 3: id, 4: queue, 5: 25, 8: 1800 });
}

export interface FakeServer {
  readonly host: string;
  readonly pid: number;
  readonly id: string;
  readonly concurrency: number;
  readonly queues: readonly string[];
  readonly status: string;
  readonly startSeconds: number;
}

export function serverInfo(server: FakeServer, activeWorkers: number): Buffer {
  return message({
    1: server.host,
    2: server.pid,
    3: server.id,
    4: server.concurrency,
    5: server.queues.map((queue) => message({ 1: queue, 2: 1 })),
    7: server.status,
    8: timestamp(server.startSeconds),
    9: activeWorkers,
  });
}

export interface FakeWork {
  readonly taskId: string;
  readonly queue: string;
  readonly taskType: string;
  readonly startSeconds: number;
}

export function workerInfo(server: FakeServer, work: FakeWork, payload = 'x'): Buffer {
  return message({
    1: server.host,
    2: server.pid,
    3: server.id,
    4: work.taskId,
    5: work.taskType,
    6: payload,
    7: work.queue,
    8: timestamp(work.startSeconds),
    9: timestamp(work.startSeconds + 1800),
  });
}

export interface FakeEntry {
  readonly id: string;
  readonly spec: string;
  readonly taskType: string;
  readonly options: readonly string[];
  readonly nextSeconds: number;
  readonly previousSeconds?: number;
}

export function schedulerEntry(entry: FakeEntry): Buffer {
  return message({
    1: entry.id,
    2: entry.spec,
    3: entry.taskType,
    4: 'x',
    5: entry.options.map((option) => Buffer.from(option)),
    6: timestamp(entry.nextSeconds),
    7: entry.previousSeconds === undefined ? never : timestamp(entry.previousSeconds),
  });
}

/** A small server that says all a server says. */
export const fakeServerInfo = serverInfo(
  {
    host: 'vm',
    pid: 1,
    id: 'id',
    concurrency: 4,
    queues: ['default'],
    status: 'active',
    startSeconds: 1_700_000_000,
  },
  2,
);
