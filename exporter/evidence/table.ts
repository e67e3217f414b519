/**
 * The rows of all incidents in one table, in flat memory: as many bytes of text as the answer has
 * room for. What is full is thinned where it is oldest: rows of a second become rows of 10 s, of a
 * minute, of ten minutes, and go.
 */
import { createFolding, width } from './fold.ts';
import { rowText } from './row-text.ts';

const capacity = 4096;
/** Steps in seconds; what is thinned takes the next one. */
const ladder = [10, 60, 600] as const;
/** As many rows are thinned at a time, and as many of the newest never are. */
const thinnedAtATime = 600;
const newestKept = 300;
const droppedAtATime = 64;

export interface Table {
  /** Rows of one incident come one after another, and incidents do. */
  append(owner: number, time: number, step: number, values: ArrayLike<number>): void;
  /** Forget all of one incident. */
  drop(owner: number): void;
  /** Calls with each row of the incident, oldest first. */
  texts(owner: number): Generator<{ readonly step: number; readonly text: string }>;
  /** Hold no more than so many bytes of text from now on. */
  limit(most: number): void;
  bytes(): number;
  size(): number;
}

export function createTable(firstLimit: number): Table {
  const times = new Float64Array(capacity);
  const steps = new Uint16Array(capacity);
  const owners = new Uint32Array(capacity);
  const lengths = new Uint16Array(capacity);
  const values = new Float32Array(capacity * width);
  const folding = createFolding();
  let size = 0;
  let bytes = 0;
  let mostBytes = firstLimit;

  const textOf = (row: number) => rowText(times[row] ?? 0, values, row * width);

  function measure(row: number): void {
    const length = textOf(row).length + 1;
    lengths[row] = length;
    bytes += length;
  }

  /** Rows `from` up to `end` to where `to` is, all at once. */
  function move(from: number, end: number, to: number): void {
    for (const column of [times, steps, owners, lengths]) column.copyWithin(to, from, end);
    values.copyWithin(to * width, from * width, end * width);
  }

  /** Rows between `to` and `end` are no more. */
  function close(to: number, end: number): void {
    move(end, size, to);
    size -= end - to;
  }

  function release(from: number, end: number): void {
    for (let row = from; row < end; row += 1) bytes -= lengths[row] ?? 0;
  }

  const slot = (row: number, step: number) => Math.ceil((times[row] ?? 0) / step);

  /** Rows of one incident that follow each other and are finer than `step`. */
  function oldestRun(step: number): readonly [from: number, end: number] | undefined {
    const last = size - newestKept;
    let from = 0;
    while (from < last && (steps[from] ?? 0) >= step) from += 1;
    let end = from;
    while (
      end < Math.min(last, from + thinnedAtATime) &&
      (steps[end] ?? 0) < step &&
      owners[end] === owners[from]
    ) {
      end += 1;
    }
    // What goes on behind the end is one row with it, the next time.
    const goesOn = end < size && owners[end] === owners[from] && (steps[end] ?? 0) < step;
    if (goesOn) while (end > from && slot(end, step) === slot(end - 1, step)) end -= 1;
    return end > from ? [from, end] : undefined;
  }

  function thin(from: number, end: number, step: number): void {
    release(from, end);
    let to = from;
    for (let row = from; row < end; row += 1) {
      folding.add(values, row * width, steps[row] ?? 1);
      if (row + 1 < end && slot(row + 1, step) === slot(row, step)) continue;
      move(row, row + 1, to);
      folding.write(values, to * width);
      folding.clear();
      steps[to] = step;
      measure(to);
      to += 1;
    }
    close(to, end);
  }

  function makeRoom(): void {
    for (const step of ladder) {
      const run = oldestRun(step);
      if (run === undefined) continue;
      thin(...run, step);
      return;
    }
    const end = Math.min(droppedAtATime, size);
    release(0, end);
    close(0, end);
  }

  const isFull = () => size > 0 && (size >= capacity || bytes >= mostBytes);

  return {
    append(owner, time, step, row) {
      while (isFull()) makeRoom();
      times[size] = time;
      steps[size] = step;
      owners[size] = owner;
      for (let i = 0; i < width; i += 1) values[size * width + i] = row[i] ?? NaN;
      measure(size);
      size += 1;
    },
    drop(owner) {
      const from = owners.subarray(0, size).indexOf(owner);
      if (from < 0) return;
      const end = owners.subarray(0, size).lastIndexOf(owner) + 1;
      release(from, end);
      close(from, end);
    },
    *texts(owner) {
      for (let row = 0; row < size; row += 1) {
        if (owners[row] === owner) yield { step: steps[row] ?? 1, text: textOf(row) };
      }
    },
    limit(most) {
      mostBytes = most;
      while (isFull()) makeRoom();
    },
    bytes: () => bytes,
    size: () => size,
  };
}
