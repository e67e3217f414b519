/**
 * What INFO says. The text is lines of `field:value` under `# Section` headings, with Windows line
 * ends; every server and version has other fields. A field that is not there is undefined, one
 * we do not know is passed over, and a number that is none is an error that names the field.
 */

export interface RedisInfo {
  /** The first value of a field counts: `module` and the like repeat, what we read does not. */
  get(field: string): string | undefined;
  /** Fields that begin so, with their values, in the order of the text; the first of each. */
  withPrefix(prefix: string): ReadonlyMap<string, string>;
}

/** Where the line that begins at `start` ends, without its line end. */
function endOfLine(text: string, start: number): number {
  const end = text.indexOf('\n', start);
  const last = end === -1 ? text.length : end;
  return text[last - 1] === '\r' ? last - 1 : last;
}

/** Of 200 fields a quarter are read, so they are looked up in the text and not taken apart. */
export function parseInfo(text: string): RedisInfo {
  // An empty section is a heading alone; text without one field or heading is something else.
  if (text.trim() !== '' && !text.startsWith('#') && !/^[^#:\n][^:\n]*:/m.test(text)) {
    throw new Error(`INFO: unexpected text ${JSON.stringify(text.slice(0, 80))}`);
  }
  const lines = `\n${text}`;
  return {
    get(field) {
      const start = lines.indexOf(`\n${field}:`);
      if (start === -1) return undefined;
      return lines.slice(start + field.length + 2, endOfLine(lines, start + 1));
    },
    withPrefix(prefix) {
      const found = new Map<string, string>();
      let start = lines.indexOf(`\n${prefix}`);
      while (start !== -1) {
        const end = endOfLine(lines, start + 1);
        const colon = lines.indexOf(':', start);
        if (colon !== -1 && colon < end) {
          const field = lines.slice(start + 1, colon);
          if (!found.has(field)) found.set(field, lines.slice(colon + 1, end));
        }
        start = lines.indexOf(`\n${prefix}`, end);
      }
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

function toNumber(field: string, text: string): number {
  const known = Object.hasOwn(notFinite, text) ? notFinite[text] : undefined;
  if (known !== undefined) return known;
  if (!/^-?\d+(\.\d+)?$/.test(text)) {
    throw new Error(`INFO: ${field} is ${JSON.stringify(text.slice(0, 80))}, expected a number`);
  }
  return Number(text);
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
    throw new Error(`INFO: ${field} is ${JSON.stringify(text.slice(0, 80))}, expected ok or err`);
  }
  return status;
}

/** `calls=21,usec=175` to its parts; Redis adds parts with every version. */
function partOf(field: string, text: string, part: string): number {
  const found = text.split(',').find((one) => one.startsWith(`${part}=`));
  if (found === undefined) {
    throw new Error(`INFO: ${field} is ${JSON.stringify(text.slice(0, 80))}, expected ${part}=`);
  }
  return toNumber(`${part} of ${field}`, found.slice(part.length + 1));
}

export interface Keyspace {
  /** As INFO names it: db0. */
  readonly db: string;
  readonly keys: number;
  readonly expires: number;
}

/** Databases that hold keys; INFO leaves out the empty ones. */
export function keyspaceOf(info: RedisInfo): Keyspace[] {
  return [...info.withPrefix('db')]
    .filter(([field]) => /^db\d+$/.test(field))
    .map(([db, text]) => ({
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

/** Commands that were called since the start or CONFIG RESETSTAT. */
export function commandStatsOf(info: RedisInfo): CommandStats[] {
  const prefix = 'cmdstat_';
  return [...info.withPrefix(prefix)].map(([field, text]) => ({
    cmd: field.slice(prefix.length),
    calls: partOf(field, text, 'calls'),
    usec: partOf(field, text, 'usec'),
  }));
}
