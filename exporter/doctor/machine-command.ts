/** What the commands that ask this machine do alike: the settings of the unit, --help, and options that are wrong. */
import type { OneShot, Surroundings } from '../core/one-shot.ts';
import { withUnitEnvironment } from './environment.ts';

/** What is said instead of doing anything. */
export type Answered =
  | { readonly kind: 'print'; readonly text: string }
  | { readonly kind: 'invalid'; readonly problems: readonly string[] };

interface Command {
  readonly kind: string;
}

type Environment = Surroundings['env'];

export interface MachineCommand<C extends Command> {
  readonly word: string;
  readonly read: (argv: readonly string[], env: Environment) => C | Answered;
  /** `problem`: why the settings of the unit are not known. Gives the exit code. */
  readonly run: (
    command: C,
    surroundings: Surroundings,
    problem: string | undefined,
  ) => Promise<number>;
}

const wrongOptions = 3;

const isAnswered = (command: Command | Answered): command is Answered =>
  command.kind === 'print' || command.kind === 'invalid';

export function machineCommand<C extends Command>({ word, read, run }: MachineCommand<C>): OneShot {
  return async (surroundings) => {
    const { env, problem } = withUnitEnvironment(surroundings.env);
    const command = read(surroundings.argv, env);
    if (!isAnswered(command)) {
      return run(command, surroundings, problem && `${problem}: run this as root.\n`);
    }
    if (command.kind === 'print') {
      surroundings.print(command.text);
      return 0;
    }
    const lines = command.problems.map((one) => `  ${one}`);
    surroundings.complain([`stealwatch ${word}:`, ...lines, ''].join('\n'));
    return wrongOptions;
  };
}
