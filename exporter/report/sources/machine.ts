/** What is known of the machine itself, from small files alone. */
import { join } from 'node:path';
import { readSmallFileSync } from '../../core/read-file.ts';
import { readHostIdentity, type Virtualization } from '../../procfs/host-identity.ts';
import { isLoopback, readLocalAddresses } from '../../procfs/local-addresses.ts';
import { parseMeminfo } from '../../procfs/meminfo.ts';
import { createPseudoFs, type PseudoFs } from '../../procfs/reader.ts';
import { parseStat } from '../../procfs/stat.ts';
import type { Gathered, Machine, Missing } from '../facts/facts.ts';
import type { ReadContext } from './context.ts';

/** Undefined for whatever cannot be had: a machine that will not tell is no reason to fail. */
function attempt<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}

const hypervisors: ReadonlySet<Virtualization> = new Set([
  'kvm',
  'xen',
  'vmware',
  'hyperv',
  'none',
]);

function hypervisorOf(name: Virtualization | undefined): Machine['hypervisor'] {
  if (name === undefined) return undefined;
  return hypervisors.has(name) ? (name as Machine['hypervisor']) : 'other';
}

/** `2001:db8::1` of its eight groups. */
const shortened = (address: string): string =>
  address.includes(':') ? new URL(`http://[${address}]`).hostname.slice(1, -1) : address;

/** Those by which others may know it. */
function addressesOf(procfs: PseudoFs, pid: number | 'self'): string[] {
  const all = attempt(() => [...readLocalAddresses(procfs, pid)]) ?? [];
  return all
    .filter((address) => !isLoopback(address) && !/^(?:fe[89ab]|169\.254\.)/i.test(address))
    .map(shortened);
}

const uuidPattern = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

function instanceUuid(sysfs: PseudoFs): string | undefined {
  const text = attempt(() => sysfs.read('class/dmi/id/product_uuid'))
    ?.trim()
    .toLowerCase();
  return text !== undefined && uuidPattern.test(text) ? text : undefined;
}

/** As the kernel has it, or as the machine will call itself at its next start. */
export function hostnameOf(root: string, procfs: PseudoFs): string | undefined {
  const kept = attempt(() => readSmallFileSync(join(root, 'etc/hostname')).toString().trim());
  const runs = attempt(() => procfs.read('sys/kernel/hostname'))?.trim();
  // Of a root that is mounted somewhere that of the kernel is the name of whoever looks.
  const name = (root === '/' ? runs || kept : kept || runs) ?? undefined;
  return name !== undefined && /^[\w.-]{1,253}$/.test(name) ? name : undefined;
}

function cpusOf(procfs: PseudoFs): number | undefined {
  const online = attempt(() => parseStat(procfs.read('stat') ?? '').online);
  return online === 0 ? undefined : online;
}

const memoryOf = (procfs: PseudoFs): number | undefined =>
  attempt(() => parseMeminfo(procfs.read('meminfo') ?? '', ['MemTotal']).values.get('MemTotal'));

const withoutUuid: Missing = {
  what: "the UUID by which the provider's node may know this machine",
  why: 'it can be read by root only',
  command: 'sudo cat /sys/class/dmi/id/product_uuid',
};

/** Files of a machine that does not run here tell its name alone. */
export function readMachine({ options, surroundings }: ReadContext): Gathered {
  const { root } = options;
  const own = root === '/';
  const procfs = own ? surroundings.procfs : createPseudoFs(join(root, 'proc'));
  const sysfs = createPseudoFs(join(root, 'sys'));
  const { virtualization, vendor, product, kernel } = readHostIdentity(procfs, sysfs);
  const uuid = instanceUuid(sysfs);
  const known = {
    hostname: hostnameOf(root, procfs),
    instanceUuid: uuid,
    vendor,
    product,
    hypervisor: hypervisorOf(virtualization),
    cpus: cpusOf(procfs),
    memoryBytes: memoryOf(procfs),
    kernelRelease: kernel,
  };
  const told = Object.entries(known).filter(([, value]) => value !== undefined);
  const refused = uuid === undefined && surroundings.uid !== 0 && vendor !== undefined;
  return {
    machine: { addresses: addressesOf(procfs, own ? 'self' : 1), ...Object.fromEntries(told) },
    missing: refused ? [withoutUuid] : [],
  };
}
