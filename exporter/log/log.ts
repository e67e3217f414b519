/**
 * The log: JSON lines on standard output, and never a reason to wait or to end.
 *
 * A disk is full, a pipe is closed, or nobody reads it: in the very incident this process is there
 * to report. So one write is under way at a time, off the main thread, a bounded queue waits
 * behind it, and a line that finds no room or cannot be written is dropped and counted. The next
 * line that gets through says how many are missing.
 */
import { write } from 'node:fs';
import { type Logger, pino } from 'pino';
import { type Clock, systemClock } from '../measure/clock.ts';
import type { LogLevel } from '../config/values.ts';

/** As fs.write: fewer bytes than were given may have been written. */
export type Write = (
  bytes: Buffer,
  done: (error: NodeJS.ErrnoException | null, written: number) => void,
) => void;

export interface LogDestination {
  write(line: string): void;
  /** How many lines were lost. */
  dropped(): number;
  /** Why lines are being lost now, and for how long; undefined while they are not. */
  problem(): LogProblem | undefined;
  /** Resolves when every line is written or lost. */
  settled(): Promise<void>;
}

export interface LogProblem {
  readonly reason: string;
  readonly sinceSeconds: number;
}

/** Some hundred lines. */
const mostQueued = 64 * 1024;
const retryMs = 250;
const lineFeed = 10;

const linesIn = (bytes: Buffer) => bytes.reduce((n, byte) => n + (byte === lineFeed ? 1 : 0), 0);

function noticeOf(dropped: number, error: string): string {
  const time = new Date().toISOString();
  return `${JSON.stringify({ level: 40, time, dropped, error, msg: 'log lines were lost' })}\n`;
}

export function createLogDestination(
  writeOut: Write,
  clock: Pick<Clock, 'monotonic'>,
): LogDestination {
  let queue: string[] = [];
  let queued = 0;
  let dropped = 0;
  /** Of those, how many no written line has told of. */
  let untold = 0;
  let problem: { reason: string; since: number } | undefined;
  let writing = false;
  /** What was written last was the beginning of a line. */
  let cut = false;
  let idle = Promise.withResolvers<void>();
  idle.resolve();

  function lose(lines: number, why: string): void {
    dropped += lines;
    untold += lines;
    problem = { reason: why, since: problem?.since ?? clock.monotonic() };
  }

  function next(): void {
    if (queue.length === 0) {
      writing = false;
      idle.resolve();
      return;
    }
    const told = untold;
    const notice = told > 0 ? noticeOf(told, problem?.reason ?? 'unknown') : '';
    const bytes = Buffer.from(`${cut ? '\n' : ''}${notice}${queue.join('')}`);
    const lines = queue.length;
    queue = [];
    queued = 0;
    send(bytes, (error, rest) => {
      if (error === undefined) {
        untold -= told;
        if (untold === 0) problem = undefined;
      } else lose(Math.min(lines, linesIn(rest)), error);
      next();
    });
  }

  function send(bytes: Buffer, done: (error: string | undefined, rest: Buffer) => void): void {
    writeOut(bytes, (error, written) => {
      if (error?.code === 'EAGAIN') {
        setTimeout(send, retryMs, bytes, done).unref();
        return;
      }
      if (written > 0) cut = bytes[written - 1] !== lineFeed;
      const rest = bytes.subarray(error === null ? written : 0);
      if (error !== null || written === 0) done(error?.code ?? 'nothing written', rest);
      else if (rest.length > 0) send(rest, done);
      else done(undefined, rest);
    });
  }

  return {
    write(line) {
      if (queued + line.length > mostQueued) {
        lose(1, 'they are not taken fast enough');
        return;
      }
      queue.push(line);
      queued += line.length;
      if (writing) return;
      writing = true;
      idle = Promise.withResolvers();
      next();
    },
    dropped: () => dropped,
    problem: () =>
      problem && { reason: problem.reason, sinceSeconds: clock.monotonic() - problem.since },
    settled: async () => idle.promise,
  };
}

const standardOutput = 1;

export interface Log {
  readonly log: Logger;
  readonly destination: LogDestination;
}

export function createLog(level: LogLevel): Log {
  const destination = createLogDestination((bytes, done) => {
    write(standardOutput, bytes, 0, bytes.length, null, done);
  }, systemClock);
  const options = { level, base: null, timestamp: pino.stdTimeFunctions.isoTime };
  return { log: pino(options, destination), destination };
}
