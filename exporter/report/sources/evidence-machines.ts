/**
 * Files that a prober kept under one name, apart by machine: two probers may have watched one machine, and two
 * machines may have been given one label. The first are one story told twice, the second two stories.
 */
import { dirname } from 'node:path';
import type { EvidenceAnswer, EvidenceIncident } from '../../evidence/format.ts';
import { merged } from '../../evidence/keeper/merge.ts';

export interface Found {
  readonly name: string;
  readonly text: string;
  /** The label of the agent, of a file of the prober. */
  readonly host?: string;
  /** When it came, by the clock of the prober. */
  readonly fetched?: number;
  readonly answer: EvidenceAnswer;
  /** The same as another prober kept it: its part of the story is in that of this one. */
  readonly copies?: readonly Found[];
}

/** The clocks of two probers, and a boot that is dated by each answer anew. */
const sameTimeSeconds = 120;

interface Boot {
  readonly id: string;
  from: number;
  to: number;
  readonly found: Found[];
}

/** By the clock of the prober, where there is one: that of a machine may be anything. */
function spanOf({ fetched, answer: { now } }: Found) {
  const to = fetched ?? now.wall;
  return { from: to - now.monotonic, to };
}

function bootsOf(found: readonly Found[]): Boot[] {
  const boots = new Map<string, Boot>();
  for (const one of found) {
    const { id } = one.answer.boot;
    const { from, to } = spanOf(one);
    const known = boots.get(id);
    if (known === undefined) boots.set(id, { id, from, to, found: [one] });
    else {
      known.from = Math.min(known.from, from);
      known.to = Math.max(known.to, to);
      known.found.push(one);
    }
  }
  return [...boots.values()].sort((one, other) => one.from - other.from);
}

/** Two boots that ran at one time are of two machines; one after the other, under one label, of one. */
export function machinesOf(found: readonly Found[]): Found[][] {
  const machines: { to: number; readonly found: Found[] }[] = [];
  for (const { from, to, found: own } of bootsOf(found)) {
    const folders = new Set(own.map(({ name }) => dirname(name)));
    const free = machines.filter((machine) => machine.to - sameTimeSeconds <= from);
    const before =
      free.find((machine) => machine.found.some(({ name }) => folders.has(dirname(name)))) ??
      free[0];
    if (before === undefined) machines.push({ to, found: [...own] });
    else {
      before.to = Math.max(before.to, to);
      before.found.push(...own);
    }
  }
  return machines.map((machine) => machine.found);
}

const namesOf = ({ id, formerIds }: EvidenceIncident): string[] => [id, ...formerIds];

/** Of one boot, and of one incident of it under the name of either. */
function isCopy(one: Found, other: Found): boolean {
  if (one.answer.boot.id !== other.answer.boot.id) return false;
  const others = new Set(other.answer.incidents.flatMap(namesOf));
  return one.answer.incidents.flatMap(namesOf).some((id) => others.has(id));
}

/** The later answer rules, and has what only the earlier one knew. */
function together(earlier: Found, later: Found): Found {
  const [before] = earlier.answer.incidents;
  const [now] = later.answer.incidents;
  if (before === undefined || now === undefined) return later;
  return {
    ...later,
    answer: { ...later.answer, incidents: [merged(before, now)] },
    copies: [...(earlier.copies ?? []), earlier],
  };
}

/** Each incident once, of however many probers kept it. */
export function withoutCopies(found: readonly Found[]): Found[] {
  const single = ({ answer }: Found) => answer.incidents.length === 1;
  const inOrder = found.toSorted((a, b) => a.answer.now.monotonic - b.answer.now.monotonic);
  const kept: Found[] = [];
  for (const one of inOrder) {
    const place = single(one) ? kept.findIndex((other) => single(other) && isCopy(one, other)) : -1;
    const earlier = kept[place];
    if (earlier === undefined) kept.push(one);
    else kept[place] = together(earlier, one);
  }
  return kept;
}

/** What to name for each machine alone: its folder, where that has no other's, or its newest file. */
export function namesToChoose(machines: readonly (readonly Found[])[]): string[] {
  const foldersOf = (found: readonly Found[]) => new Set(found.map(({ name }) => dirname(name)));
  return machines.map((own) => {
    const [folder = '', ...more] = foldersOf(own);
    const shared = machines.some((other) => other !== own && foldersOf(other).has(folder));
    return shared || more.length > 0 ? (own.at(-1)?.name ?? folder) : folder;
  });
}
