/** What a check of `stealwatch doctor` is: one question about the machine, and what mends it. */
import type { Machine } from './machine.ts';

/** `cannot_see`: neither good nor bad is known, and the reason says why. */
export type State = 'pass' | 'warn' | 'fail' | 'cannot_see';

/**
 * `tried`: a command, and a test runs this very text and sees the check pass afterwards. `not_tried`:
 * a command that needs what a test has not. `advice`: no command.
 */
export type StepKind = 'tried' | 'not_tried' | 'advice';

export interface Step {
  readonly kind: StepKind;
  readonly text: string;
}

/** What a person does, one after the other. The doctor does none of it. */
export type Mend = readonly Step[];

export interface Outcome {
  readonly state: State;
  /** A sentence or two about this machine, without secrets. */
  readonly reason: string;
  readonly mend?: Mend;
}

export interface Check {
  /** Unique, and stays: scripts select by it. */
  readonly id: string;
  readonly title: string;
  /** What it costs not to have it, for docs/doctor.md and `--json`. */
  readonly why: string;
  /** Where the answer is read. */
  readonly source: string;
  /** Every mend that an outcome may name. */
  readonly mends: readonly Mend[];
  /** Nothing on this machine can answer it. It is asked all the same, and costs no exit code. */
  readonly question?: true;
  /** What is thrown is what keeps us from seeing. */
  check(machine: Machine): Outcome | Promise<Outcome>;
}

/** What came of one check, as plain data. */
export interface Result {
  readonly id: string;
  readonly title: string;
  readonly why: string;
  readonly state: State;
  readonly reason: string;
  readonly question: boolean;
  readonly mend: Mend;
}

export const pass = (reason: string): Outcome => ({ state: 'pass', reason });
export const warn = (reason: string, mend?: Mend): Outcome => outcome('warn', reason, mend);
export const fail = (reason: string, mend?: Mend): Outcome => outcome('fail', reason, mend);
export const cannotSee = (reason: string, mend?: Mend): Outcome =>
  outcome('cannot_see', reason, mend);

function outcome(state: State, reason: string, mend?: Mend): Outcome {
  return { state, reason, ...(mend === undefined ? {} : { mend }) };
}

const steps =
  (kind: StepKind) =>
  (...texts: readonly string[]): Mend =>
    texts.map((text) => ({ kind, text }));

export const tried = steps('tried');
export const notTried = steps('not_tried');
export const advice = steps('advice');
