/**
 * Looks at the replies of Redis (RESP2) before ioredis reads them, which takes whatever comes: one
 * of 512 MB, a line without end, a million arrays in each other. Each byte is looked at once, none
 * is kept, and a reply over its bounds is refused when its header says so, not when it is here.
 * https://redis.io/docs/latest/develop/reference/protocol-spec/
 */

/** Replies of ours have four levels at most: CLUSTER SLOTS. */
const deepest = 8;
/** A line is a status, a number or an error: scripts write errors of a few kilobytes. */
const longestLine = 16_384;
/** Of a line that is a length or a number, or that is quoted. */
const headLength = 40;
const lineEnd = 0x0a;
const carriageReturn = 0x0d;

const mebibytes = (bytes: number) => `${Math.round(bytes / 104_857.6) / 10} MiB`;

/** Of all replies to one exchange together. */
export interface ReplyLimits {
  readonly bytes: number;
  /** Whole arrays included: small ones take the most memory, and time while nothing else is done. */
  readonly values: number;
}

export interface ReplyBounds {
  /** From now on so much may come. */
  allow(limits: ReplyLimits): void;
  /** Throws when what comes is no reply, or over its bounds: then nothing more can be read. */
  check(chunk: Buffer): void;
  /** How many bytes of the chunk last checked end with a whole reply. */
  whole(): number;
}

export function createReplyBounds(): ReplyBounds {
  let allowed: ReplyLimits = { bytes: 0, values: 0 };
  let left = 0;
  let values = 0;
  let wholeBytes = 0;
  /** Bytes of a bulk string, with its line end, that have not come. */
  let missing = 0;
  /** The beginning of a line that is not whole, and how long it is by now. */
  let head = '';
  let lineLength = 0;
  /** The last byte was a carriage return: the line feed comes next, or this is no line of Redis. */
  let returned = false;
  /** For each array that is not whole, how many of its elements have not come. */
  const levels: number[] = [];

  function tooLarge(): never {
    throw new Error(`a reply of over ${mebibytes(allowed.bytes)}, more than is read of one`);
  }

  function tooMany(): never {
    throw new Error(`replies of over ${allowed.values} values`);
  }

  /** A value is whole, and with it the arrays that it is the last of. */
  function count(): void {
    for (;;) {
      values += 1;
      if (values > allowed.values) tooMany();
      const level = levels.length - 1;
      const elements = levels[level];
      if (elements === undefined) return;
      levels[level] = elements - 1;
      if (elements > 1) return;
      levels.pop();
    }
  }

  function header(line: string): void {
    if (!/^[*$](?:-1|\d{1,10})$/.test(line)) throw new Error('a length that is none');
    const length = Number(line.slice(1));
    // No element is shorter than three bytes.
    if ((line.startsWith('$') ? length : length * 3) > allowed.bytes) tooLarge();
    if (line.startsWith('*') && values + length > allowed.values) tooMany();
    if (line.startsWith('$') && length >= 0) missing = length + 2;
    else if (line.startsWith('$') || length <= 0) count();
    else if (levels.length >= deepest) throw new Error(`arrays over ${deepest} levels deep`);
    else levels.push(length);
  }

  function value(line: string): void {
    switch (line[0]) {
      case '+':
      case '-':
        count();
        break;
      case ':':
        if (!/^:[+-]?\d{1,20}$/.test(line)) throw new Error('a number that is none');
        count();
        break;
      case '$':
      case '*':
        header(line);
        break;
      default:
        throw new Error(`no reply of Redis: ${JSON.stringify(line)}`);
    }
  }

  function bulk(chunk: Buffer, start: number): number {
    const end = Math.min(chunk.length, start + missing);
    missing -= end - start;
    if (missing === 0) count();
    return end;
  }

  /**
   * A line ends with both, and has neither in it: ioredis looks for the one and not for the other,
   * and would read on where we are not.
   */
  function feeds(piece: Buffer): void {
    const feed = piece.at(-1) === lineEnd;
    const at = piece.indexOf(carriageReturn);
    const before =
      at === -1 ? returned && piece.length === 1 : at === piece.length - 2 && !returned;
    const last = at !== -1 && at === piece.length - 1 && !returned;
    if (feed ? !before : returned || (at !== -1 && !last)) throw new Error('a line that is none');
    returned = last;
  }

  /** Most lines: all of it is here, and it is short. */
  function wholeLine(chunk: Buffer, start: number, found: number): boolean {
    if (lineLength > 0 || returned || found - start > headLength) return false;
    if (chunk.indexOf(carriageReturn, start) !== found - 1) return false;
    value(chunk.toString('latin1', start, found - 1));
    return true;
  }

  function line(chunk: Buffer, start: number): number {
    const found = chunk.indexOf(lineEnd, start);
    if (wholeLine(chunk, start, found)) return found + 1;
    const end = found === -1 ? chunk.length : found;
    feeds(chunk.subarray(start, found === -1 ? end : end + 1));
    if (head.length < headLength) {
      head += chunk.toString('latin1', start, Math.min(end, start + headLength));
    }
    lineLength += end - start;
    if (lineLength > longestLine) throw new Error(`a line of over ${longestLine} bytes`);
    if (found === -1) return end;
    const read = head.slice(0, headLength).replace(/\r$/, '');
    head = '';
    lineLength = 0;
    value(read);
    return end + 1;
  }

  return {
    allow(limits) {
      allowed = limits;
      left = limits.bytes;
      values = 0;
    },
    check(chunk) {
      wholeBytes = 0;
      left -= chunk.length;
      if (left < 0) tooLarge();
      let at = 0;
      while (at < chunk.length) {
        at = missing > 0 ? bulk(chunk, at) : line(chunk, at);
        if (missing === 0 && lineLength === 0 && levels.length === 0) wholeBytes = at;
      }
    },
    whole: () => wholeBytes,
  };
}
