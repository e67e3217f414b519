import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { allTools, installedTools } from '../../tools/rig/prometheus-tools.ts';
import { messagesOf } from './notifications.ts';
import { type Outcome, replay, shippedRouting } from './replay.ts';
import {
  document,
  documentPath,
  firstHeard,
  row,
  type Scenario,
  scenarios,
  timelineFiles,
  timelineOf,
} from './table.ts';
import { seconds, seriesOf } from './timeline.ts';
import { inStep, sameText } from '../../tools/rig/in-step.ts';

const outcomes = new Map<Scenario, Outcome>();

function outcomeOf(scenario: Scenario): Outcome {
  const known = outcomes.get(scenario) ?? replay(installedTools().promtool, timelineOf(scenario));
  outcomes.set(scenario, known);
  return known;
}

function news({ messages }: Outcome): string[] {
  return messages.filter(({ kind }) => kind === 'news').map(({ alerts }) => alerts.join(' '));
}

function pageSecondsAfter(scenario: Scenario): number | undefined {
  const { incident } = timelineOf(scenario);
  const page = firstHeard(outcomeOf(scenario), 'page', incident, Number.POSITIVE_INFINITY);
  return page === undefined ? undefined : page.at - incident;
}

test('February: a page within 10 s, its cause within 70 s, two messages in 17 h', () => {
  assert.ok((pageSecondsAfter('february') ?? Number.NaN) <= 10);
  const outcome = outcomeOf('february');
  assert.deepEqual(news(outcome), ['RedisFrozen', 'PageInStuck']);
  assert.ok((outcome.spent['redis_availability'] ?? 0) > 4.5, 'five times the budget of 28 days');
  assert.ok(
    outcome.alerts.some(({ labels }) => labels['alertname'] === 'HealthEndpointLies'),
    'the lying health check is seen, though the page of Redis speaks for it',
  );
});

test('March: a ticket 40 h before, a page 26 h before, and a word about the save points', () => {
  const outcome = outcomeOf('march');
  const { incident } = timelineOf('march');
  const ticket = firstHeard(outcome, 'ticket', 0, incident);
  const page = firstHeard(outcome, 'page', 0, incident);
  assert.equal(ticket?.alert, 'AofFsyncDelayed');
  assert.ok(incident - ticket.at >= 40 * 3600);
  assert.equal(page?.alert, 'AofFsyncStalling');
  assert.ok(incident - page.at >= 26 * 3600);
  assert.ok(outcome.alerts.some(({ labels }) => labels['alertname'] === 'RdbConfigDrift'));
  assert.ok((pageSecondsAfter('march') ?? Number.NaN) <= 60, 'sampled every 30 s');
});

test('a Redis that turns everybody away is one page within a minute', () => {
  assert.deepEqual(news(outcomeOf('password')), ['RedisDown']);
  assert.ok((pageSecondsAfter('password') ?? Number.NaN) <= 60);
});

test('a steal storm is a ticket, and a page when it eats the budget', () => {
  assert.deepEqual(news(outcomeOf('steal-storm')).sort(), ['ErrorBudgetBurnFast', 'StealHigh']);
});

test('one stolen vCPU of 16 is not averaged away', () => {
  assert.deepEqual(news(outcomeOf('one-vcpu')).sort(), ['ErrorBudgetBurnFast', 'StealHigh']);
});

for (const scenario of ['idle-guest', 'migration', 'deploy'] as const) {
  test(`${scenario} says nothing to anybody`, () => {
    assert.deepEqual(outcomeOf(scenario).messages, []);
  });
}

test('a reboot is one page, and one message that it is over', () => {
  const { messages } = outcomeOf('reboot');
  assert.deepEqual(
    messages.map(({ kind }) => kind),
    ['news', 'over'],
  );
});

/**
 * A range is closed at both ends up to Prometheus 2 and open at its beginning since 3: the sample
 * between two slices counts in both or in one.
 */
