/**
 * Replies of CONFIG, SLOWLOG and LATENCY to families; all absent where they are forbidden. A reply
 * that is not what Redis gives costs its own families, and is told.
 */
import { type Family, gauge, type Metric, single } from '../core/collector.ts';
import type { RedisCommand } from './client.ts';
import { refusalWord } from './refusal-words.ts';
import { shownLabelValue } from '../core/label-value.ts';
import { asError } from '../measure/errors.ts';

const saveEnabled = gauge({
  name: 'redis_rdb_save_enabled',
  help: '1 when the live save setting has save points, from CONFIG GET save.',
  note: '1 when Redis takes snapshots by itself: its live save setting has save points, from CONFIG GET save.',
});
const slowlogLength = gauge({
  name: 'redis_slowlog_length',
  help: 'Entries in the slow log, from SLOWLOG LEN.',
});
const slowlogLastId = gauge({
  name: 'redis_slowlog_last_id',
  help: 'Id of the newest entry of the slow log, 0 when it is empty, from SLOWLOG GET.',
  note: 'Id of the newest entry of the slow log, 0 when it is empty; it only grows, and keeps its last value while Redis does not answer. From SLOWLOG GET.',
  grows: true,
});
const lastSlowSeconds = gauge({
  name: 'redis_last_slow_execution_duration_seconds',
  help: 'Duration of the newest slow log entry, from SLOWLOG GET.',
  note: 'How long the newest entry of the slow log took, 0 when it is empty, from SLOWLOG GET.',
});
const spikeLast = gauge({
  name: 'redis_latency_spike_last',
  help: 'Unix time of the last latency spike of an event, from LATENCY LATEST.',
  labels: ['event_name'],
});
const spikeSeconds = gauge({
  name: 'redis_latency_spike_duration_seconds',
  help: 'How long the last latency spike of an event was, from LATENCY LATEST.',
  labels: ['event_name'],
});

export const replyMetrics: readonly Metric[] = [
  saveEnabled,
  slowlogLength,
  slowlogLastId,
  lastSlowSeconds,
  spikeLast,
  spikeSeconds,
];

/** The order in which `createReplies` reads the replies. */
export const replyCommands: readonly RedisCommand[] = [
  ['CONFIG', 'GET', 'save'],
  ['SLOWLOG', 'LEN'],
  ['SLOWLOG', 'GET', 1],
  ['LATENCY', 'LATEST'],
];

/** Redis knows about 20 events; a module may name more. */
const mostEvents = 32;

function unexpected(command: string, reply: unknown): Error {
  const text = typeof reply === 'string' ? reply.slice(0, 200) : reply;
  const shown = Array.isArray(text) ? `an array of ${text.length}` : JSON.stringify(text);
  return new Error(`${command}: unexpected reply ${shown.slice(0, 120)}`);
}

/**
 * Forbidden by an ACL, renamed away, or unknown to this server: nothing to publish. Throws where it
 * is refused for what is the matter with Redis, which is no setting and is to be told.
 */
function isRefused(reply: unknown): boolean {
  if (reply instanceof Error && refusalWord(reply.message) !== undefined) throw reply;
  return reply instanceof Error;
}

/** What Redis counts is 0 or more, and fits a number. */
function isCount(reply: unknown): reply is number {
  return Number.isSafeInteger(reply) && Number(reply) >= 0;
}

/** The reply to CONFIG GET of one setting; undefined where the server has no such setting. */
export function configValueOf(name: string, reply: unknown): string | undefined {
  if (Array.isArray(reply) && reply.length === 0) return undefined;
  if (!Array.isArray(reply) || reply[0] !== name || typeof reply[1] !== 'string') {
    throw unexpected(`CONFIG GET ${name}`, reply);
  }
  return reply[1];
}

function saveFamilies(reply: unknown): Family[] {
  const save = isRefused(reply) ? undefined : configValueOf('save', reply);
  return save === undefined ? [] : [single(saveEnabled, save.trim() === '' ? 0 : 1)];
}

function lengthFamilies(reply: unknown): Family[] {
  if (isRefused(reply)) return [];
  if (!isCount(reply)) throw unexpected('SLOWLOG LEN', reply);
  return [single(slowlogLength, reply)];
}

/** The entry's arguments are the user's data: only its id and its microseconds are read. */
function slowlogFamilies(reply: unknown): Family[] {
  if (isRefused(reply)) return [];
  if (!Array.isArray(reply)) throw unexpected('SLOWLOG GET', typeof reply);
  const entry: unknown = reply[0] ?? [0, 0, 0];
  const [id, , microseconds]: unknown[] = Array.isArray(entry) ? entry : [];
  if (!isCount(id) || !isCount(microseconds)) {
    const numbers = [id, microseconds].filter((one) => typeof one === 'number');
    throw unexpected('SLOWLOG GET', numbers.length === 2 ? numbers.join(' ') : typeof entry);
  }
  return [single(slowlogLastId, id), single(lastSlowSeconds, microseconds / 1e6)];
}

type Spikes = Map<string, { readonly at: number; readonly milliseconds: number }>;

/** Remembers: after LATENCY RESET the last spike is still the last spike. */
function latencyFamilies(reply: unknown, spikes: Spikes): Family[] {
  if (isRefused(reply)) return [];
  if (!Array.isArray(reply)) throw unexpected('LATENCY LATEST', reply);
  for (const row of reply as unknown[]) {
    const [event, at, milliseconds] = Array.isArray(row) ? (row as unknown[]) : [];
    if (typeof event !== 'string' || !isCount(at) || !isCount(milliseconds)) {
      throw unexpected('LATENCY LATEST', Array.isArray(row) ? row.slice(0, 4).join(' ') : row);
    }
    const name = shownLabelValue(event);
    if (spikes.has(name) || spikes.size < mostEvents) spikes.set(name, { at, milliseconds });
  }
  const rows = [...spikes].map(([event_name, spike]) => ({ labels: { event_name }, spike }));
  return [
    { metric: spikeLast, samples: rows.map(({ labels, spike }) => ({ labels, value: spike.at })) },
    {
      metric: spikeSeconds,
      samples: rows.map(({ labels, spike }) => ({ labels, value: spike.milliseconds / 1000 })),
    },
  ];
}

export function createReplies(): (
  replies: readonly unknown[],
  tell: (problem: Error) => void,
) => Family[] {
  const spikes: Spikes = new Map();
  const readers = [
    saveFamilies,
    lengthFamilies,
    slowlogFamilies,
    (reply: unknown) => latencyFamilies(reply, spikes),
  ];
  return (replies, tell) =>
    readers.flatMap((read, i) => {
      try {
        return read(replies[i]);
      } catch (error) {
        tell(asError(error));
        return [];
      }
    });
}
