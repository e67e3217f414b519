/** Settings of the kernel: what it keeps as proof of a freeze, and what a Redis suffers from. */
import { parseSetting } from '../collectors/hung-task-detector.ts';
import { openSource } from '../kmsg/source.ts';
import { codeOf, messageOf } from '../measure/errors.ts';
import { cannotSee, type Check, fail, advice, pass, tried, warn } from './check.ts';
import type { Machine } from './machine.ts';

type Procfs = Pick<Machine, 'procfs'>;

/** Undefined where this kernel has no such setting. */
function sysctl({ procfs }: Procfs, name: string): number | undefined {
  const text = procfs.read(`sys/${name}`);
  return text === undefined ? undefined : parseSetting(name, text);
}

/** Sets it now, and at each boot. */
const setting = (name: string, value: number) =>
  tried(
    `sysctl -w ${name}=${value}`,
    `echo '${name} = ${value}' >> /etc/sysctl.d/60-stealwatch.conf`,
  );

const noDetector = cannotSee(
  'this kernel has no hung task detector (CONFIG_DETECT_HUNG_TASK): it will never report a frozen Redis; the exporter sees it by itself',
);

const unlimitedReports = setting('kernel.hung_task_warnings', -1);
const enoughReports = 1000;

const hungTaskBudget: Check = {
  id: 'hung-task-budget',
  title: 'Reports the kernel will still print',
  why: 'Each report of a hung task costs one of ten, and then the kernel is silent: two threads of one Redis use that up within ten minutes of a freeze of hours.',
  source: '/proc/sys/kernel/hung_task_warnings',
  mends: [unlimitedReports],
  check(machine) {
    const left = sysctl(machine, 'kernel/hung_task_warnings');
    if (left === undefined) return noDetector;
    if (left === -1) return pass('no limit');
    if (left === 0)
      return fail('the budget is used up: the next freeze leaves no trace', unlimitedReports);
    if (left >= enoughReports) return pass(`${left} are left`);
    const text = left === 1 ? 'one is left' : `${left} are left`;
    return warn(`${text}, which a frozen Redis uses up within minutes`, unlimitedReports);
  },
};

const reportAfterMinute = setting('kernel.hung_task_timeout_secs', 60);
const latestReportSeconds = 120;

const hungTaskTimeout: Check = {
  id: 'hung-task-timeout',
  title: 'When the kernel reports a hung task',
  why: 'A trace of the sleeping thread is the one proof that names the host, and it comes only after this long, at worst after twice as long.',
  source: '/proc/sys/kernel/hung_task_timeout_secs',
  mends: [reportAfterMinute],
  check(machine) {
    const seconds = sysctl(machine, 'kernel/hung_task_timeout_secs');
    if (seconds === undefined) return noDetector;
    if (seconds === 0) return fail('the detector is off', reportAfterMinute);
    if (seconds <= latestReportSeconds) return pass(`after ${seconds} s`);
    return warn(`only after ${seconds} s`, reportAfterMinute);
  },
};

const rebootOnPanic = setting('kernel.panic', 60);
const panicSwitches = [
  'hung_task_panic',
  'softlockup_panic',
  'hardlockup_panic',
  'panic_on_rcu_stall',
] as const;

const panics: Check = {
  id: 'panic-switches',
  title: 'What a stall of the host does to this machine',
  why: 'With these switches on, a stall that would have passed becomes a panic, and with kernel.panic at 0 the machine then stands still for good.',
  source:
    '/proc/sys/kernel/hung_task_panic, softlockup_panic, hardlockup_panic, panic_on_rcu_stall, panic',
  mends: [rebootOnPanic],
  check(machine) {
    const values = panicSwitches.map((name) => sysctl(machine, `kernel/${name}`));
    // Every kernel has this one.
    const after = sysctl(machine, 'kernel/panic');
    if (after === undefined) return cannotSee('/proc/sys/kernel/panic is not there');
    const on = panicSwitches.filter((_, i) => (values[i] ?? 0) > 0);
    if (on.length === 0) return pass('it goes on when the stall ends');
    const names = on.map((name) => `kernel.${name}`).join(' and ');
    if (after === 0) {
      return fail(`${names} makes it panic, and kernel.panic = 0 keeps it down`, rebootOnPanic);
    }
    return pass(
      `${names} makes it panic, and it starts again ${after < 0 ? 'at once' : `after ${after} s`}`,
    );
  },
};

const allBacktraces = tried(
  'sysctl -w kernel.hung_task_all_cpu_backtrace=1',
  'sysctl -w kernel.softlockup_all_cpu_backtrace=1',
);

