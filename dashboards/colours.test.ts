/**
 * What every colour on the dashboards says, panel by panel: where amber and red begin, and which word
 * stands for which value. Numbers that alerts/thresholds.ts has come from there; the few others have
 * their reason here. A panel that judges and is not in these tables fails.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Threshold } from '../exporter/measure/limits.ts';
import { burnFactors } from '../alerts/slo/shipped.ts';
import { thresholds } from '../alerts/thresholds.ts';
import { type Mapping, type PanelModel, type ThresholdSteps, committed } from './lint/model.ts';

const amber = '#D47F00';
const red = '#E0403F';
const grey = '#7B8087';
const slate = '#5B6A78';
const blue = '#4C8DF5';
const purple = '#A867D0';
const brown = '#94783C';
const neutral = '#7F8B98';

type Steps = readonly (readonly [number | null, string])[];
type Limits = Pick<Threshold, 'warn' | 'bad'>;

const rises = ({ warn, bad }: Limits, quiet = 'text'): Steps => [
  [null, quiet],
  [warn, amber],
  [bad, red],
];
const falls = ({ warn, bad }: Limits): Steps => [
  [null, red],
  [bad, amber],
  [warn, 'text'],
];
const redFrom = (bad: number, quiet = 'text'): Steps => [
  [null, quiet],
  [bad, red],
];
const { fast: fastest, slow: fast } = burnFactors('page');
const { fast: slow, slow: slowest } = burnFactors('ticket');

/** DASHBOARD | PANEL, and after a > the column. */
const judged: Readonly<Record<string, Steps>> = {
  'asynq | Oldest task waits': rises(thresholds.queueLatencySeconds),
  'asynq | Age of the oldest task, by queue': rises(thresholds.queueLatencySeconds, 'transparent'),
  // Nobody is free from here on; more than all cannot be busy.
  'asynq | Workers busy': [
    [null, 'text'],
    [0.95, amber],
  ],
  // One server is enough, none is an outage.
  'asynq | Servers alive': falls({ warn: 1, bad: 1 }),
  'asynq | Time to drain > Consumers': falls({ warn: 1, bad: 1 }),
  'asynq | Queues in trouble, as last read > Overdue': rises({ warn: 1, bad: 1000 }),
  'compare | League table > Steal p95': rises(thresholds.stealRatio),
  // A day is the least that a provider is judged by.
  'compare | League table > Observed': [
    [null, grey],
    [86_400, 'text'],
  ],
  'compare | Harm done > Stall': rises(thresholds.stallSeconds),
  'compare | Harm done > Budget': falls(thresholds.budgetLeftRatio),
  // Of a core; the exporter's own promise is 1 %.
  'exporter | Own CPU': rises({ warn: 0.05, bad: 0.1 }),
  // Below the limit of the compose file, and above any.
  'exporter | Own memory': rises({ warn: 150e6, bad: 300e6 }),
  'exporter | Series per scrape': rises({ warn: 450, bad: 1000 }),
  'exporter | Kernel records lost': rises({ warn: 1, bad: 100 }),
  'exporter | Age of the background clocks': redFrom(
    thresholds.samplerAgeSeconds.bad,
    'transparent',
  ),
  'freeze | Redis silent for': redFrom(thresholds.redisUnresponsiveSeconds.bad),
  'freeze | Longest in D': redFrom(thresholds.taskBlockedSeconds.bad),
  'freeze | Host page-ins': redFrom(thresholds.hostPageInsPerSecond.bad * 60),
  'freeze | Without a CPU': redFrom(thresholds.stalledSecondsIn2m.bad),
  'freeze | CPU-minutes lost': redFrom(10),
  'freeze | Hung task reports': redFrom(1),
  'overview | Redis silent for': rises(thresholds.redisUnresponsiveSeconds),
  'overview | Oldest task': rises(thresholds.queueLatencySeconds),
  // Somebody is called.
  'overview | Pages that fire': redFrom(1),
  'overview | Hosts, worst first > Fires': redFrom(1),
  'overview | Hosts, worst first > Redis': rises(thresholds.redisUnresponsiveSeconds),
  'overview | Hosts, worst first > Oldest': rises(thresholds.queueLatencySeconds),
  'overview | Hosts, worst first > Taken': rises(thresholds.stealRatio),
  'overview | Hosts, worst first > Page-ins': rises(thresholds.hostPageInsPerSecond),
  'overview | Hosts, worst first > In D': rises(thresholds.taskBlockedSeconds),
  'overview | CPU taken': rises(thresholds.stealRatio),
  'overview | Host page-ins/s': rises(thresholds.hostPageInsPerSecond),
  'overview | Longest in D now': rises(thresholds.taskBlockedSeconds),
  'overview | Longest stall': rises(thresholds.stallSeconds),
  'overview | Error budget left': falls(thresholds.budgetLeftRatio),
  'overview | Scraped': [
    [null, red],
    [1, 'text'],
  ],
  // A host that hides a signal is worth a look, and never a catastrophe, however many there are.
  'overview | Can I trust this? > Hidden': [
    [null, 'text'],
    [1, amber],
  ],
  'slo | Objectives > Left': falls(thresholds.budgetLeftRatio),
  'slo | Objectives > Burn 1 h': rises({ warn: 1, bad: fastest }),
  'slo | Objectives > Burn 6 h': rises({ warn: 1, bad: fast }),
  'slo | Objectives > Measured': falls(thresholds.coverageRatio),
  'slo | Burn rates of the host objective': [
    [null, 'transparent'],
    [slowest, neutral],
    [slow, amber],
    [fast, amber],
    [fastest, red],
  ],
  'slo | Measured share of the time': [
    [null, red],
    [thresholds.coverageRatio.bad, 'transparent'],
  ],
};

