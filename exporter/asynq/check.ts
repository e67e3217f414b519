/** The line of `/status` about Asynq, and the signal. */
import type { Check, Signal } from '../core/collector.ts';
import type { Snapshot } from './collection.ts';
import { counted } from './findings.ts';
import { isWithoutAsynq } from './presence.ts';
import { explained, sentenceOf } from './refused.ts';
import type { Known } from './known.ts';

/**
 * `unserved`: tasks wait in a queue no live server takes from. `none`: no Asynq in this Redis.
 * `partial`: some of what is read was refused, or does not decode.
 */
type AsynqState = 'starting' | 'up' | 'partial' | 'unserved' | 'unsupported' | 'none' | 'unknown';
const isWell: ReadonlySet<AsynqState> = new Set(['starting', 'up', 'none']);

export interface Standing {
  readonly state: AsynqState;
  /** On the monotonic clock. */
  readonly since: number;
}

function stateOf(
  known: Known | undefined,
  failure: Error | undefined,
  isCluster: boolean,
): [AsynqState, string] {
  if (known === undefined) {
    return failure === undefined
      ? ['starting', 'the queues have not been read yet']
      : ['unknown', `the queues cannot be read: ${explained(failure.message, isCluster)}`];
  }
  const { snapshot, unserved } = known;
  if (isWithoutAsynq(known)) return ['none', 'there is no Asynq in this Redis'];
  if (snapshot.legacyQueues.length > 0) return ['unsupported', legacyReason(snapshot)];
  const { refusals } = snapshot;
  const partly = refusals === undefined ? '' : `, ${sentenceOf(refusals, isCluster)}`;
  if (unserved > 0) {
    return [
      'unserved',
      `tasks wait in ${counted(unserved, 'queue')} that no live server serves${partly}`,
    ];
  }
  return [partly === '' ? 'up' : 'partial', `${counted(known.queues, 'queue')} read${partly}`];
}

/** Not critical: what a health check can mend is Redis's, and Redis has a check of its own. */
export function asynqCheck(
  known: Known | undefined,
  failure: Error | undefined,
  before: Standing | undefined,
  { monotonic, isCluster }: { readonly monotonic: number; readonly isCluster: boolean },
): { readonly check: Check; readonly standing: Standing } {
  const [state, reason] = stateOf(known, failure, isCluster);
  const standing = before?.state === state ? before : { state, since: monotonic };
  return {
    standing,
    check: {
      name: 'asynq',
      critical: false,
      ok: isWell.has(state),
      state,
      reason,
      sinceSeconds: monotonic - standing.since,
      ageSeconds: known === undefined ? 0 : monotonic - known.snapshot.takenAt,
    },
  };
}

function legacyReason({ legacyQueues }: Snapshot): string {
  const names = legacyQueues.slice(0, 3).map((queue) => JSON.stringify(queue.slice(0, 60)));
  return (
    `${counted(legacyQueues.length, 'queue')} (${names.join(', ')}${legacyQueues.length > 3 ? ', …' : ''}) ` +
    'kept by an Asynq older than v0.18, whose layout is not read: upgrade to v0.20 or later'
  );
}

/** Nothing before the first collection: not known is not the same as not there. */
export function asynqSignal(last: Known | undefined): Signal[] {
  if (last === undefined) return [];
  const { snapshot } = last;
  if (snapshot.legacyQueues.length > 0) {
    return [{ name: 'asynq', supported: false, reason: legacyReason(snapshot) }];
  }
  if (isWithoutAsynq(last)) {
    const reason =
      'There is no Asynq in this Redis: neither asynq:queues nor a server. Is it the right database?';
    return [{ name: 'asynq', supported: false, reason }];
  }
  return [{ name: 'asynq', supported: true, reason: 'Asynq v0.18 or later works here.' }];
}
