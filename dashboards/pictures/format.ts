/** Numbers and texts as a panel shows them. The units of the dashboards only. */
import type { Mapping, PanelModel, ThresholdSteps } from '../lint/model.ts';

const suffixes: Readonly<Record<string, string>> = { cps: '/s', ops: ' ops/s', reqps: ' req/s' };

function significant(value: number, decimals: number | undefined): string {
  if (decimals !== undefined) return value.toFixed(decimals);
  if (value === 0) return '0';
  const digits = Math.max(0, 2 - Math.floor(Math.log10(Math.abs(value))));
  return String(Number(value.toFixed(Math.min(digits, 6))));
}

/** The largest unit of which there is at least one; of minutes at least two. */
function scaled(
  value: number,
  units: readonly (readonly [size: number, name: string])[],
  decimals: number | undefined,
): string {
  const fits = ([size, name]: readonly [number, string]) =>
    Math.abs(value) >= (name === ' min' ? 2 * size : size);
  const [size, name] = units.find(fits) ?? [
    1,
    units.at(-1)?.[0] === 1 ? (units.at(-1)?.[1] ?? '') : '',
  ];
  return `${significant(value / size, decimals ?? (size === 1 ? undefined : 1))}${name}`;
}

export function formatValue(value: number, unit: string, decimals?: number): string {
  if (!Number.isFinite(value)) return '';
  switch (unit) {
    case 'percentunit':
      return `${significant(value * 100, decimals)}%`;
    case 's':
      if (value !== 0 && Math.abs(value) < 1) return `${significant(value * 1000, undefined)} ms`;
      return scaled(
        value,
        [
          [86_400, ' d'],
          [3600, ' h'],
          [60, ' min'],
          [1, ' s'],
        ],
        value < 120 ? decimals : 1,
      );
    case 'm':
      return `${significant(value, decimals)} min`;
    case 'h':
      return `${significant(value, decimals)} h`;
    case 'bytes':
      return scaled(
        value,
        [
          [2 ** 30, ' GiB'],
          [2 ** 20, ' MiB'],
          [2 ** 10, ' KiB'],
        ],
        decimals,
      );
    case 'short':
      return scaled(
        value,
        [
          [1e6, 'M'],
          [1e3, 'k'],
        ],
        decimals,
      );
    default:
      return significant(value, decimals) + (suffixes[unit] ?? '');
  }
}

function colorOf(value: number, thresholds: ThresholdSteps | undefined): string {
  const steps = thresholds?.steps ?? [];
  return steps.findLast((step) => step.value === null || value >= step.value)?.color ?? 'text';
}

export interface Shown {
  readonly text: string;
  readonly color: string;
}

export function shown(
  value: number,
  unit: string,
  decimals: number | undefined,
  mappings: readonly Mapping[] | undefined,
  thresholds: ThresholdSteps | undefined,
): Shown {
  for (const { options } of mappings ?? []) {
    const meaning = options[String(value)];
    if (meaning !== undefined) return meaning;
  }
  return { text: formatValue(value, unit, decimals), color: colorOf(value, thresholds) };
}

export function shownBy(panel: PanelModel, value: number): Shown {
  const { unit, decimals, mappings, thresholds } = panel.fieldConfig.defaults;
  return shown(value, unit, decimals, mappings, thresholds);
}

export function legendOf(format: string, labels: Readonly<Record<string, string>>): string {
  return format.replaceAll(/\{\{(\w+)\}\}/g, (_, name: string) => labels[name] ?? '');
}

export function escape(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;');
}