type Words = Readonly<Record<string, readonly [string, string]>>;

const lanes: Words = {
  '-1': ['not measured', grey],
  '0': ['ok', slate],
  '1': ['degraded', amber],
  '2': ['bad', red],
};
const notOffered: Words = { '-1': ['not offered', grey] };

const unread: Words = { '-1': ['cannot be read', red], '-4': ['no queue known', grey] };

/** Which word stands for which value, in which colour. */
const worded: Readonly<Record<string, Words>> = {
  'asynq | Redis answers': { '0': ['no', red], '1': ['yes', 'text'] },
  'asynq | Oldest task waits': unread,
  'asynq | Workers busy': unread,
  'asynq | Servers alive': unread,
  'asynq | Time to drain > Drained in': {
    '-1': ['never', amber],
    '-2': ['unknown', red],
    '-3': ['keeps up', 'text'],
  },
  'asynq | Us or the host?': lanes,
  'asynq | Queues in trouble, as last read > Paused': {
    '0': ['no', 'text'],
    '1': ['paused', amber],
  },
  'asynq | Queues in trouble, as last read > Listed': {
    '0': ['missing', red],
    '1': ['yes', 'text'],
  },
  'compare | League table > Steal p95': { '0': ['under 1 %', 'text'] },
  'compare | League table > Steal p50': { '0': ['under 1 %', 'text'] },
  'compare | Harm done > Paged': { '-1': ['not offered', grey] },
  'compare | Harm done > Hung': { '-1': ['not offered', grey] },
  'compare | Steal, hour by hour': {
    '-1': ['not measured', grey],
    '0': ['under 1 %', slate],
    '1': ['1 to 5 %', neutral],
    '2': ['over 5 %', amber],
    '3': ['over 20 %', red],
  },
  'exporter | Kernel records lost': { '-1': ['not readable here', grey] },
  'exporter | Collectors': { '0': ['failed', red], '1': ['ok', slate] },
  'freeze | Redis silent for': notOffered,
  'freeze | Longest in D': notOffered,
  'freeze | Host page-ins': notOffered,
  'freeze | Without a CPU': notOffered,
  'freeze | CPU-minutes lost': notOffered,
  'freeze | Hung task reports': notOffered,
  'freeze | Incident timeline: cause at the top, symptom at the bottom': lanes,
  'freeze | What the probe of Redis saw': {
    '-1': ['not measured', grey],
    '0': ['answers', slate],
    '1': ['slow', amber],
    '2': ['loading', amber],
    '3': ['refuses us', red],
    '4': ['unreachable', red],
    '5': ['frozen', red],
  },
  'freeze | Redis process state': {
    '-1': ['not measured', grey],
    '0': ['runs or sleeps', slate],
    '1': ['stopped (T)', amber],
    '2': ['zombie (Z)', red],
    '3': ['blocked (D)', red],
    '4': ['gone', red],
  },
  'freeze | What the application said of itself': {
    '-1': ['no health endpoint is configured', grey],
    '0': ['says it is well', slate],
    '1': ['says it is ill', amber],
    '2': ['lies', red],
  },
  'overview | Is my host stealing from me?': {
    '0': ['No, the host is quiet', slate],
    '1': ['No, you are using your own CPU up', blue],
    '2': ['Yes, CPU: others take your cores', red],
    '3': ['Yes, memory: the host is paging your RAM', purple],
    '4': ['Disk is the bottleneck', brown],
    '5': ['Unknown, no data', amber],
    '6': ['Nothing seen, page-ins not visible here', grey],
    '7': ['No answer: it is not seen now', amber],
  },
  'overview | Redis silent for': { '-2': ['turns us away', red], '0': ['it answers', 'text'] },
  'overview | Oldest task': unread,
  'overview | Pages that fire': { '-1': ['messages fail', red], '0': ['none', 'text'] },
  'overview | What fires now > For': {
    '1': ['to know', 'text'],
    '2': ['ticket', amber],
    '3': ['page', red],
  },
  'overview | Hosts, worst first > Host': {
    '0': ['quiet', 'text'],
    '1': ['nothing seen', grey],
    '2': ['own load', blue],
    '3': ['disk', brown],
    '4': ['no data', amber],
    '5': ['no answer', amber],
    '6': ['CPU taken', red],
    '7': ['RAM paged out', purple],
  },
  'overview | Hosts, worst first > Redis': {
    '-3': ['none', grey],
    '-2': ['no entry', red],
    '0': ['answers', 'text'],
  },
  'overview | Hosts, worst first > Oldest': {
    '-4': ['unread', grey],
    '-3': ['none', grey],
    '-1': ['unknown', red],
  },
  'overview | Hosts, worst first > Page-ins': { '-1': ['unseen', grey] },
  'overview | Host page-ins/s': notOffered,
  'overview | State by host': {
    '-1': ['not loaded', grey],
    '0': ['quiet', slate],
    '1': ['own load', blue],
    '2': ['CPU taken', red],
    '3': ['RAM paged out', purple],
    '4': ['disk', brown],
    '5': ['no data', amber],
    '6': ['nothing seen', grey],
  },
  'overview | Can I trust this? > Hidden': { '0': ['no host', 'text'] },
  'slo | Bad minutes, hour by hour': {
    '-1': ['no whole hour', grey],
    '0': ['none', slate],
    '1': ['under 5 min', amber],
    '2': ['over 5 min', red],
  },
  'slo | Objectives > Empty in': {
    '0': ['is empty', red],
    '-1': ['not burning', 'text'],
    [String(28 * 86_400)]: ['over 28 days', 'text'],
  },
};

