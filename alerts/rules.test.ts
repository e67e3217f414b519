import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fromOutside } from '../tools/generate/alerts.ts';
import { links } from './links.ts';
import { alertsOf, groupsOf, readTestFile, ruleFiles } from './testing/rule-files.ts';
import { thresholds } from './thresholds.ts';
import { shippedSpec } from './slo/shipped.ts';
import { inStep } from '../tools/rig/in-step.ts';

const root = join(import.meta.dirname, '..');
const tests = readdirSync(join(import.meta.dirname, 'tests')).filter((name) =>
  name.endsWith('.yml'),
);
const testFile = (name: string) => readTestFile(join(import.meta.dirname, 'tests', name));
const everyAlert = ruleFiles.flatMap(alertsOf);
const layerOf = (name: string) =>
  everyAlert.find(({ alert }) => alert === name)?.labels['layer'] ?? '';

test('every alert has a test in which it fires and one in which it is quiet', () => {
  const checks = tests
    .flatMap((name) => testFile(name).tests)
    .flatMap(({ alert_rule_test = [] }) => alert_rule_test);
  for (const { alert } of everyAlert) {
    const mine = checks.filter(({ alertname }) => alertname === alert);
    assert.ok(
      mine.some(({ exp_alerts }) => exp_alerts.length > 0),
      `no test in which ${alert} fires: add one to alerts/tests/${layerOf(alert)}.yml`,
    );
    assert.ok(
      alert === 'Watchdog' || mine.some(({ exp_alerts }) => exp_alerts.length === 0),
      `no test in which ${alert} is quiet: add one to alerts/tests/${layerOf(alert)}.yml`,
    );
  }
});

test('every alert says how bad, which layer, what, and where to read on', () => {
  for (const { alert, labels, annotations, keep_firing_for } of everyAlert) {
    assert.match(labels['severity'] ?? '', /^(page|ticket|none)$/, alert);
    assert.match(labels['layer'] ?? '', /^(host|redis|asynq|app|slo|meta)$/, alert);
    assert.match(annotations['summary'] ?? '', /\$value/, `${alert}: no value in the summary`);
    assert.ok((annotations['description'] ?? '').length > 40, `${alert}: no description`);
    assert.equal(annotations['runbook_url'], `${links.runbooks}${alert}.md`);
    const board = fromOutside.includes(alert)
      ? /^\/d\/stealwatch-overview\?/
      : /^\/d\/stealwatch-freeze\?var-host=/;
    assert.match(annotations['dashboard_url'] ?? '', board, alert);
    assert.ok((annotations['why'] ?? '').length > 20, `${alert}: no why`);
    // Its end comes so much later than what it is about: the message subtracts nothing silently.
    assert.equal(annotations['held'], keep_firing_for, `${alert}: held`);
  }
});

const ofEachSlo = (what: string, interval: string) =>
  Object.fromEntries(shippedSpec().slos.map(({ name }) => [`slo_${name}_${what}`, interval]));

/** promtool evaluates every group as often as it is told, so no play of rules sees these. */
const intervals: Readonly<Record<string, string | undefined>> = {
  host_pages: undefined,
  host_marks: '1m',
  host_tickets: '1m',
  redis_pages: undefined,
  redis_forks: '5m',
  redis_marks: '1m',
  redis_tickets: '30s',
  asynq_pages: undefined,
  asynq_marks: '1m',
  asynq_tickets: '30s',
  app_pages: undefined,
  meta_watchdog: undefined,
  meta_pages: undefined,
  meta_marks: '1m',
  meta_tickets: '30s',
  slo_targets: '1m',
  ...ofEachSlo('slices', '15s'),
  slo_causes: '15s',
  slo_burn: '15s',
  slo_observed: '1m',
  ...ofEachSlo('period', '15m'),
  ...ofEachSlo('shown', '1m'),
  'stealwatch-verdict': undefined,
  'stealwatch-dashboards': '1m',
};

test('no group has more rules than the 20 that Mimir takes by default', () => {
  for (const { name, rules } of ruleFiles.flatMap(groupsOf)) {
    assert.ok(rules.length <= 20, `${name}: ${rules.length} rules, make two groups of it`);
  }
});

