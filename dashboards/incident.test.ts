/**
 * The dashboards on the February freeze and on machines that can show less, in a real Prometheus.
 * What happens when is told in incident/timelines.ts; the numbers expected here follow from it.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test, type TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { timeOf } from './incident/fixture.ts';
import { begins, coarseSeconds, day, ends, machines } from './incident/timelines.ts';
import { type Afternoon, startAfternoon, view } from './lint/afternoon.ts';
import { committed } from './lint/model.ts';
import { type View, askPanel, hasData, panelNamed, saysInstead } from './lint/panels.ts';
import { type Shown, shownBy } from './lint/shown.ts';
import { youngTests } from './lint/ages.ts';
import { whyEmpty } from './lint/why-empty.ts';
import { example, interpolate } from '../alerts/testing/promql.ts';
import { asynqmonMetricsPage, filledIn, redisDashboard763 } from './lint/public-queries.ts';
import { verdict } from '../alerts/verdict/verdict.ts';
import { unanswered } from './kit/panels.ts';
import { unheard, unseen } from './kit/verdict.ts';
import { inStep } from '../tools/rig/in-step.ts';
import { near } from '../tools/rig/near.ts';
import { temporaryRoot } from '../tools/rig/temporary-root.ts';

const models = committed();
const launcher = fileURLToPath(new URL('../exporter/stealwatch', import.meta.url));
const timeText = (clock: string) => `${day}T${clock}Z`;

let afternoon: Afternoon;
let shown: Shown;
before(async () => {
  afternoon = await startAfternoon();
  shown = shownBy(afternoon.prometheus, models);
});
after(() => afternoon.close());

/** From quiet to forty minutes into the freeze. */
const incident = view('vps1', '16:35:00', '18:30:00');
/** The same before anything froze. */
const well = view('vps1', '16:35:00', '17:40:00');
/** The machine that can show nothing optional, meanwhile. */
const bare = view('vps3', '16:35:00', '18:30:00');

for (const { uid, panels } of models) {
  test(`${uid}: every query of every panel has data on the incident`, async () => {
    for (const panel of panels) {
      // A figure says what is so at the end, and a frozen Redis says nothing.
      const before = panel.type === 'stat' ? await askPanel(afternoon.prometheus, panel, well) : [];
      for (const [i, asked] of (await askPanel(afternoon.prometheus, panel, incident)).entries()) {
        const seen = [asked, ...before.slice(i, i + 1)].some(hasData);
        assert.ok(seen, whyEmpty(afternoon.metrics, panel.title, asked.target));
      }
    }
  });
}

/** The machines of the fixture all have one address: whoever goes by it takes six for one. */
for (const { uid, panels } of models) {
  test(`${uid}: machines that share an address are told apart`, async () => {
    const everyone = view('all', '16:35:00', '18:30:00');
    const others = machines.length - 1;
    for (const panel of panels) {
      const one = await askPanel(afternoon.prometheus, panel, incident);
      const all = await askPanel(afternoon.prometheus, panel, everyone);
      for (const [i, { target, series }] of all.entries()) {
        const query = `"${panel.title}", query ${target.refId}`;
        const names = new Set(series.map(({ labels }) => labels['host']));
        assert.ok(!series.some(({ labels: { instance, host } }) => instance && !host), query);
        // One without data is told above.
        if (series.length === 0) continue;
        if (target.expr.includes('ALERTS') || names.has(undefined)) continue;
        // Quiet hosts have no lane there.
        const expectedHosts = panel.title === 'State by host' ? 4 : others + 1;
        assert.equal(names.size, expectedHosts, query);
        const chosen = (one[i]?.series ?? []).map(({ labels }) => labels['host']);
        assert.deepEqual([...new Set(chosen)], ['vps1'], query);
      }
    }
  });
}

