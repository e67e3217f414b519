/**
 * Whether the kernel at the other end acknowledges what we send. It does for a frozen Redis; it
 * does not when the other machine is gone or the way to it is cut, and then the answer we wait
 * for would come, if at all, after a quarter of an hour of retransmissions. tx_queue in
 * /proc/net/tcp of our own network namespace is what was sent and not acknowledged
 * (net/ipv4/tcp_ipv4.c, get_tcp4_sock).
 */
import type { PseudoFs } from '../procfs/reader.ts';

export interface TcpEnds {
  readonly localPort: number;
  readonly remotePort: number;
}

const portOf = (address: string | undefined) =>
  Number.parseInt(address?.slice(address.lastIndexOf(':') + 1) ?? '', 16);

/** Bytes sent on this connection and not acknowledged; undefined when it is in neither table. */
export function unacknowledgedBytes(procfs: PseudoFs, ends: TcpEnds): number | undefined {
  for (const table of ['self/net/tcp', 'self/net/tcp6']) {
    for (const line of procfs.read(table)?.split('\n') ?? []) {
      const [, local, remote, , queues] = line.trim().split(/\s+/);
      if (portOf(local) !== ends.localPort || portOf(remote) !== ends.remotePort) continue;
      const bytes = Number.parseInt(queues ?? '', 16);
      if (Number.isNaN(bytes)) throw new Error(`${table}: unexpected text ${JSON.stringify(line)}`);
      return bytes;
    }
  }
  return undefined;
}
