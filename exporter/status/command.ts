/** `stealwatch status`: the page at `/` of this machine's exporter or another's, and an exit code. */
import type { Severity } from '../core/collector.ts';
import { machineCommand } from '../doctor/machine-command.ts';
import { messageOf } from '../measure/errors.ts';
import { askForPage } from './ask.ts';
import { readStatusOptions } from './options.ts';
import { forTerminal } from './terminal.ts';

const codes: Readonly<Record<Severity, number>> = { good: 0, warning: 1, bad: 2 };

export const status = machineCommand({
  word: 'status',
  read: readStatusOptions,
  async run({ place }, { print, complain, colour = false, columns }, problem) {
    try {
      const { state, text, address } = await askForPage(place, { columns });
      print(forTerminal(text, colour, address));
      return codes[state];
    } catch (error) {
      print(forTerminal(`BAD   ${messageOf(error)}.\n`, colour));
      // Where it listens, and what it asks for, may be said there.
      if (problem !== undefined) complain(problem);
      return codes.bad;
    }
  },
});
