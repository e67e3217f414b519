/**
 * How many files this process may have open, `ulimit -n`. Node takes the hard limit at its start.
 * Beyond it the kernel lets nobody in and nothing says so, so connections are bounded below it.
 */
import { readFileSync } from 'node:fs';
import type { ConnectionLimits } from './connections.ts';

/** What the collectors keep open, 41 counted, and what they open besides. */
const ownFiles = 56;
const fewestConnections = 4;
const least = ownFiles + fewestConnections;
const plenty = 256;

export const connectionLimits: ConnectionLimits = {
  connections: 1000,
  perAddress: 250,
  unreadBytes: 24e6,
  answerSeconds: 30,
  slowestBytesPerSecond: 256e3,
};

export function openFilesAllowed(): number {
  const limits = readFileSync('/proc/self/limits', 'utf8');
  return Number(/^Max open files\s+(\d+)/m.exec(limits)?.[1] ?? Infinity);
}

/** Throws where there are too few to serve anybody. `few` is told where there are not many. */
export function limitsWithin(allowed: number, few: (message: string) => void): ConnectionLimits {
  if (allowed < least) {
    throw new Error(
      `${allowed} files may be open (ulimit -n); expected at least ${least}, and ${plenty} for a crowd`,
    );
  }
  const connections = Math.min(connectionLimits.connections, allowed - ownFiles);
  if (allowed < plenty) {
    few(`few files may be open (ulimit -n): ${connections} connections are kept`);
  }
  const perAddress = Math.min(connectionLimits.perAddress, connections);
  return { ...connectionLimits, connections, perAddress };
}
