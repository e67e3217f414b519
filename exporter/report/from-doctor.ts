/**
 * What the doctor finds missing on this machine: with it the next report, or the next alert, comes to more. And what the
 * exporter holds that it asks, wherever that listens.
 */
import { textOf } from '../core/http-get.ts';
import type { Mend, Result } from '../doctor/check.ts';
import { withUnitEnvironment } from '../doctor/environment.ts';
import { examine } from '../doctor/examine.ts';
import { openExporter } from '../doctor/exporter.ts';
import { type ExamineCommand, readDoctorOptions } from '../doctor/options.ts';
import { messageOf } from '../measure/errors.ts';
import { systemClock } from '../measure/clock.ts';
import type { Facts, Missing } from './facts/facts.ts';
import { mostEvidenceBytes } from './sources/evidence.ts';
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

type Env = Readonly<Record<string, string | undefined>>;

/** As the doctor would be asked here; undefined where another place is named, or the settings of the exporter are wrong. */
function examinedHere(options: GatherOptions, env: Env): ExamineCommand['options'] | undefined {
  if (!isHere(options)) return undefined;
  const command = readDoctorOptions([], withUnitEnvironment(env).env);
  return command.kind === 'examine' ? command.options : undefined;
}

/** Empty where the report may be of another machine. */
export async function askDoctor(options: GatherOptions, env: Env): Promise<readonly Missing[]> {
  const here = examinedHere(options, env);
  return here === undefined ? [] : missingFrom(await examine({ ...here, clock: systemClock }));
}

/** Of the exporter of this machine; undefined where other evidence, or earlier boots alone, are asked for. */
export async function askRecorder(
  options: GatherOptions,
  env: Env,
): Promise<RecorderAnswer | undefined> {
  if (options.lastBoot || options.evidence !== undefined) return undefined;
  const here = examinedHere(options, env);
  if (here === undefined) return undefined;
  const name = `${here.exporter.url.origin}/evidence`;
  try {
    const ask = await openExporter(here.exporter);
    return { name, text: textOf(await ask('/evidence', mostEvidenceBytes)) };
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
