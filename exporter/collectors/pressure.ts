/**
 * Pressure stall information. Kept for what it does not say: while the host has swapped a page
 * of ours out, the thread that waits for it counts in no pressure at all, so blocked threads
 * with quiet pressure point at the host.
 */
import { createAttempts } from '../core/attempts.ts';
import type { Clock } from '../measure/clock.ts';
import {
  type Collector,
  counter,
  incomplete,
  type Report,
  type Sample,
} from '../core/collector.ts';
import { parsePressure, type Pressure } from '../procfs/pressure.ts';
import type { PseudoFile, PseudoFs } from '../procfs/reader.ts';
import { codeOf } from '../measure/errors.ts';

const pressureSeconds = counter({
  name: 'stealwatch_pressure_seconds_total',
  help: 'Time in which threads waited for a resource, from /proc/pressure.',
  note: 'Time in which some threads, or all that had work, waited for a resource, from /proc/pressure.',
  labels: ['resource', 'kind'],
});

const resources = ['cpu', 'memory', 'io'] as const;

/** The last scrape's word on the last minute says nothing about one much later. */
const freshSeconds = 60;

const missing =
  'this kernel has no /proc/pressure: it needs CONFIG_PSI (Linux 4.20 or newer), and psi=1 on the kernel command line where it is off by default (Red Hat)';

function unsupportedReason(problem: string | undefined): string {
  return problem === undefined ? missing : `/proc/pressure cannot be read (${problem})`;
}

/** With psi=0 some kernels keep the files and refuse to read them. */
function readIfOn(file: PseudoFile): string | undefined {
  try {
    return file.read();
  } catch (error) {
    if (codeOf(error) === 'EOPNOTSUPP') return undefined;
    throw error;
  }
}

function samplesOf(resource: string, { some, full }: Pressure): Sample[] {
  const samples: Sample[] = [];
  if (some !== undefined) samples.push({ labels: { resource, kind: 'some' }, value: some });
  // The kernel's own document says that a full line for the CPU of the whole system means
  // nothing and is a constant 0 for compatibility (Documentation/accounting/psi.rst).
  if (full !== undefined && resource !== 'cpu') {
    samples.push({ labels: { resource, kind: 'full' }, value: full });
  }
  return samples;
}

export function pressureCollector({
  procfs,
  clock,
}: {
  procfs: PseudoFs;
  clock: Clock;
}): Collector {
  const files = resources.map((resource) => ({
    resource,
    file: procfs.file(`pressure/${resource}`),
  }));
  let disk: { readonly at: number; readonly ratio: number } | undefined;
  const { attempt: look, failure: unlisted } = createAttempts();
  let supported = look(() => procfs.list('pressure')) !== undefined;
  let problem = unlisted()?.message;

  function read(resource: string, file: PseudoFile): Pressure | undefined {
    const text = readIfOn(file);
    if (text === undefined) return undefined;
    const pressure = parsePressure(text);
    if (resource === 'io' && pressure.fullRatio !== undefined) {
      disk = { at: clock.monotonic(), ratio: pressure.fullRatio };
    }
    return pressure;
  }

  function lastMinute(): Pick<Report, 'evidence' | 'second'> {
    if (disk === undefined || clock.monotonic() - disk.at > freshSeconds) return { evidence: {} };
    return { evidence: { diskPressure: disk.ratio }, second: { pressure_io: disk.ratio } };
  }

  return {
    name: 'pressure',
    metrics: [pressureSeconds],
    async collect() {
      const { attempt, failure } = createAttempts();
      const samples: Sample[] = [];
      for (const { resource, file } of files) {
        attempt(() => {
          const pressure = read(resource, file);
          if (pressure === undefined) return;
          samples.push(...samplesOf(resource, pressure));
          if (pressure.problem !== undefined) throw new Error(`${resource} ${pressure.problem}`);
        });
      }
      problem = failure()?.message;
      supported = samples.length > 0;
      const families = supported ? [{ metric: pressureSeconds, samples }] : [];
      if (problem !== undefined) throw incomplete(problem, families);
      return families;
    },
    report: () => ({
      ...lastMinute(),
      signals: [
        {
          name: 'pressure',
          supported,
          reason: supported ? 'the files in /proc/pressure' : unsupportedReason(problem),
        },
      ],
    }),
    async close() {
      for (const { file } of files) file.close();
    },
  };
}