interface Field {
  readonly name: string;
  readonly type: string;
  readonly steps: Steps;
  readonly words: Words;
}

const stepsOf = (given: ThresholdSteps | undefined): Steps =>
  (given?.steps ?? []).map(({ value, color }) => [value, color]);

const wordsOf = (given: readonly Mapping[] | undefined): Words =>
  Object.fromEntries(
    (given ?? [])
      .filter(({ type }) => type === 'value')
      .flatMap(({ options }) =>
        Object.entries(options).map(([value, { text, color }]) => [value, [text, color]]),
      ),
  );

function fieldsOf(dashboard: string, panel: PanelModel): Field[] {
  const name = `${dashboard} | ${panel.title}`;
  const { defaults, overrides } = panel.fieldConfig;
  const own = { steps: stepsOf(defaults.thresholds), words: wordsOf(defaults.mappings) };
  return [
    { name, type: panel.type, ...own },
    ...overrides.map(({ matcher, properties }) => {
      const value = (id: string) => properties.find((property) => property.id === id)?.value;
      return {
        name: `${name} > ${String(matcher.options)}`,
        type: 'column',
        steps: stepsOf(value('thresholds') as ThresholdSteps | undefined),
        words: wordsOf(value('mappings') as readonly Mapping[] | undefined),
      };
    }),
  ];
}

