/**
 * RESP2, the protocol of Redis (https://redis.io/docs/latest/develop/reference/protocol-spec/):
 * commands to bytes, bytes to replies. The reader takes the bytes as they come, looks at each once,
 * and gives up on a reply that is over its bounds when its header says so, not when it is here.
 */

/** Name and arguments, as on the wire. */
export type RedisCommand = readonly [string, ...(string | number | Buffer)[]];

export type Reply = string | number | null | Buffer | Error | Reply[];

/** Replies of ours have four levels at most: CLUSTER SLOTS. */
const deepest = 8;
/** A line is a status, a number or an error: scripts write errors of a few kilobytes. */
const longestLine = 16_384;
/** Values of all replies to one exchange, whole arrays included: small ones take the most memory. */
const mostValues = 1 << 20;
const lineEnd = 0x0a;

/** Without the stack, which would be the reader's and takes longer than all else. */
function refusal(message: string): Error {
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = 0;
  const error = new Error(message);
  Error.stackTraceLimit = stackTraceLimit;
  return error;
}

/** A piece of text or bytes for each argument that is bytes, and what is between them. */
export function encode(commands: readonly RedisCommand[]): string | Buffer {
  const pieces: Buffer[] = [];
  let text = '';
  for (const command of commands) {
    text += `*${command.length}\r\n`;
    for (const argument of command) {
      if (Buffer.isBuffer(argument)) {
        pieces.push(Buffer.from(`${text}$${argument.length}\r\n`), argument);
        text = '\r\n';
      } else {
        const word = String(argument);
        text += `$${Buffer.byteLength(word)}\r\n${word}\r\n`;
      }
    }
  }
  return pieces.length === 0 ? text : Buffer.concat([...pieces, Buffer.from(text)]);
}

const mebibytes = (bytes: number) => `${Math.round(bytes / 104_857.6) / 10} MiB`;

export interface ReplyReader {
  /** From now on this many bytes may come, all replies together. */
  allow(bytes: number): void;
  /** Throws when what comes is no reply, or over its bounds: then nothing more can be read. */
  feed(chunk: Buffer): void;
}

/** An array that is not whole. */
interface Level {
  readonly items: Reply[];
  left: number;
}

export function createReplyReader(
  asBuffers: boolean,
  onReply: (reply: Reply) => void,
): ReplyReader {
  let allowed = 0;
  let left = 0;
  let values = 0;
  /** Of a line, when it is not whole. */
  let rest: Buffer | undefined;
  /** Of a bulk string: what is there, in a buffer that grows with it, and how much is not. */
  let held = Buffer.alloc(0);
  let filled = 0;
  let missing = 0;
  const levels: Level[] = [];

  const textOf = (bytes: Buffer) => (asBuffers ? Buffer.from(bytes) : bytes.toString());

  function tooLarge(): never {
    throw new Error(`a reply of over ${mebibytes(allowed)}, more than is read of one`);
  }

  function give(reply: Reply): void {
    values += 1;
    if (values > mostValues) throw new Error(`replies of over ${mostValues} values`);
    let whole = reply;
    let level = levels.at(-1);
    while (level !== undefined) {
      level.items.push(whole);
      level.left -= 1;
      if (level.left > 0) return;
      levels.pop();
      whole = level.items;
      level = levels.at(-1);
    }
    onReply(whole);
  }

  function lengthOf(line: string): number {
    const length = Number(line.slice(1));
    if (!/^[*$](?:-1|\d{1,10})$/.test(line)) throw new Error('a length that is none');
    // No element is shorter than three bytes.
    if ((line.startsWith('$') ? length : length * 3) > allowed) tooLarge();
    return length;
  }

  function header(line: string): void {
    const length = lengthOf(line);
    if (length === -1) give(null);
    else if (line.startsWith('$')) missing = length + 2;
    else if (length === 0) give([]);
    else if (levels.length >= deepest) throw new Error(`arrays over ${deepest} levels deep`);
    else levels.push({ items: [], left: length });
  }

  function readLine(bytes: Buffer): void {
    const body = bytes.subarray(1, bytes.at(-1) === 0x0d ? -1 : undefined);
    switch (bytes[0]) {
      case 0x2b: // +
        give(textOf(body));
        break;
      case 0x2d: // -
        give(refusal(body.toString()));
        break;
      case 0x3a: // :
        if (!/^[+-]?\d{1,20}$/.test(body.toString('latin1')))
          throw new Error('a number that is none');
        give(Number(body.toString('latin1')));
        break;
      case 0x24: // $
      case 0x2a: // *
        header(`${String.fromCharCode(bytes[0])}${body.toString('latin1')}`);
        break;
      default:
        throw new Error(
          `no reply of Redis: ${JSON.stringify(bytes.toString('latin1').slice(0, 40))}`,
        );
    }
  }

  /** Twice as large each time it is full, so a peer that drips costs no more than one that pours. */
  function hold(piece: Buffer): void {
    if (filled + piece.length > held.length) {
      const larger = Buffer.allocUnsafe(Math.max(2 * held.length, filled + piece.length));
      held.copy(larger, 0, 0, filled);
      held = larger;
    }
    filled += piece.copy(held, filled);
  }

  function bulk(chunk: Buffer, start: number): number {
    const end = Math.min(chunk.length, start + missing);
    const piece = chunk.subarray(start, end);
    missing -= piece.length;
    if (missing > 0 || filled > 0) hold(piece);
    if (missing === 0) {
      const bytes = filled > 0 ? held.subarray(0, filled) : piece;
      const value = textOf(bytes.subarray(0, -2));
      held = Buffer.alloc(0);
      filled = 0;
      give(value);
    }
    return end;
  }

  function line(chunk: Buffer, start: number): number {
    const end = chunk.indexOf(lineEnd, start);
    const piece = chunk.subarray(start, end === -1 ? undefined : end);
    const bytes = rest === undefined ? piece : Buffer.concat([rest, piece]);
    if (bytes.length > longestLine) throw new Error(`a line of over ${longestLine} bytes`);
    rest = end === -1 ? Buffer.from(bytes) : undefined;
    if (end === -1) return chunk.length;
    readLine(bytes);
    return end + 1;
  }

  return {
    allow(bytes) {
      allowed = bytes;
      left = bytes;
      values = 0;
    },
    feed(chunk) {
      left -= chunk.length;
      if (left < 0) tooLarge();
      let at = 0;
      while (at < chunk.length) at = missing > 0 ? bulk(chunk, at) : line(chunk, at);
    },
  };
}
