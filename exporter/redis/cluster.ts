/**
 * A client for a Redis Cluster: commands go to the node that has their key, one pipeline to each
 * node, all at once. A node that fails or is frozen fails its own commands and nobody else's.
 *
 * What is asked of the server and not of a key goes to the first node of the address, which is the
 * one the probe looks at: there is one server under the names redis_*.
 *
 * The map of slots is asked for in the background and used until there is another. A node of the
 * address is asked who it is, and reached at that place whatever the cluster calls it: behind NAT
 * the announced address may be good for nobody here.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { RedisAddress, RedisPlace } from './address.ts';
import {
  createRedisClient,
  type RedisClient,
  type RedisClientOptions,
  type Urgency,
} from './client.ts';
import { membersIn, nameOf, readSlots, type SlotMap } from './cluster-map.ts';
import type { FirstReplies, RedisCommand } from './commands.ts';
import { slotOf } from './slots.ts';
import { asError } from '../measure/errors.ts';

/** Slots move rarely; a MOVED reply asks for a new map at once. */
const mapLifeMs = 60_000;
/** But not more often than this, whatever is wrong with the cluster. */
const mapRestMs = 1000;
/** For a node to say where the slots are. */
const mapTimeoutMs = 1000;
/** For the other nodes, once one has told, to say who they are. */
const othersMs = 200;
/** For a node that failed the last time: one that is well answers in less. */
const lostMs = 100;
/** Nodes that are asked beside those of the address. */
const mostAsked = 8;
/** Questions to a server. */
const ofServer = new Set(['INFO', 'CONFIG', 'SLOWLOG', 'LATENCY']);
/** Questions that any node answers as well as another. */
const ofAny = new Set(['TIME', 'PING']);

function keyOf([name, first, second]: RedisCommand): string | Buffer | undefined {
  const key = name === 'MEMORY' ? second : first;
  return key === undefined ? undefined : typeof key === 'number' ? String(key) : key;
}

interface Node {
  readonly place: RedisPlace;
  readonly client: RedisClient;
  /** What it last came to. */
  failed: boolean;
}

