/**
 * Whose the other end of a connection on this machine is, from /proc/net/tcp and tcp6
 * (net/ipv4/tcp_ipv4.c, get_tcp4_sock): both ends of such a connection stand in the table, each with the
 * user that opened it.
 */
import { closeSync, openSync, readSync } from 'node:fs';
import { isIPv4 } from 'node:net';
import { endianness } from 'node:os';
import { canonicalAddress } from './local-addresses.ts';
import { openFlags } from './reader.ts';

export interface Connection {
  /** The other end, as we see it. */
  readonly remoteAddress: string;
  readonly remotePort: number;
  /** Ours. */
  readonly localAddress: string;
  readonly localPort: number;
}

const isLittle = endianness() === 'LE';

/** Four bytes as the kernel prints a word of them: in the order that the CPU has them. */
function word(bytes: readonly number[]): string {
  const digits = bytes.map((byte) => byte.toString(16).toUpperCase().padStart(2, '0'));
  return (isLittle ? digits.toReversed() : digits).join('');
}

const words = (bytes: readonly number[]): string =>
  bytes.length === 0 ? '' : word(bytes.slice(0, 4)) + words(bytes.slice(4));

const hexBytes = (digits: string): number[] =>
  digits === '' ? [] : [Number.parseInt(digits.slice(0, 2), 16), ...hexBytes(digits.slice(2))];

const bytesOf = (canonical: string): number[] =>
  isIPv4(canonical) ? canonical.split('.').map(Number) : hexBytes(canonical.replaceAll(':', ''));

const mapped = [...Array<number>(10).fill(0), 0xff, 0xff];
const portOf = (port: number): string => port.toString(16).toUpperCase().padStart(4, '0');

interface Table {
  readonly path: string;
  /** The row of the other end begins so, behind its number. */
  readonly row: string;
}

/** A socket of IPv6 may speak IPv4. */
function tablesOf(connection: Connection): Table[] {
  const { remoteAddress, remotePort, localAddress, localPort } = connection;
  const theirs = bytesOf(canonicalAddress(remoteAddress));
  const ours = bytesOf(canonicalAddress(localAddress));
  const row = (prefix: readonly number[]) =>
    `: ${words([...prefix, ...theirs])}:${portOf(remotePort)} ${words([...prefix, ...ours])}:${portOf(localPort)} `;
  const six = { path: '/proc/self/net/tcp6', row: row(theirs.length === 4 ? mapped : []) };
  return theirs.length === 4 ? [{ path: '/proc/self/net/tcp', row: row([]) }, six] : [six];
}

/** Of 25,000 sockets. What is larger takes longer to read than anybody may hold us up. */
const mostBytes = 4 * 1024 * 1024;
const chunkBytes = 64 * 1024;

/** Behind the two addresses: state, queues, timer, retransmissions, user, time-out, inode. */
const rest = /^[0-9A-F]{2} \S+ \S+ \S+ +(\d+) +\d+ +(\d+)/;

/** Who holds it. One that was closed belongs to nobody, and is listed as the superuser's without an inode. */
export function ownerIn(text: string, row: string): number | undefined {
  const at = text.indexOf(row);
  const [, uid, inode = '0'] = rest.exec(text.slice(at + row.length, at + row.length + 200)) ?? [];
  return at < 0 || uid === undefined || Number(inode) === 0 ? undefined : Number(uid);
}

function tableText(path: string): string {
  const file = openSync(path, openFlags);
  try {
    const chunks: string[] = [];
    const chunk = Buffer.allocUnsafe(chunkBytes);
    for (let bytes = 0; bytes < mostBytes;) {
      const read = readSync(file, chunk);
      if (read === 0) break;
      chunks.push(chunk.toString('latin1', 0, read));
      bytes += read;
    }
    return chunks.join('');
  } finally {
    closeSync(file);
  }
}

/** The user of the other end; undefined where it is not on this machine, or cannot be seen. */
export function ownerOfPeer(connection: Connection): number | undefined {
  try {
    for (const { path, row } of tablesOf(connection)) {
      const owner = ownerIn(tableText(path), row);
      if (owner !== undefined) return owner;
    }
  } catch {
    // Not every sandbox shows it: then nobody is known by it.
  }
  return undefined;
}
