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
import { readlinkSync } from 'node:fs';
import type { Clock } from '../clock.ts';
import { handInProcesses } from '../procfs/handed-in.ts';
import { listenQueueReader, type ListeningSocket, readListening } from '../procfs/net-tcp.ts';
import { canonicalAddress, isLoopback, readLocalAddresses } from '../procfs/local-addresses.ts';
import { isAbsent, type PseudoFs } from '../procfs/reader.ts';
import { parseTaskStat } from '../procfs/task-stat.ts';
import { parseTaskStatus } from '../procfs/task-status.ts';
import { listProcesses, listVisible, readVisible } from '../tasks/process-files.ts';
import type { RedisAddress } from './address.ts';
import { isRedisProcess } from './process-names.ts';

export interface RedisProcess {
  readonly pid: number;
  readonly comm: string;
  /** Tells the process from a later one with the same pid. */
  readonly startTicks: number;
}

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

interface Candidate extends RedisProcess {
  readonly parentPid: number;
  readonly uid: number;
  readonly innermostPid: number;
  /** Of its network namespace. */
  readonly sockets: readonly ListeningSocket[];
  /** Sockets it holds itself; undefined when we may not know. */
  readonly ownInodes: ReadonlySet<number> | undefined;
}

/** Listening sockets are opened first, so their descriptors are among the lowest. */
const mostDescriptors = 64;

/**
 * Undefined when we may not know: for another user's process the folder itself cannot be listed,
 * for one of our own that has more capabilities than we have its links cannot be read.
 */
function ownInodesOf(procfs: PseudoFs, pid: number): ReadonlySet<number> | undefined {
  const names = listVisible(procfs, `${pid}/fd`);
  if (names === undefined) return undefined;
  const inodes = new Set<number>();
  const lowest = names.map(Number).sort((a, b) => a - b);
  for (const fd of lowest.slice(0, mostDescriptors)) {
    try {
      const target = readlinkSync(`${procfs.root}/${pid}/fd/${fd}`);
      const inode = /^socket:\[(\d+)\]$/.exec(target)?.[1];
      if (inode !== undefined) inodes.add(Number(inode));
    } catch (error) {
      // Closed since it was listed, or not ours to see.
      if (!isAbsent(error)) return undefined;
    }
  }
  return inodes;
}

function candidateOf(procfs: PseudoFs, pid: number): Candidate | undefined {
  const comm = readVisible(procfs, `${pid}/comm`)?.trimEnd();
  if (comm === undefined || !isRedisProcess(comm)) return undefined;
  const stat = readVisible(procfs, `${pid}/stat`);
  const status = readVisible(procfs, `${pid}/status`);
  if (stat === undefined || status === undefined) return undefined;
  const { startTicks, parentPid, state } = parseTaskStat(stat);
  if (state === 'Z' || state === 'X') return undefined;
  const { uid, innermostPid = pid } = parseTaskStatus(status);
  const sockets = readListening(procfs, pid);
  const ownInodes = ownInodesOf(procfs, pid);
  return { pid, comm, startTicks, parentPid, uid, innermostPid, sockets, ownInodes };
}

/** Without those that a Redis forked to save itself: same name, same sockets. */
function candidatesOf(procfs: PseudoFs): Candidate[] {
  const all = (listProcesses(procfs) ?? [])
    .map((pid) => candidateOf(procfs, pid))
    .filter((candidate) => candidate !== undefined);
  const pids = new Set(all.map(({ pid }) => pid));
  return all.filter(({ parentPid }) => !pids.has(parentPid));
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
function placeOnHost({ procfs, address, processId }: SearchOptions): Place {
  const home = [...readListening(procfs, 'self'), ...readListening(procfs, 1)];
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
function placeByAddress({ procfs, address }: SearchOptions, ips: readonly string[]): Place {
  return (candidate) => {
    if (!listensOn(candidate, address.port)) return undefined;
    const addresses = readLocalAddresses(procfs, candidate.pid);
    return ips.some((ip) => addresses.has(ip)) ? 1 : undefined;
  };
}

/** The path is the one in Redis's own mount namespace, so it need not be ours. */
function placeByPath({ procfs }: SearchOptions, path: string): Place {
  return ({ pid, ownInodes }) => {
    const lines = (procfs.read(`${pid}/net/unix`) ?? '').split('\n');
    const line = lines.find((text) => text.endsWith(` ${path}`));
    if (line === undefined) return 0;
    const inode = Number(line.slice(0, -path.length).trimEnd().split(/\s+/).at(-1));
    return ownInodes === undefined || ownInodes.has(inode) ? 1 : 0;
  };
}

function placeOf(options: SearchOptions): Place {
  const { procfs, address } = options;
  if (address.socketPath !== undefined) return placeByPath(options, address.socketPath);
  const ips = options.ips.map(canonicalAddress);
  // pid 1 stands for the host's own namespace when we are in a container that sees its processes.
  const homes = (['self', 1] as const).map((pid) => readLocalAddresses(procfs, pid));
  const isHost = ips.some((ip) => isLoopback(ip) || homes.some((addresses) => addresses.has(ip)));
  return isHost ? placeOnHost(options) : placeByAddress(options, ips);
}

/** Those that fit best: what Redis said of itself outweighs where it seems to be. */
function bestOf(options: SearchOptions, candidates: readonly Candidate[]): Candidate[] {
  const place = placeOf(options);
  const scores = candidates.map((candidate) => {
    const fit = place(candidate);
    const said = candidate.innermostPid === options.processId ? 4 : 0;
    return fit === undefined ? -1 : fit + said;
  });
  const highest = Math.max(0, ...scores);
  return candidates.filter((_, i) => scores[i] === highest);
}

export function searchRedisProcess(options: SearchOptions): SearchResult {
  const { address } = options;
  const candidates = candidatesOf(options.procfs);
  if (candidates.length === 0) {
    const reason = `No process called redis-server, valkey-server, keydb-server or dragonfly can be seen. If Redis runs on this machine, and this in a container, hand in the host's processes: ${handInProcesses}.`;
    return { found: undefined, reason };
  }
  const best = bestOf(options, candidates);
  const [found] = best;
  if (found === undefined) {
    const reason = `None of the ${candidates.length} Redis processes on this machine serves ${address.display}: it is another machine's, or its process is not running.`;
    return { found: undefined, reason };
  }
  if (best.length > 1) {
    const reason = `${best.length} processes on this machine could be the Redis at ${address.display}; with CAP_SYS_PTRACE, or once Redis has answered INFO, they can be told apart.`;
    return { found: undefined, reason };
  }
  const { pid, comm, startTicks } = found;
  return { found: { pid, comm, startTicks } };
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