test('an annotation is of the machine that is looked at', async () => {
  const span = { from: incident.from, to: timeOf(ends), step: coarseSeconds };
  for (const { name, expr = '' } of models.flatMap(({ annotations }) => annotations.list ?? [])) {
    const ask = (host: string) =>
      afternoon.prometheus.range(interpolate(expr, { ...example, host }), span);
    for (const host of ['vps1', 'vps4']) {
      const strangers = (await ask(host)).filter(({ labels }) => labels['host'] !== host);
      assert.deepEqual(strangers, [], name);
    }
    if (name === 'Alert began') assert.ok((await ask('.*')).length > (await ask('vps1')).length);
  }
});

test('an alert is marked once, where it began, and not for as long as it fires', async () => {
  const { expr = '' } =
    models
      .flatMap(({ annotations }) => annotations.list ?? [])
      .find(({ name }) => name === 'Alert began') ?? {};
  const span = { from: incident.from, to: incident.to, step: coarseSeconds };
  const marks = await afternoon.prometheus.range(
    interpolate(expr, { ...example, host: 'vps1' }),
    span,
  );
  const began = new Map(marks.map(({ labels, points }) => [labels['alertname'], points]));
  assert.deepEqual(
    [...began.keys()].toSorted((a, b) => (a ?? '').localeCompare(b ?? '')),
    ['HealthEndpointLies', 'HungTaskDetected', 'RedisFrozen'],
  );
  for (const [name, points] of began) assert.equal(points.length, 1, name);
  const late = (began.get('RedisFrozen')?.[0]?.[0] ?? 0) - timeOf('17:48:45');
  assert.ok(late >= 0 && late <= 2 * coarseSeconds, `${late} s after it fired`);
});

youngTests(() => afternoon);

test('a machine that can show nothing optional: no error, and what is missing is said', async () => {
  const empty: Record<string, string> = {};
  for (const { panels } of models) {
    for (const panel of panels) {
      const asked = await askPanel(afternoon.prometheus, panel, bare);
      if (asked.some(hasData)) continue;
      empty[panel.title] = saysInstead(panel, asked);
    }
  }
  const queues = 'No queue is visible: no Asynq here, or Redis or the exporter did not answer.';
  const unasked = 'No Redis is asked for queues.';
  const expected: Readonly<Record<string, string>> = {
    'What fires now': 'Nothing fires.',
    'Oldest task': 'no Asynq here',
    'Oldest task waits': 'no queue visible',
    'Workers busy': 'no server alive',
    'Servers alive': 'no server seen',
    'Redis answers': 'no Asynq here',
    'Age of the oldest task, by queue': queues,
    'Time to drain': unasked,
    'In against out': queues,
    'Tasks by state': queues,
    'What a freeze leaves behind': queues,
    'Failure ratio': 'No task was seen processed, or the queues could not be read.',
    'Busy workers against capacity': queues,
    'Scheduler lag': queues,
    'Queues in trouble, as last read': unasked,
    'Pages and tickets':
      'No alert fired in this range. In the first hour: choose a shorter range, at the top.',
    'Longest blocked, by process':
      'No thread was blocked for over a second, while the exporter answered.',
    'Oldest pending Asynq task': queues,
    'Reading the queues': 'There is no Asynq here, or no exporter answered.',
    'What could not be read of the queues':
      'Everything was read in this range, there is no Asynq here, or no exporter answered.',
    'What piles up': 'The Redis process is not on this machine, or no exporter answered.',
    'Cold page that is waited for':
      'The canary is off (start the exporter with --canary), or no exporter answered.',
    'Cold pages': 'The canary is off (start the exporter with --canary), or no exporter answered.',
    'Link of a replica to its master':
      'Redis is no replica, did not answer when asked, or no exporter answered.',
    Pressure: 'This kernel does not offer /proc/pressure, or no exporter answered.',
  };
  const where = 'dashboards/incident.test.ts';
  inStep({
    have: Object.keys(expected),
    want: Object.keys(empty),
    missing: (title) =>
      empty[title] === ''
        ? `"${title}" is empty there: give the panel a noValue that says why, and a row in ${where}`
        : `"${title}" is empty there: add its noValue, "${empty[title]}", to ${where}`,
    needless: (title) => `"${title}" has data there: take its row out of ${where}`,
  });
  assert.deepEqual(empty, expected, `a noValue is written in ${where} as well`);
});

