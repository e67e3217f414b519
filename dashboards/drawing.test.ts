/**
 * How each kind of panel is drawn, option by option: a gap stays a gap, a heat map begins at zero, a
 * number is the last and not the mean. Each option has the values that it may have.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isDeepStrictEqual } from 'node:util';
import { committed } from './lint/model.ts';

const panels = committed().flatMap((model) => model.panels);

const descending = (displayName: string) => [{ desc: true, displayName }];
const hidden = { calcs: [], displayMode: 'list', placement: 'bottom', showLegend: false };
const grey = {
  exponent: 0.5,
  fill: '#7F8B98',
  min: 0,
  mode: 'opacity',
  reverse: false,
  scale: 'exponential',
  scheme: '',
  steps: 32,
};

/** By type and option. What the SDK writes and nobody sees is left out. */
const allowed: Readonly<Record<string, Readonly<Record<string, readonly unknown[]>>>> = {
  stat: {
    // Text in the colour of its threshold; the verdict alone fills its panel.
    colorMode: ['value', 'background_solid'],
    graphMode: ['none'],
    text: [{ titleSize: 14, valueSize: 28 }, { titleSize: 14 }],
    orientation: ['auto', 'horizontal'],
    textMode: ['value', 'value_and_name'],
    // What is so now, of every series: a mean hides the one that is ill.
    reduceOptions: [{ calcs: ['lastNotNull'], fields: '', values: false }],
    justifyMode: ['auto'],
    showPercentChange: [false],
    wideLayout: [false],
  },
  timeseries: {
    // What a line came to in the range, where that is what is asked: the lowest budget, the worst reading.
    legend: [
      { ...hidden, showLegend: true },
      { ...hidden, showLegend: true, calcs: ['min'] },
      { ...hidden, showLegend: true, calcs: ['max'] },
    ],
    // All at the crosshair, the worst first.
    tooltip: [{ mode: 'multi', sort: 'desc' }],
    axisWidth: [64, 150],
    drawStyle: ['line'],
    fillOpacity: [0, 80],
    gradientMode: ['none'],
    lineInterpolation: ['linear'],
    // A stacked line of zeros would run along the top of the one below.
    lineWidth: [0, 1],
    pointSize: [4],
    scaleDistribution: [{ type: 'linear' }, { log: 10, type: 'log' }],
    showPoints: ['auto'],
    // A gap is what this is about.
    spanNulls: [false],
    stacking: [{ mode: 'none' }, { mode: 'normal' }],
  },
  table: {
    cellHeight: ['sm'],
    showHeader: [true],
    align: ['auto'],
    filterable: [false],
    // The worst first; where many are equally well, by name, so that no row moves at a reload.
    sortBy: [
      [],
      ...['For', 'Hidden'].map(descending),
      // Who is called for; of these, and of the others, the worst.
      ['Fires', 'Host'].flatMap(descending),
      [
        { desc: true, displayName: 'Steal p95' },
        { desc: true, displayName: 'Worst 2 min' },
        { desc: false, displayName: 'Host' },
      ],
      [
        { desc: true, displayName: 'Stall' },
        { desc: false, displayName: 'Host' },
      ],
      [
        { desc: false, displayName: 'Left' },
        { desc: false, displayName: 'Host' },
      ],
    ],
  },
  'state-timeline': {
    alignValue: ['left'],
    legend: [hidden],
    mergeValues: [true],
    rowHeight: [0.85],
    // The word stands in the lane.
    showValue: ['auto'],
    tooltip: [{ mode: 'single', sort: 'none' }],
    axisWidth: [150],
    fillOpacity: [90],
    lineWidth: [0],
    spanNulls: [false],
  },
  heatmap: {
    calculate: [false],
    cellGap: [1],
    cellValues: [{ unit: 'cps' }],
    // Nothing at zero; answered PINGs are no bad thing.
    color: [grey],
    legend: [{ show: true }],
    rowsFrame: [{ layout: 'auto' }],
    showValue: ['never'],
    tooltip: [{ mode: 'single', showColorScale: true }],
    yAxis: [{ axisPlacement: 'left', axisWidth: 150, reverse: false, unit: 's' }],
  },
  barchart: {
    barWidth: [0.8],
    groupWidth: [0.7],
    legend: [hidden],
    orientation: ['vertical'],
    showValue: ['auto'],
    stacking: ['none'],
    tooltip: [{ mode: 'single', sort: 'none' }],
    xField: ['hour', 'cause'],
    axisWidth: [64],
    fillOpacity: [80],
    gradientMode: ['none'],
    lineWidth: [0],
  },
};

