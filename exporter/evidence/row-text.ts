/** A row as JSON: short, because of most seconds nothing is worth saying. */
import { width } from './fold.ts';

/** Three decimals tell a millisecond and a thousandth; NaN is what JSON has null for. */
function numberText(value: number): string {
  if (!Number.isFinite(value)) return 'null';
  return String(value < 1e6 ? Math.round(value * 1000) / 1000 : Math.round(value));
}

export function rowText(time: number, values: ArrayLike<number>, offset: number): string {
  let text = `[${numberText(time)}`;
  for (let i = 0; i < width; i += 1) text += `,${numberText(values[offset + i] ?? NaN)}`;
  return `${text}]`;
}
