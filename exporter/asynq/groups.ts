/**
 * Tasks that wait to be aggregated. Asynq's own count looks only at groups that are listed, and
 * one that went through a stale aggregation set is not: its tasks are put back into the group,
 * the name is not put back into the list, and nothing sees them until another task joins. Tasks
 * in a staged set are in no official count either. Both are counted here.
 *
 * Bounded: a queue with more than `exactGroups` groups is estimated from a sample, because
 * counting a million groups one by one is what blocks Redis (hibiken/asynq issue 1160).
 */
import { type Ask, buffersOf, countOf } from './ask.ts';
import { groupOfStagedSet, queueKey } from './keys.ts';
import type { QueueNotes } from './queue-notes.ts';
import type { Moment } from './moment.ts';

const exactGroups = 1000;
const sampledGroups = 200;
const stagedSetsRead = 100;
const maxGroupsNoted = 100;
/** A stale set goes back into its group two minutes after it was staged, or a little later. */
const groupNotedSeconds = 600;

export interface GroupTasks {
  readonly tasks: number;
  readonly estimated: boolean;
}

export async function readGroups(
  ask: Ask,
  notes: QueueNotes,
  groups: number,
  sets: number,
  moment: Moment,
): Promise<GroupTasks> {
  if (Number.isNaN(groups) || Number.isNaN(sets)) return { tasks: Number.NaN, estimated: false };
  if (groups === 0 && sets === 0 && notes.groups.size === 0) return { tasks: 0, estimated: false };
  const key = (part: string) => queueKey(notes.queue, part);
  const wanted = groups <= exactGroups ? exactGroups : sampledGroups;
  // Not SMEMBERS: the count given bounds the reply whatever the set has become meanwhile.
  const [members, stagedReply] = await ask.send([
    ['SRANDMEMBER', key('groups'), wanted],
    ['ZRANGE', key('aggregation_sets'), 0, stagedSetsRead - 1],
  ]);
  if (members instanceof Error || stagedReply instanceof Error) {
    return { tasks: Number.NaN, estimated: false };
  }
  const listed = buffersOf(members).map(String);
  const staged = buffersOf(stagedReply).map(String);
  const hidden = noteGroups(notes, listed, staged, moment.monotonic());
  const replies = await ask.send([
    ...listed.map((group) => ['ZCARD', key(`g:${group}`)] as const),
    ...hidden.map((group) => ['ZCARD', key(`g:${group}`)] as const),
    ...staged.map((set) => ['ZCARD', set] as const),
  ]);
  const counts = replies.map((reply) => countOf(reply));
  hidden.forEach((group, i) => {
    if ((counts[listed.length + i] ?? 0) > 0) notes.groups.set(group, moment.monotonic());
  });
  const scale = groups > exactGroups && listed.length > 0 ? groups / listed.length : 1;
  return {
    tasks:
      Math.round(sum(counts.slice(0, listed.length)) * scale) + sum(counts.slice(listed.length)),
    estimated: scale > 1,
  };
}

const sum = (values: readonly number[]): number => values.reduce((total, one) => total + one, 0);

/** Remember names, so that a group which leaves the list can be looked at. Gives those that did. */
function noteGroups(
  notes: QueueNotes,
  listed: readonly string[],
  staged: readonly string[],
  monotonic: number,
): string[] {
  const ofStaged = staged
    .map((set) => groupOfStagedSet(notes.queue, set))
    .filter((group) => group !== undefined);
  for (const [group, seen] of notes.groups) {
    if (monotonic - seen > groupNotedSeconds) notes.groups.delete(group);
  }
  for (const group of [...ofStaged, ...listed]) {
    if (!notes.groups.has(group) && notes.groups.size >= maxGroupsNoted) break;
    notes.groups.set(group, monotonic);
  }
  const known = new Set(listed);
  return [...notes.groups.keys()].filter((group) => !known.has(group));
}