test('pages are evaluated as often as Prometheus evaluates, everything else as often as it needs', () => {
  const written = ruleFiles.flatMap(groupsOf).map(({ name, interval }) => [name, interval]);
  for (const [name, interval] of written) {
    assert.equal(
      `${name}: ${interval}`,
      `${name}: ${intervals[name ?? '']}`,
      'a group has its interval in alerts/rules.test.ts as well',
    );
  }
  inStep({
    have: Object.keys(intervals),
    want: written.map(([name = '']) => name),
    missing: (name) => `${name}: write its interval into alerts/rules.test.ts as well`,
    needless: (name) => `${name}: no such group, take it out of alerts/rules.test.ts`,
  });
});

/** The number in the rule is the number the dashboards draw. */
const written: readonly [alert: string, comparison: string][] = [
  ['StealHigh', `> ${thresholds.stealSustainedRatio.warn}\n`],
  ['RedisFrozen', `> ${thresholds.redisUnresponsiveSeconds.bad}\n`],
  ['ForkSlow', `> ${thresholds.redisForkSeconds.warn}\n`],
  ['RedisBgsaveStuck', `> ${thresholds.redisBgsaveSeconds.bad}\n`],
  ['AofFsyncDelayed', `[6h])\n) >= ${thresholds.aofDelayedFsyncs.warn}\n`],
  ['AofFsyncStalling', `[15m])\n) >= ${thresholds.aofDelayedFsyncs.bad}\n`],
  ['PageInStuck', `> ${thresholds.pageInStuckSeconds.bad}\n`],
  ['TaskStuckInD', `> ${thresholds.taskBlockedSeconds.bad}`],
  ['ForkFreezeRisk', `> ${thresholds.hostPageInsPerSecond.bad}\n`],
  [
    'HostPageInThrash',
    `stealwatch_async_page_faults:mark1m[10m])\n) > ${thresholds.hostPageInsPerSecond.warn * 600}\n`,
  ],
  [
    'HostPageInThrash',
    `stealwatch_cold_page_host_faults:mark1m[10m])\n) > ${thresholds.coldPageIns.bad}\n`,
  ],
  ['HostStalled', `> ${thresholds.stalledSecondsIn2m.bad}`],
  ['PidPileup', `> ${thresholds.redisProcessTasks.bad}\n`],
  ['HungTaskLogGoingSilent', `< ${thresholds.hungTaskWarningsLeft.warn})`],
  ['AsynqQueueStalled', `> ${thresholds.queueLatencySeconds.bad}\n`],
  ['AsynqScheduleLag', `> ${thresholds.scheduleLagSeconds.bad}\n`],
  ['AsynqArchiveFull', `>= ${thresholds.archivedTasks.bad}`],
  ['SamplerStale', `> ${thresholds.samplerAgeSeconds.bad}`],
  ['RescueWatcherSilent', `> ${thresholds.rescueWatchAgeSeconds.warn}`],
  ['MeasurementGap', `< ${thresholds.coverageRatio.bad}`],
];

test('rules and dashboards share their thresholds', () => {
  for (const [name, comparison] of written) {
    const expr = everyAlert.find(({ alert }) => alert === name)?.expr ?? '';
    assert.ok(expr.includes(comparison), `${name}: expected ${comparison.trim()} in ${expr}`);
  }
});

const runbooks = join(root, 'docs', 'runbooks');

test('Redis may be away for as long as a restart takes', () => {
  const down = everyAlert.find(({ alert }) => alert === 'RedisDown');
  assert.equal(down?.for, `${thresholds.redisDownSeconds.bad}s`);
});

test('every alert has a runbook and every runbook an alert', () => {
  const files = readdirSync(runbooks).filter((file) => file !== 'README.md');
  inStep({
    have: files,
    want: everyAlert.map(({ alert }) => `${alert}.md`),
    missing: (name) =>
      `write docs/runbooks/${name}: "# ${name.slice(0, -3)}", an empty line, then \`\`\`sh and the command to type`,
    needless: (name) => `delete docs/runbooks/${name}, or name it as its alert is named`,
  });
});

test('a runbook begins with the command to type', () => {
  for (const { alert } of everyAlert) {
    const path = join(runbooks, `${alert}.md`);
    // Missing ones are told above.
    if (!existsSync(path)) continue;
    const [title, blank, fence, command] = readFileSync(path, 'utf8').split('\n');
    const where = `docs/runbooks/${alert}.md`;
    assert.equal(title, `# ${alert}`, `${where}: the first line is the name of the alert`);
    assert.equal(blank, '', `${where}: the second line is empty`);
    assert.equal(fence, '```sh', `${where}: the third line opens the command`);
    assert.match(command ?? '', /^[a-z(]/, `${where}: the fourth line is the command`);
  }
});
