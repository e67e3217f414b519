/**
 * The async page fault MSR of each vCPU, by the kernel's msr driver (arch/x86/kernel/msr.c): eight
 * bytes at the number of the MSR. There is no way to write a value here: only to write back, on one
 * vCPU, what was read on it a moment before. That is all a host needs to wake what is parked there.
 *
 * The driver runs on the vCPU it is asked about, and waits for it. One that stands still would hold us
 * for as long, so every question has a deadline, and a vCPU with one under way is asked no other.
 */
import { constants, type Stats } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { join } from 'node:path';
import { codeOf, messageOf } from '../measure/errors.ts';
import { problemOfValue, valueText } from './value.ts';

/** MSR_KVM_ASYNC_PF_EN of arch/x86/include/uapi/asm/kvm_para.h. */
export const asyncPageFaultMsr = 0x4b56_4d02;
const size = 8;

export interface Msrs {
  /** Where the devices are. */
  readonly directory: string;
  /**
   * Rejects with a sentence without its full stop, whose cause is what the kernel answered: ENOENT where
   * there is no device. So does the other.
   */
  read(cpu: number): Promise<bigint>;
  /** Reads, sees that it is still `expected`, writes the same back, and gives it. */
  rewrite(cpu: number, expected: bigint): Promise<bigint>;
}

const deadlineSeconds = 5;
/** Character devices `cpu/msr` (Documentation/admin-guide/devices.txt). */
const msrMajor = 202;

export const isMsrDevice = ({ rdev }: Pick<Stats, 'rdev'>, cpu: number): boolean =>
  ((rdev >> 8) & 0xfff) === msrMajor && ((rdev & 0xff) | ((rdev >> 12) & 0xf_ff00)) === cpu;

const reasons: Readonly<Record<string, string>> = {
  ENOENT: 'is not there',
  ENXIO: 'says that this CPU is offline or has no MSRs (ENXIO)',
  ENODEV: 'says that there is no such device (ENODEV)',
  EIO: 'says that the host offers no such MSR, or refuses the value (EIO)',
  EPERM: 'is refused by the kernel (EPERM): lockdown, msr.allow_writes=off, or no CAP_SYS_RAWIO',
  EACCES: 'is not for us (EACCES): run this as root',
};

function sentenceOf(path: string, error: unknown): Error {
  const reason = reasons[codeOf(error) ?? ''] ?? `fails: ${messageOf(error)}`;
  return new Error(`${path} ${reason}`, { cause: error });
}

type Device = Pick<FileHandle, 'stat' | 'read' | 'write' | 'close'>;

/** Too late for whoever asked: what is under way must not go on to write. */
interface Patience {
  over: boolean;
}

async function readValue(handle: Device): Promise<bigint> {
  const buffer = Buffer.alloc(size);
  const { bytesRead } = await handle.read(buffer, 0, size, asyncPageFaultMsr);
  if (bytesRead !== size) throw new Error(`answers ${bytesRead} bytes, expected ${size}`);
  return buffer.readBigUInt64LE();
}

async function writeBack(handle: Device, expected: bigint, patience: Patience) {
  const value = await readValue(handle);
  if (value !== expected) {
    throw new Error(`held ${valueText(expected)} and holds ${valueText(value)} now`);
  }
  const problem = problemOfValue(value);
  if (problem !== undefined) throw new Error(problem);
  if (patience.over) throw new Error('answered too late');
  const buffer = Buffer.alloc(size);
  buffer.writeBigUInt64LE(value);
  const { bytesWritten } = await handle.write(buffer, 0, size, asyncPageFaultMsr);
  if (bytesWritten !== size) throw new Error(`took ${bytesWritten} bytes, expected ${size}`);
  return value;
}

export interface MsrOptions {
  readonly directory?: string;
  readonly seconds?: number;
  readonly openDevice?: (path: string, flags: number) => Promise<Device>;
  /** What stands there may be something else. */
  readonly isDevice?: (stats: Stats, cpu: number) => boolean;
}

export function createMsrs({
  directory = '/dev/cpu',
  seconds = deadlineSeconds,
  openDevice = open,
  isDevice = (stats, cpu) => stats.isCharacterDevice() && isMsrDevice(stats, cpu),
}: MsrOptions = {}): Msrs {
  const asked = new Set<number>();

  async function use(
    cpu: number,
    flags: number,
    work: (handle: Device, patience: Patience) => Promise<bigint>,
    patience: Patience,
  ): Promise<bigint> {
    const path = join(directory, String(cpu), 'msr');
    let handle: Device | undefined;
    try {
      // A pipe in its place must not hold us.
      handle = await openDevice(path, flags | constants.O_NONBLOCK);
      if (!isDevice(await handle.stat(), cpu)) throw new Error('is no MSR device of this vCPU');
      return await work(handle, patience);
    } catch (error) {
      throw codeOf(error) === undefined && error instanceof Error
        ? new Error(`${path} ${error.message}`, { cause: error })
        : sentenceOf(path, error);
    } finally {
      await handle?.close();
    }
  }

  async function inTime(
    cpu: number,
    flags: number,
    work: (handle: Device, patience: Patience) => Promise<bigint>,
  ): Promise<bigint> {
    const path = join(directory, String(cpu), 'msr');
    if (asked.has(cpu)) throw new Error(`${path} has not answered the last question yet`);
    const patience: Patience = { over: false };
    asked.add(cpu);
    const answer = use(cpu, flags, work, patience).finally(() => asked.delete(cpu));
    const late = Promise.withResolvers<never>();
    const timer = setTimeout(() => {
      patience.over = true;
      late.reject(
        new Error(`${path} does not answer within ${seconds} s: that vCPU may stand still`),
      );
    }, seconds * 1000);
    answer.catch(() => undefined);
    try {
      return await Promise.race([answer, late.promise]);
    } finally {
      clearTimeout(timer);
    }
  }

  return {
    directory,
    read: (cpu) => inTime(cpu, constants.O_RDONLY, readValue),
    rewrite: (cpu, expected) =>
      inTime(cpu, constants.O_RDWR, (handle, patience) => writeBack(handle, expected, patience)),
  };
}
