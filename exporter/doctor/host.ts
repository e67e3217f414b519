/** What the host does to this machine, and whether we would see it. */
import { parseInterruptRow } from '../procfs/interrupts.ts';
import { type HostIdentity, readHostIdentity } from '../procfs/host-identity.ts';
import { durationText } from '../measure/duration.ts';
import {
  cannotSee,
  type Check,
  fail,
  notTried,
  type Outcome,
  pass,
  warn,
  advice,
} from './check.ts';
import { uptimeOf, type Machine } from './machine.ts';
import { limits } from '../measure/limits.ts';

/** Page-ins since the boot, where the host tells of them. */
function pageInsSinceBoot({ procfs }: Pick<Machine, 'procfs'>): number | undefined {
  const text = procfs.read('interrupts');
  const counts = text === undefined ? undefined : parseInterruptRow(text, 'HYP');
  if (counts === undefined) return undefined;
  // The kernel counts one for each vCPU that it starts.
  const all = [...counts.values()].reduce((sum, count) => sum + count, 0);
  return Math.max(0, all - counts.size);
}

interface Rate {
  readonly pages: number;
  readonly seconds: number;
}

/** Shorter times say nothing of a rate. */
const shortestSeconds = 600;

/** What the exporter counted since its start is newer than what the kernel did since the boot. */
async function exporterRate(machine: Machine): Promise<Rate | undefined> {
  try {
    const { samples } = await machine.exporter();
    const pages = samples('stealwatch_async_page_faults_total')[0]?.value;
    const started = samples('process_start_time_seconds')[0]?.value;
    if (pages === undefined || started === undefined) return undefined;
    const seconds = machine.now - started;
    return seconds >= shortestSeconds && pages >= 0 ? { pages, seconds } : undefined;
  } catch {
    return undefined;
  }
}

const isKvm = ({ virtualization }: HostIdentity) => virtualization === 'kvm';
const identity = (machine: Machine) => readHostIdentity(machine.procfs, machine.sysfs);

/** Undefined where the host does not tell. */
async function rateOf(machine: Machine): Promise<Rate | undefined> {
  const pages = isKvm(identity(machine)) ? pageInsSinceBoot(machine) : undefined;
  if (pages === undefined) return undefined;
  return (await exporterRate(machine)) ?? { pages, seconds: uptimeOf(machine) };
}

/** Of the host, on the average; undefined where that is not known. */
export async function pageInsPerSecond(machine: Machine): Promise<number | undefined> {
  try {
    const rate = await rateOf(machine);
    return rate !== undefined && rate.seconds >= shortestSeconds
      ? rate.pages / rate.seconds
      : undefined;
  } catch {
    return undefined;
  }
}

const askHost = [
  ...notTried('stealwatch report'),
  ...advice('and send its ticket before the freeze, not after it'),
];
const { warn: fewPerSecond, bad: manyPageInsPerSecond } = limits.hostPageInsPerSecond;
export { manyPageInsPerSecond };

function rateText(rate: number): string {
  return rate > 0 && rate < 0.001 ? 'under 0.001' : String(Number(rate.toFixed(3)));
}

function judged({ pages, seconds }: Rate): Outcome {
  const rate = pages / seconds;
  const text = `${pages} pages in ${durationText(seconds)} (${rateText(rate)}/s) were on the host's disk when they were wanted`;
  if (rate > manyPageInsPerSecond) return fail(text, askHost);
  return rate > fewPerSecond ? warn(text, askHost) : pass(text);
}

const hostPages: Check = {
  id: 'host-pages-out',
  title: "The host keeps this machine's memory",
  why: 'An overcommitted host writes your memory to its own disk. Each page that is wanted back stops a thread, and one that does not come back is the freeze.',
  source: 'the HYP row of /proc/interrupts on KVM, since the start of the exporter or the boot',
  mends: [askHost],
  async check(machine) {
    const { virtualization } = identity(machine);
    if (virtualization === 'none') return pass('bare metal: there is no host above it');
    const rate = await rateOf(machine);
    if (rate === undefined) return cannotSee('the host does not tell (see the next check)');
    const { seconds } = rate;
    if (seconds < shortestSeconds)
      return cannotSee(`the boot is only ${durationText(seconds)} ago`);
    return judged(rate);
  },
};

const canaryOn = advice('set STEALWATCH_CANARY=true and restart the exporter');

async function hasCanary(machine: Machine): Promise<boolean> {
  try {
    const { samples } = await machine.exporter();
    return samples('stealwatch_cold_page_outstanding_seconds').length > 0;
  } catch {
    return false;
  }
}

const offered: Check = {
  id: 'page-ins-visible',
  title: 'Page-ins of the host can be seen',
  why: 'Where the host does not tell the guest of a page-in, none of its counters shows it: only memory kept for the purpose and touched now and then does.',
  source: 'the virtualization as /proc and /sys tell it, the HYP row of /proc/interrupts',
  mends: [canaryOn],
  async check(machine) {
    const { virtualization } = identity(machine);
    if (virtualization === 'none') return pass('bare metal: there is no host above it');
    if (isKvm(identity(machine)) && pageInsSinceBoot(machine) !== undefined) {
      return pass('this KVM guest is told of each');
    }
    if (await hasCanary(machine)) return pass('the host does not tell, and the canary looks');
    const what =
      virtualization === undefined
        ? 'it is not known which hypervisor this is'
        : `this host (${virtualization}) does not tell the guest`;
    return warn(`${what}: a page-in shows in no counter`, canaryOn);
  },
};

/** Instance types of Amazon whose vCPUs are shared; all others have whole ones. */
const burstable = /^t[1-4][a-z]*\./;

const plan: Check = {
  id: 'cpu-class',
  title: 'Shared or dedicated vCPUs',
  why: 'On a plan with shared vCPUs the host may take your time and your memory by its own rules. A Redis that others wait for belongs on a dedicated one.',
  source: '/sys/class/dmi/id/sys_vendor and product_name',
  mends: [],
  question: true,
  check(machine) {
    const { virtualization, vendor = '', product = '' } = identity(machine);
    if (virtualization === 'none') return pass('bare metal');
    const name = `${vendor} ${product}`.trim();
    if (name === '') return cannotSee('this machine names no vendor; look it up in the plan');
    if (/amazon ec2/i.test(vendor)) {
      return burstable.test(product)
        ? warn(`${name}: a burstable type, its vCPUs are shared`)
        : pass(`${name}: its vCPUs are dedicated`);
    }
    return cannotSee(`${name} does not tell; look it up in the plan`);
  },
};

const steadyClocks = ['kvm-clock', 'tsc', 'arch_sys_counter', 'hyperv_clocksource_tsc_page', 'xen'];

const clocksource: Check = {
  id: 'clocksource',
  title: 'The clock of the kernel',
  why: 'Another clock is slow to read and may be wrong; a change to one, in the log, says that the kernel no longer trusts what the host gives it.',
  source: '/sys/devices/system/clocksource/clocksource0/current_clocksource',
  mends: [],
  check(machine) {
    const { clocksource: name } = identity(machine);
    if (name === undefined) return cannotSee('/sys does not tell');
    return steadyClocks.includes(name)
      ? pass(name)
      : warn(`${name}: look in the kernel log for why`);
  },
};

export const hostChecks: readonly Check[] = [hostPages, offered, plan];
export const clockChecks: readonly Check[] = [clocksource];
