/** `stealwatch status`: the page at `/` of this machine's exporter or another's, and an exit code. */
import type { OneShot } from '../core/one-shot.ts';
import type { Severity } from '../core/collector.ts';
import { withUnitEnvironment } from '../doctor/environment.ts';
import { messageOf } from '../measure/errors.ts';
import { askForPage } from './ask.ts';
import { readStatusOptions } from './options.ts';
import { forTerminal } from './terminal.ts';

const codes: Readonly<Record<Severity, number>> = { good: 0, warning: 1, bad: 2 };
const wrongOptions = 3;

export const status: OneShot = async ({ argv, env: own, print, complain, colour = false }) => {
  const { env, problem } = withUnitEnvironment(own);
  const command = readStatusOptions(argv, env);
  if (command.kind === 'print') {
    print(command.text);
    return 0;
  }
  if (command.kind === 'invalid') {
    complain(['stealwatch status:', ...command.problems.map((one) => `  ${one}`), ''].join('\n'));
    return wrongOptions;
  }
  const { place } = command;
  try {
    const { state, text, address } = await askForPage(place);
    print(forTerminal(text, colour, address));
    return codes[state];
  } catch (error) {
    print(forTerminal(`BAD   ${messageOf(error)}.\n`, colour));
    // Where it listens, and what it asks for, may be said there.
    if (problem !== undefined) complain(`${problem}: run this as root.\n`);
    return codes.bad;
  }
};
