/**
 * What the text of a setting may be: from text to value, or an Error whose message says what was
 * expected. The text itself is for the caller to show, who knows whether it may hold a secret.
 */
import { resolve } from 'node:path';
import { noRedis, parseRedisAddress, type RedisAddress } from '../redis/address.ts';

export interface ListenAddress {
  readonly host: string;
  readonly port: number;
}

export function parseListen(text: string): ListenAddress {
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([^:[\]]*)):(\d{1,5})$/.exec(text);
  const port = Number(match?.[3]);
  if (match === null || port > 65_535) {
    throw new Error('expected HOST:PORT, for example 127.0.0.1:10190 or [::1]:10190');
  }
  return { host: match[1] ?? (match[2] || '0.0.0.0'), port };
}

export function parseDirectory(text: string): string {
  if (!text.startsWith('/')) throw new Error('expected an absolute path');
  return text;
}

export function parseOptionalPath(text: string): string | undefined {
  return text === '' ? undefined : parseDirectory(text);
}

/** Where it was said from, as node_exporter takes it. What is no path may be a secret of another setting. */
export function parseFileOfOurs(text: string): string | undefined {
  if (text === '') return undefined;
  if (!/^[\w./][^\p{Cc}:@]*$/u.test(text)) throw new Error('expected the path of a file');
  return resolve(text);
}

/** `none` on purpose; `unset` where nobody has said it yet and somebody is to be asked. */
export function parseRedis(text: string): RedisAddress {
  return text === 'none' || text === 'unset' ? noRedis(text) : parseRedisAddress(text);
}

export function parseOptionalText(text: string): string | undefined {
  return text === '' ? undefined : text;
}

/** As it goes into a header. */
export function parseToken(text: string): string | undefined {
  const token = text.trim();
  if (!/^[!-~]*$/.test(token)) {
    throw new Error('expected letters, digits and signs of ASCII without blanks');
  }
  return parseOptionalText(token);
}

export function parseRatio(text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !(value > 0 && value < 1)) {
    throw new Error('expected a number between 0 and 1, for example 0.10');
  }
  return value;
}

export function parseSeconds(text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !(value >= 1 && value <= 3600)) {
    throw new Error('expected a number of seconds from 1 to 3600, for example 15');
  }
  return value;
}

export function parseSwitch(text: string): boolean {
  if (['1', 'true', 'yes', 'on'].includes(text)) return true;
  if (['', '0', 'false', 'no', 'off'].includes(text)) return false;
  throw new Error('expected true or false');
}

/** MiB of the cold-page canary; `true` is the size its cost was measured with, 0 is off. */
export function parseCanary(text: string): number {
  const mib = text === 'true' ? 32 : ['', 'false'].includes(text) ? 0 : Number(text);
  if (!Number.isInteger(mib) || (mib !== 0 && (mib < 4 || mib > 1024))) {
    throw new Error('expected a whole number of MiB from 4 to 1024, or 0 for off');
  }
  return mib;
}

export const logLevels = ['debug', 'info', 'warn', 'error', 'silent'] as const;
export type LogLevel = (typeof logLevels)[number];

export function parseLogLevel(text: string): LogLevel {
  const level = logLevels.find((known) => known === text);
  if (level === undefined) throw new Error(`expected one of ${logLevels.join(', ')}`);
  return level;
}

/** A list is separated by commas or lines; a flag that is repeated makes lines. */
export function parseNames(text: string): string[] {
  return text
    .split(/[,\n]/)
    .map((name) => name.trim())
    .filter((name) => name !== '');
}

export interface NamedUrl {
  readonly name: string;
  readonly url: URL;
}

/** Each is watched from a clock of its own: a handful, not a fleet. */
const mostNamed = 16;

export function parseHttpUrl(text: string): URL {
  const url = URL.parse(text);
  if (url === null || (url.protocol !== 'http:' && url.protocol !== 'https:')) {
    throw new Error('expected a URL that starts with http:// or https://');
  }
  return url;
}

export function parseOptionalHttpUrl(text: string): URL | undefined {
  return text === '' ? undefined : parseHttpUrl(text);
}

/**
 * The entries of a list of NAME=URL. Sentinels and nodes of a cluster are a list in themselves:
 * what follows such a URL up to the next NAME= belongs to it.
 */
function namedEntries(text: string): string[] {
  const entries: string[] = [];
  for (const piece of parseNames(text)) {
    const last = entries.at(-1);
    const several = /^[^=]+=(?:rediss?\+(?:sentinel|cluster)|redis-sentinel):/.test(last ?? '');
    if (last !== undefined && several && !/^[A-Za-z0-9_.@-]+=/.test(piece)) {
      entries[entries.length - 1] = `${last},${piece}`;
    } else entries.push(piece);
  }
  return entries;
}

/** NAME=VALUE entries with unique names that can be label values. */
function parseNamed<T>(
  text: string,
  what: string,
  parse: (value: string) => T,
  pattern = /^([A-Za-z0-9_.-]{1,40})=(.+)$/,
) {
  const entries = namedEntries(text).map((entry) => {
    const [, name, value] = pattern.exec(entry) ?? [];
    if (name === undefined || value === undefined) {
      throw new Error('expected NAME=URL with a name of up to 40 letters, digits, _ . -');
    }
    return { name, value: parse(value) };
  });
  const repeated = entries.find(({ name }, i) => entries.findIndex((e) => e.name === name) !== i);
  if (repeated !== undefined)
    throw new Error(`expected different names, ${repeated.name} is twice`);
  if (entries.length > mostNamed) throw new Error(`expected at most ${mostNamed} ${what}`);
  return entries;
}

export function parseApps(text: string): NamedUrl[] {
  return parseNamed(text, 'applications', parseHttpUrl).map(({ name, value }) => ({
    name,
    url: value,
  }));
}

export interface TargetSetting {
  readonly name: string;
  readonly address: RedisAddress | URL;
}

function parseTargetAddress(text: string): RedisAddress | URL {
  return /^https?:/.test(text) ? parseHttpUrl(text) : parseRedisAddress(text);
}

/** NAME@HOST: what it is, and the machine it runs on, for the labels of the watcher. */
const targetPattern = /^([A-Za-z0-9_.-]{1,40}(?:@[A-Za-z0-9_.-]{1,60})?)=(.+)$/;

export function parseTargets(text: string): TargetSetting[] {
  return parseNamed(text, 'targets', parseTargetAddress, targetPattern).map(({ name, value }) => ({
    name,
    address: value,
  }));
}
