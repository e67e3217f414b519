/** What stands on the page at `/`, piece by piece. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Chart, Report } from '../../core/collector.ts';
import type { IncidentSummary } from '../../evidence/summary.ts';
import { htmlOf } from './html.ts';
import { overviewOf } from './overview.ts';

/** The wall clock of an evening after all incidents. */
const wall = Date.UTC(2026, 10, 30, 23) / 1000;

const pageOf = (
  reports: readonly Report[],
  version: string,
  incidents: readonly IncidentSummary[],
) => htmlOf(overviewOf({ reports, version, incidents, wall }));

const page = (...reports: readonly Report[]) => pageOf(reports, '1.2.3', []);

function chart(unit: Chart['unit'], points: readonly (number | null)[], title = 'T'): Report {
  return { charts: [{ title, unit, history: { stepSeconds: 5, points: () => [...points] } }] };
}

const caption = (report: Report) =>
  /<figcaption><b>T<\/b> (.*?)<\/figcaption>/.exec(page(report))?.[1];

test('page: numbers in the unit and precision that people read', () => {
  const cases: readonly (readonly [Chart['unit'], number, string])[] = [
    ['ratio', 0, '0 %'],
    ['ratio', 0.0123, '1.2 %'],
    ['ratio', 0.0999, '10 %'],
    ['ratio', 0.1, '10 %'],
    ['ratio', 1, '100 %'],
    ['seconds', 0.00123, '1.2 ms'],
    ['seconds', 0.01, '10 ms'],
    ['seconds', 0.999, '999 ms'],
    ['seconds', 1, '1 s'],
    ['seconds', 75.25, '75 s'],
    ['per_second', 0, '0/s'],
    ['per_second', 9.94, '9.9/s'],
    ['per_second', 10, '10/s'],
    ['per_second', 1234.5, '1235/s'],
    ['count', 2.4, '2'],
  ];
  for (const [unit, value, text] of cases) {
    assert.equal(caption(chart(unit, [value])), `highest in 5 s: ${text}, in 5 s: ${text}`, unit);
  }
});

test('page: a chart says what was highest just now and in how long', () => {
  const points = [...Array.from({ length: 178 }, () => 1), 7, 3];
  assert.equal(caption(chart('count', points)), 'highest in 5 s: 3, in 15 min: 7');
  const gap = (steps: number) => chart('count', [...points, ...Array(steps).fill(null)]);
  assert.equal(caption(gap(1)), 'highest in 10 s: 3, in 15 min: 7', 'not yet recorded');
  assert.equal(
    caption(gap(2)),
    'nothing for 10 s, highest in 15 min: 7',
    'what was before is not now',
  );
  assert.equal(caption(chart('count', [null, null])), undefined, 'never anything');
  assert.equal(caption(chart('ratio', [Number.NaN, Infinity, -0.5, 3])), undefined, 'no number');
  assert.equal(caption(chart('seconds', [1, -1, 1e300])), 'nothing for 10 s, highest in 15 s: 1 s');
  assert.equal(caption(chart('count', [7, Number.NaN, 3])), 'highest in 5 s: 3, in 15 s: 7');
});

const path = (report: Report) => /<path d="(.*?)"/.exec(page(report))?.[1];

test('page: a ratio is drawn against 100 %, all else against its highest', () => {
  // 360 wide and 56 high: 2 from below is nothing, 50 above that is all.
  assert.equal(path(chart('ratio', [0, 0.5, 1])), 'M0.0 54.0h120.0L120.0 29.0L240.0 4.0');
  assert.equal(path(chart('seconds', [0, 20, 40])), 'M0.0 54.0h120.0L120.0 29.0L240.0 4.0');
  assert.equal(path(chart('ratio', [1.004])), 'M0.0 4.0h360.0', 'rounded up, and still within');
  assert.equal(path(chart('count', [0, 0])), 'M0.0 54.0h180.0L180.0 54.0');
  assert.equal(path(chart('count', [2, null, null, 2])), 'M0.0 4.0h90.0M270.0 4.0h90.0', 'a gap');
});

test('page: the headline is the verdict, or what is worse', () => {
  const headline = (report: Report) =>
    /<h1 class="(\w+)">.*?<\/span> (.*?)<\/h1>/.exec(page(report));
  const bad = { severity: 'bad', text: 'Redis is down.' } as const;
  const warning = { severity: 'warning', text: 'Save points are on.' } as const;
  assert.deepEqual(headline({ findings: [warning, bad] })?.slice(1), ['bad', 'Redis is down.']);
  const quiet = headline({ findings: [warning] });
  assert.notEqual(quiet?.[2], warning.text, 'a warning is no headline');
  const both = page({ findings: [warning, bad] });
  assert.equal(both.match(/Redis is down\./g)?.length, 1, 'said once');
  assert.match(
    both,
    /<li class="warning"><span aria-hidden="true">▲<\/span> Save points are on\.<\/li>/,
  );
  assert.match(both, /<title>✖ stealwatch<\/title>/);
});

