/**
 * What a kernel writes into the async page fault MSR (arch/x86/kernel/kvm.c, kvm_guest_cpu_init):
 * where its 64 bytes for this vCPU are, and how it wants to be told. Anything else was written by
 * somebody else, or by a kernel that we do not know.
 */
const flags = { enabled: 1n, sendAlways: 2n, asVmExit: 4n, asInterrupt: 8n } as const;
const flagBits = 6n;
const reserved = 0x30n;
/** Physical addresses of x86 end here. */
const mostAddressBits = 52n;

export const valueText = (value: bigint): string => `0x${value.toString(16)}`;

/** The place in guest memory that a value names. */
export const addressOf = (value: bigint): bigint => (value >> flagBits) << flagBits;

/** Why a value is not one that a kernel writes; undefined for one that is. */
export function problemOfValue(value: bigint): string | undefined {
  const text = valueText(value);
  if (value === 0n)
    return 'holds 0: async page faults are off there (no-kvmapf, or somebody wrote it)';
  if ((value & flags.enabled) === 0n) return `holds ${text}, in which they are not enabled (bit 0)`;
  if ((value & flags.asInterrupt) === 0n) {
    return `holds ${text}, which asks for no interrupt (bit 3), as kernels before 5.9 did`;
  }
  if ((value & reserved) !== 0n) {
    return `holds ${text}, in which bits 4 and 5 are set, expected an address aligned to 64 bytes`;
  }
  const address = addressOf(value);
  if (address === 0n || address >> mostAddressBits !== 0n) {
    return `holds ${text}, whose address is in no memory`;
  }
  return undefined;
}
