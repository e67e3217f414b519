/**
 * What Redis says of itself, asked once a scrape in one pipeline, under the names of
 * oliver006/redis_exporter. A Redis that the probe says does not answer is not asked: then the
 * counters keep their last value, the gauges are NaN and the collector counts as failed. It counts
 * as failed as well when one value cannot be read, which costs that value alone.
 */
import {
  type Collector,
  counter,
  type Family,
  type Finding,
  incomplete,
  onlyGrows,
  single,
  unanswered as withoutAnswer,
} from '../core/collector.ts';
import type { Config } from '../config/read.ts';
import type { RedisClient } from '../redis/client.ts';
import type { RedisCommand } from '../redis/commands.ts';
import { openRedis } from '../redis/open.ts';
import { createAcrossRuns } from '../redis/across-runs.ts';
import { infoFieldFamilies, infoFieldMetrics } from '../redis/info-fields.ts';
import {
  createCommandTable,
  createKeyspaceTable,
  infoTableMetrics,
  instanceFamily,
} from '../redis/info-tables.ts';
import { numberOf, parseInfo, type RedisInfo, statusOf } from '../redis/info.ts';
import { createReplies, replyCommands, replyMetrics } from '../redis/replies.ts';
import { refusalWord } from '../redis/refusal-words.ts';
import { textOfBytes } from '../core/label-value.ts';
import type { RedisProbe } from '../redis/probe.ts';
import { linkFindings } from '../redis/replication-fields.ts';
import { asError, messageOf } from '../measure/errors.ts';
import { limits } from '../measure/limits.ts';
import { durationText } from '../measure/duration.ts';

const restarts = counter({
  name: 'redis_restarts_total',
  help: 'Times another Redis process answered, from run_id in INFO server.',
  note: 'Times Redis was found to be another process than before, from run_id in INFO server. What such a process had counted before it was first asked is no increase: from then on the counters of Redis differ from what INFO says.',
});

export interface RedisInfoDependencies {
  readonly config: Pick<Config, 'redis'>;
  readonly redis: Pick<RedisProbe, 'state' | 'answers' | 'judged'>;
  /** One that gives Buffers. The Asynq collector's as well: one connection less on a frozen Redis. */
  readonly client?: RedisClient;
  /** Told Redis's pid in its own pid namespace, for whoever looks for it in /proc. */
  readonly noteProcessId?: (pid: number | undefined) => void;
}

/** Less than the second a scrape allows a collector, so that we speak and not the deadline. */
const timeoutMs = 900;
/** By then the client has given up what is never answered, and asks anew. */
const unansweredMs = 15_000;
/** A save that runs this long is worth a word; one of a healthy small VPS takes seconds. */
const longSaveSeconds = limits.redisBgsaveSeconds.bad;

/** Two INFOs, because Redis before 7 takes one section name only. */
const infoCommands: readonly RedisCommand[] = [['INFO'], ['INFO', 'commandstats']];

interface Asked {
  readonly info: readonly unknown[];
  /** What the other commands come to, which may take longer. */
  readonly others: Promise<readonly unknown[]>;
}

type Tell = (problem: Error) => void;

/** A reply with its Buffers as text. All that is asked for here is. */
function asText(reply: unknown): unknown {
  if (Buffer.isBuffer(reply)) return textOfBytes(reply);
  return Array.isArray(reply) ? reply.map(asText) : reply;
}

/** Whoever finds INFO odd does not wait for it, and nobody hears that it failed. */
function mayFail<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => undefined);
  return promise;
}

/** Undefined for a value that cannot be read: whoever publishes it tells. */
function readable<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}

/** A table that cannot be read is missing, and the others are not. */
function table(tell: Tell, read: () => Family[]): Family[] {
  try {
    return read();
  } catch (error) {
    tell(asError(error));
    return [];
  }
}

/** It answers PING and INFO, and has no data. */
function sentinelFound({ display, tls }: Config['redis']): Error {
  const scheme = tls ? 'rediss' : 'redis';
  return new Error(
    `what answers at ${display} is a Sentinel, which holds no data: ${scheme}+sentinel://HOST:PORT/MASTER watches its master`,
  );
}

/** Families that were there and are not now: aof_* after AOF was turned off, CONFIG forbidden. */
function withMissing(now: readonly Family[], before: readonly Family[]): Family[] {
  if (before.every(({ metric }, i) => now[i]?.metric === metric)) return [...now];
  const present = new Set(now.map(({ metric }) => metric));
  return [...now, ...before.filter(({ metric }) => !present.has(metric)).map(withoutAnswer)];
}

