/** What a report is asked to read. What is left out is looked for in the usual places. */
import type { PseudoFs } from '../../procfs/reader.ts';
import type { Instant } from '../facts/facts.ts';

export interface GatherOptions {
  /** `/`, or where the root of the machine is mounted: `--root`. */
  readonly root: string;
  /** Somebody said so: what is named is of that machine, unless it says otherwise. */
  readonly rootNamed?: boolean;
  /** Only the boot before the running one, and how the running one began. */
  readonly lastBoot: boolean;
  readonly from?: Instant | undefined;
  readonly to?: Instant | undefined;
  /** The one that is asked for, by its id, which says when it began. */
  readonly incident?: string | undefined;
  /** A directory of journal files. */
  readonly journal?: string | undefined;
  readonly kernLog: readonly string[];
  readonly sysstat: readonly string[];
  readonly redisLog: readonly string[];
  /** The base URL of a Prometheus, its user and password in it where it wants them. */
  readonly prometheus?: string | undefined;
  /** The value of the `host` label in Prometheus. */
  readonly host?: string | undefined;
  /** A directory of files the prober kept, or the URL of an exporter's /evidence. */
  readonly evidence?: string | undefined;
}

/** What an exporter that runs on this machine answered on /evidence, or why it did not. */
export type RecorderAnswer = { readonly name: string } & (
  | { readonly text: string }
  | { readonly problem: string }
);

/** What the readers use of the process they run in. */
export interface ReaderSurroundings {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly now: () => Instant;
  /** 0 is root; undefined where there is no such thing. */
  readonly uid: number | undefined;
  /** The proc file system of the machine that runs us; its boot is the one that has not ended. */
  readonly procfs: PseudoFs;
  /** Undefined where it was not asked, because another place was named than this machine. */
  readonly recorder?: RecorderAnswer | undefined;
}