test('a machine that does not answer: nothing says that it has none, or that it is well', async () => {
  const gone = view('vps6', '19:06:00', '19:10:00');
  for (const title of ['Redis silent for', 'Oldest task', 'CPU taken', 'Host page-ins/s'])
    assert.equal(await shown.figure('overview', title, gone), unanswered.value, title);
  assert.equal(await shown.figure('asynq', 'Redis answers', gone), unanswered.value);
  const known = /answer|measured|could not be read|fire|scraped|young/;
  // Pages of days have no step in so short a time.
  for (const { panels } of models.filter(({ uid }) => /overview|freeze|asynq/.test(uid))) {
    for (const panel of panels) {
      const asked = await askPanel(afternoon.prometheus, panel, gone);
      if (!asked.some(hasData)) assert.match(saysInstead(panel, asked), known, panel.title);
    }
  }
});

test('what a machine cannot show is named, not drawn as 0', async () => {
  assert.equal(await shown.figure('overview', 'Host page-ins/s', bare), -1);
  assert.equal(await shown.figure('freeze', 'Host page-ins', bare), -1);
  assert.equal(await shown.figure('freeze', 'Hung task reports', bare), -1);
  const ask = (column: string) =>
    shown.cell('overview', 'Hosts, worst first', column, { host: 'vps3' }, bare);
  assert.equal(await ask('Unseen'), 9);
  assert.equal(await ask('Page-ins'), -1);
  const lanes = await shown.lanes(bare);
  for (const lane of ['Host page-ins', 'Hung task reports', 'Asynq oldest task']) {
    assert.deepEqual(new Set(lanes.get(lane)?.map(([, value]) => value)), new Set([-1]), lane);
  }
});

const frozenSeconds = timeOf('18:30:00') - timeOf('17:48:40');

test('golden: CPU-minutes lost are what the neighbour took, 30 % of two cores for five minutes', async () => {
  const lost = 2 * 0.3 * 5;
  near(await shown.figure('overview', 'CPU-minutes lost', incident), lost, 1);
  near(await shown.figure('freeze', 'CPU-minutes lost', incident), lost, 1);
});

test('golden: CPU taken by the host, while the neighbour is there', async () => {
  near(
    await shown.figure('overview', 'CPU taken', view('vps1', '16:41:00', '16:44:30')),
    0.3 / 0.42,
    1,
  );
});

test('golden: how long Redis was silent and its thread blocked', async () => {
  near(await shown.figure('freeze', 'Redis silent for', incident), frozenSeconds, 1);
  near(await shown.figure('freeze', 'Longest in D', incident), frozenSeconds, 1);
  near(await shown.figure('overview', 'Longest in D now', incident), frozenSeconds, 1);
});

test('golden: host page-ins, second by second as the host got worse', async () => {
  const pages = 0.4 * 25 * 60 + 6 * 120 + 60 * 60 + 8 * 40;
  near(await shown.figure('freeze', 'Host page-ins', incident), pages, 2);
});

test('golden: seconds without CPU, and the longest stall', async () => {
  near(await shown.figure('freeze', 'Without a CPU', incident), 0.05 * 120 + 0.12 * 100, 3);
  assert.equal(await shown.figure('overview', 'Longest stall', incident), 1.6);
});

test('golden: the kernel reports a hung task ten times and is silent then', async () => {
  near(await shown.figure('freeze', 'Hung task reports', incident), 10, 2);
});

test('golden: the fork of the last save, and what is at risk after it', async () => {
  assert.equal((await shown.peaks('freeze', 'Fork and bgsave', incident)).get('last fork'), 1.4);
  const justFrozen = view('vps1', '17:48:25', '17:48:35');
  const atRisk = (await shown.peaks('freeze', 'Unsaved changes at risk', justFrozen))
    .values()
    .next().value;
  near(atRisk ?? 0, 40 * 35, 10);
});

