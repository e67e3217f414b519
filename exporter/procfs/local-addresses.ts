/**
 * The IP addresses of a network namespace, from /proc/PID/net/fib_trie (net/ipv4/fib_trie.c: an
 * address of our own is a `/32 host LOCAL` leaf) and /proc/PID/net/if_inet6.
 */
import { isIPv4, isIPv6 } from 'node:net';
import type { PseudoFs } from './reader.ts';

export function parseFibTrie(text: string): string[] {
  const leaves = text.matchAll(/\|-- (\d+\.\d+\.\d+\.\d+)\n(?: +\/\d+ .*\n)*? +\/32 host LOCAL\n/g);
  return [...leaves].map(([, address = '']) => address);
}

/** Addresses in the full form of eight groups of four digits. */
export function parseIfInet6(text: string): string[] {
  return [...text.matchAll(/^([0-9a-f]{32}) /gm)].map(([, digits = '']) =>
    digits.replaceAll(/(.{4})(?!$)/g, '$1:'),
  );
}

const mappedPrefix = /^(?:0000:){5}ffff:(..)(..):(..)(..)$/;

/** `::1` as `0000:0000:...:0001`, IPv4 in IPv6 as IPv4; IPv4 and all else as it is. */
export function canonicalAddress(address: string): string {
  if (!isIPv6(address)) return address;
  const plain = address.replace(/%.*$/, '').toLowerCase();
  const [head = '', tail = ''] = withoutDots(plain).split('::');
  const before = head.split(':').filter((group) => group !== '');
  const after = tail.split(':').filter((group) => group !== '');
  const middle = Array.from({ length: Math.max(0, 8 - before.length - after.length) }, () => '0');
  const whole = [...before, ...middle, ...after].map((group) => group.padStart(4, '0')).join(':');
  const mapped = mappedPrefix.exec(whole)?.slice(1);
  return mapped?.map((digits) => Number.parseInt(digits, 16)).join('.') ?? whole;
}

const group = (high: string, low: string) => (Number(high) * 256 + Number(low)).toString(16);

/** The last four bytes may be written as in IPv4. */
function withoutDots(address: string): string {
  return address.replace(
    /(\d+)\.(\d+)\.(\d+)\.(\d+)$/,
    (_, a: string, b: string, c: string, d: string) => `${group(a, b)}:${group(c, d)}`,
  );
}

export function isLoopback(address: string): boolean {
  const canonical = canonicalAddress(address);
  return (
    (isIPv4(canonical) && canonical.startsWith('127.')) || canonical === canonicalAddress('::1')
  );
}

/** Canonical addresses of the namespace of `pid`, loopback included. */
export function readLocalAddresses(procfs: PseudoFs, pid: number | 'self'): Set<string> {
  const read = (name: string) => procfs.read(`${pid}/net/${name}`) ?? '';
  return new Set([...parseFibTrie(read('fib_trie')), ...parseIfInet6(read('if_inet6'))]);
}
