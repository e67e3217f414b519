/**
 * The cold-page canary: memory that nobody needs and that is touched rarely, to see whether the
 * host has taken it (canary/canary-worker.ts touches it, in a thread of its own).
 *
 * A host that swaps its guests takes the pages first that were left alone the longest. Finding
 * them gone tells before Redis' own pages go, and tells it as well on machines whose hypervisor
 * does not report page-ins (async-page-faults.ts says so). What it counts is a lower bound, and a
 * single count may be a stray one: a finding needs three within five minutes.
 */
import { ageClasses, type CanaryReading, touchBuckets } from '../canary/layout.ts';
import { type Canary, startCanary } from '../canary/thread.ts';
import type { Clock } from '../measure/clock.ts';
import {
  byLabel,
  type Collector,
  counter,
  type Finding,
  gauge,
  histogram,
  single,
} from '../core/collector.ts';
import { durationText } from '../measure/duration.ts';
import { limits } from '../measure/limits.ts';

const touches = histogram({
  name: 'stealwatch_cold_page_touch_seconds',
  help: 'Time to read a byte of a page left alone this long, by the monotonic clock.',
  note: 'How long it took to read one byte of a page of the canary that was left alone for this long, by the monotonic clock.',
  labels: ['age'],
  buckets: touchBuckets,
});
const hostFaults = counter({
  name: 'stealwatch_cold_page_host_faults_total',
  help: 'Such pages that the host had paged out, at least, from /proc/thread-self.',
  note: 'Such pages that the host had paged out, at least: voluntary switches less page faults of its own, or slow touches, whichever is more, from /proc/thread-self of the canary.',
  labels: ['age'],
});
const outstanding = gauge({
  name: 'stealwatch_cold_page_outstanding_seconds',
  help: 'Age of the touch under way, 0 for none, by the monotonic clock.',
  note: 'How long the touch under way has been waiting for its page, by the monotonic clock; 0 while none is.',
});
const discarded = counter({
  name: 'stealwatch_cold_page_discarded_touches_total',
  help: 'Touches disturbed by swap of our own, from pswpin of /proc/vmstat.',
  note: 'Touches that say nothing because this machine itself fetched pages from its swap meanwhile, or the counters of the thread could not be read, from pswpin of /proc/vmstat.',
});

const windowSeconds = 5 * 60;
const tickSeconds = 5;
/** One stray count in 31,000 resident touches was seen. */
const leastToTell = limits.coldPageIns.warn;
const stuckSeconds = limits.pageInStuckSeconds.warn;

interface ColdPageDependencies {
  readonly config: { readonly canary: number };
  readonly clock: Clock;
  readonly start?: (bytes: number) => Canary;
}

/** Growth of each class over the last five minutes. */
function createWindow() {
  const marks: { readonly at: number; readonly faults: readonly number[] }[] = [];
  return {
    mark(at: number, faults: readonly number[]): void {
      marks.push({ at, faults });
      while ((marks[1]?.at ?? at) <= at - windowSeconds) marks.shift();
    },
    growth(faults: readonly number[]): number[] {
      return faults.map((count, i) => count - (marks[0]?.faults[i] ?? count));
    },
  };
}

function faultFinding(growth: readonly number[], count: number): Finding[] {
  if (count < leastToTell) return [];
  const youngest = growth.findIndex((one) => one > 0);
  const idle = { '2m': '2 minutes', '15m': '15 minutes', '60m': 'an hour' }[
    ageClasses[youngest]?.age ?? ''
  ];
  const text = `Your host has paged out memory that this machine left idle for ${idle ?? 'a while'}: at least ${count} pages had to be fetched back in the last 5 minutes.`;
  return [{ severity: 'bad', text }];
}

function outstandingFinding(seconds: number): Finding[] {
  if (seconds < stuckSeconds) return [];
  const text = `A touch of an idle page has been waiting for ${durationText(seconds)}: your host has paged it out and does not bring it back.`;
  return [{ severity: 'bad', text }];
}

function familiesOf({ classes, outstandingSeconds, discardedTouches }: CanaryReading) {
  return [
    {
      metric: touches,
      samples: classes.map(({ age, counts, sum }) => ({ labels: { age }, value: { counts, sum } })),
    },
    byLabel(hostFaults, Object.fromEntries(classes.map((one) => [one.age, one.hostFaults]))),
    single(outstanding, outstandingSeconds),
    single(discarded, discardedTouches),
  ];
}

/** Only for a configuration that asks for it: a pool of 0 MiB is none. */
export function coldPageCollector({
  config: { canary: mib },
  clock,
  start = startCanary,
}: ColdPageDependencies): Collector {
  const metrics = [touches, hostFaults, outstanding, discarded];
  const canary = start(mib * 1024 * 1024);
  const window = createWindow();

  let ended = 'the thread of the canary ended';

  /** Undefined when the thread has ended. */
  function read(): CanaryReading | undefined {
    try {
      return canary.read();
    } catch (error) {
      if (error instanceof Error) ended = error.message;
      return undefined;
    }
  }

  const growthOf = ({ classes }: CanaryReading) =>
    window.growth(classes.map((one) => one.hostFaults));

  function tick(): void {
    const reading = read();
    if (reading !== undefined) {
      window.mark(
        clock.monotonic(),
        reading.classes.map((one) => one.hostFaults),
      );
    }
  }

  tick();
  const stop = clock.every(tickSeconds, tick);

  return {
    name: 'cold-page',
    source: 'memory',
    metrics,
    async collect() {
      return familiesOf(canary.read());
    },
    report() {
      const reading = read();
      const name = 'cold_pages';
      if (reading === undefined) {
        return { signals: [{ name, supported: false, reason: ended }] };
      }
      const { outstandingSeconds, ageSeconds } = reading;
      const growth = growthOf(reading);
      const count = growth.reduce((sum, one) => sum + one, 0);
      return {
        signals: [{ name, supported: true, reason: `a pool of ${mib} MiB of idle pages` }],
        evidence: {
          coldPageIns: count < leastToTell ? 0 : count,
          coldPageWaitSeconds: outstandingSeconds,
        },
        second: { cold_page_wait_seconds: outstandingSeconds },
        // A thread that sleeps for a page is no broken clock: it is the finding.
        samplers: [{ name: 'cold_page', ageSeconds: outstandingSeconds > 0 ? 0 : ageSeconds }],
        findings: [...outstandingFinding(outstandingSeconds), ...faultFinding(growth, count)],
      };
    },
    async close() {
      stop();
      await canary.close();
    },
  };
}