/** Of a figure: none of the machines that would tell answers. */
const gone = '-999';
/** Of a lane. */
const goneLane = '-2';
const isAway = (value: string, word: string) =>
  word === 'no answer' && [gone, goneLane].includes(value);

const panels = committed().flatMap(({ uid, panels: all }) =>
  all.map((panel) => ({ dashboard: uid.replace('stealwatch-', ''), panel })),
);
const fields = panels.flatMap(({ dashboard, panel }) => fieldsOf(dashboard, panel));

test('where amber and red begin, in every panel and column that judges', () => {
  // A lane is coloured by its words, and one step is no judgement.
  const found = fields.filter(({ type, steps }) => type !== 'state-timeline' && steps.length > 1);
  assert.deepEqual(Object.fromEntries(found.map(({ name, steps }) => [name, steps])), judged);
});

test('which word stands for which value, everywhere', () => {
  const found = fields
    .map(
      ({ name, words }) =>
        [name, Object.entries(words).filter(([value, [word]]) => !isAway(value, word))] as const,
    )
    .filter(([, words]) => words.length > 0);
  assert.deepEqual(
    Object.fromEntries(found.map(([name, words]) => [name, Object.fromEntries(words)])),
    worded,
  );
});

/** Figures whose query has an answer for a machine that gives none. */
const sayItThemselves = ['Is my host stealing from me?', 'Pages that fire', 'Scraped'];

test('a figure of machines that do not answer says that, and not that there is none', () => {
  for (const { dashboard, panel } of panels.filter(({ panel: one }) => one.type === 'stat')) {
    const said = wordsOf(panel.fieldConfig.defaults.mappings)[gone];
    const expected = sayItThemselves.includes(panel.title) ? undefined : ['no answer', amber];
    assert.deepEqual(said, expected, `${dashboard} | ${panel.title}`);
  }
});

test('a lane of machines that did not answer says that, and is no error of Grafana', () => {
  for (const { dashboard, panel } of lanePanels)
    assert.deepEqual(
      wordsOf(panel.fieldConfig.defaults.mappings)[goneLane],
      ['no answer', amber],
      `${dashboard} | ${panel.title}`,
    );
});

test('a number that is missing is said in grey, whatever colour the lowest numbers have', () => {
  for (const { dashboard, panel } of panels.filter(({ panel: one }) => one.type === 'stat')) {
    const { mappings, noValue } = panel.fieldConfig.defaults;
    const special = mappings?.find(({ type }) => type === 'special')?.options;
    // The verdict is not calmer without data than with it.
    const color = panel.options['colorMode'] === 'background_solid' ? amber : grey;
    const expected = { match: 'null+nan', result: { color, index: 0, text: noValue } };
    assert.deepEqual(special, expected, `${dashboard} | ${panel.title}`);
  }
});

const both = ({ warn, bad }: Limits) => [warn, bad];

/** From where a lane is amber, and from where red: the numbers that its query compares with. */
const laneLimits: Readonly<Record<string, readonly number[]>> = {
  'CPU steal': both(thresholds.stealRatio),
  'Host page-ins': both(thresholds.hostPageInsPerSecond),
  Stalls: both(thresholds.stalledSecondsIn2m),
  'Blocked tasks': both(thresholds.taskBlockedSeconds),
  'Hung task reports': [0],
  'bgsave running': [thresholds.redisBgsaveSeconds.bad],
  // The last: only where the time of the last fork moved.
  'Fork slow': [...both(thresholds.redisForkSeconds), 0],
  // Counts: more than one less is as many.
  'AOF fsync delayed': [0, thresholds.aofDelayedFsyncs.bad - 1],
  'Redis slow': [0, 0.5],
  'Redis unresponsive': both(thresholds.redisUnresponsiveSeconds),
  'Listen queue': both(thresholds.listenQueueLength),
  'Asynq oldest task': both(thresholds.queueLatencySeconds),
  'SLO burn': [slowest, fastest],
  'No scrape': [0],
  // Bad minutes of an hour, and shares of it that the host took.
  '{{slo}}': [0, 5 / 60],
  '{{host}}': [0.01, thresholds.stealRatio.warn, thresholds.stealRatio.bad],
  // What says 2xx while Redis is down, and what says so itself.
  '{{app}}': [200, 300],
};