test('golden: the link to the master, gone for a minute', async () => {
  const link = await shown.peaks('freeze', 'Link of a replica to its master', incident);
  near(link.get('link down for') ?? 0, 55, 10);
  near(link.get('last heard of the master') ?? 0, 5, 1);
});

test('golden: what piles up behind a frozen Redis', async () => {
  const piled = await shown.peaks('freeze', 'What piles up', view('vps1', '17:40:00', '17:58:40'));
  near(piled.get('listen queue') ?? 0, 600 * 0.8, 2);
  assert.equal(piled.get('tasks in the cgroup of Redis'), 7 + 20 * 4);
});

test('golden: who used the CPU', async () => {
  const used = await shown.peaks('overview', 'Who used the CPU', incident);
  near(used.get('own') ?? 0, 0.12, 1);
  near(used.get('stolen by the host') ?? 0, 0.3, 1);
});

test('golden: the error budget, spent by the neighbour and by standing still', async () => {
  // Of 3 h 22 min in 28 days: 5 min of steal, and the 100 s in which more than a tenth was stalled.
  const budget = 0.005 * 28 * 86_400;
  near(await shown.figure('overview', 'Error budget left', incident), 1 - 400 / budget, 1);
  const spent = (cause: string) =>
    shown.cell('slo', 'Who spent the host budget', 'Value', { cause }, incident);
  near(await spent('host_memory'), 100, 20);
  near(await spent('host_cpu'), 300, 10);
});

test('golden: the league of hosts', async () => {
  const all = view('all', '16:35:00', '18:30:00');
  const hours = 115 / 60;
  const [vps1, vps2] = [{ host: 'vps1' }, { host: 'vps2' }];
  near(await shown.cell('compare', 'League table', 'Over 5 %', vps2, all), 360 * hours, 3);
  near(await shown.cell('compare', 'League table', 'Observed', vps2, all), 3600 * hours, 3);
  assert.equal(await shown.cell('compare', 'League table', 'Steal p50', vps2, all), 0);
  near(await shown.cell('compare', 'Harm done', 'Paged', vps1, all), 29, 5);
  const priced = { ...vps2, price: '4' };
  near(
    await shown.cell('compare', 'What a core really costs', 'Effective cores', priced, all),
    2 * 0.95,
    1,
  );
});

const drained = (at: View) =>
  shown.cell('asynq', 'Time to drain', 'Drained in', { queue: 'default' }, at);

test('golden: a queue keeps up with a task on its way, and nobody knows while Redis is frozen', async () => {
  const [keepsUp, never, unknown] = [-3, -1, -2];
  assert.equal(await drained(view('vps1', '16:35:00', '17:30:00')), keepsUp);
  // Six come and five and a half are done, for two minutes and a half.
  assert.equal(await drained(view('vps1', '16:35:00', '17:48:35')), never);
  assert.equal(await drained(incident), unknown);
});

test('golden: a figure of a frozen Redis is no number of the minute before', async () => {
  for (const title of ['Oldest task waits', 'Workers busy', 'Servers alive']) {
    assert.equal(await shown.figure('asynq', title, incident), -1, title);
    assert.ok((await shown.figure('asynq', title, view('vps1', '16:35:00', '17:30:00'))) > 0);
  }
});

test('golden: of a frozen Redis no rate of tasks is drawn, not even 0', async () => {
  const asynq = models.find(({ uid }) => uid === 'stealwatch-asynq');
  for (const title of ['In against out', 'Failure ratio', 'What a freeze leaves behind']) {
    const asked = await askPanel(afternoon.prometheus, panelNamed(asynq, title), incident);
    const points = asked.flatMap(({ series }) => series.flatMap((one) => one.points));
    const known = points.filter(([, value]) => Number.isFinite(value)).map(([time]) => time);
    assert.ok(Math.min(...known) < timeOf('17:00:00'), title);
    assert.ok(Math.max(...known) < timeOf('17:52:00'), title);
  }
});