for (const [type, options] of Object.entries(allowed)) {
  test(`every ${type} is drawn as all of its kind`, () => {
    const ofType = panels.filter((panel) => panel.type === type);
    assert.ok(ofType.length > 0);
    const used = new Map<string, Set<number>>();
    for (const { title, options: own, fieldConfig } of ofType) {
      const drawn: Readonly<Record<string, unknown>> = { ...own, ...fieldConfig.defaults.custom };
      for (const [option, values] of Object.entries(options)) {
        const which = values.findIndex((value) => isDeepStrictEqual(drawn[option], value));
        assert.ok(which >= 0, `${title}: ${option} is ${JSON.stringify(drawn[option])}`);
        used.set(option, (used.get(option) ?? new Set()).add(which));
      }
    }
    // A value that no panel has is one that a mistake took away.
    for (const [option, values] of Object.entries(options)) {
      assert.equal(used.get(option)?.size, values.length, option);
    }
  });
}

const titles = (type: string, holds: (custom: Readonly<Record<string, unknown>>) => boolean) =>
  panels
    .filter((panel) => panel.type === type && holds(panel.fieldConfig.defaults.custom ?? {}))
    .map(({ title }) => title);

test('what adds up to a whole is stacked and filled; nothing else is', () => {
  const stacked = titles(
    'timeseries',
    ({ stacking }) => (stacking as { mode: string }).mode === 'normal',
  );
  assert.deepEqual(
    stacked,
    titles('timeseries', ({ fillOpacity }) => fillOpacity === 80),
  );
  assert.deepEqual(stacked, ['Who used the CPU']);
});

test('what spans orders of magnitude has a logarithmic axis', () => {
  const logarithmic = titles(
    'timeseries',
    ({ scaleDistribution }) => (scaleDistribution as { type: string }).type === 'log',
  );
  assert.deepEqual(logarithmic, [
    'How long each collector takes',
    'Burn rates of the host objective',
  ]);
});

test('a table merges its queries by their labels, and shows its columns in their order', () => {
  for (const { title, transformations = [], targets } of panels.filter(
    ({ type }) => type === 'table',
  )) {
    const [merge, filter, organize] = transformations;
    assert.deepEqual(merge, { id: 'merge', options: {} }, title);
    const { names = [] } = (filter?.options['include'] ?? {}) as { names?: readonly string[] };
    const { indexByName, renameByName, excludeByName } = organize?.options ?? {};
    assert.deepEqual(indexByName, Object.fromEntries(names.map((name, i) => [name, i])), title);
    assert.deepEqual(Object.keys(renameByName as object).toSorted(), names.toSorted(), title);
    assert.deepEqual(excludeByName, {}, title);
    const letters = targets.map(({ refId }) =>
      targets.length === 1 ? 'Value' : `Value #${refId}`,
    );
    assert.deepEqual(
      names.filter((name) => name.startsWith('Value')),
      letters,
      title,
    );
  }
});

test('bars are one for each value of their label, in its order; hours as numbers', () => {
  for (const { title, transformations = [], options, fieldConfig } of panels.filter(
    ({ type }) => type === 'barchart',
  )) {
    const field = String(options['xField']);
    const as = (destinationType: string) => ({
      id: 'convertFieldType',
      options: { conversions: [{ targetField: field, destinationType }], fields: {} },
    });
    const sort = { id: 'sortBy', options: { fields: {}, sort: [{ field }] } };
    const numeric = field === 'hour';
    assert.deepEqual(
      transformations,
      [
        { id: 'filterFieldsByName', options: { include: { names: [field, 'Value'] } } },
        ...(numeric ? [as('number'), sort, as('string')] : [sort]),
      ],
      title,
    );
    assert.equal(fieldConfig.defaults.min, 0, title);
  }
});