const lanePanels = panels.filter(({ panel }) => panel.type === 'state-timeline');
const laneQueries = lanePanels.flatMap(({ panel }) => panel.targets);

test('a lane turns amber and red by the numbers of its threshold', () => {
  const found = laneQueries
    .map(({ legendFormat, expr }) => ({
      legendFormat,
      numbers: [...expr.matchAll(/ bool (\S+?)(?=[\s)]|$)/g)].map(([, number]) => Number(number)),
    }))
    .filter(({ numbers }) => numbers.length > 0);
  for (const { legendFormat, numbers } of found) {
    assert.deepEqual(numbers, laneLimits[legendFormat], legendFormat);
  }
  assert.deepEqual(
    new Set(found.map(({ legendFormat }) => legendFormat)),
    new Set(Object.keys(laneLimits)),
  );
});

/** One-hot series by their states, as the value that the word stands for. */
const laneStates: Readonly<Record<string, string>> = {
  'Redis probe': 'up=0 slow=1 loading=2 auth_failed|error=3 refused|unreachable=4 frozen=5',
  'Redis process': 'R|S=0 T=1 Z=2 D=3 gone=4',
};

test('a state of Redis is the value of its word', () => {
  for (const [legend, states] of Object.entries(laneStates)) {
    const { expr = '' } = laneQueries.find(({ legendFormat }) => legendFormat === legend) ?? {};
    const found = [...expr.matchAll(/state=~"([^"]*)"\}\[[^\]]*\]\) \* (\d)/g)];
    assert.equal(found.map(([, names, value]) => `${names}=${value}`).join(' '), states);
  }
});

test('limits are drawn where there are any, and nowhere else', () => {
  for (const { dashboard, panel } of panels.filter(({ panel: one }) => one.type === 'timeseries')) {
    const style = panel.fieldConfig.defaults.custom?.['thresholdsStyle'] as { mode?: string };
    const limits = stepsOf(panel.fieldConfig.defaults.thresholds).length > 1;
    assert.equal(style.mode, limits ? 'dashed' : 'off', `${dashboard} | ${panel.title}`);
  }
});

test('what colours a field is said: thresholds for what is judged, its own colour for the rest', () => {
  for (const { dashboard, panel } of panels) {
    const { mode } = panel.fieldConfig.defaults.color ?? {};
    const expected: Readonly<Record<string, string | undefined>> = {
      stat: 'thresholds',
      table: 'thresholds',
      'state-timeline': 'fixed',
      timeseries: 'palette-classic',
      barchart: 'fixed',
      heatmap: undefined,
    };
    assert.equal(mode, expected[panel.type], `${dashboard} | ${panel.title}`);
    for (const { matcher, properties } of panel.fieldConfig.overrides) {
      const has = (id: string) => properties.find((property) => property.id === id);
      if (panel.type !== 'table' || (!has('thresholds') && !has('mappings'))) continue;
      const cell = has('custom.cellOptions')?.value;
      assert.deepEqual(cell, { type: 'color-text' }, `${panel.title} > ${String(matcher.options)}`);
    }
  }
});

test('annotations are on, each with its own colour', () => {
  const shown = { enable: true, hide: false };
  for (const { uid, annotations } of committed()) {
    const list = annotations.list ?? [];
    for (const { name, enable, hide } of list) {
      assert.deepEqual({ enable, hide: hide ?? false }, shown, `${uid}: ${name}`);
    }
    const names = list.map(({ name }) => name);
    if (['stealwatch-freeze', 'stealwatch-asynq'].includes(uid)) {
      assert.deepEqual(names, [
        'Alert began',
        'Hung tasks',
        'Reboot or migration',
        'Redis restart',
      ]);
    }
    const colors = list.map((one) => (one as unknown as { iconColor: string }).iconColor);
    assert.equal(new Set(colors).size, colors.length, uid);
  }
});