export function createClusterClient(
  address: RedisAddress,
  options: RedisClientOptions,
): RedisClient {
  const seeds = address.cluster ?? [];
  const nodes = new Map<string, Node>();
  /** Ids of the nodes of the address. */
  const ids = new Map<string, RedisPlace>();
  const closing = new AbortController();
  let map: SlotMap | undefined;
  /** Ids of all nodes of the cluster of the map. */
  let members: ReadonlySet<string> = new Set();
  /** The nodes that have slots, each once. */
  let masters: readonly string[] = [];
  let mappedAt = -Infinity;
  let triedAt = -Infinity;
  let refreshing: Promise<void> | undefined;
  let failure: unknown;

  function nodeAt(place: RedisPlace): Node {
    const name = nameOf(place);
    let node = nodes.get(name);
    if (node === undefined) {
      const own = { ...address, ...place, db: 0, display: `redis://${name}` };
      // The probe looks at one node, and Asynq's questions go to all: here silence may be a freeze.
      const client = createRedisClient(own, { ...options, watched: false });
      node = { place, client, failed: false };
      nodes.set(name, node);
    }
    return node;
  }

  function nodeNamed(name: string): Node {
    const end = name.lastIndexOf(':');
    return nodeAt({ host: name.slice(0, end), port: Number(name.slice(end + 1)) });
  }

  /** A pod that is gone may have had an address for itself: nodes that left are let go. */
  function forgetOthers(): void {
    const kept = new Set([...masters, ...seeds.map(nameOf)]);
    for (const [name, { client }] of nodes) {
      if (kept.has(name)) continue;
      nodes.delete(name);
      // Not before what it is being asked has had its time.
      setTimeout(() => void client.close(), mapRestMs).unref();
    }
  }

  interface Told {
    readonly place: RedisPlace;
    readonly slots: unknown;
  }

  async function askMap({ place, client }: Node): Promise<Told> {
    const [slots, id] = await client.send(
      [
        ['CLUSTER', 'SLOTS'],
        ['CLUSTER', 'MYID'],
      ],
      AbortSignal.any([closing.signal, AbortSignal.timeout(mapTimeoutMs)]),
      'short',
    );
    if (slots instanceof Error) throw slots;
    const known = typeof id === 'string' || Buffer.isBuffer(id) ? id.toString() : '';
    if (known !== '' && seeds.some((seed) => nameOf(seed) === nameOf(place))) isAt(known, place);
    return { place, slots };
  }

  /** One node at a place: who answered there before is another, and is where it announces. */
  function isAt(id: string, place: RedisPlace): void {
    for (const [other, { host, port }] of ids) {
      if (host === place.host && port === place.port) ids.delete(other);
    }
    ids.set(id, place);
  }

  /**
   * A node that was forgotten or reset, or one of another cluster in the address, tells of slots of
   * its own, and its keys have the same names. The first node of the address is believed, and of the
   * others who tells of a cluster with somebody in it that was in ours.
   */
  function isOurs({ place, slots }: Told): boolean {
    const [first] = seeds;
    if (first !== undefined && nameOf(first) === nameOf(place)) return true;
    const told = membersIn(slots);
    return members.size === 0 || told.size === 0 || [...told].some((id) => members.has(id));
  }

  /** Of those that have answered the one that stands first in the address, not the quickest. */
  function bestOf(answers: readonly Told[]): Told {
    const best = answers.find(isOurs);
    if (best !== undefined) return best;
    throw new Error(
      `${answers.map(({ place }) => nameOf(place)).join(', ')} tells of another cluster than before: the first node of the address is not there to say which is meant`,
    );
  }

  /** Of all that are asked the first of the address that has answered, when the others have had their moment. */
  async function findMap(): Promise<void> {
    const asked = new Set([...seeds.map(nameOf), ...masters.slice(0, mostAsked)]);
    const told = new Map<string, Told>();
    const answers = [...asked].map(async (name) => {
      told.set(name, await askMap(nodeNamed(name)));
    });
    try {
      await Promise.any(answers);
      await Promise.race([Promise.allSettled(answers), sleep(othersMs, undefined, { ref: false })]);
      const { addressMap } = address;
      const best = bestOf([...asked].flatMap((name) => told.get(name) ?? []));
      map = readSlots(best.slots, { asked: best.place, places: ids, addressMap });
      members = membersIn(best.slots);
      masters = [...new Set(map)].filter((name) => name !== undefined);
      forgetOthers();
      failure = undefined;
    } catch (error) {
      failure = error instanceof AggregateError ? error.errors[0] : error;
    }
  }

  /** In the background, one at a time. */
  function refresh(): void {
    const now = performance.now();
    if (refreshing !== undefined || now - triedAt < mapRestMs) return;
    if (map !== undefined && now - mappedAt < mapLifeMs) return;
    triedAt = now;
    mappedAt = now;
    refreshing = findMap().finally(() => {
      refreshing = undefined;
    });
  }

  /** Nobody waits for a map who has one. */
  async function currentMap(): Promise<SlotMap> {
    refresh();
    if (map === undefined) await refreshing;
    if (map !== undefined) return map;
    throw failure instanceof Error ? failure : new Error(`${address.display}: no node to ask`);
  }

  function nameFor(command: RedisCommand, slots: SlotMap): string | undefined {
    if (ofAny.has(command[0])) {
      return masters.find((name) => nodes.get(name)?.failed !== true) ?? masters[0];
    }
    const key = keyOf(command);
    return key === undefined ? masters[0] : slots[slotOf(key)];
  }

  /** What it comes to is noted also when nobody waits for it any more. */
  function ask(node: Node, ...question: Parameters<RedisClient['send']>) {
    const answered = node.client.send(...question).then(
      (replies) => {
        node.failed = false;
        return replies;
      },
      (error: unknown) => {
        node.failed = true;
        throw error;
      },
    );
    answered.catch(() => undefined);
    return answered;
  }

  /** A node that failed the last time is asked again and not waited for: it may be unreachable. */
  async function toNode(
    node: Node,
    commands: readonly RedisCommand[],
    signal: AbortSignal,
    urgency: Urgency | undefined,
    first: FirstReplies | undefined,
  ): Promise<readonly unknown[]> {
    const wasLost = node.failed;
    const answered = ask(node, commands, signal, urgency, first);
    const late = async () => {
      await sleep(lostMs, undefined, { ref: false });
      const { place } = node;
      throw new Error(`redis://${nameOf(place)}: no answer within ${lostMs} ms, nor before`);
    };
    try {
      return await (wasLost ? Promise.race([answered, late()]) : answered);
    } catch (error) {
      const failure = asError(error);
      return commands.map(() => failure);
    }
  }

  /** Which commands go where; those of no node are answered here. */
  async function routes(commands: readonly RedisCommand[], replies: unknown[]) {
    const groups = new Map<string, number[]>();
    const first = seeds[0] === undefined ? undefined : nameOf(seeds[0]);
    const slots = commands.every(([name]) => ofServer.has(name)) ? [] : await currentMap();
    commands.forEach((command, i) => {
      const name = ofServer.has(command[0]) ? first : nameFor(command, slots);
      if (name === undefined) {
        replies[i] = new Error('CLUSTERDOWN no node has the slot of this key');
        return;
      }
      const group = groups.get(name);
      if (group === undefined) groups.set(name, [i]);
      else group.push(i);
    });
    return groups;
  }

  return {
    async send(commands, signal, urgency, first) {
      if (closing.signal.aborted) throw new Error(`${address.display}: the client is closed`);
      const replies: unknown[] = Array.from({ length: commands.length });
      const groups = await routes(commands, replies);
      await Promise.all(
        [...groups].map(async ([name, indexes]) => {
          const mine = indexes.map((i) => commands[i]).filter((one) => one !== undefined);
          // The first replies of one node are those of all together only where there is no other.
          const told = groups.size === 1 ? first : undefined;
          const answers = await toNode(nodeNamed(name), mine, signal, urgency, told);
          indexes.forEach((i, j) => {
            replies[i] = answers[j];
          });
        }),
      );
      const failed = replies.filter((reply) => reply instanceof Error);
      if (failed.some(({ message }) => /\b(?:MOVED|ASK|CLUSTERDOWN)\b|:\d+: /.test(message))) {
        mappedAt = -Infinity;
      }
      const [failure] = failed;
      // Not one answer: nothing degraded about it.
      if (failure !== undefined && failed.length === commands.length) throw failure;
      return replies;
    },
    async close() {
      closing.abort(new Error('the client is closed'));
      await Promise.all([...nodes.values()].map(({ client }) => client.close()));
    },
  };
}
