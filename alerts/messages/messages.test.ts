/**
 * Every alert as the message that a person gets: its annotations as promtool renders them where its own
 * tests fire it, then the message that Alertmanager's templates make of them. `npm run golden` writes
 * the messages, `firing.txt` and `resolved.txt`.
 */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { fromOutside } from '../../tools/generate/alerts.ts';
import { commandOf } from './annotations.ts';
import {
  alertsOf,
  readTestFile,
  type RuleTest,
  ruleFiles,
  runTests,
  type TestFile,
} from '../testing/rule-files.ts';
import { inStep } from '../../tools/rig/in-step.ts';
import { channelTexts, rendered } from '../../tools/rig/message-templates.ts';
import { allTools, type Tools } from '../../tools/rig/prometheus-tools.ts';
import { sentences, whyRecord } from '../verdict/why.ts';

const root = join(import.meta.dirname, '..', '..');
const everyAlert = ruleFiles.flatMap(alertsOf);
/** A day of samples for a text that ErrorBudgetBurnFast has as well. */
const names = readdirSync(join(import.meta.dirname, '..', 'tests')).filter(
  (name) => name.endsWith('.yml') && name !== 'slo-slow.yml',
);
const testFiles = () =>
  names.map((name) => readTestFile(join(import.meta.dirname, '..', 'tests', name)));
const firing = new Set(
  testFiles()
    .flatMap(({ tests }) => tests)
    .flatMap(({ alert_rule_test = [] }) => alert_rule_test)
    .filter(({ exp_alerts }) => exp_alerts.length > 0)
    .map(({ alertname }) => alertname),
);

const unitSeconds: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400 };

function secondsOf(duration: string): number {
  const parts = [...duration.matchAll(/(\d+)([smhd])/g)];
  return parts.reduce((sum, [, n, unit = 's']) => sum + Number(n) * (unitSeconds[unit] ?? 1), 0);
}

interface Said {
  readonly verdict: string;
  /** How the sentence begins. */
  readonly begins: string;
  readonly value: number;
}

const nothing: Said = { verdict: 'quiet', begins: 'Its host is quiet', value: 0 };
const silent: Said = {
  verdict: 'unknown',
  begins: 'It does not answer at the moment; until then nothing',
  value: 0,
};
const waits: Said = { verdict: 'pageIn', begins: 'Your host has paged out', value: 64 };

/** What the verdict may well be as an alert fires; texts.test.ts and tests/why.yml have what it says when. */
const saidWith: Readonly<Record<string, Said>> = {
  host: waits,
  HostFrozen: silent,
  HostFlapping: silent,
  StealHigh: { verdict: 'steal', begins: 'Your host takes CPU', value: 34 },
  redis: nothing,
  RedisFrozen: { ...waits, value: 5 },
  AofFsyncStalling: { verdict: 'disk', begins: 'The disk or a file system', value: 6 },
  slo: { verdict: 'steal', begins: 'Your host takes CPU', value: 34 },
};

const layers = new Map(everyAlert.map(({ alert, labels }) => [alert, labels['layer'] ?? '']));

function verdictOf(host: string, alert: string) {
  const said = saidWith[alert] ?? saidWith[layers.get(alert) ?? ''] ?? nothing;
  const sentence = sentences.find(({ why }) => why.startsWith(said.begins));
  const { why = '', figure } = sentence ?? {};
  const labels = { host, verdict: said.verdict, why, ...(figure === undefined ? {} : { figure }) };
  const pairs = Object.entries(labels).map(([name, value]) => `${name}=${JSON.stringify(value)}`);
  return { series: `${whyRecord}{${pairs.join(',')}}`, value: said.value };
}

/** What a message asks for besides, on each machine: the verdict, and what was lost. */
function withVerdict({ input_series, ...rest }: RuleTest): RuleTest {
  const named = input_series.flatMap(({ series }) => /[{,]host="([^"]*)"/.exec(series)?.[1] ?? []);
  const hosts = new Set(named);
  const checks = rest.alert_rule_test ?? [];
  const ends = checks.map(({ eval_time }) => secondsOf(eval_time));
  const steps = Math.max(1, Math.ceil(Math.max(0, ...ends) / secondsOf(rest.interval)));
  const always = (value: number) => `${value}x${steps}`;
  const added = [...hosts].flatMap((host) => {
    const { series, value } = verdictOf(host, checks[0]?.alertname ?? '');
    return [
      { series, values: always(value) },
      {
        series: `slo:bad_seconds:slice15s{slo="redis_availability",host="${host}"}`,
        // All at the end: whether a range has its left end is another thing in each release.
        values: `0x${steps - 1} 734`,
      },
    ];
  });
  added.push(
    { series: 'slo:time_period:days{slo="redis_availability"}', values: always(28) },
    { series: 'slo:error_budget:ratio{slo="redis_availability"}', values: always(0.005) },
  );
  return { ...rest, input_series: [...input_series, ...added] };
}

