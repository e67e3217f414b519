/** `stealwatch doctor`: options, checks, one screen. */
import type { OneShot } from '../core/one-shot.ts';
import { systemClock } from '../measure/clock.ts';
import { examine } from './examine.ts';
import { readDoctorOptions } from './options.ts';
import { exitCodeOf, jsonOf, screenOf } from './screen.ts';

const wrongOptions = 3;

export const doctor: OneShot = async ({ argv, env, print, complain }) => {
  const command = readDoctorOptions(argv, env);
  if (command.kind === 'print') {
    print(command.text);
    return 0;
  }
  if (command.kind === 'invalid') {
    complain(['stealwatch doctor:', ...command.problems.map((one) => `  ${one}`), ''].join('\n'));
    return wrongOptions;
  }
  const results = await examine({ ...command.options, clock: systemClock });
  print(command.json ? jsonOf(results) : screenOf(results));
  return exitCodeOf(results);
};
