/** Records of /dev/kmsg as rsyslog writes them into kern.log: the kernel's own, stamped as they come. */
import { parseRecord } from '../../exporter/kmsg/record.ts';

/** `2026-11-30T09:42:05.911521+00:00`. */
function stampOf(unix: number): string {
  const whole = new Date(Math.floor(unix) * 1000).toISOString().slice(0, 19);
  const micro = Math.round((unix % 1) * 1e3) * 1e3;
  return `${whole}.${String(micro).padStart(6, '0')}+00:00`;
}

/** Undefined for what is no record, and for one that a program wrote. */
export function kernLogLine(record: string, unix: number): string | undefined {
  const parsed = parseRecord(record);
  if (parsed === undefined || parsed.facility !== 0) return undefined;
  const seconds = Math.floor(parsed.microseconds / 1e6);
  const micro = parsed.microseconds % 1e6;
  const bracket = `${String(seconds).padStart(5)}.${String(micro).padStart(6, '0')}`;
  return `${stampOf(unix)} vps kernel: [${bracket}] ${parsed.text}`;
}

/** What tells one boot from another and whose guest it is; the rest of a start is of no use here. */
const ofTheStart =
  /\] (?:Linux version|Command line|DMI: QEMU|Hypervisor detected|kvm-clock: Using|clocksource: Switched)/;
const ends = /\] Run \/init/;

/** Lines of a kern.log without most of what a kernel says before it runs the first program. */
export function cropped(lines: readonly string[]): string[] {
  let starting = false;
  return lines.filter((line) => {
    if (ofTheStart.test(line)) starting = true;
    const taken = !starting || ofTheStart.test(line);
    if (ends.test(line)) starting = false;
    return taken;
  });
}
