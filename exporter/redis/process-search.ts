/**
 * Which process of this machine is the Redis we talk to.
 *
 * Redis may be behind a name, in a container with a network and pid namespace of its own, or
 * published on another port than its own, and there may be several. What is known without any
 * right over them: the process's name, the listening sockets and addresses of its network
 * namespace (sockets of *all* processes in that namespace), their owner's uid. With CAP_SYS_PTRACE
 * also which sockets it holds itself (/proc/PID/fd). INFO's process_id, once Redis has said it, is
 * the innermost of NSpid. Of two that fit equally well neither is taken: a wrong one is worse.
 */
import { type Attempts, createAttempts } from '../core/attempts.ts';
import type { Clock } from '../measure/clock.ts';
import { handInProcesses } from '../procfs/handed-in.ts';
import { listenQueueReader, type ListeningSocket } from '../procfs/net-tcp.ts';
import { canonicalAddress, isLoopback } from '../procfs/local-addresses.ts';
import type { PseudoFs } from '../procfs/reader.ts';
import type { RedisAddress } from './address.ts';
import {
  type Candidate,
  candidatesOf,
  mostCandidates,
  namesakesIn,
  type Networks,
  readNetworks,
  type RedisProcess,
} from './process-candidates.ts';

export type SearchResult =
  | { readonly found: RedisProcess }
  /** A sentence that says why not and what would help. */
  | { readonly found: undefined; readonly reason: string };

export interface SearchOptions {
  readonly procfs: PseudoFs;
  readonly address: RedisAddress;
  /** What the host of the address resolves to; not needed for a unix socket. */
  readonly ips: readonly string[];
  /** INFO's process_id: the pid in Redis's own pid namespace. */
  readonly processId?: number | undefined;
}

/** Sockets of its namespace that are the candidate's own, as far as we may know. */
function ownSockets({ sockets, ownInodes, uid }: Candidate): ListeningSocket[] {
  if (ownInodes !== undefined) return sockets.filter(({ inode }) => ownInodes.has(inode));
  return sockets.filter((socket) => socket.uid === uid);
}

function listensOn(candidate: Candidate, port: number): boolean {
  return ownSockets(candidate).some((socket) => socket.port === port);
}

/** How well a candidate fits by where it is; undefined when it cannot be the one. */
type Place = (candidate: Candidate) => number | undefined;

/**
 * For an address of this machine itself. The port may be published: then a proxy or the packet
 * filter hands connections over to a Redis in another namespace, on whatever port it has there.
 * A packet filter alone leaves no trace that we see, so then only INFO's process_id tells.
 */
function placeOnHost({ address, processId }: SearchOptions, networks: Networks): Place {
  const home = [...networks.listening('self'), ...networks.listening(1)];
  const inodes = new Set(home.map(({ inode }) => inode));
  const published = home.some((socket) => socket.port === address.port);
  return (candidate) => {
    const listens = listensOn(candidate, address.port);
    if (candidate.sockets.some(({ inode }) => inodes.has(inode))) return listens ? 2 : undefined;
    if (!published && candidate.innermostPid !== processId) return undefined;
    return listens ? 1 : 0;
  };
}

/** For an address that may be that of a container: nothing is translated on the way there. */
function placeByAddress(
  { address }: SearchOptions,
  ips: readonly string[],
  networks: Networks,
): Place {
  return (candidate) => {
    if (!listensOn(candidate, address.port)) return undefined;
    const addresses = networks.addresses(candidate.pid);
    return ips.some((ip) => addresses.has(ip)) ? 1 : undefined;
  };
}

/** The path is the one in Redis's own mount namespace, so it need not be ours. */
function placeByPath(path: string, networks: Networks): Place {
  return ({ pid, ownInodes }) => {
    const line = networks.unixSockets(pid).find((text) => text.endsWith(` ${path}`));
    if (line === undefined) return 0;
    const inode = Number(line.slice(0, -path.length).trimEnd().split(/\s+/).at(-1));
    return ownInodes === undefined || ownInodes.has(inode) ? 1 : 0;
  };
}

