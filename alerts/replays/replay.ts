/** Plays a timeline through the shipped rules and the shipped routing, and says who heard what when. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { spawnSync } from 'node:child_process';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse } from 'yaml';
import { errorRatio, slices } from '../slo/ratios.ts';
import { shippedSpec } from '../slo/shipped.ts';
import { startScript } from '../../tools/rig/alertmanager.ts';
import {
  alertsOf,
  type Engine,
  ruleFiles,
  runTests,
  type TestFile,
} from '../testing/rule-files.ts';
import { sliceSeconds } from '../thresholds.ts';
import {
  type AlertmanagerConfig,
  type Message,
  messagesOf,
  type TimedAlert,
} from './notifications.ts';
import { type Part, type Series, seriesOf, type Timeline } from './timeline.ts';

export interface Outcome {
  /** When each alert fired, in seconds since the start of the timeline. */
  readonly alerts: readonly TimedAlert[];
  readonly messages: readonly Message[];
  /** Share of the period's budget that is gone, by SLO. */
  readonly spent: Readonly<Record<string, number>>;
}

export function shippedRouting(): AlertmanagerConfig {
  const directory = mkdtempSync(join(tmpdir(), 'stealwatch-routing-'));
  try {
    const path = join(directory, 'alertmanager.yml');
    const env = { PATH: process.env['PATH'], WEBHOOK_URL: 'http://127.0.0.1/' };
    spawnSync(startScript, ['--render', path], { env });
    const config: AlertmanagerConfig = parse(readFileSync(path, 'utf8'));
    return config;
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

interface Sample {
  readonly labels: Record<string, string>;
  readonly value: number;
}

/** Both engines print what they got where a test expects nothing. */
function samplesIn(text: string): Map<string, Sample[]> {
  const found = new Map<string, Sample[]>();
  for (const [, expr = '', got = ''] of text.matchAll(
    /expr: "(.*)", time: .*\n\s+exp: nil\n\s+got: (.*)/g,
  )) {
    const samples = [...got.matchAll(/\{([^{}]*)\} ([\w.+-]+)/g)].map(([, labels = '', value]) => ({
      labels: Object.fromEntries(
        [...labels.matchAll(/(\w+)="([^"]*)"/g)].map(([, name = '', text = '']) => [name, text]),
      ),
      value: Number(value),
    }));
    found.set(expr.replaceAll('\\"', '"'), samples);
  }
  return found;
}

function evaluate(
  engine: Engine,
  file: Omit<TestFile, 'tests'>,
  timeline: Timeline,
  part: Part,
  exprs: readonly string[],
  further: readonly Series[] = [],
): Map<string, Sample[]> {
  const eval_time = `${part.until - part.from}s`;
  const { text } = runTests(engine, {
    ...file,
    tests: [
      {
        name: timeline.title,
        interval: `${part.step}s`,
        input_series: [...seriesOf(timeline, part), ...further],
        promql_expr_test: exprs.map((expr) => ({ expr, eval_time, exp_samples: [] })),
      },
    ],
  });
  if (/parse error|unmarshal errors|too many samples|err: /.test(text))
    throw new Error(text.slice(0, 2000));
  return samplesIn(text);
}

const edges = ['min', 'max'] as const;

function edgeExpression(edge: 'min' | 'max', alert: string, span: number, step: number): string {
  return `${edge}_over_time(timestamp(ALERTS{alertname="${alert}",alertstate="firing"})[${span}s:${step}s])`;
}

/** From the first to the last evaluation at which it fired. */
function firings(
  samples: Map<string, Sample[]>,
  alert: string,
  { from, until, step }: Part,
): TimedAlert[] {
  const [first = [], last = []] = edges.map(
    (edge) => samples.get(edgeExpression(edge, alert, until - from, step)) ?? [],
  );
  return first.map(({ labels, value }) => {
    const same = last.find(({ labels: other }) =>
      Object.entries(labels).every(([name, text]) => other[name] === text),
    );
    return {
      labels: Object.fromEntries(Object.entries(labels).filter(([name]) => name !== 'alertstate')),
      from: from + value,
      to: from + (same?.value ?? value) + step,
    };
  });
}

const ofSlos = new Set(['ErrorBudgetBurnFast', 'ErrorBudgetBurnSlow', 'MeasurementGap']);

/** Every alert but those of the SLOs, as often as Prometheus evaluates them. */
function closely(engine: Engine, timeline: Timeline, part: Part): TimedAlert[] {
  const names = ruleFiles
    .flatMap(alertsOf)
    .map(({ alert }) => alert)
    .filter((name) => !ofSlos.has(name) && name !== 'Watchdog');
  const { from, until, step } = part;
  const samples = evaluate(
    engine,
    {
      rule_files: ruleFiles.filter((file) => file !== 'slo.yml'),
      evaluation_interval: `${step}s`,
    },
    timeline,
    part,
    names.flatMap((name) => edges.map((edge) => edgeExpression(edge, name, until - from, step))),
  );
  return names.flatMap((name) => firings(samples, name, part));
}

const periodErrors = ['host', 'redis_availability'] as const;

/** Alerts as Prometheus itself would have recorded them: the burn-rate page looks at the others. */
function recorded(alerts: readonly TimedAlert[], { from: start, until, step }: Part): Series[] {
  const seen = alerts.filter(({ to }) => to > start);
  return seen.map(({ labels, from, to }) => {
    const all = Object.entries({ ...labels, alertstate: 'firing' });
    const before = Math.max(0, Math.ceil((from - start) / step));
    const during = Math.max(1, Math.floor((Math.min(to, until) - start) / step) - before);
    return {
      series: `ALERTS{${all.map(([name, value]) => `${name}="${value}"`).join(',')}}`,
      values: `${before > 0 ? `_x${before} ` : ''}1x${during - 1} stale`,
    };
  });
}

/** The SLOs over the whole of it, slice by slice. */
function overAll(
  engine: Engine,
  timeline: Timeline,
  others: readonly TimedAlert[],
): Pick<Outcome, 'alerts' | 'spent'> {
  const part = { from: timeline.judgedFrom, until: timeline.end, step: 5 };
  const span = part.until - part.from;
  const coarse = { ...part, step: 4 * sliceSeconds };
  const spec = shippedSpec();
  const period = `${spec.periodDays}d`;
  // From the slices: the rules add up whole quarters, and a story ends when it ends.
  const errors = spec.slos
    .filter(({ name }) => periodErrors.some((one) => one === name))
    .map((slo) => errorRatio(slo, 'period', spec.periodDays * 86_400, slices).expr);
  const samples = evaluate(
    engine,
    {
      rule_files: ['slo.yml', 'meta.yml'],
      inline_records: `ratio_rate(1d|3d|${period})|coverage:ratio_rate(1d|${period})|sum15m|slo:(cause|bad_seconds|period)`,
      evaluation_interval: `${sliceSeconds}s`,
    },
    timeline,
    part,
    [
      ...[...ofSlos].flatMap((name) =>
        edges.map((edge) => edgeExpression(edge, name, span, coarse.step)),
      ),
      ...errors.map((expr) => `sum(${expr.replaceAll('\n', ' ')}) * ${span} > 0`),
    ],
    recorded(others, part),
  );
  const bad = [...samples].filter(([expr]) => expr.startsWith('sum('));
  const spent = periodErrors.map((name) => {
    const seconds = bad.find(([expr]) => expr.includes(`slo="${name}"`))?.[1][0]?.value ?? 0;
    const objective = spec.slos.find((slo) => slo.name === name)?.objective ?? 1;
    return [name, seconds / ((1 - objective) * spec.periodDays * 86_400)] as const;
  });
  return {
    alerts: [...ofSlos].flatMap((name) => firings(samples, name, coarse)),
    spent: Object.fromEntries(spent),
  };
}

/** Part by part: what fires where one ends would be two alerts, or have no end. */
export function watch(engine: Engine, timeline: Timeline): TimedAlert[] {
  const last = timeline.closely.at(-1);
  return timeline.closely.flatMap((part) =>
    closely(engine, timeline, part).map((alert) => {
      if (alert.to <= part.until) return alert;
      if (part === last) return Object.assign(alert, { to: timeline.end });
      const name = alert.labels['alertname'] ?? '';
      throw new Error(`${timeline.title}: ${name} fires at ${part.until} s, where a part ends`);
    }),
  );
}

export function replay(promtool: string, timeline: Timeline): Outcome {
  const engine = { program: promtool };
  const watched = watch(engine, timeline);
  const { alerts: sloAlerts, spent } = overAll(engine, timeline, watched);
  const alerts = [...watched, ...sloAlerts].sort((a, b) => a.from - b.from);
  return { alerts, messages: messagesOf(alerts, shippedRouting()), spent };
}
