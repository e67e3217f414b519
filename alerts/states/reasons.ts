/** What rows of several rule files share: shapes, exceptions and their reasons. */

/** On and off, as what flaps. */
export const alternately = (t: number) => (t % 10 < 4 ? 1 : 0);
export const counter = { 'one nan': [false, 'a counter is never NaN'] } as const;
export const gauge = { 'one nan': [false, 'not known for a moment'] } as const;
export const held = [true, 'held by its window'] as const;
/** Labels by which a machine has several series, for the rules that ask for any. */
export const machine = ['queue', 'collector', 'app', 'process', 'cause', 'cpu', 'age', 'sampler'];