test('golden: of a page of all machines nothing is of another job, and what one cannot count is not subtracted', async () => {
  const all = view('all', '16:35:00', '18:30:00');
  assert.equal(await shown.figure('exporter', 'Series per scrape', all), 400);
  assert.equal(await shown.figure('exporter', 'Own memory', all), 71e6);
  assert.ok(Number.isNaN(await shown.cell('compare', 'Harm done', 'Up', { host: 'watcher' }, all)));
  assert.equal(await shown.figure('exporter', 'Kernel records lost', all), 0);
  near(await shown.figure('freeze', 'Hung task reports', all), 10, 5);
});

test('golden: the health endpoint says it is well, and lies', async () => {
  const freeze = models.find(({ uid }) => uid === 'stealwatch-freeze');
  const said = await askPanel(
    afternoon.prometheus,
    panelNamed(freeze, 'What the application said of itself'),
    incident,
  );
  const points = said[0]?.series[0]?.points ?? [];
  const at = (clock: string) => points.findLast(([time]) => time <= timeOf(clock))?.[1];
  assert.equal(at('17:40:00'), 0);
  assert.equal(at('18:00:00'), 2);
});

test('the lanes turn in the order of cause and effect', async () => {
  const lanes = await shown.lanes(view('vps1', '17:00:00', '18:00:00'));
  const first = (lane: string, level: number) => {
    const point = lanes.get(lane)?.find(([, value]) => value >= level);
    assert.ok(point, `${lane} never reached ${level}`);
    return point[0];
  };
  const degraded = [
    'Host page-ins',
    'Stalls',
    'bgsave running',
    'Redis unresponsive',
    'Hung task reports',
  ];
  const times = degraded.map((lane) => first(lane, 1));
  assert.deepEqual(
    times,
    [...times].sort((a, b) => a - b),
    degraded.join(', '),
  );
  assert.equal(new Set(times).size, times.length);
  assert.ok(first('Host page-ins', 2) < first('Redis unresponsive', 2));
  assert.ok(first('Fork slow', 2) < first('Redis unresponsive', 2));
  assert.ok(first('Redis unresponsive', 2) < first('Listen queue', 2));
  near(first('Hung task reports', 2) - timeOf('17:48:40'), 120, 15);
  // Quiet throughout: that is why nobody looked at the host.
  for (const lane of ['CPU steal', 'No scrape']) {
    assert.deepEqual(new Set(lanes.get(lane)?.map(([, value]) => value)), new Set([0]), lane);
  }
  // INFO cannot be asked of a frozen Redis: not measured, neither "ok" nor a fork.
  const forks = lanes.get('Fork slow')?.filter(([, value]) => value === 2) ?? [];
  assert.ok(forks.every(([time]) => time < timeOf('17:48:00')));
  assert.equal(lanes.get('Fork slow')?.at(-1)?.[1], -1);
  assert.equal(lanes.get('bgsave running')?.at(-1)?.[1], -1);
  const fsyncs = lanes.get('AOF fsync delayed') ?? [];
  assert.deepEqual(new Set(fsyncs.map(([, value]) => value)), new Set([0, -1]));
  assert.equal(fsyncs.at(-1)?.[1], -1);
  assert.equal(lanes.get('Redis slow')?.at(-1)?.[1], -1);
});

const expected: readonly (readonly [machine: string, clock: string, code: number])[] = [
  ['vps1', '17:10:00', verdict.quiet],
  ['vps1', '16:43:00', verdict.steal],
  ['vps1', '17:30:00', verdict.pageIn],
  ['vps1', '18:30:00', verdict.pageIn],
  ['vps2', '18:30:00', verdict.steal],
  // Quiet, and it could not see it if it were not.
  ['vps3', '18:30:00', unseen],
  ['vps4', '18:30:00', verdict.disk],
  ['vps5', '18:30:00', verdict.ownLoad],
  ['vps6', '18:30:00', verdict.quiet],
  ['vps6', '19:10:00', unheard],
];

