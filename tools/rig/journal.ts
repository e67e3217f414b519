/** Makes real journal files, of any boots and times, with systemd-journal-remote. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { inTemporaryDirectory } from './temporary-root.ts';

const maker = [
  '/usr/lib/systemd/systemd-journal-remote',
  '/lib/systemd/systemd-journal-remote',
].find(existsSync);

/** Why no journal can be made here, or undefined when it can. */
export function whyNoJournal(): string | undefined {
  if (maker === undefined) return 'no systemd-journal-remote';
  return spawnSync('journalctl', ['--version']).status === 0 ? undefined : 'no journalctl';
}

export interface JournalEntry {
  /** When journald wrote it down, seconds since 1970. */
  readonly at: number;
  /** The same, since boot. */
  readonly uptime: number;
  /** 32 hexadecimal digits. */
  readonly boot: string;
  readonly fields: Readonly<Record<string, string | Buffer>>;
}

const micro = (seconds: number): string => String(Math.round(seconds * 1e6));

/** The export format: what is no plain text has its length in front. */
export function exported([name, value]: readonly [string, string | Buffer]): Buffer {
  if (typeof value === 'string' && !value.includes('\n')) return Buffer.from(`${name}=${value}\n`);
  const bytes = Buffer.from(value as string);
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(bytes.length));
  return Buffer.concat([Buffer.from(`${name}\n`), length, bytes, Buffer.from('\n')]);
}

const entryText = ({ at, uptime, boot, fields }: JournalEntry): Buffer =>
  Buffer.concat([
    Buffer.from(
      `__REALTIME_TIMESTAMP=${micro(at)}\n__MONOTONIC_TIMESTAMP=${micro(uptime)}\n_BOOT_ID=${boot}\n` +
        `_MACHINE_ID=${'b'.repeat(32)}\n_HOSTNAME=vm\n`,
    ),
    ...Object.entries(fields).map(exported),
    Buffer.from('\n'),
  ]);

/** Writes DIRECTORY/NAME.journal. */
export function makeJournal(
  directory: string,
  entries: readonly JournalEntry[],
  name = 'system',
): void {
  mkdirSync(directory, { recursive: true });
  inTemporaryDirectory((work) => {
    const text = join(work, 'export.txt');
    writeFileSync(text, Buffer.concat(entries.map(entryText)));
    const { status, stderr } = spawnSync(
      maker ?? '',
      ['-o', join(directory, `${name}.journal`), text],
      { encoding: 'utf8' },
    );
    if (status !== 0) throw new Error(`systemd-journal-remote: ${stderr}`);
  });
}

/** A record as the kernel printed it at `uptime`, read by journald `late` seconds after. */
export function kernelEntry(
  { boot, start }: { readonly boot: string; readonly start: number },
  uptime: number,
  text: string | Buffer,
  { late = 0.005, facility = 0 }: { readonly late?: number; readonly facility?: number } = {},
): JournalEntry {
  return {
    at: start + uptime + late,
    uptime: uptime + late,
    boot,
    fields: {
      _TRANSPORT: 'kernel',
      PRIORITY: '3',
      SYSLOG_FACILITY: String(facility),
      SYSLOG_IDENTIFIER: facility === 0 ? 'kernel' : 'INFO',
      _SOURCE_MONOTONIC_TIMESTAMP: micro(uptime),
      MESSAGE: text,
    },
  };
}

/** A line of a program. */
export function programEntry(
  { boot, start }: { readonly boot: string; readonly start: number },
  uptime: number,
  identifier: string,
  text: string,
  more: Readonly<Record<string, string>> = {},
): JournalEntry {
  const fields = { _TRANSPORT: 'syslog', SYSLOG_IDENTIFIER: identifier, MESSAGE: text, ...more };
  return { at: start + uptime, uptime, boot, fields };
}

/** What journald writes when it is stopped in good order. */
export const journalStopped = (
  boot: { readonly boot: string; readonly start: number },
  uptime: number,
) =>
  programEntry(boot, uptime, 'systemd-journald', 'Journal stopped', {
    _TRANSPORT: 'driver',
    MESSAGE_ID: 'd93fb3c9c24d451a97cea615ce59c00b',
  });
