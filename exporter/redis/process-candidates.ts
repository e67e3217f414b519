/**
 * Processes called like a Redis, and what of each is known without any right over it: the sockets
 * and addresses of its network namespace, each read once for all processes in it.
 */
import { readlinkSync } from 'node:fs';
import type { Attempts } from '../core/attempts.ts';
import { readLocalAddresses } from '../procfs/local-addresses.ts';
import { type ListeningSocket, networkOf, readListening } from '../procfs/net-tcp.ts';
import { isAbsent, type PseudoFs } from '../procfs/reader.ts';
import { parseTaskStat } from '../procfs/task-stat.ts';
import { parseTaskStatus } from '../procfs/task-status.ts';
import { listFirst, listProcesses, readVisible } from '../tasks/process-files.ts';
import { isRedisProcess } from '../tasks/redis-names.ts';

export interface RedisProcess {
  readonly pid: number;
  readonly comm: string;
  /** Tells the process from a later one with the same pid. */
  readonly startTicks: number;
}

/** A process called like a Redis, before its sockets are looked at. */
export interface Namesake extends RedisProcess {
  readonly parentPid: number;
  /** NaN when it cannot be read. */
  readonly uid: number;
  readonly innermostPid: number;
}

export interface Candidate extends Namesake {
  /** Of its network namespace. */
  readonly sockets: readonly ListeningSocket[];
  /** Sockets it holds itself; undefined when we may not know. */
  readonly ownInodes: ReadonlySet<number> | undefined;
}

/** Listening sockets are opened first, so their descriptors are among the lowest. */
const mostDescriptors = 64;
/**
 * Anyone can start a thousand processes called redis-server. Of these the sockets are looked at:
 * the one that INFO named first, then those that run the longest.
 */
export const mostCandidates = 64;

/**
 * Undefined when we may not know: for another user's process the folder itself cannot be listed,
 * for one of our own that has more capabilities than we have its links cannot be read.
 */
function ownInodesOf(procfs: PseudoFs, pid: number): ReadonlySet<number> | undefined {
  const names = listFirst(procfs, `${pid}/fd`, mostDescriptors);
  if (names === undefined) return undefined;
  const inodes = new Set<number>();
  for (const fd of names) {
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

function namesakeOf(procfs: PseudoFs, pid: number): Namesake | undefined {
  const comm = readVisible(procfs, `${pid}/comm`)?.trimEnd();
  if (comm === undefined || !isRedisProcess(comm)) return undefined;
  const stat = readVisible(procfs, `${pid}/stat`);
  const status = readVisible(procfs, `${pid}/status`);
  if (stat === undefined || status === undefined) return undefined;
  const { startTicks, parentPid, state } = parseTaskStat(stat);
  if (state === 'Z' || state === 'X') return undefined;
  const { uid = NaN, innermostPid = pid } = parseTaskStatus(status);
  return { pid, comm, startTicks, parentPid, uid, innermostPid };
}

/** What is the same for all processes of a network namespace, read once in a search. */
export interface Networks {
  listening(pid: number | 'self'): readonly ListeningSocket[];
  addresses(pid: number | 'self'): ReadonlySet<string>;
  unixSockets(pid: number): readonly string[];
}

export function readNetworks(procfs: PseudoFs): Networks {
  function once<T>(read: (pid: number | 'self') => T): (pid: number | 'self') => T {
    const known = new Map<string, T>();
    return (pid) => {
      const network = networkOf(procfs, pid) ?? `gone ${pid}`;
      const value = known.get(network) ?? read(pid);
      known.set(network, value);
      return value;
    };
  }
  return {
    listening: once((pid) => readListening(procfs, pid)),
    addresses: once((pid) => readLocalAddresses(procfs, pid)),
    unixSockets: once((pid) => (procfs.read(`${pid}/net/unix`) ?? '').split('\n')),
  };
}

/** Without those that a Redis forked to save itself: same name, same sockets. */
export function* namesakesIn(
  procfs: PseudoFs,
  attempt: Attempts['attempt'],
): Generator<undefined, Namesake[]> {
  const all: Namesake[] = [];
  for (const pid of listProcesses(procfs) ?? []) {
    const namesake = attempt(() => namesakeOf(procfs, pid));
    if (namesake !== undefined) all.push(namesake);
    yield;
  }
  const pids = new Set(all.map(({ pid }) => pid));
  return all.filter(({ parentPid }) => !pids.has(parentPid));
}

export function* candidatesOf(
  { procfs, processId }: { readonly procfs: PseudoFs; readonly processId?: number | undefined },
  namesakes: readonly Namesake[],
  networks: Networks,
  attempt: Attempts['attempt'],
): Generator<undefined, Candidate[]> {
  const said = ({ innermostPid }: Namesake) => Number(innermostPid !== processId);
  const likeliest = namesakes
    .toSorted((a, b) => said(a) - said(b) || a.startTicks - b.startTicks || a.pid - b.pid)
    .slice(0, mostCandidates);
  const candidates: Candidate[] = [];
  for (const namesake of likeliest) {
    const candidate = attempt(() => ({
      ...namesake,
      sockets: networks.listening(namesake.pid),
      ownInodes: ownInodesOf(procfs, namesake.pid),
    }));
    if (candidate !== undefined) candidates.push(candidate);
    yield;
  }
  return candidates;
}
