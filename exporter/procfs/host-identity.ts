/**
 * What machine this is, from small files of /proc and /sys alone. Nothing here throws: a machine
 * that will not tell its vendor is no reason to lose a scrape.
 */
import type { PseudoFs } from './reader.ts';

export type Virtualization =
  | 'kvm'
  | 'xen'
  | 'vmware'
  | 'hyperv'
  | 'virtualbox'
  | 'parallels'
  | 'bhyve'
  | 'apple'
  | 'other'
  | 'none';

/** What could not be told is left out. */
export interface HostIdentity {
  readonly virtualization?: Virtualization | undefined;
  readonly vendor?: string | undefined;
  readonly product?: string | undefined;
  readonly cpuModel?: string | undefined;
  readonly kernel?: string | undefined;
  readonly clocksource?: string | undefined;
}

/** Names that hypervisors give to the machine they show (DMI), and systeminformation to them. */
const marks: readonly (readonly [RegExp, Virtualization])[] = [
  [/vmware/i, 'vmware'],
  [/virtualbox|innotek/i, 'virtualbox'],
  [/hyper-v|microsoft corporation virtual machine/i, 'hyperv'],
  [/\bxen\b/i, 'xen'],
  [/parallels/i, 'parallels'],
  [/bhyve/i, 'bhyve'],
  [/apple virtualization/i, 'apple'],
  [/\bkvm\b|qemu|openstack|amazon ec2|google|digitalocean|hetzner|alibaba|linode|vultr/i, 'kvm'],
];

/** The hypervisor that this name stands for. */
export function virtualizationOf(name: string): Virtualization | undefined {
  return marks.find(([mark]) => mark.test(name))?.[1];
}

const longestLabel = 80;

/** Printable, on one line, bounded: fit to be a label value. Undefined when nothing is left. */
export function labelText(text: string | undefined): string | undefined {
  const clean = text
    ?.replace(/[^\x20-\x7e]+/g, ' ')
    .replace(/ +/g, ' ')
    .trim()
    .slice(0, longestLabel)
    .trimEnd();
  return clean === undefined || clean === '' ? undefined : clean;
}

function readLabel(fs: PseudoFs, path: string): string | undefined {
  try {
    return labelText(fs.read(path));
  } catch {
    return undefined;
  }
}

function readText(fs: PseudoFs, path: string): string {
  try {
    return fs.read(path) ?? '';
  } catch {
    return '';
  }
}

function detect(dmi: string, sources: string, cpuinfo: string, sysfs: PseudoFs) {
  if (readLabel(sysfs, 'hypervisor/type') === 'xen') return 'xen';
  const named = virtualizationOf(dmi);
  if (named !== undefined && named !== 'kvm') return named;
  // The kernel registers these only after it found the hypervisor (arch/x86/kernel/kvmclock.c).
  if (sources.includes('kvm-clock')) return 'kvm';
  if (sources.includes('hyperv_clocksource')) return 'hyperv';
  const flags = /^flags\s*:(.*)$/m.exec(cpuinfo)?.[1];
  // Without the flags of an x86 CPU only a name tells, and a cloud's bare-metal machine carries
  // the cloud's name, too.
  if (flags === undefined) return dmi.endsWith('.metal') ? undefined : named;
  return / hypervisor(?: |$)/.test(flags) ? (named ?? 'other') : 'none';
}

export function readHostIdentity(procfs: PseudoFs, sysfs: PseudoFs): HostIdentity {
  const clocksource = 'devices/system/clocksource/clocksource0';
  const cpuinfo = readText(procfs, 'cpuinfo');
  const vendor = readLabel(sysfs, 'class/dmi/id/sys_vendor');
  const product = readLabel(sysfs, 'class/dmi/id/product_name');
  const sources = readText(sysfs, `${clocksource}/available_clocksource`);
  return {
    virtualization: detect(`${vendor ?? ''} ${product ?? ''}`, sources, cpuinfo, sysfs),
    vendor,
    product,
    cpuModel: labelText(/^model name\s*:(.*)$/m.exec(cpuinfo)?.[1]),
    kernel: readLabel(procfs, 'sys/kernel/osrelease'),
    clocksource: readLabel(sysfs, `${clocksource}/current_clocksource`),
  };
}
