/**
 * What is known after a collection, made ready for whoever asks: the page, `/status`, scrapes. Of
 * a small fleet that is its numbers. Of a large one it is text (prepare.ts), and the numbers go.
 */
import type { Family, Finding } from '../core/collector.ts';
import { createPace } from '../core/pace.ts';
import type { Snapshot } from './collection.ts';
import { createFindings, isUnserved } from './findings.ts';
import { asUnread } from './fleet-metrics.ts';
import { prepareFamilies } from './prepare.ts';
import { createViewer, queueCounters, queueGauges, type QueueView } from './queue-metrics.ts';

/** Up to so many a scrape reads the queues itself. */
export const inlineQueues = 500;

interface QueueFamilies {
  gauges(): readonly Family[];
  /** The same series while they cannot be read. */
  unread(): readonly Family[];
  counters(): readonly Family[];
}

interface Told {
  readonly queues: number;
  /** Queues in which tasks wait and nobody takes them. */
  readonly unserved: number;
  /** The longest wait of all queues that could tell; undefined without one. */
  readonly oldestSeconds: number | undefined;
  readonly findings: readonly Finding[];
}

export interface Known extends Told {
  /** Of a large fleet without its queues. */
  readonly snapshot: Snapshot;
  readonly families: QueueFamilies;
  /** Of a large fleet: what `families.unread` was made of. */
  readonly names?: readonly string[];
}

/** `before` is what was known until now: as long as the queues are the same, so is what is unread. */
export async function know(
  snapshot: Snapshot,
  withMemory: boolean,
  before: Known | undefined,
): Promise<Known> {
  const began = performance.now();
  const { views, told } = await tell(snapshot);
  const gauges = (some: readonly QueueView[]) => queueGauges(some, withMemory);
  const unread = (some: readonly QueueView[]) => gauges(some).map(asUnread);
  if (views.length <= inlineQueues) {
    const families = {
      gauges: () => gauges(views),
      unread: () => unread(views),
      counters: () => queueCounters(views),
    };
    return { ...told, snapshot, families };
  }
  const names = views.map(({ queue }) => queue);
  const same = names.length === before?.names?.length && names.every(isAt(before.names));
  const ready = {
    gauges: await prepareFamilies(views, gauges),
    unread: same ? before.families.unread() : await prepareFamilies(views, unread),
    counters: await prepareFamilies(views, queueCounters),
  };
  return {
    ...told,
    names,
    snapshot: withoutQueues(snapshot, (performance.now() - began) / 1000),
    families: {
      gauges: () => ready.gauges,
      unread: () => ready.unread,
      counters: () => ready.counters,
    },
  };
}

const isAt = (others: readonly string[]) => (name: string, i: number) => others[i] === name;

async function tell(snapshot: Snapshot): Promise<{ views: QueueView[]; told: Told }> {
  const viewOf = createViewer(snapshot);
  const findings = createFindings(snapshot);
  const pace = createPace();
  const views: QueueView[] = [];
  let unserved = 0;
  let oldestSeconds: number | undefined;
  for (const reading of snapshot.queues) {
    const view = viewOf(reading);
    views.push(view);
    findings.about(view);
    if (isUnserved(view)) unserved += 1;
    if (view.latencySeconds >= 0) oldestSeconds = Math.max(oldestSeconds ?? 0, view.latencySeconds);
    const turn = pace();
    if (turn !== undefined) await turn;
  }
  return {
    views,
    told: { queues: views.length, unserved, oldestSeconds, findings: findings.findings() },
  };
}

/** Making it ready is part of what the collection cost. */
function withoutQueues(snapshot: Snapshot, readySeconds: number): Snapshot {
  return {
    ...snapshot,
    queues: [],
    listed: { ...snapshot.listed, names: new Set() },
    durationSeconds: snapshot.durationSeconds + readySeconds,
  };
}
