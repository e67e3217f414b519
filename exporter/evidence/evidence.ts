/** The flight recorder of this machine, with what it says to those who ask. */
import { hostname } from 'node:os';
import type { Clock } from '../measure/clock.ts';
import { readHostIdentity } from '../procfs/host-identity.ts';
import { createPseudoFs, type PseudoFs } from '../procfs/reader.ts';
import { createEvidenceText, type EvidenceText } from './answer.ts';
import type { EvidenceAnswer, EvidenceMachine } from './format.ts';
import { createIncidentLog, type IncidentLogger } from './incident-log.ts';
import { createRecorder, type Recorder } from './recorder.ts';
import { type IncidentSummary, summaryOf } from './summary.ts';

export interface EvidenceSettings {
  readonly procfs: PseudoFs;
  readonly sysfs: PseudoFs;
  readonly clock: Pick<Clock, 'monotonic' | 'wall'>;
  readonly stealThreshold: number;
  readonly version: string;
  readonly log: IncidentLogger;
}

/** What the HTTP server answers with. */
export interface EvidenceSource extends EvidenceText {
  /** Oldest first. */
  incidents(): readonly IncidentSummary[];
}

export interface Evidence extends EvidenceSource, Pick<Recorder, 'kernel' | 'tick'> {}

function readOrEmpty(fs: PseudoFs, path: string): string {
  try {
    return fs.read(path)?.trim() ?? '';
  } catch {
    return '';
  }
}

const bootIdPath = 'sys/kernel/random/boot_id';

/** Of this machine by the clock that the kernel log has; of a recording as it says itself. */
function bootClock(
  procfs: PseudoFs,
  clock: Pick<Clock, 'monotonic'>,
  bootId: string,
): () => number {
  const own = readOrEmpty(createPseudoFs('/proc'), bootIdPath) === bootId;
  const uptime = Number.parseFloat(readOrEmpty(procfs, 'uptime'));
  const monotonic = Number(process.hrtime.bigint()) / 1e9;
  const origin = clock.monotonic() - (own || Number.isNaN(uptime) ? monotonic : uptime);
  return () => clock.monotonic() - origin;
}

/** Read once, at the start. What is not known is left out. */
function machineOf(procfs: PseudoFs, sysfs: PseudoFs): EvidenceMachine {
  const { virtualization, vendor, product, cpuModel, kernel, clocksource } = readHostIdentity(
    procfs,
    sysfs,
  );
  const known = {
    hostname: hostname(),
    kernelRelease: kernel,
    virtualization,
    vendor,
    product,
    cpuModel,
    clocksource,
  };
  return Object.fromEntries(Object.entries(known).filter(([, value]) => value !== undefined));
}

export function createEvidence({
  procfs,
  sysfs,
  clock,
  stealThreshold,
  version,
  log,
}: EvidenceSettings): Evidence {
  const said = readOrEmpty(procfs, bootIdPath);
  // Files are called by it.
  const bootId = /^[0-9a-f-]{1,60}$/.test(said) ? said : 'unknown';
  const sinceBoot = bootClock(procfs, clock, bootId);
  const now = (): EvidenceAnswer['now'] => ({ wall: clock.wall(), monotonic: sinceBoot() });
  const recorder = createRecorder({
    sinceBoot,
    bootId,
    stealThreshold,
    events: createIncidentLog(log, now),
  });
  const text = createEvidenceText({
    recorder,
    machine: machineOf(procfs, sysfs),
    bootId,
    version,
    now,
  });
  return {
    ...text,
    kernel: (excerpt) => recorder.kernel(excerpt),
    tick: (look) => recorder.tick(look),
    incidents: () => recorder.incidents().map((incident) => summaryOf(incident, now())),
  };
}
