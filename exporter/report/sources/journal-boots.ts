/** Which boots a journal holds: `journalctl --list-boots`. */
import type { Instant } from '../facts/facts.ts';
import { askLines, type Question } from './run.ts';

export interface ListedBoot {
  readonly id: string;
  readonly first: Instant;
  readonly last: Instant;
}

const microseconds = (value: unknown): number => (typeof value === 'number' ? value / 1e6 : NaN);

/** Since systemd 251. */
export function bootsOfJson(text: string): ListedBoot[] {
  const rows: unknown = JSON.parse(text);
  if (!Array.isArray(rows)) return [];
  return rows.flatMap((row: unknown): ListedBoot[] => {
    const fields = (row ?? {}) as Record<string, unknown>;
    const id = fields['boot_id'];
    const first = microseconds(fields['first_entry']);
    const last = microseconds(fields['last_entry']);
    return typeof id === 'string' && Number.isFinite(first + last) ? [{ id, first, last }] : [];
  });
}

const time = String.raw`\w{3} (\d{4}-\d\d-\d\d \d\d:\d\d:\d\d) UTC`;
const row = new RegExp(String.raw`^ *-?\d+ ([0-9a-f]{32}) ${time}(?: |—|-)+${time}`);

const at = (stamp = ''): Instant => Date.parse(`${stamp.replace(' ', 'T')}Z`) / 1000;

/** Older ones answer with a table, to the second; asked in UTC. */
export function bootsOfTable(text: string): ListedBoot[] {
  return text.split('\n').flatMap((line): ListedBoot[] => {
    const [, id, first, last] = row.exec(line) ?? [];
    if (id === undefined) return [];
    // The last second began then.
    return [{ id, first: at(first), last: at(last) + 1 }];
  });
}

export interface BootList {
  /** Oldest first. */
  readonly boots: readonly ListedBoot[];
  readonly complaint: string;
}

/** Rejects where there is no journalctl. */
export async function listBoots(where: readonly string[], env: Question['env']): Promise<BootList> {
  const lines: string[] = [];
  const { complaint, code } = await askLines({
    program: 'journalctl',
    args: [...where, '--list-boots', '--no-pager', '-o', 'json'],
    env,
    package: 'systemd',
    deadlineMs: 15_000,
    mostBytes: 4 * 1024 * 1024,
    onLine: (line) => void lines.push(line),
  });
  const text = lines.join('\n');
  const boots = text.startsWith('[') ? bootsOfJson(text) : bootsOfTable(text);
  const silent = code !== 0 && complaint === '';
  return {
    boots: boots.toSorted((one, other) => one.first - other.first),
    complaint: silent ? `journalctl ended with ${code ?? 'a signal'}` : complaint,
  };
}

/** The machine that wrote the newest record. */
export async function journalOwner(
  where: readonly string[],
  env: Question['env'],
): Promise<{ readonly machineId?: string; readonly hostname?: string }> {
  const fields = new Map<string, string>();
  try {
    await askLines({
      program: 'journalctl',
      args: [...where, '-n', '1', '-o', 'export', '--no-pager'],
      env,
      package: 'systemd',
      deadlineMs: 15_000,
      mostBytes: 4 * 1024 * 1024,
      onLine(line) {
        const equals = line.indexOf('=');
        if (equals > 0) fields.set(line.slice(0, equals), line.slice(equals + 1));
      },
    });
  } catch {
    // Where there is no journalctl, reading says so.
  }
  const [machineId, hostname] = [fields.get('_MACHINE_ID'), fields.get('_HOSTNAME')];
  return {
    ...(machineId === undefined ? {} : { machineId }),
    ...(hostname === undefined ? {} : { hostname }),
  };
}
