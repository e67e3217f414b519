/**
 * What INFO says. The text is lines of `field:value` under `# Section` headings, with Windows line
 * ends; every server and version has other fields. A field that is not there is undefined, one
 * we do not know is passed over, and a number that is none is an error that names the field.
 */

export type RedisInfo = ReadonlyMap<string, string>;

/** The first value of a field counts: `module` and the like repeat, what we read does not. */
export function parseInfo(text: string): RedisInfo {
  const info = new Map<string, string>();
  for (const line of text.split(/\r?\n/)) {
    const colon = line.indexOf(':');
    if (colon <= 0 || line.startsWith('#')) continue;
    const field = line.slice(0, colon);
    if (!info.has(field)) info.set(field, line.slice(colon + 1));
  }
  // An empty section is a heading alone; text without one field or heading is something else.
  if (info.size === 0 && text.trim() !== '' && !text.startsWith('#')) {
    throw new Error(`INFO: unexpected text ${JSON.stringify(text.slice(0, 80))}`);
  }
  return info;
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
  return [...info]
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
  return [...info]
    .filter(([field]) => field.startsWith(prefix))
    .map(([field, text]) => ({
      cmd: field.slice(prefix.length),
      calls: partOf(field, text, 'calls'),
      usec: partOf(field, text, 'usec'),
    }));
}
