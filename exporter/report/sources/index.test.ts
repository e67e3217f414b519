import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { gather, type GatherOptions } from './index.ts';

const nothing = {
  lastBoot: false,
  kernLog: [],
  sysstat: [],
  redisLog: [],
} as const satisfies Partial<GatherOptions>;

test('gather: an empty root gives no facts and no error', async (t) => {
  const root = mkdtempSync(join(tmpdir(), 'stealwatch-sources-'));
  t.after(() => rmSync(root, { recursive: true }));
  const facts = await gather({ ...nothing, root }, { env: {}, now: () => 1.8e9, uid: 0 });
  assert.deepEqual(facts.kernelReports, []);
  assert.deepEqual(facts.boots, []);
  assert.deepEqual(facts.machine.addresses, []);
});
