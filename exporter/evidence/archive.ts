/** The rows of incidents: what the ring held before, then each second, then each minute. */
import { createFolding, width } from './fold.ts';
import type { Moment } from './format.ts';
import type { Ring } from './ring.ts';
import { rowText } from './row-text.ts';
import { createTable } from './table.ts';

const minute = 60;
/** What an answer has room for where there is little else to tell. */
const firstLimit = 224 * 1024;

export interface RowText {
  readonly step: number;
  readonly text: string;
}

export interface Archive {
  /** Rows of the ring after `from` become the first of this owner, unless another has them. */
  begin(owner: number, from: Moment): void;
  /** What the ring got since; `coarse`: a row a minute. */
  record(owner: number, coarse: boolean): void;
  /** The minute under way is over. */
  end(owner: number): void;
  drop(owner: number): void;
  /** The minute under way is the last row. */
  texts(owner: number): Generator<RowText>;
  limit(bytes: number): void;
}

export function createArchive(ring: Ring): Archive {
  const table = createTable(firstLimit);
  const row = new Float32Array(width);
  const folding = createFolding();
  /** Of the minute under way. */
  let seconds = 0;
  let current = 0;
  /** Of the last row that was taken: none is taken twice. */
  let taken: Moment = -Infinity;

  function keep(owner: number, from: Moment): void {
    ring.since(Math.max(from, taken), (time, values, offset) => {
      table.append(owner, time, 1, values.subarray(offset, offset + width));
      taken = time;
    });
  }

  function flush(owner: number): void {
    if (seconds === 0) return;
    folding.write(row, 0);
    table.append(owner, taken, seconds, row);
    folding.clear();
    seconds = 0;
  }

  return {
    begin(owner, from) {
      current = owner;
      folding.clear();
      seconds = 0;
      keep(owner, from);
    },
    record(owner, coarse) {
      if (!coarse) {
        keep(owner, taken);
        return;
      }
      ring.since(taken, (time, values, offset) => {
        folding.add(values, offset, 1);
        seconds += 1;
        taken = time;
      });
      if (seconds >= minute) flush(owner);
    },
    end: flush,
    drop: (owner) => table.drop(owner),
    *texts(owner) {
      yield* table.texts(owner);
      if (owner !== current || seconds === 0) return;
      folding.write(row, 0);
      yield { step: seconds, text: rowText(taken, row, 0) };
    },
    limit: (bytes) => table.limit(bytes),
  };
}
