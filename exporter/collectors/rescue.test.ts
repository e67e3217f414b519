import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { createRescueRecorder } from '../core/rescue-record.ts';
import { manualClock } from '../measure/clock.ts';
import { fixtureTree } from '../../tools/rig/fixture-tree.ts';
import { rescueCollector } from './rescue.ts';

function setup(t: TestContext) {
  const path = join(fixtureTree(t, {}), 'record.json');
  const clock = manualClock();
  const sinceBoot = () => clock.monotonic();
  const collector = rescueCollector({ clock, rescueRecord: path, sinceBoot });
  t.after(() => collector.close?.());
  return {
    path,
    clock,
    collector,
    recorder: createRescueRecorder(path),
    collect: async () => {
      const families = await collector.collect(AbortSignal.timeout(1000));
      return families.flatMap(({ samples }) =>
        samples.map(({ labels, value }) => [labels['result'] ?? 'age', value]),
      );
    },
    findings: () => {
      clock.advance(5);
      return collector.report?.().findings?.map(({ severity, text }) => `${severity}: ${text}`);
    },
  };
}

const released = { time: 1000, result: 'released', cpus: [1], text: 'It was written.' } as const;

test('rescue collector: nothing where nobody ever ran it', async (t) => {
  const { collect, findings } = setup(t);
  assert.deepEqual(await collect(), []);
  assert.equal(findings(), undefined);
});

test('rescue collector: what became of rescues, and the last of them for a quarter of an hour', async (t) => {
  const { collect, findings, recorder, clock } = setup(t);
  recorder.done(released);
  const counts = [
    ['released', 1],
    ['not_released', 0],
    ['refused', 0],
    ['failed', 0],
  ];
  assert.deepEqual(await collect(), counts);
  assert.deepEqual(findings(), ['warning: stealwatch rescue, 5 s ago: It was written.']);
  clock.advance(900);
  assert.deepEqual(findings(), []);
  recorder.done({ ...released, time: clock.monotonic(), result: 'failed', text: 'It was not.' });
  assert.deepEqual(findings(), ['bad: stealwatch rescue, 5 s ago: It was not.']);
});

test('rescue collector: a watcher that is gone, or could not write, is told', async (t) => {
  const { collect, findings, recorder, clock } = setup(t);
  recorder.watching({ lookedAt: 1000 });
  assert.deepEqual((await collect()).at(-1), ['age', 0]);
  assert.deepEqual(findings(), []);
  recorder.watching({ lookedAt: clock.monotonic(), problem: 'the msr module is not loaded' });
  assert.deepEqual(findings(), [
    'warning: stealwatch rescue --watch could not write if it were time: the msr module is not loaded.',
  ]);
  clock.advance(120);
  assert.deepEqual((await collect()).at(-1), ['age', 125]);
  assert.match(findings()?.[0] ?? '', /^warning: .* has not looked for 2 min: nobody would write/);
});

test('rescue collector: a record that cannot be read fails, and what was read stays', async (t) => {
  const { path, collect, findings, recorder } = setup(t);
  recorder.done(released);
  assert.equal(findings()?.length, 1);
  writeFileSync(path, 'garbage');
  await assert.rejects(collect(), /record\.json is no record of stealwatch rescue/);
  assert.equal(findings()?.length, 1);
});
