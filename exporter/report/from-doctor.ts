/** What the doctor finds missing on this machine: with it the next report, or the next alert, comes to more. */
import type { Mend, Result } from '../doctor/check.ts';
import { withUnitEnvironment } from '../doctor/environment.ts';
import { examine } from '../doctor/examine.ts';
import { readDoctorOptions } from '../doctor/options.ts';
import { systemClock } from '../measure/clock.ts';
import type { Facts, Missing } from './facts/facts.ts';
import { leftOutLocal } from './sources/local.ts';
import type { GatherOptions } from './sources/options.ts';

const textsOf = (mend: Mend, advice: boolean): string[] =>
  mend.filter(({ kind }) => (kind === 'advice') === advice).map(({ text }) => text);

/** What is copied into a shell stands as the command, and what is done by hand in the sentence. */
function missingOf({ title, reason, mend }: Result): Missing {
  const [commands, byHand] = [textsOf(mend, false), textsOf(mend, true)];
  return {
    what: title,
    why: [reason, ...byHand].join('; '),
    ...(commands.length === 0 ? {} : { command: commands.join(' && ') }),
  };
}

export const missingFrom = (results: readonly Result[]): Missing[] =>
  results.filter(({ state }) => state === 'fail').map(missingOf);

/** Nobody named another place than this machine. */
const isHere = ({ root, journal, kernLog, sysstat, redisLog }: GatherOptions) =>
  root === '/' &&
  journal === undefined &&
  [kernLog, sysstat, redisLog].every((paths) => paths.length === 0);

/** Empty where the report may be of another machine, or the settings of the exporter are wrong. */
export async function askDoctor(
  options: GatherOptions,
  env: Readonly<Record<string, string | undefined>>,
): Promise<readonly Missing[]> {
  if (!isHere(options)) return [];
  const command = readDoctorOptions([], withUnitEnvironment(env).env);
  if (command.kind !== 'examine') return [];
  return missingFrom(await examine({ ...command.options, clock: systemClock }));
}

/** Facts of another machine are not mended here; what a source has said is not said twice. */
export function withDoctor(facts: Facts, found: readonly Missing[]): Facts {
  if (facts.missing.some(({ what }) => what === leftOutLocal.what)) return facts;
  const told = new Set(facts.missing.map(({ command }) => command));
  const news = found.filter(({ command }) => command === undefined || !told.has(command));
  return { ...facts, missing: [...facts.missing, ...news] };
}
