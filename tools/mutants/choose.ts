/** Which mistakes are made, and in which order: seeded, so that a run can be repeated. */
import { type Area, filesOf } from './areas.ts';
import { apply, lineOf, type Mutant } from './mutation.ts';
import { pick, type Random, shuffled } from './random.ts';

export interface Chosen extends Mutant {
  readonly area: string;
}

type Read = (file: string) => string;

/** One kind of mistake at random for each line, and one of that kind: else numbers outweigh all. */
function onePerLine(area: Area, file: string, text: string, random: Random): Chosen[] {
  const byLine = new Map<number, Mutant[]>();
  for (const mutation of area.mutations(text)) {
    const line = lineOf(text, mutation.start);
    const those = byLine.get(line) ?? [];
    byLine.set(line, those);
    those.push({ ...mutation, file });
  }
  return [...byLine.values()].flatMap((those) => {
    const operator = pick([...new Set(those.map((one) => one.operator))], random);
    const mutant = pick(
      those.filter((one) => one.operator === operator),
      random,
    );
    if (mutant === undefined || !area.isValid(apply(text, mutant))) return [];
    return [{ ...mutant, area: area.name }];
  });
}

/** All that there are in an area, in an order drawn by lot. */
function drawn(area: Area, files: readonly string[], read: Read, random: Random): Chosen[] {
  const all = filesOf(area, files).flatMap((file) => onePerLine(area, file, read(file), random));
  return shuffled(all, random);
}

/** Areas in turn, so that whenever the time is up each has had its share. */
export function* choose(
  areas: readonly Area[],
  files: readonly string[],
  read: Read,
  random: Random,
): Generator<Chosen> {
  const queues = areas.map((area) => drawn(area, files, read, random));
  for (let round = 0; queues.some((queue) => round < queue.length); round += 1) {
    for (const queue of queues) {
      const next = queue[round];
      if (next !== undefined) yield next;
    }
  }
}
