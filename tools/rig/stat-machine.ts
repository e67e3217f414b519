/** A machine whose /proc/stat a test writes second by second, in memory. */
import type { PseudoFs } from '../../exporter/procfs/reader.ts';

/** Ticks that one vCPU spends in one second; what is left of the 100 is idle. */
export interface Load {
  readonly user?: number;
  readonly steal?: number;
}

export interface StatMachine {
  readonly procfs: PseudoFs;
  /** Let each vCPU spend `seconds` under its load; vCPUs that are not named are idle. */
  run(seconds: number, loads?: Readonly<Record<number, Load>>): void;
  /** Step the steal counter of a vCPU back. */
  stealBack(cpu: number, ticks: number): void;
  /** Make reading fail with this error, or give this text; undefined ends it. */
  answer(instead: Error | string | undefined): void;
}

interface Ticks {
  user: number;
  idle: number;
  steal: number;
}

function line(name: string, { user, idle, steal }: Ticks): string {
  return `${name} ${user} 0 0 ${idle} 0 0 0 ${steal} 0 0\n`;
}

/** `steal`: ticks stolen from each vCPU since boot. */
export function statMachine(cpuCount: number, steal = 50_000): StatMachine {
  const cpus = Array.from({ length: cpuCount }, () => ({ user: 0, idle: 0, steal }));
  let instead: Error | string | undefined;

  function text(): string {
    const total = { user: 0, idle: 0, steal: 0 };
    for (const cpu of cpus) {
      total.user += cpu.user;
      total.idle += cpu.idle;
      total.steal += cpu.steal;
    }
    const lines = cpus.map((cpu, i) => line(`cpu${i}`, cpu)).join('');
    return `${line('cpu ', total)}${lines}intr 1 2 3\nctxt 1\nbtime 1700000000\nprocs_blocked 0\n`;
  }

  function read(): string {
    if (instead instanceof Error) throw instead;
    return instead ?? text();
  }

  return {
    procfs: { root: '/proc', read, file: () => ({ read, close() {} }), list: () => undefined },
    run(seconds, loads = {}) {
      for (const [i, cpu] of cpus.entries()) {
        const { user = 0, steal = 0 } = loads[i] ?? {};
        cpu.user += Math.round(user * seconds);
        cpu.steal += Math.round(steal * seconds);
        cpu.idle += Math.round((100 - user - steal) * seconds);
      }
    },
    stealBack(cpu, ticks) {
      const one = cpus[cpu];
      if (one !== undefined) one.steal = Math.max(0, one.steal - ticks);
    },
    answer(text) {
      instead = text;
    },
  };
}
