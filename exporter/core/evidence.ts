/** What the verdict is made from. */

/** Facts that collectors contribute, each its own. What is left out is not known. */
export interface Evidence {
  /** Page-ins by the host that completed within the last minute. */
  readonly hostPageIns?: number;
  /** How long ago the last of them completed. */
  readonly sincePageInSeconds?: number;
  /** How long the oldest sleep for a page that the host has to bring back has lasted. */
  readonly pageInWaitSeconds?: number;
  /** Page-ins that the canary met within the last five minutes; 0 for too few to tell. */
  readonly coldPageIns?: number;
  /** How long the canary's touch under way has been waiting. */
  readonly coldPageWaitSeconds?: number;
  /** How much of the last minute nothing ran. */
  readonly stallSeconds?: number;
  /** The kernel of this KVM guest reported a soft lockup within the last five minutes. */
  readonly softLockup?: boolean;
  /** The machine was migrated or restored within the last two minutes. */
  readonly restored?: boolean;
  /** Share of the CPU time asked for that the host took, last minute. */
  readonly stealOfDemand?: number;
  /** No second has passed since the start of which that could be told. */
  readonly starting?: true;
  /** Share of all CPU time that this machine itself used, last minute. */
  readonly ownCpu?: number;
  /** How long the oldest sleep for a disk has lasted. */
  readonly diskWaitSeconds?: number;
  /** How long the oldest sleep for a file system has lasted, which need not have a disk. */
  readonly filesystemWaitSeconds?: number;
  /** Share of the last minute in which all that had work waited for a disk. */
  readonly diskPressure?: number;
  /** How long the oldest sleep has lasted whose reason the kernel did not tell. */
  readonly unexplainedWaitSeconds?: number;
  /** Why an answer may be missing: sentences without their full stop. */
  readonly blind?: readonly string[];
}
