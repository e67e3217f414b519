import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseLoadavg } from '../procfs/loadavg.ts';
import { createPseudoFs } from '../procfs/reader.ts';
import { fixtureTree } from '../../tools/rig/fixture-tree.ts';
import { loadCollector } from './load.ts';

test('load: the one-minute average of a stalled guest', async (t) => {
  const root = fixtureTree(t, { loadavg: '1.45 1.20 0.90 1/80 1206\n' });
  const collector = loadCollector({ procfs: createPseudoFs(root) });
  const [family] = await collector.collect(AbortSignal.timeout(1000));
  assert.deepEqual(family?.samples, [{ labels: {}, value: 1.45 }]);
  await collector.close?.();
});

test('load: absent without /proc/loadavg, loud on text that is not one', async (t) => {
  const absent = loadCollector({ procfs: createPseudoFs(fixtureTree(t, {})) });
  assert.deepEqual(await absent.collect(AbortSignal.timeout(1000)), []);
  const broken = loadCollector({ procfs: createPseudoFs(fixtureTree(t, { loadavg: 'x 1 2' })) });
  await assert.rejects(
    broken.collect(AbortSignal.timeout(1000)),
    /loadavg: unexpected text "x 1 2"/,
  );
});

test('loadavg: what follows the averages may be anything, the load is read', () => {
  assert.deepEqual(parseLoadavg('1.45 1.20 0.90 1/80 1206\n'), { load1: 1.45, runnable: 1 });
  for (const text of ['1.45 1.20 0.90 x/80 1206\n', '1.45 1.20\n', '1.45 1.20 0.90 1/80 1206\0']) {
    assert.deepEqual(parseLoadavg(text), { load1: 1.45, runnable: undefined });
  }
  for (const text of [
    '',
    '1.4',
    '-1.45 1.20 0.90 1/80 1206\n',
    '12345678901.00 1.20 0.90 1/80 6\n',
  ]) {
    assert.throws(() => parseLoadavg(text), /loadavg: unexpected text/);
  }
});

test('loadavg: no text makes the parser invent a number', () => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      try {
        assert.equal(Number(text.split(' ')[0]), parseLoadavg(text).load1);
      } catch (error) {
        assert.match(String(error), /loadavg: unexpected text/);
      }
    }),
  );
});
