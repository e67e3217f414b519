/**
 * The value of the `process` label. A name of a kernel thread carries numbers and what it is
 * busy with (`kworker/u8:4-iou_exit`, `jbd2/sda1-8`), which would make a new series each time:
 * the part before them stays. Anyone can put control characters into a name of their own.
 */
export function processLabel({
  process,
  kernelThread,
}: {
  readonly process: string;
  readonly kernelThread: boolean;
}): string {
  const kept = kernelThread ? process.replace(/[/:].*$/s, '') : process;
  return kept.replaceAll(/\p{Cc}/gu, '?');
}