test('page: checks, what cannot be seen, and nothing of what there is not', () => {
  const check = { critical: true, sinceSeconds: 0, ageSeconds: 0, reason: 'because' };
  const text = page({
    checks: [
      { ...check, name: 'one', ok: true, state: 'up' },
      { ...check, name: 'two', ok: false, state: 'frozen' },
    ],
    signals: [
      { name: 'seen', supported: true, reason: 'x' },
      { name: 'unseen', supported: false, reason: 'why & how' },
    ],
  });
  assert.match(text, /<tr><td>one<\/td><td class="good">✔ up<\/td><td>because<\/td><\/tr>/);
  assert.match(text, /<tr><td>two<\/td><td class="bad">✖ frozen<\/td><td>because<\/td><\/tr>/);
  assert.match(text, /<tr><td>unseen<\/td><td>why &amp; how<\/td><\/tr>/);
  assert.doesNotMatch(text, /<td>seen<\/td>/);
  assert.match(text, /says failing at 2026-11-30 23:00:00 UTC · .* stealwatch 1\.2\.3 · /);
  const empty = page({});
  for (const title of ['The last 15 minutes', 'Checks', 'What this machine does not let us see']) {
    assert.ok(!empty.includes(`<h2>${title}`), title);
  }
  assert.ok(text.includes('<h2>Checks</h2>\n<table><tr><th>Check</th><th>State</th><th>Why</th>'));
  assert.match(empty, /says ok at /);
});

test('page: whatever characters a text has, they are text', () => {
  const hostile = `<b>&"'</b>`;
  const escaped = '&lt;b&gt;&amp;&quot;&#39;&lt;/b&gt;';
  const check = { critical: false, ok: true, sinceSeconds: 0, ageSeconds: 0 };
  const text = pageOf(
    [
      chart('count', [1], hostile),
      {
        findings: [{ severity: 'warning', text: hostile }],
        signals: [{ name: hostile, supported: false, reason: hostile }],
        checks: [{ ...check, name: hostile, state: hostile, reason: hostile }],
      },
    ],
    hostile,
    [
      {
        id: hostile,
        began: 0,
        seconds: 1,
        open: true,
        met: [hostile],
        cause: { name: hostile, text: hostile },
      },
    ],
  );
  assert.ok(!text.includes(hostile));
  // Title of the chart twice, finding, signal twice, check thrice, version, incident twice.
  assert.equal(text.split(escaped).length - 1, 11);
});

test('page: control characters and marks that turn text around are shown as their codes', () => {
  const findings = [{ severity: 'bad', text: 'said \u001b[31m\r\n\u009b\u202egnp' }] as const;
  assert.match(page({ findings }), /said \\x1b\[31m\\x0d\\x0a\\x9b\\u202egnp/);
  const unseen = [{ severity: 'bad', text: 'a\u200b\u{e0041}\u2028\u00ad\ud800.' }] as const;
  assert.match(page({ findings: unseen }), /a\\u200b\\u\{e0041\}\\u2028\\xad\\ud800\./);
});

test('page: one that is not loaded again says so by itself, and of when it is', () => {
  const text = page({});
  const [, seconds = '', every] = /for (\d+) s, though it should be every (\d+) s/.exec(text) ?? [];
  assert.ok(text.includes(`http-equiv="refresh" content="${every}"`));
  assert.ok(Number(seconds) > 2 * Number(every));
  assert.match(text, /<p class="old bad">.* was so at 2026-11-30 23:00:00 UTC\.<\/p>\n<h1/);
  // Not to be seen before.
  assert.match(
    text,
    new RegExp(`\\.old\\{font-size:0;.*visibility:hidden;animation:old 0s ${seconds}s forwards`),
  );
  assert.match(text, /@keyframes old\{to\{font-size:1rem;.*visibility:visible\}\}/);
});

test('page: incidents since boot, the newest first, and none where there was none', () => {
  const past = {
    id: 'b-1',
    began: Date.UTC(2026, 10, 30, 9, 33, 7, 900) / 1000,
    seconds: 87.4,
    open: false,
    met: ['Redis did not answer', 'the kernel reported a hung task'],
    cause: { name: 'page_in_stuck', text: 'Your host has paged out memory.' },
  };
  const open = { ...past, id: 'b-2', began: past.began + 3600, seconds: 5 * 3600, open: true };
  const what =
    'Redis did not answer; the kernel reported a hung task. Verdict: Your host has paged out memory.';
  const text = pageOf([], '1.2.3', [past, open]);
  const rows = [...text.matchAll(/<tr><td>2026.*?<\/tr>/g)].map(([row]) => row);
  assert.deepEqual(rows, [
    `<tr><td>2026-11-30 10:33:07 UTC</td><td class="bad">5 h so far</td><td>${what}</td></tr>`,
    `<tr><td>2026-11-30 09:33:07 UTC</td><td class="good">87 s</td><td>${what}</td></tr>`,
  ]);
  assert.ok(!page({}).includes('Incidents'));
  const undated = { ...past, began: Number.NaN, seconds: Number.NaN };
  assert.match(
    pageOf([], '1', [undated]),
    /<td>an unknown time<\/td><td class="good">an unknown time/,
  );
});
