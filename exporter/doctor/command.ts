/** `stealwatch doctor`: options, checks, one screen. */
import { systemClock } from '../measure/clock.ts';
import { examine } from './examine.ts';
import { machineCommand } from './machine-command.ts';
import { readDoctorOptions } from './options.ts';
import { exitCodeOf, jsonOf, screenOf } from './screen.ts';

export const doctor = machineCommand({
  word: 'doctor',
  read: readDoctorOptions,
  async run({ options, json }, { print, complain }, problem) {
    if (problem !== undefined) complain(problem);
    let stuck: readonly string[] = [];
    const results = await examine({
      ...options,
      clock: systemClock,
      onStuck: (paths) => {
        stuck = paths;
      },
    });
    print(json ? jsonOf(results) : screenOf(results));
    if (stuck.length > 0) {
      const paths = stuck.join(', ');
      complain(
        `A thread of this command waits for ${paths}; if it sleeps in D state, the command ends when it wakes.\n`,
      );
    }
    return exitCodeOf(results);
  },
});
