/**
 * A young installation: the afternoon begins with nothing before it, so what a page of days shows half a
 * minute, five or twenty minutes later is what somebody sees who has just installed all this. At twenty
 * minutes a neighbour has taken a third of both cores for five of them.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { timeOf } from '../incident/fixture.ts';
import { begins } from '../incident/timelines.ts';
import { inStep } from '../../tools/rig/in-step.ts';
import { near } from '../../tools/rig/near.ts';
import { type Afternoon, view } from './afternoon.ts';
import { type DashboardModel, committed } from './model.ts';
import { type View, askPanel, hasData, saysInstead } from './panels.ts';
import { shownBy } from './shown.ts';

const models = committed();

const secondsOf = { m: 60, h: 3600, d: 86_400 } as const;

/** How far back a page looks when it is opened: `now-6h`. */
function rangeSeconds({ time: { from } }: DashboardModel): number {
  const [, count = '', unit = 'h'] = /^now-(\d+)([mhd])$/.exec(from) ?? [];
  return Number(count) * secondsOf[unit as keyof typeof secondsOf];
}

function openedAt(clock: string, model: DashboardModel): View {
  const now = view('vps1', begins, clock);
  return { ...now, from: now.to - rangeSeconds(model) };
}

const quiet: Readonly<Record<string, string>> = {
  'What could not be read of the queues':
    'Everything was read in this range, there is no Asynq here, or no exporter answered.',
  'Longest blocked, by process':
    'No thread was blocked for over a second, while the exporter answered.',
  'What fires now': 'Nothing fires.',
};
const tooYoung =
  'Too young for so long a range: choose a shorter one, at the top. Later: no SLO rules are loaded.';
const orYoung = 'In the first hour: choose a shorter range, at the top.';
/** No time at which a graph of a month has a point has come yet. */
const firstHour: Readonly<Record<string, string>> = {
  ...quiet,
  'Burn rates of the host objective': tooYoung,
  'Measured share of the time': tooYoung,
  'Bad seconds by cause, over time': `No bad second in this range, or nothing was recorded. ${orYoung}`,
  'Pages and tickets': `No alert fired in this range. ${orYoung}`,
};
const firstQuarter: Readonly<Record<string, string>> = {
  ...firstHour,
  'Steal, host by host':
    'Too young for so long a range: choose a shorter one, at the top. Later: alerts/generated/dashboards.yml is not loaded.',
};
const unrecorded =
  'Nothing is recorded yet, in the first two minutes of a host. Later: alerts/generated/dashboards.yml is not loaded.';

/** Of the host objective: seconds that may be bad. */
const budget = 0.005 * 28 * 86_400;

interface Age {
  readonly name: string;
  readonly clock: string;
  /** What has nothing to show, and what stands there instead. All else shows numbers. */
  readonly empty: Readonly<Record<string, string>>;
}

const ages: readonly Age[] = [
  {
    name: '30 s',
    clock: '16:30:30',
    empty: {
      ...firstQuarter,
      'Steal by hour of day (UTC)': unrecorded,
      'What a core really costs': unrecorded,
      'Error budget left': 'too young',
      'Who spent the host budget':
        'Nothing is recorded yet: the first minute of a host is not counted. Later: no SLO rules are loaded in this Prometheus.',
    },
  },
  { name: '5 min', clock: '16:35:00', empty: firstQuarter },
  { name: '20 min', clock: '16:50:00', empty: firstHour },
  { name: '3 h', clock: '19:30:00', empty: {} },
];

export function youngTests(afternoon: () => Afternoon): void {
  for (const { name, clock, empty } of ages) {
    test(`an installation of ${name}: every panel of every page reads true`, async () => {
      const found: Record<string, string> = {};
      for (const model of models) {
        for (const panel of model.panels) {
          const asked = await askPanel(afternoon().prometheus, panel, openedAt(clock, model));
          for (const { target, series } of asked.filter(({ target: { instant } }) => instant)) {
            const values = series
              .filter(({ labels }) => labels['note'] === undefined)
              .flatMap(({ points }) => points.map(([, value]) => value));
            assert.ok(values.every(Number.isFinite), `${panel.title}, query ${target.refId}: NaN`);
          }
          if (asked.some(hasData)) continue;
          found[panel.title] = saysInstead(panel, asked);
          // Grafana has no text for these: an error of its own stands there.
          assert.notEqual(panel.type, 'state-timeline', panel.title);
        }
      }
      inStep({
        have: Object.keys(empty),
        want: Object.keys(found),
        missing: (title) => `"${title}" is empty at ${name}: is "${found[title]}" true then?`,
        needless: (title) => `"${title}" has data at ${name}`,
      });
      assert.deepEqual(found, empty);
    });
  }

  test('an installation of 20 min that lost 5 of them has nearly all of its budget', async () => {
    const shown = shownBy(afternoon().prometheus, models);
    const slo = models.find(({ uid }) => uid === 'stealwatch-slo');
    assert.ok(slo !== undefined);
    const at = (clock: string) => openedAt(clock, slo);
    const host = { slo: 'host', host: 'vps1' };
    const left = 1 - 300 / budget;
    near(await shown.cell('slo', 'Objectives', 'Left', host, at('16:50:00')), left, 1);
    near(await shown.figure('overview', 'Error budget left', at('16:50:00')), left, 1);
    const spent = (cause: string, clock: string) =>
      shown.cell('slo', 'Who spent the host budget', 'Value', { cause }, at(clock));
    near(await spent('host_cpu', '16:50:00'), 300, 5);
    // What was spent is what is missing, whatever the cause.
    assert.ok(Number.isNaN(await spent('unknown', '16:50:00')));
  });

  test('before the first quarter of an hour is over, what is missing of the budget is what was spent', async () => {
    const [one] = await afternoon().prometheus.instant(
      `${budget} * (1 - slo:period_error_budget_remaining:ratio{slo="host",host="vps1"})
        / ignoring (slo) sum by (host, instance, job) (slo:bad_seconds:sum28d{slo="host"})`,
      timeOf('16:43:15'),
    );
    assert.ok(Math.abs((one?.points[0]?.[1] ?? 0) - 1) < 1e-6, JSON.stringify(one));
  });

  test('an installation of 5 min without a fault has lost nothing, and says so', async () => {
    const shown = shownBy(afternoon().prometheus, models);
    const slo = models.find(({ uid }) => uid === 'stealwatch-slo');
    assert.ok(slo !== undefined);
    const now = openedAt('16:35:00', slo);
    for (const objective of ['host', 'steal', 'redis_availability', 'redis_latency']) {
      const row = { slo: objective, host: 'vps1' };
      assert.equal(await shown.cell('slo', 'Objectives', 'Left', row, now), 1, objective);
      assert.equal(await shown.cell('slo', 'Objectives', 'Empty in', row, now), -1, objective);
    }
    const nobody = { cause: 'nobody' };
    assert.equal(await shown.cell('slo', 'Who spent the host budget', 'Value', nobody, now), 0);
    assert.deepEqual(await belowAll(afternoon()), []);
  });
}

/** Machines whose budget is below all of it, of those to which nothing happens before five minutes are over. */
async function belowAll({ prometheus }: Afternoon): Promise<string[]> {
  const left = await prometheus.instant(
    'slo:period_error_budget_remaining:ratio{slo="host",host!="vps2"} < 1',
    timeOf('16:35:00'),
  );
  return left.map(({ labels }) => labels['host'] ?? '');
}
