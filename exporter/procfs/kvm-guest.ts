/** Whether this is a guest of KVM: only there the HYP row counts pages that the host brought back. */
import type { PseudoFs } from './reader.ts';

/** Below /sys. */
export const clocksources = 'devices/system/clocksource/clocksource0/available_clocksource';

/** Undefined where it cannot be told. */
export function isKvmGuest(sysfs: PseudoFs): boolean | undefined {
  return sysfs.read(clocksources)?.split(/\s+/).includes('kvm-clock');
}
