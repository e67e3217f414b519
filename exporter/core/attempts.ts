/** Work in parts of which one may fail and must not keep the others from being done. */
import { asError } from '../measure/errors.ts';

export interface Attempts {
  /** What the work gives, or undefined when it throws. */
  readonly attempt: <T>(work: () => T) => T | undefined;
  /** The first that went wrong. */
  readonly failure: () => Error | undefined;
}

export function createAttempts(): Attempts {
  let failure: Error | undefined;
  return {
    attempt(work) {
      try {
        return work();
      } catch (error) {
        failure ??= asError(error);
        return undefined;
      }
    },
    failure: () => failure,
  };
}
