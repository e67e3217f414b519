/** Asynq's own counters of a queue as Redis holds them, on their way to totals that never go back. */
import type { Ask } from './ask.ts';
import type { Moment } from './moment.ts';
import type { QueueNotes } from './queue-notes.ts';
import { advanceTotal } from './totals.ts';

/** Digits of 2^63, where Asynq starts a counter again. */
export const longestTotal = 19;

/** Undefined where it cannot be told. */
type RawTotal = number | 'absent' | undefined;

export function rawTotal(ask: Ask, reply: unknown): RawTotal {
  if (!Buffer.isBuffer(reply)) return undefined;
  const text = reply.toString('latin1');
  if (text === '') return 'absent';
  if (/^\d{1,19}$/.test(text)) return Number(text);
  ask.failed(new Error(`decode: a total reads ${JSON.stringify(text)}`));
  return undefined;
}

/** An absent counter is 0 to Asynq; one that was there and is gone is a rollback. */
export function noteTotals(
  notes: QueueNotes,
  totals: Readonly<Record<'processed' | 'failed', RawTotal>>,
  moment: Moment,
): void {
  let dropped = 0;
  for (const name of ['processed', 'failed'] as const) {
    const raw = totals[name];
    if (raw === undefined) continue;
    dropped = Math.max(dropped, advanceTotal(notes[name], raw === 'absent' ? 0 : raw));
  }
  if (dropped === 0) return;
  notes.rollbacks += 1;
  notes.rolledBackTasks += dropped;
  notes.rolledBackAt = moment.monotonic();
  notes.lastRolledBack = dropped;
}
