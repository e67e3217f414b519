import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fixtureTree, writeTree } from '../../tools/rig/fixture-tree.ts';
import { openReadings, tolerating } from './readings.ts';

const stat = (majflt: number, minflt = 900) =>
  `12 (cold ) page (x) D 1 12 12 0 -1 4194368 ${minflt} 0 ${majflt} 0 1 2 0 0 20 0 9 0 8 1 2 3\n`;
const status = (voluntary: number) =>
  `Name:\tcold-page\nState:\tR (running)\nvoluntary_ctxt_switches:\t${voluntary}\nnonvoluntary_ctxt_switches:\t77\n`;
const files = {
  'thread-self/stat': stat(4),
  'thread-self/status': status(10),
  'thread-self/schedstat': '1000 2000000000 3\n',
  vmstat: 'nr_free_pages 1\npswpin 5\npswpout 900\n',
  stat: 'cpu  1 2 3 4 5 6 7 80 9 10\ncpu0 1 2 3 4 5 6 7 8 9 10\n',
};

test('readings: growth between before and after', (t) => {
  const root = fixtureTree(t, files);
  const readings = openReadings(root);
  readings.before();
  writeTree(root, {
    'thread-self/stat': stat(6),
    'thread-self/status': status(13),
    'thread-self/schedstat': '1000 2500000000 9\n',
    vmstat: 'nr_free_pages 1\npswpin 25\npswpout 900\n',
  });
  readings.after();
  const growth = {
    switches: 3,
    majorFaults: 2,
    minorFaults: 0,
    runDelaySeconds: 0.5,
    stealSeconds: 0,
    swappedIn: 20,
  };
  assert.deepEqual(readings.growth(), growth);
  writeTree(root, { stat: 'cpu  1 2 3 4 5 6 7 83 9 10\n' });
  readings.stealAgain();
  assert.deepEqual(readings.growth(), { ...growth, stealSeconds: 0.03 });
});

test('readings: minor faults are those that NUMA balancing does not account for', (t) => {
  const cases: readonly (readonly [number, string, string, number])[] = [
    [907, '', '', 7],
    [907, 'numa_hint_faults 40\n', 'numa_hint_faults 45\n', 2],
    [907, 'numa_hint_faults 40\n', 'numa_hint_faults 99\n', 0],
  ];
  for (const [minflt, before, after, expected] of cases) {
    const root = fixtureTree(t, { ...files, vmstat: files.vmstat + before });
    const readings = openReadings(root);
    readings.before();
    writeTree(root, { 'thread-self/stat': stat(4, minflt), vmstat: files.vmstat + after });
    readings.after();
    assert.equal(readings.growth().minorFaults, expected);
  }
});

test('readings: a kernel without schedstat, and text that is not what it should be', (t) => {
  const { 'thread-self/schedstat': _, ...without } = files;
  const readings = openReadings(fixtureTree(t, without));
  readings.before();
  readings.after();
  assert.equal(readings.growth().runDelaySeconds, undefined);

  const broken = openReadings(fixtureTree(t, { ...files, 'thread-self/status': 'Name:\tx\n' }));
  broken.before();
  broken.after();
  assert.throws(() => broken.growth(), /status: no .*voluntary.* in "Name:\\tx\\n"/);
});

test('readings: one that cannot be understood is skipped, ten in a row are the end', () => {
  const growth = {
    switches: 1,
    majorFaults: 0,
    minorFaults: 0,
    runDelaySeconds: 0,
    stealSeconds: 0,
    swappedIn: 0,
  };
  let broken = false;
  const read = tolerating(() => {
    if (broken) throw new Error('no voluntary_ctxt_switches');
    return growth;
  });
  for (let round = 0; round < 3; round++) {
    broken = false;
    assert.equal(read(), growth);
    broken = true;
    for (let i = 0; i < 9; i++) assert.equal(read(), undefined);
  }
  assert.throws(read, /no voluntary_ctxt_switches/);
});
