/**
 * Large answers that nobody compressed: so many of them are given at once, the others wait, each
 * within the time an answer may take at all. Prometheus asks for gzip and never waits here.
 */
import type { ServerResponse } from 'node:http';

export interface TurnLimits {
  readonly atOnce: number;
  /** How long one may take while others wait: a client that does not read must not keep its turn. */
  readonly seconds: number;
}

export const turnLimits: TurnLimits = { atOnce: 4, seconds: 5 };

/** Resolves when it is this response's turn, or at once when its client has gone. */
export type Turns = (response: ServerResponse) => Promise<void>;

export function createTurns({ atOnce, seconds }: TurnLimits): Turns {
  const waiting = new Map<ServerResponse, () => void>();
  const given = new Set<ServerResponse>();

  function next(): void {
    for (const [response, go] of waiting) {
      if (given.size >= atOnce) return;
      waiting.delete(response);
      given.add(response);
      limit(response);
      go();
    }
  }

  function limit(response: ServerResponse): void {
    let timer: NodeJS.Timeout;
    function arm(): void {
      timer = setTimeout(() => {
        if (waiting.size > 0) response.destroy();
        else arm();
      }, seconds * 1000).unref();
    }
    arm();
    response.once('close', () => clearTimeout(timer));
  }

  return async (response) => {
    if (response.destroyed) return;
    const turn = Promise.withResolvers<void>();
    waiting.set(response, turn.resolve);
    response.once('close', () => {
      waiting.delete(response);
      given.delete(response);
      turn.resolve();
      next();
    });
    next();
    await turn.promise;
  };
}
