/** Plain data of strangers, looked at piece by piece: what is not as expected is named by its place. */

export type Check<T> = (value: unknown, place: string) => T;

function refuse(place: string, expected: string): never {
  throw new Error(`${place}: expected ${expected}`);
}

export const number: Check<number> = (value, place) =>
  typeof value === 'number' && Number.isFinite(value) ? value : refuse(place, 'a number');

/** Cut at `most` characters: what is said at length is no reason to lose the rest. */
export const text =
  (most: number): Check<string> =>
  (value, place) =>
    typeof value === 'string' ? value.slice(0, most) : refuse(place, 'a text');

export const matching =
  (pattern: RegExp, expected: string): Check<string> =>
  (value, place) =>
    typeof value === 'string' && pattern.test(value) ? value : refuse(place, expected);

export const oneOf =
  <T extends string | number>(...allowed: readonly T[]): Check<T> =>
  (value, place) =>
    allowed.find((one) => one === value) ?? refuse(place, allowed.join(' or '));

export const nullOr =
  <T>(check: Check<T>): Check<T | null> =>
  (value, place) =>
    value === null ? null : check(value, place);

export const listOf =
  <T>(check: Check<T>, most: number): Check<readonly T[]> =>
  (value, place) => {
    if (!Array.isArray(value)) return refuse(place, 'a list');
    if (value.length > most) return refuse(place, `at most ${most} entries`);
    return value.map((one: unknown, i) => check(one, `${place}[${i}]`));
  };

type Checks<T> = { readonly [K in keyof T]-?: Check<T[K]> };

/** What may be left out. */
export const optional =
  <T>(check: Check<T>): Check<T | undefined> =>
  (value, place) =>
    value === undefined ? undefined : check(value, place);

type Optional<T> = {
  readonly [K in keyof T as undefined extends T[K] ? K : never]?: Exclude<T[K], undefined>;
} & { readonly [K in keyof T as undefined extends T[K] ? never : K]: T[K] };

/** What it has beside these is left out. */
export const object =
  <T extends object>(checks: Checks<T>): Check<Optional<T>> =>
  (value, place) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      return refuse(place, 'an object');
    }
    const found: Record<string, unknown> = {};
    for (const key of Object.keys(checks) as (keyof T & string)[]) {
      const own: unknown = Object.hasOwn(value, key) ? Reflect.get(value, key) : undefined;
      const kept = checks[key](own, place === '' ? key : `${place}.${key}`);
      if (kept !== undefined) found[key] = kept;
    }
    return found as Optional<T>;
  };
