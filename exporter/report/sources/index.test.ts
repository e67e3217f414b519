import assert from 'node:assert/strict';
import { test } from 'node:test';
import { temporaryRoot } from '../../../tools/rig/temporary-root.ts';
import { createPseudoFs } from '../../procfs/reader.ts';
import { gather, type GatherOptions } from './index.ts';

const nothing = {
  lastBoot: false,
  kernLog: [],
  sysstat: [],
  redisLog: [],
} as const satisfies Partial<GatherOptions>;

test('gather: an empty root gives no facts and no error', async (t) => {
  const root = temporaryRoot(t);
  const procfs = createPseudoFs(root);
  const facts = await gather({ ...nothing, root }, { env: {}, now: () => 1.8e9, uid: 0, procfs });
  assert.deepEqual(facts.kernelReports, []);
  assert.deepEqual(facts.boots, []);
  assert.deepEqual(facts.machine.addresses, []);
});
