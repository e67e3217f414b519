/** Bytes into lines, of any size and of anything, in flat memory. */

/** No log we read has longer lines; what has is no such log, or torn. */
const longestLine = 1024 * 1024;

export interface LineSplitter {
  /** False when whoever takes the lines wants no more. */
  push(chunk: Buffer): boolean;
  /** What stands behind the last line feed is a line as well. */
  end(): void;
  /** Lines over a megabyte, left out. */
  tooLong(): number;
}

/** `onLine` may answer false: it has seen enough. */
export type OnLine = (line: string) => boolean | void;

/** A page that was never written comes out as zeros when a machine was reset. */
const leadingZeros = /^\0+/;

const clean = (line: string): string => {
  const text = line.charCodeAt(0) === 0 ? line.replace(leadingZeros, '') : line;
  return text.endsWith('\r') ? text.slice(0, -1) : text;
};

export function createLineSplitter(onLine: OnLine): LineSplitter {
  let pending: Buffer[] = [];
  let pendingBytes = 0;
  let dropping = false;
  let tooLong = 0;

  /** The unfinished line, and the beginning of this chunk that ends it. */
  function joined(rest: Buffer): Buffer {
    const whole = pendingBytes === 0 ? rest : Buffer.concat([...pending, rest]);
    pending = [];
    pendingBytes = 0;
    return whole;
  }

  function keep(rest: Buffer): void {
    if (dropping || rest.length === 0) return;
    if (pendingBytes + rest.length > longestLine) {
      dropping = true;
      tooLong++;
      joined(rest);
      return;
    }
    // A copy: whoever hands us the chunk may use it again.
    pending.push(Buffer.from(rest));
    pendingBytes += rest.length;
  }

  /** Lines of a text that ends with a line feed. */
  function handOver(text: string): boolean {
    let from = 0;
    for (;;) {
      const to = text.indexOf('\n', from);
      if (to < 0) return true;
      if (to > from && onLine(clean(text.slice(from, to))) === false) return false;
      from = to + 1;
    }
  }

  return {
    push(chunk) {
      let from = 0;
      if (dropping) {
        from = chunk.indexOf(10) + 1;
        if (from === 0) return true;
        dropping = false;
      }
      const last = chunk.lastIndexOf(10) + 1;
      if (last > from && !handOver(joined(chunk.subarray(from, last)).toString())) return false;
      keep(chunk.subarray(Math.max(from, last)));
      return true;
    },
    end() {
      const text = joined(Buffer.alloc(0)).toString();
      if (text !== '') onLine(clean(text));
    },
    tooLong: () => tooLong,
  };
}
