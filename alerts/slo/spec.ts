/**
 * alerts/slo.yml as data: read, checked, and refused with an explanation when it promises
 * something that the rules could not keep.
 */
import { parse } from 'yaml';
import { demandBuckets, pingBuckets } from '../../exporter/measure/buckets.ts';
import { retentionDays } from '../thresholds.ts';

const sloNames = ['host', 'steal', 'redis_availability', 'redis_latency', 'queue_latency'] as const;
export type SloName = (typeof sloNames)[number];

export const windows = {
  '5m': 300,
  '30m': 1800,
  '1h': 3600,
  '2h': 7200,
  '6h': 21_600,
  '1d': 86_400,
  '3d': 259_200,
} as const;
export type Window = keyof typeof windows;

export type BurnSeverity = 'page' | 'ticket';

export interface Slo {
  readonly name: SloName;
  /** Share of good, 0..1. */
  readonly objective: number;
  /** The number that tells good from bad; its meaning depends on the SLO. None for redis_availability. */
  readonly limit: number | undefined;
  readonly alerts: readonly BurnSeverity[];
}

export interface BurnRate {
  readonly severity: BurnSeverity;
  readonly factor: number;
  readonly short: Window;
  readonly long: Window;
}

export interface SloSpec {
  readonly periodDays: number;
  readonly slos: readonly Slo[];
  readonly burnRates: readonly BurnRate[];
}

/** Upper bounds of the two histograms whose buckets count good events. */
const buckets = {
  steal: demandBuckets,
  redis_latency: pingBuckets,
};

const limitKey: Readonly<Record<SloName, string | undefined>> = {
  host: 'good_share',
  steal: 'at_most_ratio',
  redis_availability: undefined,
  redis_latency: 'within_seconds',
  queue_latency: 'within_seconds',
};

/** A limit is below this. With a share of 1 no slice would ever be good: rates are not exact. */
const limitBelow: Readonly<Record<SloName, number>> = {
  host: 1,
  steal: 1,
  redis_availability: 1,
  redis_latency: 10,
  queue_latency: 86_400,
};

type Fields = Readonly<Record<string, unknown>>;

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function fieldsOf(value: unknown, where: string): Fields {
  if (!isFields(value)) throw new Error(`${where}: expected key: value lines, got ${show(value)}`);
  return value;
}

function show(value: unknown): string {
  return JSON.stringify(value) ?? 'nothing';
}

function numberIn(fields: Fields, key: string, where: string, low: number, high: number): number {
  const value = fields[key];
  if (typeof value !== 'number' || !(value > low && value < high)) {
    throw new Error(
      `${where}: ${key} must be a number above ${low}${high === Number.POSITIVE_INFINITY ? '' : ` and below ${high}`}, got ${show(value)}`,
    );
  }
  return value;
}

function onlyKeys(fields: Fields, known: readonly string[], where: string): void {
  for (const key of Object.keys(fields)) {
    if (!known.includes(key)) {
      throw new Error(`${where}: unknown key ${show(key)}; there are ${known.join(', ')}`);
    }
  }
}

function isSeverity(value: unknown): value is BurnSeverity {
  return value === 'page' || value === 'ticket';
}

function limitOf(name: SloName, fields: Fields, where: string): number | undefined {
  const key = limitKey[name];
  if (key === undefined) return undefined;
  const limit = numberIn(fields, key, where, 0, limitBelow[name]);
  const bounds = name === 'steal' || name === 'redis_latency' ? buckets[name] : undefined;
  if (bounds !== undefined && !bounds.includes(limit)) {
    throw new Error(
      `${where}: ${key} ${limit} is no bucket of the histogram, so nothing counts it; take one of ${bounds.join(', ')}`,
    );
  }
  return limit;
}

function sloOf(name: SloName, value: unknown): Slo {
  const where = `slos.${name}`;
  const fields = fieldsOf(value, where);
  const key = limitKey[name];
  onlyKeys(fields, ['objective', 'alerts', ...(key === undefined ? [] : [key])], where);
  const alerts = fields['alerts'];
  if (!Array.isArray(alerts) || !alerts.every(isSeverity)) {
    throw new Error(`${where}: alerts must list page, ticket or nothing, got ${show(alerts)}`);
  }
  return {
    name,
    objective: numberIn(fields, 'objective', where, 0, 100) / 100,
    limit: limitOf(name, fields, where),
    alerts,
  };
}

function isWindow(value: unknown): value is Window {
  return typeof value === 'string' && value in windows;
}

function burnRateOf(value: unknown, index: number): BurnRate {
  const where = `burn_rates[${index}]`;
  const fields = fieldsOf(value, where);
  onlyKeys(fields, ['severity', 'factor', 'short', 'long'], where);
  const { severity, short, long } = fields;
  if (!isSeverity(severity)) {
    throw new Error(`${where}: severity must be page or ticket, got ${show(severity)}`);
  }
  if (!isWindow(short) || !isWindow(long) || windows[short] >= windows[long]) {
    throw new Error(
      `${where}: short and long must be two of ${Object.keys(windows).join(', ')}, short below long; got ${show(short)} and ${show(long)}`,
    );
  }
  return { severity, factor: numberIn(fields, 'factor', where, 0, 10_000), short, long };
}

/**
 * Everything bad is an error ratio of 1, and that burns the budget at 1 / (1 - objective). A
 * higher factor is an alert that cannot fire: it looks like protection and is none.
 */
function refuseImpossible(slos: readonly Slo[], burnRates: readonly BurnRate[]): void {
  for (const { name, objective, alerts } of slos) {
    const fastest = 1 / (1 - objective);
    for (const { severity, factor, short, long } of burnRates) {
      if (!alerts.includes(severity) || factor < fastest) continue;
      const lowest = 100 * (1 - 1 / factor);
      throw new Error(
        `slos.${name}: the ${severity} at ${factor}x (${short} and ${long}) can never fire. ` +
          `With an objective of ${(objective * 100).toFixed(2)} % the budget burns at most ${fastest.toFixed(1)}x, even when everything fails. ` +
          `Raise the objective above ${lowest.toFixed(2)} %, lower the factor, or take ${severity} out of this SLO's alerts.`,
      );
    }
  }
}

/** Prometheus forgets what is older, and would shorten the period without a word. */
function periodOf(file: Fields): number {
  const days = numberIn(file, 'period_days', 'slo.yml', 3, Number.POSITIVE_INFINITY);
  if (Number.isInteger(days) && days < retentionDays) return days;
  throw new Error(
    `slo.yml: period_days must be a whole number below the ${retentionDays} days that Prometheus keeps, got ${days}. For a longer one raise retentionDays in alerts/thresholds.ts and --storage.tsdb.retention.time with it.`,
  );
}

/** Throws an Error that names the key, what was expected and what stands there. */
export function readSloSpec(text: string): SloSpec {
  const file = fieldsOf(parse(text), 'slo.yml');
  onlyKeys(file, ['period_days', 'slos', 'burn_rates'], 'slo.yml');
  const slosFields = fieldsOf(file['slos'], 'slos');
  onlyKeys(slosFields, sloNames, 'slos');
  const slos = sloNames
    .filter((name) => name in slosFields)
    .map((name) => sloOf(name, slosFields[name]));
  const rates = file['burn_rates'];
  if (!Array.isArray(rates)) throw new Error(`burn_rates: expected a list, got ${show(rates)}`);
  const burnRates = rates.map(burnRateOf);
  refuseImpossible(slos, burnRates);
  return { periodDays: periodOf(file), slos, burnRates };
}
