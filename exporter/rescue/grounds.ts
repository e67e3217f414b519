/** Why nothing may be written on this machine, before any device is asked. */
import type { PseudoFs } from '../procfs/reader.ts';
import { isKvmGuest } from '../procfs/kvm-guest.ts';
import { messageOf } from '../measure/errors.ts';
import { readVisible } from '../tasks/process-files.ts';
import { hostProcessesSignal, waitChannelSignal } from '../tasks/visibility.ts';
import { asyncPageFaultMsr } from './msr.ts';

export interface Place {
  readonly procfs: PseudoFs;
  readonly sysfs: PseudoFs;
  /** As Node names it. */
  readonly arch: string;
}

/** Of what is called so in /sys/kernel/security/lockdown, the one in brackets holds. */
function lockdownOf(sysfs: PseudoFs): string | undefined {
  return /\[(\w+)\]/.exec(sysfs.read('kernel/security/lockdown') ?? '')?.[1];
}

function hypervisorReason({ sysfs, arch }: Place): string | undefined {
  if (arch !== 'x64') {
    return `this is ${arch}: KVM offers async page faults on x86-64 alone, so no thread can be parked for one`;
  }
  const kvm = isKvmGuest(sysfs);
  if (kvm === undefined) {
    return `whether this is a guest of KVM cannot be told: ${sysfs.root} has no clock sources`;
  }
  if (!kvm) return `this is no guest of KVM: MSR 0x${asyncPageFaultMsr.toString(16)} is KVM's`;
  return undefined;
}

function kernelReason({ sysfs }: Place): string | undefined {
  const lockdown = lockdownOf(sysfs);
  if (lockdown === 'integrity' || lockdown === 'confidentiality') {
    return `the kernel is locked down (${lockdown}, /sys/kernel/security/lockdown; Secure Boot does that): it refuses every write to an MSR`;
  }
  const allowed = sysfs.read('module/msr/parameters/allow_writes')?.trim();
  if (allowed === 'off') {
    return 'the kernel was told to refuse writes to MSRs (msr.allow_writes=off)';
  }
  return undefined;
}

/** A sentence without its full stop; undefined where nothing speaks against it. */
export function refusalOf(place: Place, hyp: ReadonlyMap<string, number> | undefined) {
  try {
    const reason = hypervisorReason(place);
    if (reason !== undefined) return reason;
    if (hyp === undefined && place.procfs.read('interrupts') === undefined) {
      return `${place.procfs.root}/interrupts is not there: whether this VM is offered async page faults cannot be told`;
    }
    if (hyp === undefined) {
      return 'this VM is offered no async page faults: /proc/interrupts has no HYP row, so no thread can be parked for one';
    }
    return kernelReason(place);
  } catch (error) {
    return messageOf(error);
  }
}

/** Of kthreadd: with CAP_SYS_ADMIN the stack says what the wait channel does not. */
const seesStacks = (procfs: PseudoFs) => (readVisible(procfs, '2/stack') ?? '') !== '';

const sentence = (reason: string) => reason.replace(/\.$/, '');

/** Why threads that are parked may not be seen as such. */
export function blindnessOf({ procfs }: Place): string | undefined {
  try {
    const all = hostProcessesSignal(procfs);
    if (!all.supported) return sentence(all.reason);
    const { supported, reason } = waitChannelSignal(procfs);
    return supported || seesStacks(procfs) ? undefined : sentence(reason);
  } catch (error) {
    return messageOf(error);
  }
}

/** Why a device is not there, and what would bring it. */
export function whyNoDevice({ sysfs }: Place, directory: string): string {
  return sysfs.list('module/msr') === undefined
    ? `there is nothing below ${directory}: the msr module is not loaded (modprobe msr, or --load-module)`
    : `there is nothing below ${directory}, and the msr module is loaded: this is a container without its devices, so run it on the machine itself`;
}
