/**
 * The evidence, before anything is written: what wakes the threads takes it away. One file, never over
 * another, for its owner alone: it holds lines of the kernel and names of processes.
 */
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { AskExporter } from '../doctor/exporter.ts';
import { makeDirectory } from '../core/make-directory.ts';
import { writeSynced } from '../core/write-synced.ts';
import { codeOf, messageOf } from '../measure/errors.ts';
import { askEvidence } from './exporter.ts';
import type { KernelLog } from './kernel-log.ts';
import { type Look, placesOf } from './look.ts';

const deadlineSeconds = 5;
const fileName = /^stealwatch-rescue-\d{8}T\d{6}Z(?:-\d+)?\.json$/;
const mostOfOneSecond = 100;

export interface KeepSettings {
  readonly directory: string;
  readonly ask: () => Promise<AskExporter>;
  readonly kernelLog: () => KernelLog;
  /** Unix time. */
  readonly now: () => number;
  readonly seconds?: number;
  /** Older ones of ours than so many are removed. */
  readonly most?: number;
}

const rowOf = (counts: Look['hyp']['before']) =>
  counts === undefined ? null : Object.fromEntries(counts);

function foundText(look: Look, log: KernelLog, evidence: unknown, now: number): string {
  const { threads, hyp, watchedSeconds, exporter } = look;
  const file = {
    schema: 1,
    time: new Date(now * 1000).toISOString(),
    threads: threads.map(({ pid, tid, process, comm, waitChannel, cpu, since, stack }) => ({
      pid,
      tid,
      process,
      comm,
      wchan: waitChannel,
      cpu: cpu ?? null,
      seconds: since.seconds,
      stack,
    })),
    hyp: { before: rowOf(hyp.before), after: rowOf(hyp.after), seconds: watchedSeconds },
    msr: placesOf(look),
    exporter,
    kernel: log.problem === undefined ? log.lines : log.problem,
    evidence,
  };
  return `${JSON.stringify(file, undefined, 1)}\n`;
}

async function writeNew(directory: string, stem: string, text: string): Promise<string> {
  for (let number = 1; number <= mostOfOneSecond; number += 1) {
    const path = join(directory, `${stem}${number === 1 ? '' : `-${number}`}.json`);
    try {
      await writeSynced(path, text, { flags: 'wx', mode: 0o600 });
      return path;
    } catch (error) {
      if (codeOf(error) !== 'EEXIST') throw error;
    }
  }
  throw new Error(`${directory} is full of files of this second`);
}

async function prune(directory: string, most: number): Promise<void> {
  const ours = (await readdir(directory)).filter((name) => fileName.test(name)).sort();
  for (const name of ours.slice(0, Math.max(0, ours.length - most))) {
    await rm(join(directory, name), { force: true });
  }
}

/** Gives its path. Rejects with a sentence, also where the disk stands still. */
export async function keepEvidence(look: Look, settings: KeepSettings): Promise<string> {
  const { ask, kernelLog, now, seconds = deadlineSeconds, most } = settings;
  const { directory } = settings;
  const at = now();
  const stamp = new Date(at * 1000).toISOString().replaceAll(/[-:]|\.\d+/g, '');
  async function write(): Promise<string> {
    const evidence = await ask()
      .then(askEvidence)
      .catch((error: unknown) => messageOf(error));
    await makeDirectory(directory, 0o700);
    const text = foundText(look, kernelLog(), evidence, at);
    const path = await writeNew(directory, `stealwatch-rescue-${stamp}`, text);
    if (most !== undefined) await prune(directory, most);
    return path;
  }
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(
    () => late.reject(new Error(`${directory} takes no file within ${seconds} s`)),
    seconds * 1000,
  );
  const writing = write();
  writing.catch(() => undefined);
  try {
    return await Promise.race([writing, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}
