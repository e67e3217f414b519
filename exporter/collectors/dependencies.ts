import type { Config } from '../config/read.ts';
import type { Check } from '../core/collector.ts';
import type { Excerpt } from '../kmsg/excerpts.ts';
import type { RequestCounter } from '../core/requests.ts';
import type { OpenAccess } from '../http/access/access.ts';
import type { LogDestination } from '../log/log.ts';
import type { Clock } from '../measure/clock.ts';
import type { PseudoFs } from '../procfs/reader.ts';

/** What a factory may ask for. Nothing else is global. */
export interface Dependencies {
  readonly config: Config;
  readonly clock: Clock;
  readonly procfs: PseudoFs;
  readonly sysfs: PseudoFs;
  readonly requests: RequestCounter;
  readonly log: Pick<LogDestination, 'dropped' | 'problem'>;
  /** Undefined where everybody is let in. */
  readonly webConfig: Pick<OpenAccess, 'problem'> | undefined;
  /** Is told what the kernel prints, that of before our start first. */
  readonly kernelLog: (excerpt: Excerpt) => void;
  /** What `/status` says of all collectors, these ones included. */
  readonly checks: () => readonly Check[];
}