function expectingNothing({ alert_rule_test = [], ...rest }: RuleTest): RuleTest {
  const wanted = alert_rule_test.filter(({ exp_alerts }) => exp_alerts.length > 0);
  return withVerdict({
    name: rest.name,
    interval: rest.interval,
    input_series: rest.input_series,
    alert_rule_test: wanted.map(({ alertname, eval_time }) => ({
      alertname,
      eval_time,
      exp_alerts: [],
    })),
  });
}

/** Two tests that fire it render an alert's text; what its branches say is tested in texts.test.ts. */
const enoughTests = 2;

/** Expect nothing where the tests expect an alert: promtool then prints what it got. */
function provoking(): TestFile[] {
  const provoked = new Map<string, number>();
  function isWanted({ alert_rule_test = [] }: RuleTest): boolean {
    const names = alert_rule_test.map(({ alertname }) => alertname);
    if (!names.some((name) => (provoked.get(name) ?? 0) < enoughTests)) return false;
    for (const name of names) provoked.set(name, (provoked.get(name) ?? 0) + 1);
    return true;
  }
  return testFiles()
    .map((file) =>
      Object.assign(file, { tests: file.tests.map(expectingNothing).filter(isWanted) }),
    )
    .filter(({ tests }) => tests.length > 0);
}

type Texts = Readonly<Record<string, string>>;

interface Rendered {
  readonly labels: Texts;
  readonly annotations: Texts;
}

/** `{name="value", name="value"}`, quoted as Go does. */
function valuesOf(set: string): Texts {
  return Object.fromEntries(
    [...set.matchAll(/(\w+)=("(?:[^"\\]|\\.)*")/g)].map(([, name = '', quoted = '']) => [
      name,
      String(JSON.parse(quoted)),
    ]),
  );
}

function renderedAlerts(text: string): Rendered[] {
  return [...text.matchAll(/Labels:(\{.*\})\s+Annotations:(\{.*\})/g)].map(
    ([, labels = '', annotations = '']) => ({
      labels: valuesOf(labels),
      annotations: valuesOf(annotations),
    }),
  );
}

function assertWhole({ labels, annotations }: Rendered): void {
  const alert = labels['alertname'] ?? '';
  for (const [name, text] of Object.entries(annotations)) {
    if (name === 'do') continue;
    assert.doesNotMatch(
      text,
      /<no value>|<error|error (executing|expanding|calling)|\{\{|%!/,
      `${alert}, ${name}`,
    );
  }
  const runbook = readFileSync(join(root, 'docs/runbooks', `${alert}.md`), 'utf8');
  assert.equal(annotations['do'], commandOf(runbook), `${alert}: what its runbook begins with`);
  assert.match(annotations['dashboard_url'] ?? '', /^\/d\/.*[?&]from=-?\d+000&to=now$/, alert);
  if (alert === 'Watchdog') return;
  assert.match(labels['host'] ?? '', /./, alert);
  if (fromOutside.includes(alert)) return;
  assert.match(annotations['dashboard_url'] ?? '', /var-host=[\w.]+&/, alert);
}

const texts = channelTexts({ GRAFANA_URL: 'https://grafana.example.org' });

/** As Telegram has it: title and text. One release renders as the other (templates.test.ts). */
function assertMessages(t: TestContext, { amtool }: Tools, alerts: readonly Rendered[]): void {
  for (const status of ['firing', 'resolved'] as const) {
    const messages = alerts.map((alert) =>
      rendered(amtool, texts.telegram, [
        { ...alert, status, startsAt: '2026-02-03T17:48:00Z', endsAt: '2026-02-03T18:00:14Z' },
      ]).trimEnd(),
    );
    t.assert.fileSnapshot(
      `${messages.join(`\n\n${'-'.repeat(80)}\n\n`)}\n`,
      join(import.meta.dirname, `${status}.txt`),
      { serializers: [String] },
    );
  }
}

for (const [i, tools] of allTools().entries()) {
  test(`every text renders whole, with the labels its links need, and is the message it was (${tools.label})`, (t) => {
    const first = new Map<string, Rendered>();
    for (const file of provoking()) {
      const { text } = runTests({ program: tools.promtool }, file, { summariesOnly: false });
      for (const one of renderedAlerts(text)) {
        assertWhole(one);
        const alert = one.labels['alertname'] ?? '';
        if (!first.has(alert)) first.set(alert, one);
      }
    }
    // One that no test fires is told in rules.test.ts.
    const fired = everyAlert.map(({ alert }) => alert).filter((name) => firing.has(name));
    inStep({
      have: new Set(first.keys()),
      want: fired.filter((name) => name !== 'ErrorBudgetBurnSlow'),
      missing: (name) => `${name}: its tests in alerts/tests/ fire it, and promtool shows no text`,
      needless: (name) => `${name} fires where its tests expect nothing of it`,
    });
    const told = fired.flatMap((name) => (name === 'Watchdog' ? [] : (first.get(name) ?? [])));
    if (i === 0) assertMessages(t, tools, told);
  });
}
