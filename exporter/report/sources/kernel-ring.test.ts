import assert from 'node:assert/strict';
import { test } from 'node:test';
import { placed, temporaryRoot } from '../../../tools/rig/temporary-root.ts';
import { createPseudoFs } from '../../procfs/reader.ts';
import type { ReadContext } from './context.ts';
import { readKernelRing } from './kernel-ring.ts';
import { zoneOf } from './zone.ts';

const now = Date.UTC(2026, 9, 14, 12) / 1000;
/** The first record is of an hour before now. */
const first = now - 3600;

test('kernel ring: what was asked for and is overwritten is not called ordinary', (t) => {
  const root = temporaryRoot(t);
  placed(root, 'uptime', '86400.00 1.00\n');
  const read = (sequence: number, options: { from?: number; to?: number }) => {
    const ring = placed(
      root,
      'kmsg',
      `6,${sequence},82800000000,-;a\n6,${sequence + 1},82801000000,-;b\n`,
    );
    const context: ReadContext = {
      options: { root, lastBoot: false, kernLog: [], sysstat: [], redisLog: [], ...options },
      surroundings: { env: {}, now: () => now, uid: 0, procfs: createPseudoFs(root) },
      zone: zoneOf(root).zone,
      zoneProblem: undefined,
      hostname: undefined,
      running: undefined,
      range: { from: undefined, to: undefined },
      boots: [],
    };
    const [source] = readKernelRing(ring, context).sources ?? [];
    assert.equal(source?.since, sequence === 0 ? undefined : first);
    return [source?.records, source?.outside, source?.problems];
  };
  const said = [
    'its first record is of 2026-10-14 11:00:00 UTC: what it said before was overwritten',
  ];
  assert.deepEqual(read(500, { from: first - 900, to: first - 300 }), [0, true, said]);
  assert.deepEqual(read(500, { from: first - 900, to: first + 300 }), [2, undefined, said]);
  assert.deepEqual(read(500, { from: first + 60 }), [2, undefined, []]);
  assert.deepEqual(read(500, {}), [2, undefined, []]);
  assert.deepEqual(
    read(0, { from: first - 900, to: first - 300 }),
    [2, undefined, []],
    'never full',
  );
});
