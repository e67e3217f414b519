/** Files below /proc/PID/net of a made-up network namespace, in the kernel's format. */
import type { ListeningSocket } from '../../exporter/procfs/net-tcp.ts';

const hex = (value: number, digits: number) =>
  value.toString(16).toUpperCase().padStart(digits, '0');

export function tcpText(sockets: readonly ListeningSocket[], version: 4 | 6 = 4): string {
  const any = '0'.repeat(version === 4 ? 8 : 32);
  const lines = sockets.map(
    ({ port, queued, uid, inode }, i) =>
      `${String(i).padStart(4)}: ${any}:${hex(port, 4)} ${any}:0000 0A 00000000:${hex(queued, 8)} 00:00000000 00000000 ${String(uid).padStart(5)}        0 ${inode} 1 000000001108a77b 100 0 0 10 0\n`,
  );
  return `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n${lines.join('')}`;
}

export function fibTrieText(addresses: readonly string[]): string {
  const leaves = addresses.map(
    (address) => `           |-- ${address}\n              /32 host LOCAL\n`,
  );
  return `Local:\n  +-- 0.0.0.0/0 2 0 2\n${leaves.join('')}           |-- 172.18.255.255\n              /32 link BROADCAST\n`;
}