for (const [machine, clock, code] of expected) {
  test(`verdict of ${machine} at ${clock} is ${code}`, async () => {
    const at = view(machine, '16:35:00', clock);
    assert.equal(await shown.figure('overview', 'Is my host stealing from me?', at), code);
  });
}

test('many machines: the worst answer is said, with how many it is true of', async () => {
  const overview = models.find(({ uid }) => uid === 'stealwatch-overview');
  const [asked] = await askPanel(
    afternoon.prometheus,
    panelNamed(overview, 'Is my host stealing from me?'),
    view('all', '16:35:00', '18:30:00'),
  );
  assert.deepEqual(
    asked?.series.map(({ labels, points }) => [labels, points[0]?.[1]]),
    [[{ hosts: '1', of: '6' }, verdict.pageIn]],
  );
});

const overviewAt = (title: string) => (machine: string, clock: string) =>
  shown.figure('overview', title, view(machine, '16:35:00', clock));
const silenceOf = overviewAt('Redis silent for');
const oldestOf = overviewAt('Oldest task');

test('Redis is asked about first: silent on one host, answers on another, none on a third', async () => {
  near(await silenceOf('all', '18:30:00'), frozenSeconds, 1);
  assert.equal(await silenceOf('vps3', '18:30:00'), 0);
  assert.equal(await silenceOf('vps1', '17:40:00'), 0);
  assert.ok(Number.isNaN(await silenceOf('vps5', '18:30:00')));
  assert.equal(await oldestOf('vps1', '18:30:00'), -1);
  assert.ok((await oldestOf('vps1', '17:40:00')) >= 0);
});

async function lanesOf(machine: string): Promise<(string | undefined)[]> {
  const overview = models.find(({ uid }) => uid === 'stealwatch-overview');
  const panel = panelNamed(overview, 'State by host');
  const at = view(machine, '17:00:00', '18:30:00');
  const [asked] = await askPanel(afternoon.prometheus, panel, at);
  return (asked?.series ?? []).map(({ labels }) => labels['host']);
}

test('the state of hosts over time: those in trouble, or that there are none', async () => {
  assert.deepEqual(new Set(await lanesOf('all')), new Set(['vps1', 'vps2', 'vps4', 'vps5']));
  assert.deepEqual(await lanesOf('vps6'), ['All']);
});

test("other people's pages find their data", async () => {
  const running = timeOf('17:30:00');
  for (const query of [...redisDashboard763, ...asynqmonMetricsPage]) {
    const series = await afternoon.prometheus.instant(filledIn(query), running);
    const values = series.flatMap(({ points }) => points.map(([, value]) => value));
    assert.ok(values.some(Number.isFinite), query);
  }
});

/** What the bundle writes of it, without the port at which the Prometheus of the test happens to listen. */
function reportOf(t: TestContext): Map<string, string> {
  const out = join(temporaryRoot(t), 'out');
  const { url } = afternoon.prometheus;
  const { status, stderr } = spawnSync(
    launcher,
    ['report', '--prometheus', url, '--host', 'vps1', '--root', temporaryRoot(t)].concat([
      '--from',
      timeText(begins),
      '--to',
      timeText(ends),
      '--out',
      out,
    ]),
    { encoding: 'utf8', timeout: 60_000, env: { PATH: process.env['PATH'] ?? '' } },
  );
  assert.equal(status, 0, stderr);
  const documents = ['ticket.md', 'report.md', 'report.json'];
  return new Map(
    documents.map((name) => [
      name,
      readFileSync(join(out, name), 'utf8').replaceAll(`:${new URL(url).port}`, ':9090'),
    ]),
  );
}

test('the report of the February freeze, from a Prometheus alone, word for word', (t) => {
  for (const [name, text] of reportOf(t)) {
    const golden = new URL(`../exporter/golden/february/${name}`, import.meta.url);
    t.assert.fileSnapshot(text, fileURLToPath(golden), { serializers: [(value: string) => value] });
  }
});
