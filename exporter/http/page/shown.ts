/** How the page says a number, and how it shows text that came from outside. */
import type { Chart } from '../../core/collector.ts';
import { durationText } from '../../measure/duration.ts';
import { percentText } from '../../measure/percent.ts';

/** Colours a terminal that shows the page, turns its text around, breaks its lines, or is not seen. */
const unseen = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu;

function codeOf(character: string): string {
  const digits = (character.codePointAt(0) ?? 0).toString(16);
  if (digits.length > 4) return `\\u{${digits}}`;
  return digits.length > 2 ? `\\u${digits.padStart(4, '0')}` : `\\x${digits.padStart(2, '0')}`;
}

/** On one line, and nothing in it that is not seen. */
export function visible(text: string): string {
  return text.replaceAll(unseen, codeOf);
}

function quantity(value: number, unit: Chart['unit']): string {
  switch (unit) {
    case 'ratio':
      return percentText(value);
    case 'seconds':
      return durationText(value);
    case 'per_second':
      return `${value.toFixed(value > 0 && value < 10 ? 1 : 0)}/s`;
    case 'count':
      return String(Math.round(value));
  }
}

/** To the second and in UTC, as a ticket says it. */
export function utc(seconds: number): string {
  const date = new Date(seconds * 1000);
  if (Number.isNaN(date.getTime())) return 'an unknown time';
  return date
    .toISOString()
    .replace('T', ' ')
    .replace(/\.\d+Z$/, ' UTC');
}

export interface Drawn {
  readonly title: string;
  readonly unit: Chart['unit'];
  /** Since the first record, oldest first; null where nothing was recorded. */
  readonly points: readonly (number | null)[];
  readonly highest: number;
  readonly seconds: number;
  /** `highest in 5 s: 25 %, in 12 min: 31 %`. */
  readonly words: string;
}

/** The step under way may have no record yet. */
const freshSteps = 1;

/** A share is of a whole, but for what rounding adds; nothing that is drawn is below 0. */
const canBe = (value: number | null, unit: Chart['unit']): value is number =>
  value !== null && value >= 0 && value <= (unit === 'ratio' ? 1.01 : Number.MAX_SAFE_INTEGER);

/** None while nothing was recorded in all that time. What is of before is not said as of now. */
export function drawnOf({ title, unit, history }: Chart): Drawn[] {
  // What is no number, or one that cannot be, was not seen.
  const points = history.points().map((value) => (canBe(value, unit) ? value : null));
  const values = points.filter((value) => value !== null);
  const last = values.at(-1);
  if (last === undefined) return [];
  const steps = points.length - 1 - points.findLastIndex((value) => value !== null);
  const { stepSeconds } = history;
  const seconds = points.length * stepSeconds;
  const highest = Math.max(0, ...values);
  // A step keeps its largest value, which may be over by now.
  const latest =
    steps <= freshSteps
      ? `highest in ${durationText((steps + 1) * stepSeconds)}: ${quantity(last, unit)}, in`
      : `nothing for ${durationText(steps * stepSeconds)}, highest in`;
  const words = `${latest} ${durationText(seconds)}: ${quantity(highest, unit)}`;
  return [{ title, unit, points, highest, seconds, words }];
}
