/**
 * Machines of which nothing is known, in a real Prometheus: one whose exporter never answered, one that
 * was scraped until a moment ago, a frozen Redis in which nobody has seen a queue and one that has some.
 * Nothing may say that all is well there, that there is none, or what was a minute ago.
 */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { type DashboardModel, type PanelModel, committed } from './lint/model.ts';
import { type Asked, type View, askPanel, panelNamed, saysInstead } from './lint/panels.ts';
import { shownBy } from './lint/shown.ts';
import { type Prometheus, startPrometheus } from '../tools/rig/prometheus.ts';
import { unanswered } from './kit/panels.ts';
import { noneKnown, unreadable } from './kit/queues.ts';
import { unheard, verdictRanks } from './kit/verdict.ts';

const models = committed();
const scrapeSeconds = 15;
const begins = 1_790_000_000 - (1_790_000_000 % scrapeSeconds);
/** Twenty minutes of scrapes; the exporter of `killed` answers none after this one. */
const scrapes = 80;
const lastAnswered = 60;

type Value = (scrape: number) => number | undefined;
const always =
  (value: number): Value =>
  () =>
    value;
const whileAnswered =
  (value: Value): Value =>
  (i) =>
    i <= lastAnswered ? value(i) : undefined;
/** The gauges of a queue stay, and are NaN, while their Redis does not answer. */
const frozenFrom = lastAnswered;
const upToFreeze =
  (well: number, then: number): Value =>
  (i) =>
    i < frozenFrom ? well : then;

const answering: Readonly<Record<string, Value>> = {
  up: always(1),
  'instance:stealwatch_verdict:code': always(0),
  redis_up: upToFreeze(1, 0),
  redis_unresponsive_seconds: (i) => Math.max(0, (i - frozenFrom) * scrapeSeconds),
  asynq_up: upToFreeze(1, 0),
};
const counters = ['stealwatch_steal_demand_ratio_sum', 'stealwatch_steal_demand_ratio_count'];
const hosts: Readonly<Record<string, Readonly<Record<string, Value>>>> = {
  never: { up: always(0) },
  killed: {
    ...Object.fromEntries(
      [...counters, 'stealwatch_async_page_faults_total', 'process_cpu_seconds_total'].map(
        (name) => [name, whileAnswered((i) => 1000 + i)],
      ),
    ),
    up: (i) => (i <= lastAnswered ? 1 : 0),
    // The rule looks back for 20 s: one evaluation after the last answer it still says what it said.
    'instance:stealwatch_verdict:code': (i) => (i <= lastAnswered + 1 ? 0 : 5),
    stealwatch_signal_supported: whileAnswered(always(1)),
  },
  plain: answering,
  // Its first scrapes came before the rules were evaluated.
  young: { up: always(1), 'instance:stealwatch_verdict:code': (i) => (i < 3 ? undefined : 1) },
  queues: { ...answering, asynq_queue_latency_seconds: upToFreeze(3, Number.NaN) },
};

function openMetrics(): string {
  const names = new Set(Object.values(hosts).flatMap((series) => Object.keys(series)));
  const lines = [...names].flatMap((name) =>
    Object.entries(hosts).flatMap(([host, series]) =>
      Array.from({ length: scrapes }, (_, i) => {
        const value = series[name]?.(i);
        const queue = name === 'asynq_queue_latency_seconds' ? ',queue="default"' : '';
        const labels = `job="stealwatch",instance="${host}:10190",host="${host}"${queue}`;
        return value === undefined
          ? ''
          : `${name}{${labels}} ${value} ${begins + i * scrapeSeconds}\n`;
      }),
    ),
  );
  const watchdog = Array.from(
    { length: scrapes - 10 },
    (_, i) =>
      `ALERTS{alertname="Watchdog",alertstate="firing",severity="none"} 1 ${begins + i * scrapeSeconds}\n`,
  );
  const page = Array.from(
    { length: scrapes - frozenFrom },
    (_, i) =>
      `ALERTS{alertname="RedisFrozen",alertstate="firing",severity="page",host="queues"} 1 ${begins + (frozenFrom + i) * scrapeSeconds}\n`,
  );
  return `${lines.join('')}${watchdog.join('')}${page.join('')}# EOF\n`;
}

let prometheus: Prometheus;
const directory = mkdtempSync(join(tmpdir(), 'unanswered-'));
before(async () => {
  prometheus = await startPrometheus(directory, scrapeSeconds);
  const file = join(directory, 'hosts.om');
  writeFileSync(file, openMetrics());
  await prometheus.load(file);
});
after(async () => {
  await prometheus.stop();
  rmSync(directory, { recursive: true, force: true });
});

const at = (host: string, scrape: number): View => ({
  // Pages of days have a step of an hour.
  from: begins - 7200,
  to: begins + scrape * scrapeSeconds,
  host,
  scrapeSeconds,
  points: 1000,
});
const shown = () => shownBy(prometheus, models);
const modelOf = (uid: string) => models.find((model) => model.uid === `stealwatch-${uid}`);

async function everyPanel(
  view: View,
  check: (panel: PanelModel, asked: readonly Asked[], where: string) => void,
  among: readonly DashboardModel[] = models,
): Promise<void> {
  for (const { uid, panels } of among)
    for (const panel of panels)
      check(panel, await askPanel(prometheus, panel, view), `${uid}, ${panel.title}`);
}

const values = (asked: readonly Asked[]) =>
  asked.flatMap(({ series }) => series.flatMap(({ points }) => points.map(([, value]) => value)));

const headline = 'Is my host stealing from me?';