function placeOf(options: SearchOptions, networks: Networks): Place {
  const { address } = options;
  if (address.socketPath !== undefined) return placeByPath(address.socketPath, networks);
  const ips = options.ips.map(canonicalAddress);
  // pid 1 stands for the host's own namespace when we are in a container that sees its processes.
  const homes = (['self', 1] as const).map((pid) => networks.addresses(pid));
  const isHost = ips.some((ip) => isLoopback(ip) || homes.some((addresses) => addresses.has(ip)));
  return isHost ? placeOnHost(options, networks) : placeByAddress(options, ips, networks);
}

/** Those that fit best: what Redis said of itself outweighs where it seems to be. */
function* bestOf(
  options: SearchOptions,
  candidates: readonly Candidate[],
  networks: Networks,
  attempt: Attempts['attempt'],
): Generator<undefined, Candidate[]> {
  const place = placeOf(options, networks);
  const scores: number[] = [];
  for (const candidate of candidates) {
    const fit = attempt(() => place(candidate));
    const said = candidate.innermostPid === options.processId ? 4 : 0;
    scores.push(fit === undefined ? -1 : fit + said);
    yield;
  }
  const highest = Math.max(0, ...scores);
  return candidates.filter((_, i) => scores[i] === highest);
}

function resultOf(
  { address }: SearchOptions,
  best: readonly Candidate[],
  namesakes: number,
): SearchResult {
  const [found] = best;
  const bound =
    namesakes > mostCandidates
      ? ` Of ${namesakes} processes called so only ${mostCandidates} were looked at.`
      : '';
  if (found === undefined) {
    const reason = `None of the ${namesakes} Redis processes on this machine serves ${address.display}: it is another machine's, or its process is not running.${bound}`;
    return { found: undefined, reason };
  }
  if (best.length > 1) {
    const reason = `${best.length} processes on this machine could be the Redis at ${address.display}; with CAP_SYS_PTRACE, or once Redis has answered INFO, they can be told apart.${bound}`;
    return { found: undefined, reason };
  }
  const { pid, comm, startTicks } = found;
  return { found: { pid, comm, startTicks } };
}

const nobody = `No process called redis-server, valkey-server, keydb-server or dragonfly can be seen. If Redis runs on this machine, and this in a container, hand in the host's processes: ${handInProcesses}.`;

/**
 * One step is a few files of one process or one network namespace, so that a search among
 * thousands can be spread over time. Throws at the end when nothing was found and a process could
 * not be understood.
 */
export function* redisProcessSearch(options: SearchOptions): Generator<undefined, SearchResult> {
  const { procfs } = options;
  const { attempt, failure } = createAttempts();
  const networks = readNetworks(procfs);
  const namesakes = yield* namesakesIn(procfs, attempt);
  const candidates = yield* candidatesOf(options, namesakes, networks, attempt);
  const best = yield* bestOf(options, candidates, networks, attempt);
  const result: SearchResult =
    namesakes.length === 0
      ? { found: undefined, reason: nobody }
      : resultOf(options, best, namesakes.length);
  const first = failure();
  if (result.found === undefined && first !== undefined) throw first;
  return result;
}

/** The whole search at once. */
export function searchRedisProcess(options: SearchOptions): SearchResult {
  const steps = redisProcessSearch(options);
  for (;;) {
    const { done, value } = steps.next();
    if (done === true) return value;
  }
}

/** What waits in front of Redis. Behind a published port it listens on its own, 6379 as a rule. */
export function redisListenQueue(
  procfs: PseudoFs,
  clock: Clock,
  { pid }: RedisProcess,
  { socketPath, port }: RedisAddress,
): () => number | undefined {
  const defaultPort = 6379;
  return socketPath === undefined
    ? listenQueueReader(procfs, clock, pid, [port, defaultPort])
    : () => undefined;
}
