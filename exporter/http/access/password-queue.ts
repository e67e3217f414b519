/**
 * Whose password is compared next. A comparison takes a tenth of a second and more, so passwords
 * that are not known yet wait, and whoever guesses must not keep out somebody who knows:
 * - a password that comes again goes first: a scraper repeats its own until it is let in, and who
 *   guesses has no use for the same one twice;
 * - then places take turns, the one served longest ago first. A place is a client's address and a
 *   user that exists, or all that do not;
 * - where all places are taken, the fullest one gives up its oldest.
 * Who waits is compared also when its client has gone: the next time the answer is known.
 */
import { setTimeout as sleep } from 'node:timers/promises';

interface Waiting<T> {
  readonly place: string;
  readonly compare: () => Promise<T>;
  readonly verdict: PromiseWithResolvers<T>;
  /** It has come before. */
  again: boolean;
}

export interface PasswordQueue<T> {
  /** `key` stands for the password: an even digest. */
  submit(key: Buffer, place: string, compare: () => Promise<T>): Promise<T>;
}

const mostWaiting = 64;
const mostPlaces = 1000;
const longestRestMs = 5000;

/** 64 KiB: of 650 guesses a second for a minute one in 200 passes for one that came before. */
const filterBits = 19;
const generationMs = 60_000;

/** What came within the last minute or two, as a Bloom filter in two generations. */
function createMemory() {
  const size = 2 ** (filterBits - 3);
  let now = new Uint8Array(size);
  let before = new Uint8Array(size);
  let began = performance.now();

  function turn(): void {
    const age = performance.now() - began;
    if (age < generationMs) return;
    before = age < 2 * generationMs ? now : new Uint8Array(size);
    now = new Uint8Array(size);
    began = performance.now();
  }

  return {
    /** Whether it came before; and now it did. */
    note(key: Buffer): boolean {
      turn();
      const bits = [0, 4, 8, 12].map((at) => key.readUInt32LE(at) >>> (32 - filterBits));
      const has = (filter: Uint8Array) =>
        bits.every((bit) => ((filter[bit >>> 3] ?? 0) & (1 << (bit & 7))) !== 0);
      const known = has(now) || has(before);
      for (const bit of bits) now[bit >>> 3] = (now[bit >>> 3] ?? 0) | (1 << (bit & 7));
      return known;
    },
  };
}

function fullestPlace<T>(waiting: readonly Waiting<T>[]): readonly Waiting<T>[] {
  const places = [...Map.groupBy(waiting, ({ place }) => place).values()];
  return places.reduce((most, some) => (some.length > most.length ? some : most));
}

/** `rest`: how long to rest after a comparison, as a multiple of what it took. */
export function createPasswordQueue<T>(rest: number, busy: T): PasswordQueue<T> {
  const memory = createMemory();
  /** In the order in which they came. */
  const waiting = new Map<string, Waiting<T>>();
  /** When each place had its last turn. */
  const turns = new Map<string, number>();
  let turn = 0;
  let working = false;

  function giveUpOne(): void {
    const all = [...waiting.values()];
    const strangers = all.filter(({ again }) => !again);
    const [victim] = fullestPlace(strangers.length > 0 ? strangers : all);
    for (const [key, one] of waiting) if (one === victim) waiting.delete(key);
    victim?.verdict.resolve(busy);
  }

  function next(): Waiting<T> | undefined {
    let best: string | undefined;
    let lowest = Infinity;
    for (const [key, { again, place }] of waiting) {
      const rank = (turns.get(place) ?? 0) + (again ? 0 : turn + 1);
      if (rank < lowest) [best, lowest] = [key, rank];
    }
    if (best === undefined) return undefined;
    const chosen = waiting.get(best);
    waiting.delete(best);
    return chosen;
  }

  function noteTurn(place: string): void {
    if (turns.size >= mostPlaces) turns.clear();
    turn += 1;
    turns.set(place, turn);
  }

  async function work(): Promise<void> {
    working = true;
    for (let one = next(); one !== undefined; one = next()) {
      const { place, compare, verdict } = one;
      noteTurn(place);
      const began = performance.now();
      await compare().then(verdict.resolve, verdict.reject);
      const restMs = Math.min(longestRestMs, rest * (performance.now() - began));
      if (restMs > 0) await sleep(restMs, undefined, { ref: false });
    }
    working = false;
  }

  return {
    submit(key, place, compare) {
      const name = key.toString('base64');
      const known = waiting.get(name);
      const again = memory.note(key);
      if (known !== undefined) {
        known.again = true;
        return known.verdict.promise;
      }
      const verdict = Promise.withResolvers<T>();
      waiting.set(name, { place, compare, verdict, again });
      if (waiting.size > mostWaiting) giveUpOne();
      if (!working) void work();
      return verdict.promise;
    },
  };
}
