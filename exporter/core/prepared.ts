/**
 * Lines of text that are compressed once and sent many times: the numbers of 10,000 queues are
 * 20 MB, and are read every 15 s at most. Kept as raw deflate (RFC 1951) without an end, so that
 * one after the other they make the middle of a gzip file; whoever wants it plain gets it
 * inflated piece by piece (inflated.ts). The work is done by threads of the pool, a piece at a time.
 */
import { constants, crc32, deflateRaw, deflateRawSync, inflateRaw } from 'node:zlib';
import { promisify } from 'node:util';

const deflatePiece = promisify<Buffer, object, Buffer>(deflateRaw);
const inflateLater = promisify<Buffer, object, Buffer>(inflateRaw);

export interface Prepared {
  /** Each can be inflated by itself. */
  readonly pieces: readonly Buffer[];
  /** Of the text: its bytes, and their CRC-32. */
  readonly length: number;
  readonly crc: number;
}

/** Every piece ends at a byte, without the mark of the last block. */
const unended = { level: 1, finishFlush: constants.Z_SYNC_FLUSH };
const pieceBytes = 128 * 1024;

/** The text of one piece. */
export const inflatePiece = async (piece: Buffer): Promise<Buffer> => inflateLater(piece, unended);

export interface Preparing {
  /** Resolves once there is room for more. */
  add(text: string): Promise<void> | undefined;
  end(): Promise<Prepared>;
}

/** Gathers text into pieces that are large enough to compress well. */
export function startPreparing(): Preparing {
  const pieces: Buffer[] = [];
  let [length, crc] = [0, 0];
  let waiting = '';

  async function compress(): Promise<void> {
    const bytes = Buffer.from(waiting);
    waiting = '';
    length += bytes.length;
    crc = crc32(bytes, crc);
    pieces.push(await deflatePiece(bytes, unended));
  }

  return {
    add(text) {
      waiting += text;
      return waiting.length < pieceBytes ? undefined : compress();
    },
    async end() {
      if (waiting !== '') await compress();
      return { pieces, length, crc };
    },
  };
}

/** An answer in the order it is read: text of this moment, and text that was prepared. */
export type Page = readonly (string | Prepared)[];

/** 1 + x + x^2 + ... of gzip's CRC, bits reversed. */
const polynomial = 0xedb88320;

/** The product of two polynomials over GF(2) modulo that one. */
function product(a: number, b: number): number {
  let result = 0;
  let factor = b;
  for (let bit = 31; bit >= 0; bit -= 1) {
    if ((a >>> bit) & 1) result ^= factor;
    factor = factor & 1 ? (factor >>> 1) ^ polynomial : factor >>> 1;
  }
  return result >>> 0;
}

/** What the CRC of a text becomes when another follows it, of which only CRC and length are known. */
function crcOfBoth(crc: number, next: number, nextLength: number): number {
  // x^(8 * nextLength), by squaring.
  let power = 0x80000000;
  let square = 0x00800000;
  for (let rest = nextLength; rest > 0; rest = Math.floor(rest / 2)) {
    if (rest % 2 === 1) power = product(square, power);
    square = product(square, square);
  }
  return (product(power, crc) ^ next) >>> 0;
}

/** No file name, no time, fastest, any system. */
const gzipHeader = Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 4, 255]);
const lastBlock = Buffer.from([3, 0]);

/** One gzip file of all of it. */
export function gzipPage(page: Page): Buffer {
  const parts: Buffer[] = [gzipHeader];
  let [length, crc] = [0, 0];
  for (const part of page) {
    if (typeof part === 'string') {
      const bytes = Buffer.from(part);
      crc = crc32(bytes, crc);
      length += bytes.length;
      parts.push(deflateRawSync(bytes, unended));
    } else {
      crc = crcOfBoth(crc, part.crc, part.length);
      length += part.length;
      parts.push(...part.pieces);
    }
  }
  const trailer = Buffer.alloc(8);
  trailer.writeUInt32LE(crc, 0);
  trailer.writeUInt32LE(length % 2 ** 32, 4);
  return Buffer.concat([...parts, lastBlock, trailer]);
}

/** All of it, a piece at a time: the reader sets the pace. */
export async function* plainPage(page: Page): AsyncGenerator<Buffer> {
  for (const part of page) {
    if (typeof part === 'string') yield Buffer.from(part);
    else for (const piece of part.pieces) yield await inflatePiece(piece);
  }
}
