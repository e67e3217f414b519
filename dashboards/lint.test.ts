import assert from 'node:assert/strict';
import { test } from 'node:test';
import { lint, ruleNames } from './lint/lint.ts';
import { type DashboardModel, committed } from './lint/model.ts';

type Draft<T> = { -readonly [K in keyof T]: Draft<T[K]> };

const models = committed();

function copyOf(uid: string): Draft<DashboardModel> {
  const model = models.find((candidate) => candidate.uid === uid);
  assert.ok(model, uid);
  return structuredClone(model) as Draft<DashboardModel>;
}

/** Change the first panel of a type. */
function inPanel(type: string, change: (panel: Draft<DashboardModel['panels'][number]>) => void) {
  return (model: Draft<DashboardModel>) => {
    const panel = model.panels.find((candidate) => candidate.type === type);
    assert.ok(panel, type);
    change(panel);
  };
}

/** Replace the first query of the first panel of a type. */
function query(type: string, expr: string) {
  return inPanel(type, (panel) => {
    const [target] = panel.targets;
    assert.ok(target);
    target.expr = expr;
  });
}

function variableNamed(model: Draft<DashboardModel>, name: string) {
  const found = model.templating.list.find((item) => item.name === name);
  assert.ok(found, name);
  return found;
}

const host = 'job=~"$job",host=~"$host"';

/** For every rule, what it is there to catch. */
const breaks: Readonly<Record<string, (model: Draft<DashboardModel>) => void>> = {
  'template-datasource-rule': (model) => void (variableNamed(model, 'datasource').query = 'loki'),
  'template-job-rule': (model) => void (variableNamed(model, 'job').allValue = '.*'),
  'template-host-rule': (model) => void (variableNamed(model, 'host').allValue = '.+'),
  'template-label-promql-rule': (model) =>
    void (variableNamed(model, 'job').query = 'label_values(up{, job)'),
  'template-on-time-change-reload-rule': (model) => void (variableNamed(model, 'job').refresh = 1),
  'template-few-variables': (model) => {
    const job = variableNamed(model, 'job');
    model.templating.list.push({ ...job, name: 'a' }, { ...job, name: 'b' });
  },
  'uneditable-dashboard-rule': (model) => void (model.editable = true),
  'uid-title-tag': (model) => void (model.tags = []),
  'shared-crosshair': (model) => void (model.graphTooltip = 0),
  'no-hidden-controls': (model) =>
    void Object.assign(model.links[0] ?? {}, { placement: 'inControlsMenu' }),
  'panel-ids': (model) => {
    for (const panel of model.panels) panel.id = 1;
  },
  grid: inPanel('stat', (panel) => void (panel.gridPos.h = 20)),
  'even-rows': inPanel('stat', (panel) => void (panel.gridPos.h -= 1)),
  'whole-counts': inPanel('stat', ({ fieldConfig: { defaults } }) => {
    Object.assign(defaults, { unit: 'none', decimals: 1 });
  }),
  'target-legend-rule': inPanel('timeseries', ({ targets: [target] }) => {
    assert.ok(target);
    target.legendFormat = '';
  }),
  'told-apart-by-host': query('timeseries', `max by (job, instance) (redis_up{${host}})`),
  'links-exist': inPanel('stat', (panel) => void (panel.links = [{ url: '/d/nowhere' }])),
  'panel-datasource-rule': inPanel('stat', (panel) => void (panel.datasource.uid = 'abc')),
  'panel-title-description-rule': inPanel('stat', (panel) => void (panel.description = '')),
  'panel-units-rule': inPanel('timeseries', (panel) => {
    panel.fieldConfig.defaults.unit = 'seconds';
  }),
  'panel-no-targets-rule': inPanel('stat', (panel) => void (panel.targets = [])),
  'panel-type': inPanel('stat', (panel) => void (panel.type = 'gauge')),
  'panel-says-why-it-is-empty': inPanel('table', (panel) => {
    delete panel.fieldConfig.defaults.noValue;
  }),
  'one-filled-panel': inPanel('stat', (panel) => {
    panel.options = { ...panel.options, colorMode: 'background_solid' };
    panel.gridPos.y = 4;
  }),
  'gaps-are-data': inPanel('timeseries', (panel) => {
    panel.fieldConfig.defaults.custom = { spanNulls: true };
  }),
  'meaning-in-words': inPanel('state-timeline', (panel) => {
    panel.options = { ...panel.options, showValue: 'never' };
  }),
  'one-hue-heatmap': inPanel('heatmap', (panel) => {
    panel.options = { ...panel.options, color: { mode: 'scheme' } };
  }),
  'overrides-fit': inPanel('timeseries', (panel) => {
    panel.fieldConfig.overrides = [
      { matcher: { id: 'byFrameRefID', options: 'Z' }, properties: [] },
    ];
  }),
  'table-columns': query('table', `sum by (nobody) (stealwatch_cpus{${host}})`),
  'target-promql-rule': query('timeseries', 'sum(('),
  'target-rate-interval-rule': query(
    'timeseries',
    `rate(redis_net_input_bytes_total{${host}}[5m])`,
  ),
  'target-counter-agg-rule': query('timeseries', `sum(redis_probes_total{${host}})`),
  'annotations-are-marks-of-the-host': ({ annotations: { list } }) => {
    assert.ok(list?.[0]);
    list[0].expr = 'ALERTS{severity="page"}';
  },
  'lanes-keep-their-words': inPanel('state-timeline', ({ fieldConfig: { defaults } }) => {
    defaults.color = { mode: 'thresholds' };
  }),
  'lane-names-fit': inPanel('state-timeline', ({ fieldConfig: { defaults } }) => {
    defaults.custom = { ...defaults.custom, axisWidth: 116 };
  }),
  'words-of-figures-fit': inPanel('stat', ({ fieldConfig: { defaults } }) => {
    defaults.noValue = 'not measured on this machine';
  }),
  'titles-fit': inPanel('stat', (panel) => void (panel.title = 'Redis was silent for so long')),
  'bars-have-names': inPanel('barchart', (panel) => {
    panel.options = { ...panel.options, xTickLabelMaxLength: 0 };
  }),
  'empty-cells-have-a-dash': inPanel('table', ({ fieldConfig: { defaults } }) => {
    defaults.mappings = [];
  }),
  'table-columns-fit': inPanel('table', (panel) => {
    panel.gridPos.w = 3;
  }),
  'tables-say-why-they-are-empty': query('table', `count by (signal) (stealwatch_cpus{${host}})`),
  'heatmaps-say-why-they-are-empty': query('heatmap', `sum by (le) (redis_up{${host}})`),
  'lanes-say-why-they-are-empty': query('state-timeline', `max(redis_up{${host}})`),
  'now-is-of-who-answers': query('stat', `max_over_time(redis_up{${host}}[2m])`),
  'figures-are-of-now': inPanel('stat', ({ targets: [target] }) => {
    assert.ok(target);
    Object.assign(target, { range: true, instant: false });
  }),
  'quiet-axis': inPanel('timeseries', ({ fieldConfig: { defaults } }) => {
    defaults.custom = { ...defaults.custom, axisSoftMax: 0 };
  }),
  'contrast-in-both-themes': inPanel('stat', ({ fieldConfig: { defaults } }) => {
    defaults.color = { mode: 'fixed', fixedColor: '#2F3B46' };
  }),
  'description-names-its-source': inPanel('stat', (panel) => {
    panel.description = 'How long something has not answered, as `somebody` saw it.';
  }),
  'rate-of-a-gauge': query(
    'timeseries',
    `rate(redis_connected_clients{${host}}[$__rate_interval])`,
  ),
  'target-job-rule target-host-rule': query('timeseries', 'redis_up{job=~"$job"}'),
};

