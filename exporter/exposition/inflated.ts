/**
 * Prepared pieces, inflated once for all who read about the same place of a page. The last few are
 * kept for those that follow; who is further behind has them inflated again. So whatever number
 * reads, memory has a bound, and the threads of the pool are not all taken.
 */
import { inflatePiece } from '../core/prepared.ts';

export interface InflatedLimits {
  /** Of texts that are kept for the next reader. */
  readonly keptBytes: number;
  /** Pieces that are inflated at the same time. */
  readonly atOnce: number;
}

export const inflatedLimits: InflatedLimits = { keptBytes: 4 * 1024 * 1024, atOnce: 3 };

/** What one may take while it is made: a piece is 128 KiB and the text of some queues more. */
const bytesInTheMaking = 256 * 1024;

export interface Inflated {
  textOf(piece: Buffer): Promise<Buffer>;
  /** All it holds now, whoever else does. */
  bytes(): number;
  /** Nobody reads any more: nothing is kept. */
  clear(): void;
}

export function createInflated(
  { keptBytes, atOnce }: InflatedLimits,
  inflate: (piece: Buffer) => Promise<Buffer> = inflatePiece,
): Inflated {
  /** The one nobody asked for longest is the first. */
  const kept = new Map<Buffer, Buffer>();
  const making = new Map<Buffer, Promise<Buffer>>();
  const waiting: (() => void)[] = [];
  let [underWay, bytes] = [0, 0];
  let clearings = 0;

  function keep(piece: Buffer, text: Buffer): void {
    kept.set(piece, text);
    bytes += text.length;
    for (const [oldest, { length }] of kept) {
      if (bytes <= keptBytes) return;
      kept.delete(oldest);
      bytes -= length;
    }
  }

  /** Whoever ends hands its place to the next. */
  async function make(piece: Buffer): Promise<Buffer> {
    if (underWay >= atOnce) await new Promise<void>((resolve) => waiting.push(resolve));
    else underWay += 1;
    const before = clearings;
    try {
      const text = await inflate(piece);
      if (clearings === before) keep(piece, text);
      return text;
    } finally {
      making.delete(piece);
      const next = waiting.shift();
      if (next === undefined) underWay -= 1;
      else next();
    }
  }

  return {
    async textOf(piece) {
      const text = kept.get(piece);
      if (text !== undefined) {
        kept.delete(piece);
        kept.set(piece, text);
        return text;
      }
      const promise = making.get(piece) ?? make(piece);
      making.set(piece, promise);
      return promise;
    },
    bytes: () => bytes + underWay * bytesInTheMaking,
    clear() {
      clearings += 1;
      kept.clear();
      bytes = 0;
    },
  };
}