const ofBudget = 0.001;

test('the short replays come out the same under the newer Prometheus', (t) => {
  const [, newer] = allTools();
  if (newer === undefined) return t.skip('there is no newer release here');
  for (const scenario of ['reboot', 'migration', 'deploy'] as const) {
    const { spent, ...rest } = replay(newer.promtool, timelineOf(scenario));
    const { spent: spentBefore, ...before } = outcomeOf(scenario);
    assert.deepEqual(rest, before);
    for (const [slo, share] of Object.entries(spentBefore)) {
      const difference = Math.abs(share - (spent[slo] ?? Number.NaN));
      assert.ok(difference < ofBudget, `${scenario}, ${slo}: ${share} and ${spent[slo]}`);
    }
  }
});

test('docs/replays.md says what the replays say', () => {
  const rows = scenarios.map((scenario) => row(timelineOf(scenario), outcomeOf(scenario)));
  const committed = readFileSync(documentPath, 'utf8');
  sameText(document(rows), committed, 'docs/replays.md: run npm run replays');
});

test('every timeline file is played', () => {
  const files = timelineFiles().filter((file) => file !== 'well.yml');
  inStep({
    have: scenarios.map((scenario) => `${scenario}.yml`),
    want: files,
    missing: (file) => `alerts/replays/${file}: add it to scenarios in alerts/replays/table.ts`,
    needless: (file) => `alerts/replays/table.ts plays ${file}, which is not there`,
  });
});

test('events become samples: values, growth, absence and what is not read', () => {
  const timeline = {
    title: 'test',
    incident: 0,
    end: 20,
    closely: [],
    judgedFrom: 0,
    events: [
      { at: 0, change: { set: { 'a{x="1"}': 5 }, rate: { b: 1 } } },
      { at: 6, change: { rate: { b: 0 }, gone: ['a'] } },
      { at: 13, change: { set: { 'a{x="1"}': 7 } } },
      { at: 18, change: { unread: ['a'] } },
    ],
  };
  const target = 'job="stealwatch",host="vps1",instance="vps1:10190"';
  assert.deepEqual(seriesOf(timeline, { from: 0, until: 20, step: 2 }), [
    { series: `a{x="1",${target}}`, values: '5+0x2 stale _x3 7+0x1 NaNx1' },
    { series: `b{${target}}`, values: '0+2x2 6+0x3 6+0x1 6+0x1' },
  ]);
  // Begun later, the past is lived through without a sample.
  assert.deepEqual(seriesOf(timeline, { from: 4, until: 8, step: 2 }), [
    { series: `a{x="1",${target}}`, values: '5+0x0 stale _x1' },
    { series: `b{${target}}`, values: '4+2x0 6+0x1' },
  ]);
});

test('a duration that is none is refused', () => {
  assert.equal(seconds('1h30m5s'), 5405);
  assert.throws(() => seconds('5 min'), /expected a duration such as 1h30m, got "5 min"/);
});

test('messages: a group waits, repeats, and says when it is over', () => {
  const labels = { alertname: 'HostFrozen', severity: 'page', layer: 'host', host: 'a' };
  const later = { ...labels, alertname: 'TaskStuckInD' };
  const messages = messagesOf(
    [
      { labels, from: 100, to: 20_000 },
      { labels: later, from: 110, to: 20_000 },
    ],
    shippedRouting(),
  );
  assert.deepEqual(messages, [
    { at: 101, receiver: 'people', kind: 'news', alerts: ['HostFrozen'] },
    { at: 131, receiver: 'people', kind: 'news', alerts: ['HostFrozen', 'TaskStuckInD'] },
    { at: 14_531, receiver: 'people', kind: 'reminder', alerts: ['HostFrozen', 'TaskStuckInD'] },
    { at: 20_021, receiver: 'people', kind: 'over', alerts: [] },
  ]);
});
