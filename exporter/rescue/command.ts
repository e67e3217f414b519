/** `stealwatch rescue`: options, and then a look, a write, or a watch. */
import { execFile } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import type { OneShot, Surroundings } from '../core/one-shot.ts';
import { readSmallFile } from '../core/read-file.ts';
import {
  createRescueRecorder,
  readRescueRecord,
  rescueRecordPath,
  secondsSinceBoot,
} from '../core/rescue-record.ts';
import { type AskExporter, openExporter } from '../doctor/exporter.ts';
import { machineCommand } from '../doctor/machine-command.ts';
import { version } from '../core/version.ts';
import { createLog } from '../log/log.ts';
import { systemClock } from '../measure/clock.ts';
import { messageOf } from '../measure/errors.ts';
import { createPseudoFs } from '../procfs/reader.ts';
import { startProblem } from '../procfs/start-check.ts';
import { type ActSettings, begin, loosely } from './act.ts';
import { createMsrs } from './msr.ts';
import { openOwnEyes } from './own-eyes.ts';
import { onlyOfThisMachine } from './exporter.ts';
import { readRescueOptions, type RescueOptions } from './options.ts';
import { lookText, releasedText, shown } from './screen.ts';
import { createWatch, secondsBetweenLooks } from './watch.ts';

const nothingLeft = 0;
const stillParked = 1;
const refused = 2;

const moduleSeconds = 10;
const keptByWatch = 20;

/** In the place of the machine's own, for tests. */
export interface RescueDoubles extends Partial<Pick<ActSettings, 'msrs' | 'sleep'>> {
  readonly arch?: string;
  readonly recordPath?: string;
  readonly looks?: number;
}

async function loadModule(): Promise<void> {
  const path = `${process.env['PATH'] ?? ''}:/usr/sbin:/sbin`;
  await promisify(execFile)('modprobe', ['msr'], {
    timeout: moduleSeconds * 1000,
    killSignal: 'SIGKILL',
    env: { PATH: path },
  });
}

const readText = async (path: string) => (await readSmallFile(path)).toString('utf8');

/** What it says of itself comes with where it is, which holds neither user nor password. */
function opener({ exporter }: RescueOptions): () => Promise<AskExporter> {
  const named = (error: unknown) =>
    new Error(`${exporter.url.origin}: ${messageOf(error)}`, { cause: error });
  return async () => {
    try {
      const ask = await openExporter(exporter, readText);
      return (path, bytes) =>
        ask(path, bytes).catch((error: unknown) => {
          throw named(error);
        });
    } catch (error) {
      throw named(error);
    }
  };
}

function settingsOf(options: RescueOptions, doubles: RescueDoubles): ActSettings {
  const { procfs, sysfs, kmsg, redis, out, allCpus } = options;
  const { arch = process.arch, msrs = createMsrs(), recordPath = rescueRecordPath } = doubles;
  return {
    place: { procfs: createPseudoFs(procfs), sysfs: createPseudoFs(sysfs), arch },
    msrs,
    kmsg,
    redis,
    out,
    allCpus,
    ask: opener(options),
    record: createRescueRecorder(recordPath),
    sinceBoot: secondsSinceBoot,
    ...(doubles.sleep === undefined ? {} : { sleep: doubles.sleep }),
  };
}

async function once(
  { write }: RescueOptions,
  settings: ActSettings,
  print: Surroundings['print'],
): Promise<number> {
  const { look, act } = await begin(settings);
  print(lookText(look));
  const nothing = look.threads.length === 0 && look.blindness === undefined;
  if (look.refusal !== undefined) return nothing && !write ? nothingLeft : refused;
  if (!write) return nothing ? nothingLeft : stillParked;
  const released = await act((line) => print(`${shown(line)}\n`));
  print(releasedText(released, look));
  if (released.result === 'failed') return refused;
  // Refused is what woke before anything was written.
  return released.result === 'not_released' ? stillParked : nothingLeft;
}

async function watch(
  { stuckAfter, exporter }: RescueOptions,
  settings: ActSettings,
  { recordPath = rescueRecordPath, looks = Infinity }: RescueDoubles,
): Promise<number> {
  const { log } = createLog('info');
  const kept = { ...settings, mostKept: keptByWatch };
  const { place, ask, sinceBoot } = settings;
  const record = loosely(settings.record, (line) => log.warn({}, line));
  const eyes = openOwnEyes({ ...place, clock: systemClock, rescueRecord: recordPath });
  const one = createWatch({
    clock: systemClock,
    stuckAfter,
    ask: onlyOfThisMachine(exporter.url, ask),
    eyes,
    begin: () => begin(kept),
    record,
    readRecord: () => readRescueRecord(recordPath),
    sinceBoot,
    log,
  });
  log.info({ stuckAfter, version }, 'watching');
  for (let look = 0; look < looks; look += 1) {
    await one.step();
    await (settings.sleep?.(secondsBetweenLooks) ?? sleep(secondsBetweenLooks * 1000));
  }
  return nothingLeft;
}

async function run(
  options: RescueOptions,
  { print, complain }: Surroundings,
  doubles: RescueDoubles,
): Promise<number> {
  const tell = (line: string) => complain(`stealwatch rescue: ${shown(line)}\n`);
  try {
    const problem = await startProblem(options);
    if (problem !== undefined) throw new Error(problem.text);
    if (options.loadModule) await loadModule();
    const settings = settingsOf(options, doubles);
    return options.watch
      ? await watch(options, settings, doubles)
      : await once(options, settings, print);
  } catch (error) {
    tell(messageOf(error));
    return refused;
  }
}

export const rescueWith = (doubles: RescueDoubles): OneShot =>
  machineCommand({
    word: 'rescue',
    read: readRescueOptions,
    run({ options }, surroundings, problem) {
      if (problem !== undefined) surroundings.complain(problem);
      return run(options, surroundings, doubles);
    },
  });

export const rescue = rescueWith({});