/** What there is to say of an exporter that does not answer, by those whose subject it is. */
const saysOfIt: Readonly<Record<string, string>> = {
  'What fires now': 'Nothing fires.',
};

/** What a graph says that has nothing to draw: not that there is nothing. */
const asksWhether =
  /answered|did not answer|measured|scraped|could not be read|recorded|loaded|alert fired/;

test('an exporter that never answered: each figure, table and lane says that, on every page', async () => {
  const never = at('never', lastAnswered);
  await everyPanel(never, (panel, asked, where) => {
    const numbers = values(asked).filter(Number.isFinite);
    if (panel.type === 'stat' && !['Scraped', 'Pages that fire'].includes(panel.title)) {
      const expected = panel.title === headline ? unheard : unanswered.value;
      assert.deepEqual(numbers, [expected], where);
    }
    if (panel.type === 'table' && panel.title !== 'Hosts, worst first') {
      const expected =
        saysOfIt[panel.title] ?? 'An exporter does not answer: nothing is known of it.';
      assert.equal(saysInstead(panel, asked), expected, where);
    }
    if (panel.type === 'timeseries' && numbers.length === 0)
      assert.match(saysInstead(panel, asked), asksWhether, where);
    if (panel.type === 'state-timeline') {
      assert.ok(numbers.length > 0, where);
      for (const { target, series } of asked)
        assert.ok(series.length > 0, `${where}, lane ${target.legendFormat}`);
      assert.ok(!numbers.includes(0) || panel.title.startsWith('Incident'), `${where}: well`);
    }
  });
});

test('an exporter that was killed: within one scrape nothing of before is shown as now', async () => {
  const earlier = at('killed', lastAnswered);
  const then = at('killed', lastAnswered + 1);
  const figures = [
    ['overview', 'CPU taken'],
    ['overview', 'Host page-ins/s'],
    ['exporter', 'Own CPU'],
  ] as const;
  for (const [uid, title] of figures) {
    assert.notEqual(await shown().figure(uid, title, earlier), unanswered.value, title);
    assert.equal(await shown().figure(uid, title, then), unanswered.value, title);
  }
  assert.equal(await shown().figure('overview', headline, earlier), 0);
  assert.equal(await shown().figure('overview', headline, then), unheard);
  const cell = (column: string) =>
    shown().cell('overview', 'Hosts, worst first', column, { host: 'killed' }, then);
  const word = verdictRanks.find(({ text }) => text === 'no answer');
  assert.equal(await cell('Host'), word?.value);
  for (const column of ['Taken', 'Page-ins', 'Redis', 'Oldest'])
    assert.ok(Number.isNaN(await cell(column)), column);
});

test('of several machines the one that does not answer is counted, and is not calmer than the others', async () => {
  const panel = panelNamed(modelOf('overview'), headline);
  const [asked] = await askPanel(prometheus, panel, at('.*', lastAnswered + 1));
  assert.deepEqual(
    asked?.series.map(({ labels, points }) => [labels, points[0]?.[1]]),
    [[{ hosts: '2', of: '5' }, unheard]],
  );
});

test('before the rules ran for the first time no lane says that they are not loaded', async () => {
  const panel = panelNamed(modelOf('overview'), 'State by host');
  const asked = await askPanel(prometheus, panel, at('young', lastAnswered));
  const lanes = asked.flatMap(({ series }) => series.map(({ labels }) => labels['host']));
  assert.deepEqual(lanes, ['young']);
});

test('hosts that a page fires about are known, and stand above all others', async () => {
  const then = at('.*', lastAnswered + 1);
  const fires = (host: string) =>
    shown().cell('overview', 'Hosts, worst first', 'Fires', { host }, then);
  assert.deepEqual(await Promise.all(['queues', 'killed', 'plain'].map(fires)), [1, 0, 0]);
  const panel = panelNamed(modelOf('overview'), 'Hosts, worst first');
  assert.deepEqual(panel.options?.['sortBy'], [
    { displayName: 'Fires', desc: true },
    { displayName: 'Host', desc: true },
  ]);
});

const tiles = ['Oldest task waits', 'Workers busy', 'Servers alive'];

for (const [host, value, table, lane] of [
  ['plain', noneKnown.value, 'Redis does not answer; no queue is known.', -1],
  ['queues', unreadable.value, undefined, 2],
] as const) {
  test(`a frozen Redis, ${host}: its queues are what is known of them`, async () => {
    const frozen = at(host, scrapes - 1);
    for (const title of tiles)
      assert.equal(await shown().figure('asynq', title, frozen), value, title);
    assert.equal(await shown().figure('overview', 'Oldest task', frozen), value);
    const lanes = await shown().lanes(frozen);
    assert.equal(lanes.get('Asynq oldest task')?.at(-1)?.[1], lane);
    // Redis itself is what it is.
    assert.equal(lanes.get('Redis unresponsive')?.at(-1)?.[1], 2);
    if (table === undefined) return;
    for (const title of ['Time to drain', 'Queues in trouble, as last read']) {
      const panel = panelNamed(modelOf('asynq'), title);
      assert.equal(saysInstead(panel, await askPanel(prometheus, panel, frozen)), table, title);
    }
  });
}

test('nothing fires: only where there are rules that could', async () => {
  const panel = panelNamed(modelOf('overview'), 'What fires now');
  const says = async (scrape: number) =>
    saysInstead(panel, await askPanel(prometheus, panel, at('plain', scrape)));
  assert.equal(await says(lastAnswered), 'Nothing fires.');
  assert.equal(await says(scrapes - 1), 'No alert rules are loaded in this Prometheus.');
});
