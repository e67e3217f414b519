/** What lines of Redis say. */
import type { RedisEvent, RedisEventKind } from '../facts/facts.ts';
import { createBothEnds } from './both-ends.ts';
import type { RedisLine } from './redis-line.ts';

type Shape = readonly [pattern: RegExp, kind: RedisEventKind];

const shapes: readonly Shape[] = [
  [/\b(?:Redis|Valkey|KeyDB) is starting\b|^Server started, Redis version/, 'started'],
  [/^(?:Ready to accept connections|The server is now ready to accept connections)/, 'ready'],
  [/^(?:Loading RDB produced by|Reading RDB base file on AOF loading)/, 'loading'],
  [/^RDB age \d+ seconds/, 'rdb_age'],
  [/^(?:Done loading RDB|DB loaded from )/, 'loaded'],
  [/^\d+ changes in \d+ seconds\. Saving/, 'save_due'],
  [/^Background saving started by pid/, 'save_began'],
  [/^Background saving terminated with success/, 'saved'],
  [
    /^(?:Background saving (?:error|terminated by signal)|Error saving DB|Write error saving DB|(?:Failed|Error) opening the (?:temp )?RDB|Can't save in background|Error moving temp DB file)/,
    'save_failed',
  ],
  [/^Asynchronous AOF fsync is taking too long/, 'aof_fsync_slow'],
  [
    /WARNING:? (?:Memory overcommit must be enabled|overcommit_memory is set to)/,
    'overcommit_warning',
  ],
  [
    /^(?:User requested shutdown|Received SIG(?:TERM|INT)|Received shutdown signal)/,
    'shutdown_asked',
  ],
  [/(?:ready to exit, bye bye|crashed by signal)/, 'ended'],
];

function kindOf({ text, role }: RedisLine): RedisEventKind {
  // The child says so as well; of the parent it is the save of a shutdown, or of SAVE.
  if (text.startsWith('DB saved on disk')) return role === 'C' ? 'other' : 'saved';
  return shapes.find(([pattern]) => pattern.test(text))?.[1] ?? 'other';
}

const age = /^RDB age (\d{1,10}) seconds/;
const loaded = /^Done loading RDB, keys loaded: (\d{1,15})/;

function redisEventOf(line: RedisLine, source: string): RedisEvent {
  const { at, pid, text } = line;
  const kind = kindOf(line);
  const seconds = age.exec(text)?.[1];
  const keys = loaded.exec(text)?.[1];
  return {
    at,
    kind,
    text: kind === 'other' ? '' : text.replace(/\p{Cc}/gu, '?').slice(0, 200),
    source,
    ...(pid === undefined ? {} : { pid }),
    ...(seconds === undefined ? {} : { seconds: Number(seconds) }),
    ...(keys === undefined ? {} : { keys: Number(keys) }),
  };
}

/** A line that says nothing to us is a sign of life: what counts is where they stop and go on. */
const silenceSeconds = 10;
const mostEvents = 20_000;

export interface RedisEvents {
  /** In the order of the log. */
  readonly line: (line: RedisLine) => void;
  lines(): number;
  all(): RedisEvent[];
  /** Lines that were left out for their number. */
  readonly leftOut: () => number;
}

export function createRedisEvents(source: string): RedisEvents {
  const events = createBothEnds<RedisEvent>(mostEvents);
  let lines = 0;
  /** The last line, where it is not among the events. */
  let waiting: RedisEvent | undefined;
  let last = -Infinity;

  function keepWaiting(): void {
    if (waiting !== undefined) events.push(waiting);
    waiting = undefined;
  }

  return {
    line(line) {
      lines++;
      const event = redisEventOf(line, source);
      const afterSilence = Math.abs(event.at - last) >= silenceSeconds;
      if (afterSilence) keepWaiting();
      if (afterSilence || event.kind !== 'other') {
        events.push(event);
        waiting = undefined;
      } else waiting = event;
      last = event.at;
    },
    lines: () => lines,
    all() {
      keepWaiting();
      return events.all();
    },
    leftOut: events.leftOut,
  };
}
