/**
 * What machine this is: read once, when the first scrape asks, and never again.
 *
 * On x86 small files tell it at once. Where they do not tell the CPU model or the hypervisor, as
 * on arm64, systeminformation is asked, which starts a dozen processes for an answer: once, in
 * the background, for at most half a minute.
 * Until then the family is absent; what nobody could tell is `unknown`. It knows only the machine it
 * runs on, so it is not asked about files that are another one's: a recording.
 */
import { setTimeout as wait } from 'node:timers/promises';
import { type Collector, type Family, type Finding, gauge } from '../core/collector.ts';
import {
  type HostIdentity,
  labelText,
  readHostIdentity,
  virtualizationOf,
} from '../procfs/host-identity.ts';
import { createPseudoFs, type PseudoFs } from '../procfs/reader.ts';

const hostInfo = gauge({
  name: 'stealwatch_host_info',
  help: 'Always 1; what machine this is, from /sys, /proc and systeminformation.',
  note: 'Always 1; the labels tell what machine this is, read once from /sys, /proc and systeminformation.',
  labels: ['virtualization', 'vendor', 'product', 'cpu_model', 'kernel', 'clocksource'],
});

async function askSystemInformation(): Promise<HostIdentity> {
  // Loaded only here: x86 machines never need it.
  const { cpu, system } = await import('systeminformation');
  const { manufacturer, model, virtual, virtualHost } = await system();
  const { brand } = await cpu();
  return {
    // Its "not virtual" is no evidence: it says so inside a Firecracker VM, too.
    virtualization: virtual ? (virtualizationOf(virtualHost ?? '') ?? 'other') : undefined,
    vendor: labelText(manufacturer),
    // It says this where it runs in a container, which is no fact about the machine.
    product: model === 'Docker Container' ? undefined : labelText(model),
    cpuModel: labelText(brand),
  };
}

/** Whether these files are of the kernel that runs us, mounted wherever they are. */
function isThisMachine(procfs: PseudoFs): boolean {
  const bootId = 'sys/kernel/random/boot_id';
  try {
    return procfs.read(bootId) === createPseudoFs('/proc').read(bootId);
  } catch {
    return false;
  }
}

const askNobody = (): Promise<HostIdentity> => Promise.resolve({});

function familyOf(told: HostIdentity, asked: HostIdentity): Family {
  const labels = {
    virtualization: told.virtualization ?? asked.virtualization ?? 'unknown',
    vendor: told.vendor ?? asked.vendor ?? 'unknown',
    product: told.product ?? asked.product ?? 'unknown',
    cpu_model: told.cpuModel ?? asked.cpuModel ?? 'unknown',
    kernel: told.kernel ?? 'unknown',
    clocksource: told.clocksource ?? 'unknown',
  };
  return { metric: hostInfo, samples: [{ labels, value: 1 }] };
}

/**
 * Vendor and product are not worth asking for alone: where /sys does not name them (Firecracker),
 * systeminformation has no better source, and costs 4 MB of memory once loaded.
 */
function isComplete({ virtualization, cpuModel }: HostIdentity): boolean {
  return virtualization !== undefined && cpuModel !== undefined;
}

const bareMetal: Finding = {
  severity: 'good',
  text: 'This machine looks like bare metal: there is no host above it that could take its CPU or swap out its memory.',
};

interface HostInfoDependencies {
  readonly procfs: PseudoFs;
  readonly sysfs: PseudoFs;
  /** Default: systeminformation, where the files are this machine's own. */
  readonly ask?: () => Promise<HostIdentity>;
  readonly patienceSeconds?: number;
}

export function hostInfoCollector({
  procfs,
  sysfs,
  ask,
  patienceSeconds = 30,
}: HostInfoDependencies): Collector {
  const closed = new AbortController();
  let family: Family | undefined;
  let asking: Promise<void> | undefined;

  async function askFor(told: HostIdentity): Promise<void> {
    const nobody: HostIdentity = {};
    const late = wait(patienceSeconds * 1000, nobody, { ref: false, signal: closed.signal });
    // Whatever goes wrong, in it or by its silence, costs some labels and no scrape.
    const askAnybody = ask ?? (isThisMachine(procfs) ? askSystemInformation : askNobody);
    const asked = await Promise.race([askAnybody(), late]).catch(() => nobody);
    family = familyOf(told, asked);
  }

  function begin(): void {
    const told = readHostIdentity(procfs, sysfs);
    if (isComplete(told)) family = familyOf(told, {});
    else asking = askFor(told);
  }

  return {
    name: 'host-info',
    source: 'memory',
    metrics: [hostInfo],
    async collect() {
      if (family === undefined && asking === undefined) begin();
      return family === undefined ? [] : [family];
    },
    report() {
      const virtualization = family?.samples[0]?.labels['virtualization'];
      return { findings: virtualization === 'none' ? [bareMetal] : [] };
    },
    async close() {
      closed.abort();
    },
  };
}
