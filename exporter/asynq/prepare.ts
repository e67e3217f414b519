/**
 * The numbers of a large fleet, made ready in the background: rendered a few queues at a time and
 * compressed, so that neither a scrape nor anybody else waits for 350,000 lines of text.
 */
import type { Family, Metric } from '../core/collector.ts';
import { createLineRenderer } from '../exposition/metrics.ts';
import { createPace } from '../core/pace.ts';
import { type Preparing, startPreparing } from '../core/prepared.ts';

/** Ready to be sent, and not held as numbers. */
export async function prepareFamilies<Q>(
  queues: readonly Q[],
  familiesOf: (some: readonly Q[]) => readonly Family[],
): Promise<Family[]> {
  const render = createLineRenderer();
  const pace = createPace();
  const preparing = new Map<Metric, Preparing>();
  for (let start = 0; start < queues.length; start += queuesAtOnce) {
    for (const { metric, samples } of familiesOf(queues.slice(start, start + queuesAtOnce))) {
      if (samples.length === 0) continue;
      const one = preparing.get(metric) ?? startPreparing();
      preparing.set(metric, one);
      await one.add(await render(metric, samples));
      await pace();
    }
  }
  return Promise.all(
    [...preparing].map(async ([metric, one]) => ({
      metric,
      samples: [],
      prepared: await one.end(),
    })),
  );
}

const queuesAtOnce = 50;
