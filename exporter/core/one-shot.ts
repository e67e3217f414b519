/** A command that does one thing and ends: commands.ts has them. */

/** Everything a command may use of the process it is. */
export interface Surroundings {
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly print: (text: string) => void;
  readonly complain: (text: string) => void;
  /** What is printed goes to a terminal that shows colours to somebody who wants them. */
  readonly colour?: boolean;
  /** Of the terminal that it goes to; left out where it goes to none. */
  readonly columns?: number;
}

/** Gives the exit code. */
export type OneShot = (surroundings: Surroundings) => Promise<number>;
