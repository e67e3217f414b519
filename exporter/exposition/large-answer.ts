/**
 * Answers too large to be handed to each client whole. Each is given in slices, the next one once
 * its client has taken the one before, and a turn of the event loop lies between them: of any
 * number that read at once each gets its page, and nobody else waits for them. What they keep in
 * memory meanwhile is told, for `connections.ts` to add up.
 */
import { Readable } from 'node:stream';
import { createInflated, type Inflated, inflatedLimits } from './inflated.ts';
import type { Prepared } from '../core/prepared.ts';
import { createTurns } from './turns.ts';
import { asError } from '../measure/errors.ts';

/** What an answer under way keeps in memory; the same key for all who share it. */
export interface Held {
  readonly key: object;
  readonly bytes: number;
}

/** Text of this moment, encoded, and text that was prepared. */
export type Parts = readonly (Buffer | Prepared)[];

export interface LargeAnswer {
  readonly body: Readable;
  /** Of the body, in bytes. */
  readonly length: number;
  readonly held: () => readonly Held[];
}

/** As much as waits in the socket of a client: what is inflated at a time, */
const sliceBytes = 256 * 1024;
/** and less where that is a copy for each. */
const encryptedSliceBytes = 64 * 1024;

export const isLarge = (body: Buffer): boolean => body.length > encryptedSliceBytes;

const sum = (lengths: readonly number[]): number => lengths.reduce((all, one) => all + one, 0);

/** Of texts each by itself. Of what was prepared, all of a page was made together and goes together. */
function heldBy(parts: Parts): readonly Held[] {
  const texts = parts.filter((part) => Buffer.isBuffer(part));
  const prepared = parts.filter((part): part is Prepared => !Buffer.isBuffer(part));
  const held: Held[] = texts.map((key) => ({ key, bytes: key.length }));
  const [key] = prepared;
  if (key !== undefined) {
    const pieces = prepared.flatMap((one) => one.pieces);
    held.push({ key, bytes: sum(pieces.map(({ length }) => length)) });
  }
  return held;
}

/** Makes the answer for one client of those that share these parts. */
export type Answers = (parts: Parts) => () => Promise<LargeAnswer>;

export function createLargeAnswers(
  encrypted: boolean,
  inflated: Inflated = createInflated(inflatedLimits),
): Answers {
  const most = encrypted ? encryptedSliceBytes : sliceBytes;
  const turn = createTurns();
  let readers = 0;

  function* slices(text: Buffer): Generator<Buffer> {
    for (let at = 0; at < text.length; at += most) yield text.subarray(at, at + most);
  }

  function answer(parts: Parts, length: number, shared: readonly Held[]): LargeAnswer {
    let current: Buffer | undefined;
    let began = false;
    let given = 0;

    async function* texts(): AsyncGenerator<Buffer> {
      for (const part of parts) {
        if (Buffer.isBuffer(part)) yield* slices(part);
        else {
          for (const piece of part.pieces) {
            current = await inflated.textOf(piece);
            yield* slices(current);
          }
          current = undefined;
        }
      }
    }

    const iterator = texts();
    async function next(): Promise<void> {
      await turn();
      const { value } = await iterator.next();
      given += value?.length ?? 0;
      if (value !== undefined) body.push(value);
      // With the last of it: its client may ask for the next answer once it has this one.
      if (value === undefined || given === length) body.push(null);
    }

    const body = new Readable({
      // Nothing is read ahead: what waits for the client is in its socket, and once.
      highWaterMark: 0,
      read() {
        if (!began) readers += 1;
        began = true;
        next().catch((error: unknown) => {
          body.destroy(asError(error));
        });
      },
      destroy(error, done) {
        current = undefined;
        if (began) readers -= 1;
        if (readers === 0) inflated.clear();
        done(error);
      },
    });
    return {
      body,
      length,
      held: () => [
        ...shared,
        { key: inflated, bytes: inflated.bytes() },
        ...(current === undefined ? [] : [{ key: current, bytes: current.length }]),
      ],
    };
  }

  return (parts) => {
    const length = sum(parts.map((part) => part.length));
    const shared = heldBy(parts);
    return async () => {
      await turn();
      return answer(parts, length, shared);
    };
  };
}
