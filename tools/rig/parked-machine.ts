/** A KVM guest in a folder, with threads that are parked for a page of the host, and its MSRs. */
import { appendFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import type { Msrs } from '../../exporter/rescue/msr.ts';
import { fixtureTree, writeTree } from './fixture-tree.ts';

interface Thread {
  readonly tid: number;
  readonly comm?: string;
  readonly cpu?: number;
  readonly wchan?: string;
  readonly stack?: string;
  readonly state?: string;
}

/** What is said of a vCPU without a device. */
export const noMsr = (cpu: number): Error =>
  new Error(`/dev/cpu/${cpu}/msr is not there`, {
    cause: Object.assign(new Error('no such file or directory'), { code: 'ENOENT' }),
  });

export interface ParkedMachine {
  readonly root: string;
  readonly procfs: string;
  readonly sysfs: string;
  readonly kmsg: string;
  /** `redis-server` with these threads. */
  put(...threads: readonly Thread[]): void;
  /** The thread runs, and sleeps again as it is told. */
  wake(thread: Thread): void;
  end(tid: number): void;
  hyp(...counts: readonly number[]): void;
  /** A report of the kernel's, so many seconds after the boot. */
  report(tid: number, at: number, seconds: number): void;
  /** The MSRs, by vCPU; what is written is kept, and then done what the host does. */
  msrs(
    values: readonly (bigint | Error)[],
    host?: (cpu: number) => void,
  ): Msrs & { written: number[] };
}

export const parkedPid = 6104;
const channel = 'kvm_async_pf_task_wait_schedule';
const clocksource = 'sys/devices/system/clocksource/clocksource0/available_clocksource';

const statOf = ({ tid, comm = 'redis-server', cpu = 0, state = 'D' }: Thread, threads: number) =>
  `${tid} (${comm}) ${state} 1 1 1 0 -1 4194304 ${'0 '.repeat(10)}${threads} 0 500 ${'0 '.repeat(16)}${cpu} 0 0 0 0 0 0\n`.replace(
    '4194304 0 0 0 0 0 0 0 0 0 0 ',
    '4194304 0 0 0 0 0 0 0 0 20 0 ',
  );

const statusOf = (switches: number) =>
  `Name:\tx\nUid:\t0\t0\t0\t0\nCapEff:\t000001ffffffffff\nvoluntary_ctxt_switches:\t${switches}\nnonvoluntary_ctxt_switches:\t0\n`;

export function parkedMachine(t: TestContext): ParkedMachine {
  const root = fixtureTree(t, {
    [clocksource]: 'kvm-clock tsc acpi_pm \n',
    'proc/2/stat': statOf({ tid: 2, comm: 'kthreadd', state: 'S' }, 1),
    'proc/2/wchan': 'kthreadd',
    'proc/loadavg': '0.00 0.00 0.00 1/100 1000\n',
    kmsg: '',
  });
  let switches = 10;
  let known: readonly Thread[] = [];

  function write(thread: Thread): void {
    const { tid, wchan = channel, stack = '' } = thread;
    const folder = `proc/${parkedPid}/task/${tid}`;
    writeTree(root, {
      [`${folder}/stat`]: statOf(thread, known.length),
      [`${folder}/status`]: statusOf(switches),
      [`${folder}/wchan`]: wchan,
      [`${folder}/stack`]: stack,
      ...(tid === parkedPid ? { [`proc/${tid}/stat`]: statOf(thread, known.length) } : {}),
    });
  }

  function hyp(...counts: readonly number[]): void {
    const head = counts.map((_, cpu) => `CPU${cpu}`).join(' ');
    writeTree(root, { 'proc/interrupts': `  ${head}\nHYP: ${counts.join(' ')}  Hypervisor\n` });
  }

  hyp(1, 1);
  return {
    root,
    procfs: join(root, 'proc'),
    sysfs: join(root, 'sys'),
    kmsg: join(root, 'kmsg'),
    hyp,
    put(...threads) {
      known = threads;
      for (const thread of threads) write(thread);
    },
    wake(thread) {
      switches += 1;
      write({ state: 'S', wchan: 'ep_poll', ...thread });
    },
    end: (tid) => rmSync(join(root, `proc/${parkedPid}/task/${tid}`), { recursive: true }),
    report: (tid, at, seconds) =>
      appendFileSync(
        join(root, 'kmsg'),
        [
          `3,1,${Math.round(at * 1e6)},-;INFO: task redis-server:${tid} blocked for more than ${seconds} seconds.`,
          `6,2,${Math.round(at * 1e6)},-; kvm_async_pf_task_wait_schedule+0x10/0x20`,
          '',
        ].join('\n'),
      ),
    msrs(values, host) {
      const written: number[] = [];
      const valueOf = (cpu: number): bigint => {
        const value = values[cpu] ?? noMsr(cpu);
        if (value instanceof Error) throw value;
        return value;
      };
      return {
        directory: '/dev/cpu',
        written,
        read: async (cpu) => valueOf(cpu),
        async rewrite(cpu) {
          const value = valueOf(cpu);
          written.push(cpu);
          host?.(cpu);
          return value;
        },
      };
    },
  };
}
