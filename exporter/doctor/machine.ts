/** What checks look at: each source is asked once, when the first check wants it, for all of them. */
import type { PseudoFs } from '../procfs/reader.ts';
import type { AlertmanagerFacts } from './alertmanager.ts';
import type { Container } from './containers.ts';
import type { ExporterFacts } from './exporter.ts';
import type { Files, Lane } from './files.ts';
import type { RedisFacts } from './redis.ts';

export interface Machine {
  readonly procfs: PseudoFs;
  readonly sysfs: PseudoFs;
  /** Path of the kernel log. */
  readonly kmsg: string;
  /** Unix time. */
  readonly now: number;
  /** `root` in the place of the machine's. */
  files(lane: Lane, root?: string): Files;
  /** Rejects with a sentence where there is no answer. So do the others. */
  redis(): Promise<RedisFacts>;
  exporter(): Promise<ExporterFacts>;
  /** Undefined where nobody said where it is. */
  alertmanager(): Promise<AlertmanagerFacts | undefined>;
  /** The containers of Docker that run; undefined where there is no Docker. */
  containers(): Promise<readonly Container[] | undefined>;
}

/** How long ago the last boot was; throws where /proc/uptime is none. */
export function uptimeOf({ procfs }: Pick<Machine, 'procfs'>): number {
  const seconds = Number.parseFloat(procfs.read('uptime') ?? '');
  if (!(seconds > 0)) throw new Error(`${procfs.root}/uptime: expected seconds since the boot`);
  return seconds;
}