/** What takes two machines at one address for one. */
const byAddress: Readonly<Record<string, (model: Draft<DashboardModel>) => void>> = {
  'a choice': query('timeseries', `redis_up{${host},instance=~"$instance"}`),
  'a sum': query('timeseries', `sum by (instance) (redis_up{${host}})`),
  'a sum without the name': query('timeseries', `sum without (host) (redis_up{${host}})`),
  'a join': query('timeseries', `redis_up{${host}} * on (job, instance) up{${host}}`),
  'a join that leaves the name out': query(
    'timeseries',
    `redis_up{${host}} * ignoring (host) up{${host}}`,
  ),
  'a legend': inPanel('timeseries', ({ targets: [target] }) => {
    assert.ok(target);
    target.legendFormat = '{{instance}}';
  }),
  'a link': inPanel('stat', (panel) => void (panel.links = [{ url: '/d/x?var-instance=y' }])),
  'an annotation': ({ annotations: { list } }) => {
    assert.ok(list?.[0]);
    list[0].expr = 'sum by (instance) (ALERTS)';
  },
};

for (const [what, damage] of Object.entries(byAddress)) {
  test(`lint: ${what} by the address alone is found`, () => {
    const model = copyOf('stealwatch-freeze');
    damage(model);
    const found = lint(model as DashboardModel, models).map(({ rule }) => rule);
    assert.ok(found.includes('told-apart-by-host'), found.join(', '));
  });
}

test('every dashboard keeps every rule', () => {
  const problems = models.flatMap((model) => lint(model, models));
  assert.deepEqual(problems, []);
  assert.equal(models.length, 6);
});

for (const rule of ruleNames) {
  test(`lint: ${rule} finds what it is there for`, () => {
    const damage = breaks[rule];
    assert.ok(damage, 'no example of what this rule catches');
    const page = rule.startsWith('bars') ? 'slo' : 'freeze';
    const ofTables = /table|empty/.test(rule) && !/^(?:heatmaps|lanes)/.test(rule);
    const uid = ofTables ? 'overview' : page;
    const model = copyOf(`stealwatch-${uid}`);
    damage(model);
    const found = lint(model as DashboardModel, models).filter((problem) => problem.rule === rule);
    assert.ok(found.length > 0, `${rule} did not notice`);
  });
}