export function redisInfoCollector({
  config,
  redis,
  client = openRedis(config.redis, { buffers: true }),
  noteProcessId,
}: RedisInfoDependencies): Collector {
  const keyspace = createKeyspaceTable([...new Set([0, config.redis.db])]);
  const commandTable = createCommandTable();
  const otherReplies = createReplies();
  let last: readonly Family[] = [];
  let lastInfo: RedisInfo | undefined;
  let lastRun: string | undefined;
  let restartCount = 0;
  const acrossRuns = createAcrossRuns(onlyGrows);
  /** Asks INFO while the other commands are not answered on the connection they share. */
  let aside: RedisClient | undefined;
  /** Why the other commands are not asked for a while. */
  let unanswered: { readonly problem: Error; readonly until: number } | undefined;
  /** Why numbers are missing, of the last answer. */
  let problem: string | undefined;

  function note(info: RedisInfo): void {
    const run = info.get('run_id');
    if (lastRun !== undefined && run !== undefined && run !== lastRun) restartCount += 1;
    lastRun = run ?? lastRun;
    lastInfo = info;
    noteProcessId?.(readable(() => numberOf(info, 'process_id')));
  }

  /** The connection that all share answers again. */
  async function closeAside(): Promise<void> {
    await aside?.close();
    aside = undefined;
  }

  /** A proxy that swallows one command keeps back all that is asked behind it. */
  async function otherFamilies(
    answered: Promise<readonly unknown[]>,
    tell: Tell,
  ): Promise<Family[]> {
    try {
      const replies = await answered;
      await closeAside();
      return otherReplies(replies.map(asText), tell);
    } catch (error) {
      const problem = asError(error);
      if (unanswered === undefined || performance.now() >= unanswered.until) {
        unanswered = { problem, until: performance.now() + unansweredMs };
      }
      tell(problem);
      return [];
    }
  }

  /** Past what is never answered: on a connection of its own until the client has given that up. */
  async function askInfoAlone(signal: AbortSignal): Promise<readonly unknown[]> {
    try {
      const info = await client.send(infoCommands, signal, 'long');
      await closeAside();
      return info;
    } catch {
      aside ??= openRedis(config.redis, { buffers: true });
      return aside.send(infoCommands, signal, 'short');
    }
  }

  /** All in one go. What INFO says does not wait for what may never be answered. */
  async function askAll(signal: AbortSignal): Promise<Asked> {
    if (unanswered !== undefined && performance.now() < unanswered.until) {
      const others = mayFail(Promise.reject<readonly unknown[]>(unanswered.problem));
      return { info: await askInfoAlone(signal), others };
    }
    const { promise: info, resolve: tell } = Promise.withResolvers<readonly unknown[]>();
    const count = infoCommands.length;
    const first = { count, tell };
    const all = client.send([...infoCommands, ...replyCommands], signal, 'short', first);
    const others = mayFail(all.then((replies) => replies.slice(count)));
    return { info: await Promise.race([info, all]), others };
  }

  /** Not there where it is forbidden; told where Redis refuses it for what is the matter with itself. */
  function commandFamilies(stats: unknown, tell: Tell): Family[] {
    if (stats instanceof Error && refusalWord(stats.message) !== undefined) throw stats;
    return typeof stats === 'string' ? commandTable(parseInfo(stats), tell) : [];
  }

  async function ask(caller: AbortSignal, tell: Tell): Promise<Family[]> {
    const signal = AbortSignal.any([caller, AbortSignal.timeout(timeoutMs)]);
    const asked = await askAll(signal);
    const [text, stats] = asked.info.map(asText);
    if (text instanceof Error) throw text;
    if (typeof text !== 'string' || text === '') throw new Error('INFO: the reply is no text');
    const info = parseInfo(text);
    if (info.get('redis_mode') === 'sentinel') throw sentinelFound(config.redis);
    note(info);
    const families = [
      ...infoFieldFamilies(info, tell),
      ...table(tell, () => keyspace(info, tell)),
      ...table(tell, () => commandFamilies(stats, tell)),
      instanceFamily(info),
      ...(await otherFamilies(asked.others, tell)),
    ];
    const answer = {
      run: info.get('run_id'),
      uptimeSeconds: readable(() => numberOf(info, 'uptime_in_seconds')),
      atSeconds: performance.now() / 1000,
    };
    return [...acrossRuns.published(families, answer), single(restarts, restartCount)];
  }

  function findings(): Finding[] {
    if (!redis.answers()) return [];
    const found: Finding[] = [];
    if (problem !== undefined) {
      found.push({ severity: 'warning', text: `Not all of Redis's numbers are here: ${problem}.` });
    }
    if (acrossRuns.alternates()) {
      found.push({
        severity: 'warning',
        text: `Several Redis processes answer at ${config.redis.display} by turns, as behind a load balancer: its numbers are now of the one, now of the other. Watch each at an address of its own.`,
      });
    }
    if (lastInfo === undefined) return found;
    const info = lastInfo;
    found.push(...linkFindings(info));
    const status = (field: string) => readable(() => statusOf(info, field));
    const saving = readable(() => numberOf(info, 'rdb_current_bgsave_time_sec')) ?? -1;
    if (saving >= longSaveSeconds) {
      found.push({
        severity: 'warning',
        text: `BGSAVE has been running for ${durationText(saving)}.`,
      });
    }
    if (status('rdb_last_bgsave_status') === 0) {
      found.push({
        severity: 'bad',
        text: 'The last background save of Redis failed; with stop-writes-on-bgsave-error it refuses writes.',
      });
    }
    if (status('aof_last_write_status') === 0) {
      found.push({
        severity: 'bad',
        text: 'Redis could not write its append-only file; it refuses writes.',
      });
    }
    return found;
  }

  return {
    name: 'redis-info',
    source: 'network',
    metrics: [...infoFieldMetrics, ...infoTableMetrics, ...replyMetrics, restarts],
    async collect(signal) {
      await redis.judged(signal);
      if (!redis.answers()) {
        throw incomplete(`not asked: the probe says ${redis.state()}`, last.map(withoutAnswer));
      }
      let odd: Error | undefined;
      try {
        const now = await ask(signal, (problem) => {
          odd ??= problem;
        });
        last = withMissing(now, last);
        problem = odd?.message;
      } catch (error) {
        problem = messageOf(error);
        throw incomplete(problem, last.map(withoutAnswer));
      }
      if (odd !== undefined) throw incomplete(odd.message, last);
      return last;
    },
    report: () => ({ findings: findings() }),
    async close() {
      await Promise.all([client.close(), aside?.close()]);
    },
  };
}
