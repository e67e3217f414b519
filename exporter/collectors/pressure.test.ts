import assert from 'node:assert/strict';
import { test } from 'node:test';
import { manualClock } from '../measure/clock.ts';
import { isIncomplete } from '../core/collector.ts';
import { createPseudoFs, type PseudoFs } from '../procfs/reader.ts';
import { fixtureTree } from '../../tools/rig/fixture-tree.ts';
import { pressureCollector } from './pressure.ts';

const stalled = new URL('../fixtures/kvm-async-pf/stalled/proc', import.meta.url).pathname;

test('pressure: quiet on a real guest whose Redis hangs on a page the host swapped out', async () => {
  const collector = pressureCollector({ procfs: createPseudoFs(stalled), clock: manualClock() });
  const [family] = await collector.collect(AbortSignal.timeout(1000));
  // No full line for the cpu: the kernel prints a constant 0 there.
  assert.deepEqual(family?.samples, [
    { labels: { resource: 'cpu', kind: 'some' }, value: 136.425835 },
    { labels: { resource: 'memory', kind: 'some' }, value: 0 },
    { labels: { resource: 'memory', kind: 'full' }, value: 0 },
    { labels: { resource: 'io', kind: 'some' }, value: 0 },
    { labels: { resource: 'io', kind: 'full' }, value: 0 },
  ]);
  assert.equal(collector.report?.().signals?.[0]?.supported, true);
  await collector.close?.();
});

/** A kernel started with psi=0: the files are there and refuse. */
function refusing(code: string): PseudoFs {
  const read = () => {
    throw Object.assign(new Error(`${code}: read`), { code });
  };
  return { root: '/proc', read, file: () => ({ read, close() {} }), list: () => ['cpu', 'io'] };
}

test('pressure: absent without PSI or with it turned off, and the signal says how to get it', async (t) => {
  for (const procfs of [createPseudoFs(fixtureTree(t, {})), refusing('EOPNOTSUPP')]) {
    const collector = pressureCollector({ procfs, clock: manualClock() });
    assert.deepEqual(await collector.collect(AbortSignal.timeout(1000)), []);
    const [signal] = collector.report?.().signals ?? [];
    assert.equal(signal?.supported, false);
    assert.match(signal.reason, /psi=1/);
  }
});

test('pressure: a file that may not be read is broken, not absent', async () => {
  const collector = pressureCollector({ procfs: refusing('EACCES'), clock: manualClock() });
  await assert.rejects(collector.collect(AbortSignal.timeout(1000)), /EACCES/);
  assert.match(
    collector.report?.().signals?.[0]?.reason ?? '',
    /^\/proc\/pressure cannot be read \(.*EACCES/,
  );
});

const io = (percent: string) =>
  `some avg10=0.00 avg60=${percent} avg300=0.00 total=5\nfull avg10=0.00 avg60=${percent} avg300=0.00 total=5\n`;

test('pressure: the minute before the last scrape is evidence for a minute', async (t) => {
  const clock = manualClock();
  const procfs = createPseudoFs(fixtureTree(t, { 'pressure/io': io('31.50') }));
  const collector = pressureCollector({ procfs, clock });
  assert.deepEqual(collector.report?.().evidence, {});
  await collector.collect(AbortSignal.timeout(1000));
  assert.deepEqual(collector.report?.().evidence, { diskPressure: 0.315 });
  clock.advance(61);
  assert.deepEqual(collector.report?.().evidence, {});
  await collector.close?.();
});

test('pressure: one file that cannot be read takes nothing from the others', async (t) => {
  const line = 'some avg10=0.00 avg60=0.00 avg300=0.00 total=3000000\n';
  const root = fixtureTree(t, {
    'pressure/cpu': 'some what\n',
    'pressure/memory': line,
    'pressure/io': line,
  });
  const collector = pressureCollector({ procfs: createPseudoFs(root), clock: manualClock() });
  await assert.rejects(collector.collect(AbortSignal.timeout(1000)), (error: Error) => {
    assert.match(error.message, /^cpu pressure: unexpected line "some what"/);
    assert.ok(isIncomplete(error));
    assert.deepEqual(
      error.families[0]?.samples.map(({ labels, value }) => [labels['resource'], value]),
      [
        ['memory', 3],
        ['io', 3],
      ],
    );
    return true;
  });
});

test('pressure: a folder that may not be listed fails the collector and nothing else', async () => {
  for (const code of ['EACCES', 'ELOOP']) {
    const procfs = refusing(code);
    const list = () => procfs.read('pressure') as never;
    const collector = pressureCollector({ procfs: { ...procfs, list }, clock: manualClock() });
    assert.match(collector.report?.().signals?.[0]?.reason ?? '', new RegExp(code));
    await assert.rejects(collector.collect(AbortSignal.timeout(1000)), new RegExp(code));
  }
});
