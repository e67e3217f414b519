/**
 * What the doctor finds missing on this machine: with it the next report, or the next alert, comes to more. And what the
 * exporter holds that it asks, wherever that listens.
 */
import type { Mend, Result } from '../doctor/check.ts';
import { withUnitEnvironment } from '../doctor/environment.ts';
import { examine } from '../doctor/examine.ts';
import { openExporter } from '../doctor/exporter.ts';
import { readDoctorOptions } from '../doctor/options.ts';
import { messageOf } from '../measure/errors.ts';
import { systemClock } from '../measure/clock.ts';
import type { Facts, Missing } from './facts/facts.ts';
import { leftOutLocal } from './sources/local.ts';
import type { GatherOptions, RecorderAnswer } from './sources/options.ts';

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

const mostEvidenceBytes = 1024 * 1024;

/** Of the exporter of this machine; undefined where another place is named, or its settings are wrong. */
export async function askRecorder(
  options: GatherOptions,
  env: Readonly<Record<string, string | undefined>>,
): Promise<RecorderAnswer | undefined> {
  if (!isHere(options) || options.lastBoot || options.evidence !== undefined) return undefined;
  const command = readDoctorOptions([], withUnitEnvironment(env).env);
  if (command.kind !== 'examine') return undefined;
  const { exporter } = command.options;
  const name = `${exporter.url.origin}/evidence`;
  try {
    const ask = await openExporter(exporter);
    const body = await ask('/evidence', mostEvidenceBytes);
    return { name, text: Buffer.from(body, 'latin1').toString() };
  } catch (error) {
    return { name, problem: messageOf(error) };
  }
}

/** Facts of another machine are not mended here; what a source has said is not said twice. */
export function withDoctor(facts: Facts, found: readonly Missing[]): Facts {
  if (facts.missing.some(({ what }) => what === leftOutLocal.what)) return facts;
  const told = new Set(facts.missing.map(({ command }) => command));
  const news = found.filter(({ command }) => command === undefined || !told.has(command));
  return { ...facts, missing: [...facts.missing, ...news] };
}
