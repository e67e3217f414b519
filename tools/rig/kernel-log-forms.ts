/** The same kernel log in every form that machines keep it in. */
import { readdirSync, readFileSync } from 'node:fs';
import { type KmsgRecord, parseRecord } from '../../exporter/kmsg/record.ts';

const fixtures = new URL('../../exporter/fixtures/kmsg/', import.meta.url);

/** Names of the recordings of kernels from 3.10 to 7.x. */
export const kernelLogs: readonly string[] = readdirSync(fixtures)
  .filter((name) => name.endsWith('.txt'))
  .map((name) => name.slice(0, -'.txt'.length));

export interface LoggedRecord extends KmsgRecord {
  readonly level: number;
}

export function recordsOf(name: string): LoggedRecord[] {
  const lines = readFileSync(new URL(`${name}.txt`, fixtures), 'utf8')
    .trimEnd()
    .split('\n');
  return lines.flatMap((line) => {
    const record = line.startsWith(' ') ? undefined : parseRecord(line);
    return record === undefined ? [] : [{ ...record, level: Number.parseInt(line, 10) % 8 }];
  });
}

const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
const days = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'];
const levels = ['emerg', 'alert', 'crit', 'err', 'warn', 'notice', 'info', 'debug'];
const facilities = ['kern', 'user', 'mail', 'daemon'];

const two = (number: number): string => String(number).padStart(2, '0');
const clock = (date: Date): string =>
  [date.getUTCHours(), date.getUTCMinutes(), date.getUTCSeconds()].map(two).join(':');

const bracket = ({ microseconds }: KmsgRecord): string =>
  `[${(microseconds / 1e6).toFixed(6).padStart(12)}]`;

/** `Nov 30 09:42:05`, in UTC. */
export function rfc3164(seconds: number): string {
  const date = new Date(seconds * 1000);
  const day = String(date.getUTCDate()).padStart(2);
  return `${months[date.getUTCMonth()]} ${day} ${clock(date)}`;
}

function ctime(seconds: number): string {
  const date = new Date(seconds * 1000);
  return `${days[date.getUTCDay()]} ${rfc3164(seconds)} ${date.getUTCFullYear()}`;
}

/** With six digits behind the second, as whatever writes microseconds does. */
function iso(seconds: number, point: string): string {
  const whole = Math.floor(seconds);
  const rest = String(Math.floor((seconds - whole) * 1e6)).padStart(6, '0');
  return `${new Date(whole * 1000).toISOString().slice(0, 19)}${point}${rest}+00:00`;
}

type Form = (record: LoggedRecord, bootedAt: number) => string;

const at = ({ microseconds }: KmsgRecord, bootedAt: number) => bootedAt + microseconds / 1e6;
const decoded = ({ facility, level }: LoggedRecord): string =>
  `${(facilities[facility] ?? 'user').padEnd(6)}:${(levels[level] ?? '').padEnd(6)}: `;

/** One line of each form. rsyslog writes some milliseconds late. */
export const lineForms: Readonly<Record<string, Form>> = {
  dmesg: (record) => `${bracket(record)} ${record.text}`,
  'dmesg with callers': (record) => `${bracket(record)}[    T1] ${record.text}`,
  'dmesg -r': (record) =>
    `<${record.facility * 8 + record.level}>${bracket(record)} ${record.text}`,
  'dmesg -x': (record) => `${decoded(record)}${bracket(record)} ${record.text}`,
  'dmesg -T': (record, boot) => `[${ctime(at(record, boot))}] ${record.text}`,
  'dmesg -x -T': (record, boot) => `${decoded(record)}[${ctime(at(record, boot))}] ${record.text}`,
  'dmesg --time-format iso': (record, boot) => `${iso(at(record, boot), ',')} ${record.text}`,
  'rsyslog, RFC 3164': (record, boot) =>
    `${rfc3164(at(record, boot) + 0.004)} vm kernel: ${bracket(record)} ${record.text}`,
  'rsyslog, ISO': (record, boot) =>
    `${iso(at(record, boot) + 0.004, '.')} vm kernel: ${bracket(record)} ${record.text}`,
  'syslog without a time since boot': (record, boot) =>
    `${rfc3164(at(record, boot) + 0.004)} vm kernel: ${record.text}`,
  'journalctl -o short-monotonic': (record) => `${bracket(record)} vm kernel: ${record.text}`,
  'journalctl -o short-iso': (record, boot) =>
    `${iso(at(record, boot), '.').slice(0, 19)}+0000 vm kernel: ${record.text}`,
  'records of /dev/kmsg': ({ facility, level, sequence, microseconds, text }) =>
    `${facility * 8 + level},${sequence},${microseconds},-;${text}`,
};

/** `dmesg -J`. */
export function dmesgJson(records: readonly LoggedRecord[]): string {
  const objects = records.map(
    ({ level, microseconds, text }) =>
      `{\n         "pri": ${level},\n         "time":  ${(microseconds / 1e6).toFixed(6)},\n         "msg": ${JSON.stringify(text)}\n      }`,
  );
  return `{\n   "dmesg": [\n      ${objects.join(',')}\n   ]\n}\n`;
}
