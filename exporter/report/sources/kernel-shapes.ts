/** Lines of the kernel that a report needs besides hung tasks and lockups. */
import type { SystemEventKind } from '../facts/facts.ts';

interface Shape {
  readonly kind: SystemEventKind;
  readonly pattern: RegExp;
  /** `$1` is what the pattern caught. */
  readonly said: string;
}

const device = String.raw`([\w.:/-]{1,40})`;

const shapes: readonly Shape[] = [
  {
    kind: 'filesystem_recovered',
    pattern: new RegExp(
      String.raw`^(?:EXT[34]-fs|JBD2?) \(${device}\): (?:recovery complete|orphan cleanup on readonly fs|\d+ orphan inodes? deleted)`,
    ),
    said: 'the file system on $1 was recovered from an unclean stop',
  },
  {
    kind: 'filesystem_recovered',
    pattern: new RegExp(String.raw`^XFS \(${device}\): (?:Starting|Ending) recovery`),
    said: 'the file system on $1 was recovered from an unclean stop',
  },
  {
    kind: 'filesystem_recovered',
    pattern: new RegExp(
      String.raw`^BTRFS(?: info)? \(device ${device}\)(?: state \w+)?: start tree-log replay`,
    ),
    said: 'the file system on $1 was recovered from an unclean stop',
  },
  {
    kind: 'filesystem_error',
    pattern: new RegExp(
      String.raw`^(?:EXT[234]-fs error|BTRFS (?:error|critical)) \(device ${device}(?: state \w+)?\)`,
    ),
    said: 'the kernel reported an error of the file system on $1',
  },
  {
    // Mount options hold the word "errors": it is not enough.
    kind: 'filesystem_error',
    pattern: new RegExp(
      String.raw`^(?:EXT[234]-fs|XFS|F2FS-fs) \(${device}\): .*(?:Remounting filesystem read-only|I/O error|Corruption|[Cc]orrupt|has been shut down|Data will be lost|Log force failed)`,
    ),
    said: 'the kernel reported an error of the file system on $1',
  },
  {
    kind: 'filesystem_error',
    pattern: new RegExp(
      String.raw`^(?:Aborting journal on device|JBD2: .*I/O error.* on) ${device}`,
    ),
    said: 'the kernel reported an error of the journal on $1',
  },
  {
    kind: 'disk_error',
    pattern: new RegExp(String.raw`\bI/O error,? (?:on )?dev(?:ice)? ${device}`),
    said: 'the kernel reported an I/O error of $1',
  },
  {
    kind: 'disk_error',
    pattern: new RegExp(
      String.raw`^(?:nvme ${device}: I/O .*timeout|sd ${device}: \[\w+\] .*FAILED|ata[\d.]+: (?:exception|failed command)|virtio_blk \S+: .*(?:timeout|error))`,
    ),
    said: 'the kernel reported a fault of a disk',
  },
];

/** Undefined for all other lines. */
export function kernelShape(
  text: string,
): { readonly kind: SystemEventKind; readonly said: string } | undefined {
  for (const { kind, pattern, said } of shapes) {
    const match = pattern.exec(text);
    const name = match?.[1]?.replace(/[,:.]+$/, '') ?? 'a disk';
    if (match !== null) return { kind, said: said.replace('$1', name) };
  }
  return undefined;
}
