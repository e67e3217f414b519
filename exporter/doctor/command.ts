/** `stealwatch doctor`: options, checks, one screen. */
import type { OneShot } from '../core/one-shot.ts';
import { systemClock } from '../measure/clock.ts';
import { withUnitEnvironment } from './environment.ts';
import { examine } from './examine.ts';
import { readDoctorOptions } from './options.ts';
import { exitCodeOf, jsonOf, screenOf } from './screen.ts';

const wrongOptions = 3;

export const doctor: OneShot = async ({ argv, env: own, print, complain }) => {
  const { env, problem } = withUnitEnvironment(own);
  const command = readDoctorOptions(argv, env);
  if (command.kind === 'print') {
    print(command.text);
    return 0;
  }
  if (command.kind === 'invalid') {
    complain(['stealwatch doctor:', ...command.problems.map((one) => `  ${one}`), ''].join('\n'));
    return wrongOptions;
  }
  if (problem !== undefined) complain(`${problem}: run this as root.\n`);
  let stuck: readonly string[] = [];
  const results = await examine({
    ...command.options,
    clock: systemClock,
    onStuck: (paths) => {
      stuck = paths;
    },
  });
  print(command.json ? jsonOf(results) : screenOf(results));
  if (stuck.length > 0) {
    const paths = stuck.join(', ');
    complain(
      `A thread of this command waits for ${paths}; if it sleeps in D state, the command ends when it wakes.\n`,
    );
  }
  return exitCodeOf(results);
};
