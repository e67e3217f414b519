/**
 * A client for a Redis Cluster: commands go to the node that has their key, one pipeline to each
 * node, all at once. A node that fails or is frozen fails its own commands and nobody else's.
 *
 * Our own routing over plain clients, because ioredis's cluster refuses a pipeline that spans
 * nodes and reconnects by itself, which fills the accept queue of a frozen Redis.
 */
import type { RedisAddress, RedisPlace } from './address.ts';
import {
  createRedisClient,
  type RedisClient,
  type RedisClientOptions,
  type RedisCommand,
} from './client.ts';
import { slotCount, slotOf } from './slots.ts';

/** Slots move rarely; a MOVED reply asks for a new map at once. */
const mapLifeMs = 60_000;
const keyless = new Set(['TIME', 'PING', 'INFO', 'CONFIG', 'SLOWLOG', 'LATENCY']);

/** Slot to `host:port`. */
type SlotMap = (string | undefined)[];

function keyOf([name, first, second]: RedisCommand): string | Buffer | undefined {
  if (keyless.has(name)) return undefined;
  const key = name === 'MEMORY' ? second : first;
  return key === undefined ? undefined : typeof key === 'number' ? String(key) : key;
}

const nameOf = ({ host, port }: RedisPlace): string => `${host}:${port}`;

/** The rows of CLUSTER SLOTS: first slot, last slot, master, replicas. */
function readSlots(reply: unknown, asked: RedisPlace): SlotMap {
  if (!Array.isArray(reply))
    throw reply instanceof Error ? reply : new Error('CLUSTER SLOTS: no reply');
  const map: SlotMap = Array.from({ length: slotCount });
  for (const row of reply as unknown[]) {
    const [first, last, master]: unknown[] = Array.isArray(row) ? row : [];
    const [host, port]: unknown[] = Array.isArray(master) ? master : [];
    if (typeof first !== 'number' || typeof last !== 'number' || typeof port !== 'number') {
      throw new Error('CLUSTER SLOTS: unexpected reply');
    }
    // A node that does not know its own address leaves it empty: the one that was asked.
    const named = Buffer.isBuffer(host) || typeof host === 'string' ? host.toString() : '';
    map.fill(nameOf({ host: named === '' ? asked.host : named, port }), first, last + 1);
  }
  return map;
}

export function createClusterClient(
  address: RedisAddress,
  options: RedisClientOptions,
): RedisClient {
  const seeds = address.cluster ?? [];
  const nodes = new Map<string, RedisClient>();
  let map: SlotMap | undefined;
  let mappedAt = 0;
  let closed = false;

  function nodeClient(name: string): RedisClient {
    let client = nodes.get(name);
    if (client === undefined) {
      const end = name.lastIndexOf(':');
      const place = { host: name.slice(0, end), port: Number(name.slice(end + 1)) };
      client = createRedisClient(
        { ...address, ...place, db: 0, display: `redis://${name}` },
        options,
      );
      nodes.set(name, client);
    }
    return client;
  }

  /** From whichever node answers: those that had slots, then those of the address. */
  async function refreshMap(signal: AbortSignal): Promise<SlotMap> {
    const known = [
      ...new Set([...(map ?? []).filter((name) => name !== undefined), ...seeds.map(nameOf)]),
    ];
    let failure: unknown = new Error(`${address.display}: no node to ask`);
    for (const name of known) {
      try {
        const [reply] = await nodeClient(name).send([['CLUSTER', 'SLOTS']], signal);
        const end = name.lastIndexOf(':');
        map = readSlots(reply, { host: name.slice(0, end), port: Number(name.slice(end + 1)) });
        mappedAt = performance.now();
        return map;
      } catch (error) {
        failure = error;
      }
    }
    throw failure;
  }

  async function toNode(name: string, commands: readonly RedisCommand[], signal: AbortSignal) {
    try {
      return await nodeClient(name).send(commands, signal);
    } catch (error) {
      const failure = error instanceof Error ? error : new Error(String(error));
      return commands.map(() => failure);
    }
  }

  return {
    async send(commands, signal) {
      if (closed) throw new Error(`${address.display}: the client is closed`);
      const fresh = map !== undefined && performance.now() - mappedAt < mapLifeMs;
      const slots = fresh && map !== undefined ? map : await refreshMap(signal);
      const anywhere = slots.find((name) => name !== undefined);
      const groups = new Map<string, number[]>();
      const replies: unknown[] = Array.from({ length: commands.length });
      commands.forEach((command, i) => {
        const key = keyOf(command);
        const name = key === undefined ? anywhere : slots[slotOf(key)];
        if (name === undefined)
          replies[i] = new Error('CLUSTERDOWN no node has the slot of this key');
        else groups.set(name, [...(groups.get(name) ?? []), i]);
      });
      await Promise.all(
        [...groups].map(async ([name, indexes]) => {
          const mine = indexes.map((i) => commands[i]).filter((one) => one !== undefined);
          const answers = await toNode(name, mine, signal);
          indexes.forEach((i, j) => {
            replies[i] = answers[j];
          });
        }),
      );
      const failed = replies.filter((reply) => reply instanceof Error);
      if (failed.some(({ message }) => /\b(?:MOVED|ASK|CLUSTERDOWN)\b|:\d+: /.test(message))) {
        mappedAt = -Infinity;
      }
      const [first] = failed;
      // Not one answer: nothing degraded about it.
      if (first !== undefined && failed.length === commands.length) throw first;
      return replies;
    },
    async close() {
      closed = true;
      await Promise.all([...nodes.values()].map((client) => client.close()));
    },
  };
}
