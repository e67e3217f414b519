/**
 * What `stealwatch rescue` has done on this machine, in a file on a file system in memory: there it
 * stands still for nobody, and is gone with the boot it speaks of. The exporter reads it, which neither
 * waits for the other. Only root writes there.
 */
import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { codeOf } from '../measure/errors.ts';
import { zeroes } from '../measure/zeroes.ts';
import { readSmallFileSync } from './read-file.ts';
import { isMapping } from '../measure/mapping.ts';

export const rescueRecordPath = '/run/stealwatch-rescue/record.json';

/**
 * `released`: what was parked has woken, and Redis answers where one is watched. `not_released`: written,
 * and one of the two is not so. `refused`: nothing was written, for a reason. `failed`: a write did not
 * get through.
 */
const rescueResults = ['released', 'not_released', 'refused', 'failed'] as const;
export type RescueResult = (typeof rescueResults)[number];

/** A value about to be written back: the host answers by one count of HYP on that vCPU. */
export interface RescueWrite {
  /** Greater than that of any before it since the boot. */
  readonly sequence: number;
  readonly cpu: number;
}

export interface Rescue {
  /** Seconds since boot, by the clock of the kernel log. */
  readonly time: number;
  readonly result: RescueResult;
  /** vCPUs that were written. */
  readonly cpus: readonly number[];
  /** A sentence. */
  readonly text: string;
}

export interface RescueWatch {
  /** Seconds since boot. */
  readonly lookedAt: number;
  /** Why it could write nothing now; left out where it could. */
  readonly problem?: string;
  /** The incident it last wrote in, for a watcher that comes after it. */
  readonly incident?: { readonly written: number; readonly missingAt: number };
}

export interface RescueRecord {
  readonly schema: 1;
  readonly counts: Readonly<Record<RescueResult, number>>;
  /** The last of each, oldest first. */
  readonly writes: readonly RescueWrite[];
  readonly rescues: readonly Rescue[];
  /** Left out where none runs. */
  readonly watch?: RescueWatch;
}

const mostWrites = 512;
const mostRescues = 16;
const longestText = 1000;

export const noRescues: RescueRecord = {
  schema: 1,
  counts: zeroes(rescueResults),
  writes: [],
  rescues: [],
};

/** By the clock of the kernel log, which every process of this machine has. */
export const secondsSinceBoot = (): number => Number(process.hrtime.bigint()) / 1e9;

const isCount = (value: unknown): value is number =>
  Number.isSafeInteger(value) && Number(value) >= 0;
const isTime = (value: unknown): value is number => typeof value === 'number' && value >= 0;
const isText = (value: unknown): value is string =>
  typeof value === 'string' && value.length <= longestText;

function isWrite(value: unknown): boolean {
  return isMapping(value) && isCount(value['sequence']) && isCount(value['cpu']);
}

function isRescue(value: unknown): boolean {
  if (!isMapping(value)) return false;
  const { time, result, cpus, text } = value;
  const known = rescueResults.some((one) => one === result);
  return known && isTime(time) && isText(text) && Array.isArray(cpus) && cpus.every(isCount);
}

function isIncident(value: unknown): boolean {
  return isMapping(value) && isCount(value['written']) && isTime(value['missingAt']);
}

function isWatch(value: unknown): boolean {
  if (value === undefined) return true;
  if (!isMapping(value)) return false;
  const { lookedAt, problem, incident } = value;
  return (
    isTime(lookedAt) &&
    (problem === undefined || isText(problem)) &&
    (incident === undefined || isIncident(incident))
  );
}

const isListOf = (value: unknown, most: number, is: (one: unknown) => boolean): boolean =>
  Array.isArray(value) && value.length <= most && value.every(is);

function isRecord(value: unknown): value is RescueRecord {
  if (!isMapping(value) || value['schema'] !== 1) return false;
  const { counts, writes, rescues, watch } = value;
  return (
    isMapping(counts) &&
    rescueResults.every((result) => isCount(counts[result])) &&
    isListOf(writes, mostWrites, isWrite) &&
    isListOf(rescues, mostRescues, isRescue) &&
    isWatch(watch)
  );
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Undefined where nothing was ever rescued, nor watched for it. Throws for what is no record. */
export function readRescueRecord(path: string): RescueRecord | undefined {
  let text: string;
  try {
    text = readSmallFileSync(path).toString('utf8');
  } catch (error) {
    if (codeOf(error) === 'ENOENT' || codeOf(error) === 'ENOTDIR') return undefined;
    throw error;
  }
  const value = parsed(text);
  if (!isRecord(value)) throw new Error(`${path} is no record of stealwatch rescue`);
  return value;
}

/** In place of one that cannot be understood a new one is begun. */
function recordAt(path: string): RescueRecord {
  try {
    return readRescueRecord(path) ?? noRescues;
  } catch {
    return noRescues;
  }
}

export interface RescueRecorder {
  /** Before it is written. */
  intend(cpu: number): void;
  done(rescue: Rescue): void;
  watching(watch: RescueWatch): void;
}

/** Throws where the record cannot be written. */
export function createRescueRecorder(path: string): RescueRecorder {
  function change(make: (record: RescueRecord) => RescueRecord): void {
    const next = make(recordAt(path));
    mkdirSync(dirname(path), { recursive: true, mode: 0o755 });
    const temporary = `${path}.${process.pid}`;
    writeFileSync(temporary, `${JSON.stringify(next)}\n`, { mode: 0o644 });
    renameSync(temporary, path);
  }

  return {
    intend: (cpu) =>
      change((record) => {
        const sequence = (record.writes.at(-1)?.sequence ?? 0) + 1;
        return { ...record, writes: [...record.writes, { sequence, cpu }].slice(-mostWrites) };
      }),
    done: (rescue) =>
      change((record) => {
        const { counts } = record;
        const said = { ...rescue, text: rescue.text.slice(0, longestText) };
        return {
          ...record,
          counts: { ...counts, [rescue.result]: counts[rescue.result] + 1 },
          rescues: [...record.rescues, said].slice(-mostRescues),
        };
      }),
    watching: (watch) => change((record) => ({ ...record, watch })),
  };
}