const backtraces: Check = {
  id: 'all-cpu-backtraces',
  title: 'Traces of the other vCPUs',
  why: 'What the other vCPUs did while one thread slept tells a stall of the whole machine from one of a page. More text in the log, so it is for those who look for proof.',
  source: '/proc/sys/kernel/hung_task_all_cpu_backtrace, softlockup_all_cpu_backtrace',
  mends: [allBacktraces],
  check(machine) {
    const names = ['hung_task_all_cpu_backtrace', 'softlockup_all_cpu_backtrace'];
    const on = names.filter((name) => sysctl(machine, `kernel/${name}`) === 1);
    if (on.length > 0) return pass(`on: ${on.map((name) => `kernel.${name}`).join(', ')}`);
    if (sysctl(machine, 'kernel/panic') === undefined) {
      return cannotSee('/proc/sys/kernel is not there');
    }
    return {
      ...pass('off, as usual: more proof in each report if you want it'),
      mend: allBacktraces,
    };
  },
};

const letSyslog = advice(
  'grant the exporter CAP_SYSLOG: the unit and docker-compose.yml of this project do',
  'in a container of your own: devices /dev/kmsg:/dev/kmsg:r and cap_add SYSLOG',
);

/** What the exporter says of itself counts: it is the one that reads. */
async function exporterFollows(machine: Machine): Promise<boolean | undefined> {
  try {
    const { samples } = await machine.exporter();
    const found = samples('stealwatch_signal_supported').find(
      ({ labels }) => labels['signal'] === 'hung_task_log',
    );
    return found === undefined ? undefined : found.value === 1;
  } catch {
    return undefined;
  }
}

const kernelLog: Check = {
  id: 'kernel-log',
  title: 'The kernel log can be read',
  why: "Without it nobody here learns what the kernel saw: which thread hung, and in which function of the host's paging.",
  source: "the exporter's stealwatch_signal_supported, else an attempt to open /dev/kmsg",
  mends: [letSyslog],
  async check(machine) {
    const follows = await exporterFollows(machine);
    if (follows === true) return pass('the exporter reads it');
    if (follows === false) return fail('the exporter cannot read it; its page says why', letSyslog);
    try {
      openSource(machine.kmsg).close();
      return pass('this user may read it; the exporter was not seen');
    } catch (error) {
      const code = codeOf(error) ?? messageOf(error);
      return warn(`${machine.kmsg} cannot be opened (${code})`, letSyslog);
    }
  },
};

const hugePages = 'kernel/mm/transparent_hugepage/enabled';
const adviseHugePages = tried(
  `echo madvise > /sys/${hugePages}`,
  `echo 'w /sys/${hugePages} - - - - madvise' > /etc/tmpfiles.d/stealwatch-thp.conf`,
);

const transparentHugePages: Check = {
  id: 'huge-pages',
  title: 'Transparent huge pages',
  why: 'With "always" a write after a fork copies 2 MiB in the place of 4 KiB: snapshots stop Redis and take twice its memory. Redis warns of it at its start.',
  source: `/sys/${hugePages}`,
  mends: [adviseHugePages],
  check({ sysfs }) {
    const text = sysfs.read(hugePages);
    if (text === undefined) {
      return sysfs.list('kernel/mm') === undefined
        ? cannotSee(`${sysfs.root}/kernel/mm is not there`)
        : pass('this kernel has none');
    }
    const chosen = /\[(\w{1,20})\]/.exec(text)?.[1];
    if (chosen === undefined) return cannotSee(`/sys/${hugePages}: nothing is chosen in it`);
    return chosen === 'always' ? warn('always', adviseHugePages) : pass(chosen);
  },
};

const overcommitAlways = setting('vm.overcommit_memory', 1);

const overcommit: Check = {
  id: 'overcommit',
  title: 'Memory for a fork of Redis',
  why: 'Unless the kernel overcommits, a snapshot or a rewrite of the append-only file fails once Redis has more than half of the memory. Redis warns of it at its start.',
  source: '/proc/sys/vm/overcommit_memory',
  mends: [overcommitAlways],
  check(machine) {
    const value = sysctl(machine, 'vm/overcommit_memory');
    if (value === undefined) return cannotSee('this kernel has no vm.overcommit_memory');
    if (value === 1) return pass('vm.overcommit_memory = 1');
    return warn(`vm.overcommit_memory = ${value}: a fork may be refused`, overcommitAlways);
  },
};

export const proofChecks: readonly Check[] = [hungTaskBudget, hungTaskTimeout, panics, kernelLog];
export const kernelChecks: readonly Check[] = [transparentHugePages, overcommit];
export const optionalProof: readonly Check[] = [backtraces];
