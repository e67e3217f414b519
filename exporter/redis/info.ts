/**
 * What INFO says. The text is lines of `field:value` under `# Section` headings, with Windows line
 * ends; every server and version has other fields. A field that is not there is undefined, one
 * we do not know is passed over, and a number that is none is an error that quotes the field, for
 * whoever reads it to do without that one.
 */
import { shownLabelValue } from '../core/label-value.ts';
import { asError } from '../measure/errors.ts';

export interface RedisInfo {
  /** The first value of a field counts: `module` and the like repeat, what we read does not. */
  get(field: string): string | undefined;
  /** Fields that begin so, with their values, in the order of the text; the first of each. */
  withPrefix(prefix: string): ReadonlyMap<string, string>;
}

/** A Redis has 200 lines, 250 commands and 16 databases, and may have more of each. */
const mostLines = 50_000;

/** Reads each character a bounded number of times, whatever the text is. */
export function parseInfo(text: string): RedisInfo {
  const fields = new Map<string, string>();
  const lines = text.split(/\r?\n/, mostLines + 1);
  if (lines.length > mostLines) throw new Error(`INFO: over ${mostLines} lines`);
  let headings = 0;
  lines.forEach((line) => {
    const colon = line.indexOf(':');
    if (colon > 0) {
      const field = line.slice(0, colon);
      if (!fields.has(field)) fields.set(field, line.slice(colon + 1));
    } else if (line.startsWith('#')) headings += 1;
  });
  // An empty section is a heading alone; text without one field or heading is something else.
  if (fields.size === 0 && headings === 0 && text.trim() !== '') {
    throw new Error(`INFO: unexpected text ${shown(text)}`);
  }
  return {
    get: (field) => fields.get(field),
    withPrefix(prefix) {
      const found = new Map<string, string>();
      fields.forEach((value, field) => {
        if (field.startsWith(prefix)) found.set(field, value);
      });
      return found;
    },
  };
}

/** Redis prints ratios of nothing as nan or inf. */
const notFinite: Readonly<Record<string, number>> = {
  nan: Number.NaN,
  '-nan': Number.NaN,
  inf: Number.POSITIVE_INFINITY,
};
/** `rdb_last_bgsave_status` and its like. */
const statuses: Readonly<Record<string, number>> = { ok: 1, err: 0 };

/** A text of others, where it may be long and need not be text. */
const shown = (text: string): string => JSON.stringify(text.slice(0, 80));
const named = (field: string): string => shownLabelValue(field);

function toNumber(field: string, text: string): number {
  const known = Object.hasOwn(notFinite, text) ? notFinite[text] : undefined;
  if (known !== undefined) return known;
  const value = /^-?\d+(\.\d+)?(e[+-]?\d+)?$/i.test(text) ? Number(text) : Infinity;
  if (!Number.isFinite(value)) {
    throw new Error(`INFO: ${named(field)} is ${shown(text)}, expected a number`);
  }
  return value;
}

export function numberOf(info: RedisInfo, field: string): number | undefined {
  const text = info.get(field);
  return text === undefined ? undefined : toNumber(field, text);
}

/** 1 for ok, 0 for err. */
export function statusOf(info: RedisInfo, field: string): number | undefined {
  const text = info.get(field);
  if (text === undefined) return undefined;
  const status = Object.hasOwn(statuses, text) ? statuses[text] : undefined;
  if (status === undefined) {
    throw new Error(`INFO: ${field} is ${shown(text)}, expected ok or err`);
  }
  return status;
}

/** A row of Redis has a hundred characters. */
const longestRow = 1000;

type Part = 'keys' | 'expires' | 'calls' | 'usec';

/** The first part of the name, where it is a count as Redis writes it. */
const count = (part: Part) => new RegExp(`^(?:(?!${part}=)[^,]*,)*${part}=(\\d{1,15})(?:,|$)`);
const counts: Readonly<Record<Part, RegExp>> = {
  keys: count('keys'),
  expires: count('expires'),
  calls: count('calls'),
  usec: count('usec'),
};

/** `calls=21,usec=175` to its parts; Redis adds parts with every version. A count is 0 or more. */
function partOf(field: string, text: string, part: Part): number {
  const plain = text.length <= longestRow ? counts[part].exec(text)?.[1] : undefined;
  if (plain !== undefined) return Number(plain);
  const parts = text.slice(0, longestRow).split(',');
  const found = parts.find((one) => one.startsWith(`${part}=`));
  if (found === undefined) {
    throw new Error(`INFO: ${named(field)} is ${shown(text)}, expected ${part}=`);
  }
  const value = toNumber(`${part} of ${field}`, found.slice(part.length + 1));
  if (!(value >= 0 && value <= Number.MAX_SAFE_INTEGER))
    throw new Error(`INFO: ${named(field)} is ${shown(text)}, expected counts`);
  return value;
}

/** What could be read of a table, and why not the rest: one line costs itself. */
export interface Rows<T> {
  readonly rows: readonly T[];
  /** Fields whose lines cannot be read. */
  readonly odd: readonly string[];
  readonly problem?: Error;
}

function readRows<T>(
  lines: ReadonlyMap<string, string>,
  read: (field: string, text: string) => T,
): Rows<T> {
  let problem: Error | undefined;
  const odd: string[] = [];
  const rows = [...lines].flatMap(([field, text]) => {
    try {
      return [read(field, text)];
    } catch (error) {
      problem ??= asError(error);
      odd.push(field);
      return [];
    }
  });
  return { rows, odd, ...(problem === undefined ? {} : { problem }) };
}

export interface Keyspace {
  /** As INFO names it: db0. */
  readonly db: string;
  readonly keys: number;
  readonly expires: number;
}

/** Databases that hold keys; INFO leaves out the empty ones. */
export function keyspaceOf(info: RedisInfo): Rows<Keyspace> {
  const lines = [...info.withPrefix('db')].filter(([field]) => /^db\d{1,10}$/.test(field));
  return readRows(new Map(lines), (db, text) => ({
    db,
    keys: partOf(db, text, 'keys'),
    expires: partOf(db, text, 'expires'),
  }));
}

export interface CommandStats {
  /** As INFO names it: get, config|set. */
  readonly cmd: string;
  readonly calls: number;
  readonly usec: number;
}

export const commandPrefix = 'cmdstat_';

/** Commands that were called since the start or CONFIG RESETSTAT. */
export function commandStatsOf(info: RedisInfo): Rows<CommandStats> {
  return readRows(info.withPrefix(commandPrefix), (field, text) => ({
    cmd: shownLabelValue(field.slice(commandPrefix.length)),
    calls: partOf(field, text, 'calls'),
    usec: partOf(field, text, 'usec'),
  }));
}
