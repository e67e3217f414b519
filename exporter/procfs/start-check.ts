/**
 * A look at the files that are read synchronously ever after, before anything depends on them: a
 * pipe, or a file of a file system that does not answer, would stop this process without a word.
 */
import { constants, promises } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { isAbsent, isMasked } from './reader.ts';
import { codeOf } from '../measure/errors.ts';

const ofProc = [
  'stat',
  'meminfo',
  'vmstat',
  'diskstats',
  'loadavg',
  'interrupts',
  'uptime',
  'cpuinfo',
  'pressure/cpu',
  'pressure/memory',
  'pressure/io',
  'sys/kernel/hung_task_detect_count',
  'sys/kernel/hung_task_warnings',
  'sys/kernel/hung_task_timeout_secs',
  'sys/kernel/osrelease',
  '1/stat',
  '1/net/tcp',
  'self/status',
];
const ofSys = [
  'devices/system/clocksource/clocksource0/available_clocksource',
  'devices/system/clocksource/clocksource0/current_clocksource',
  'hypervisor/type',
  'class/dmi/id/sys_vendor',
  'class/dmi/id/product_name',
];

export interface StartProblem {
  /** A sentence without its full stop. */
  readonly text: string;
  /** A thread of ours hangs in it, so that this process cannot end by itself. */
  readonly hangs: boolean;
}

type Kind = 'file' | 'other' | 'unreadable';
type KindOf = (path: string) => Promise<Kind>;

/** Files that cannot be opened or read at all have collectors to tell of them. */
async function kindOfFile(path: string): Promise<Kind> {
  let handle: promises.FileHandle | undefined;
  try {
    handle = await promises.open(path, constants.O_RDONLY | constants.O_NONBLOCK);
    const stats = await handle.stat();
    // A folder fails to be read, and nobody waits for it.
    if (stats.isDirectory() || isMasked(stats)) return 'unreadable';
    if (!stats.isFile()) return 'other';
    await handle.read({ buffer: Buffer.alloc(4096), position: 0 });
    return 'file';
  } catch (error) {
    // A socket cannot be opened: ENXIO.
    const code = codeOf(error);
    return !isAbsent(error) && code === 'ENXIO' ? 'other' : 'unreadable';
  } finally {
    await handle?.close();
  }
}

/** Counted in turns of our own: while the machine stands still, no file is late. */
async function patience(seconds: number): Promise<'late'> {
  const turns = 20;
  for (let turn = 0; turn < turns; turn += 1) {
    await sleep((seconds * 1000) / turns, undefined, { ref: false });
  }
  return 'late';
}

/** What is wrong with a file below `procfs` or `sysfs` that would stop us; undefined for nothing. */
export async function startProblem(
  { procfs, sysfs }: { readonly procfs: string; readonly sysfs: string },
  { seconds = 2, kindOf = kindOfFile }: { seconds?: number; kindOf?: KindOf } = {},
): Promise<StartProblem | undefined> {
  const files = [
    ...ofProc.map((path) => join(procfs, path)),
    ...ofSys.map((path) => join(sysfs, path)),
  ];
  let asked = '';
  async function look(): Promise<string | undefined> {
    for (const path of files) {
      asked = path;
      if ((await kindOf(path)) === 'other') {
        return `${path} is a pipe, a socket or a device, expected a file`;
      }
    }
    return undefined;
  }
  const text = await Promise.race([look(), patience(seconds)]);
  if (text === 'late') {
    return { text: `${asked} does not answer, waited ${seconds} s`, hangs: true };
  }
  return text === undefined ? undefined : { text, hangs: false };
}
