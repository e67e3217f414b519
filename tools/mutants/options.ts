/** The command line. */
import { parseArgs } from 'node:util';
import { type Area, areas, areasNamed } from './areas.ts';

export interface Options {
  readonly minutes: number;
  readonly seed: number;
  readonly jobs: number;
  readonly areas: readonly Area[];
  /** Show every mistake, not only those that went unseen. */
  readonly all: boolean;
  /** Run what is far from a mistake as well. */
  readonly far: boolean;
}

const areaNames = areas.map(({ name }) => name).join(', ');

export const usage = `npm run mutants -- [--minutes N] [--seed N] [--jobs N] [--area NAME]... [--all] [--far]

Makes one small mistake at a time in a copy of the tree and runs the tests that execute it.
  --minutes N   how long, 15 by default
  --seed N      which mistakes come first, 1 by default
  --jobs N      mistakes at a time, 1 by default
  --area NAME   only this one, may be repeated: ${areaNames};
                exporter, alerts and deploy stand for all of theirs
  --all         show every mistake, not only those that went unseen
  --far         run all tests that execute it, not only those of its room and those that import it
                or what imports it: several times as long
`;

function numberOf(flag: string, text: string, least: number): number {
  const value = Number(text);
  if (!/^\d+(?:\.\d+)?$/.test(text) || value < least) {
    throw new Error(`--${flag}: expected a number from ${least}, got ${JSON.stringify(text)}`);
  }
  return value;
}

/** Undefined for `--help`. Throws what was wrong and what was expected. */
export function readOptions(argv: readonly string[]): Options | undefined {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      minutes: { type: 'string', default: '15' },
      seed: { type: 'string', default: '1' },
      jobs: { type: 'string', default: '1' },
      area: { type: 'string', multiple: true, default: [] },
      all: { type: 'boolean', default: false },
      far: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return undefined;
  const chosen = values.area.map((name) => {
    const found = areasNamed(name);
    if (found.length > 0) return found;
    throw new Error(`--area: no area ${JSON.stringify(name)}; there are ${areaNames}`);
  });
  return {
    minutes: numberOf('minutes', values.minutes, 0.1),
    seed: numberOf('seed', values.seed, 0),
    jobs: Math.floor(numberOf('jobs', values.jobs, 1)),
    all: values.all,
    far: values.far,
    areas: chosen.length === 0 ? areas : [...new Set(chosen.flat())],
  };
}
