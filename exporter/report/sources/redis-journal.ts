/** What Redis and Valkey wrote to the journal, where a service has no log file of its own. */
import type { Gathered, Source } from '../facts/facts.ts';
import type { ReadContext } from './context.ts';
import type { Focus } from './focus.ts';
import { journalRecords } from './journal.ts';
import { journalPlace } from './journal-place.ts';
import type { JournalRecord } from './journal-record.ts';
import { createRedisEvents } from './redis-events.ts';
import { parseRedisLine, type RedisLine } from './redis-line.ts';

const matches = [
  'redis',
  'redis-server',
  'redis-sentinel',
  'valkey',
  'valkey-server',
  'keydb-server',
]
  .map((name) => `SYSLOG_IDENTIFIER=${name}`)
  .join(' + ')
  .split(' ');

/** Standard output has the whole line; what came by syslog(3) has the message alone. */
function lineOf({ text, received, pid }: JournalRecord, { zone }: ReadContext): RedisLine {
  const line = parseRedisLine(text, { zone, yearOf: () => 1970 });
  const plain = { pid, role: 'M', text };
  return { ...(line ?? plain), at: received, zoned: true };
}

/** Empty where there is none: most keep a file. */
export async function readRedisJournal(context: ReadContext, focus: Focus): Promise<Gathered> {
  const place = journalPlace(context)?.args;
  if (place === undefined) return {};
  const id = 'redis_log journal';
  const events = createRedisEvents(id);
  try {
    const reading = { place, window: focus, context };
    const { sha256, cut } = await journalRecords(reading, matches, (record) => {
      events.line(lineOf(record, context));
    });
    if (events.lines() === 0) return {};
    const source: Source = {
      id,
      kind: 'redis_log',
      name: 'journal of the Redis service',
      records: events.lines(),
      sha256,
      timeErrorSeconds: 0.1,
      problems: cut === undefined ? [] : [cut],
    };
    return { redis: events.all(), sources: [source] };
  } catch {
    // Without journalctl: said where the kernel's records were looked for.
    return {};
  }
}
