/** Which files beside a log are its own. */
import assert from 'node:assert/strict';
import { basename } from 'node:path';
import { test } from 'node:test';
import { fixtureTree } from '../../../tools/rig/fixture-tree.ts';
import { logFamily } from './log-family.ts';

test('log family: what was rotated is its own, by number or by day, packed or not', (t) => {
  const own = ['', '.1', '.2.gz', '.10.xz', '-20261101', '-20261101.zst', '-20261101_0412', '.gz'];
  const others = ['.bak', '.1~', '.save.1', 'ger.1', '-old.gz', '.1.gz.tmp', '.12345', '-2026'];
  const files = [...own, ...others].map((suffix) => [`kern.log${suffix}`, 'x'] as const);
  const root = fixtureTree(t, Object.fromEntries([...files, ['xkern.log', 'x']]));
  const found = logFamily(`${root}/kern.log`, undefined).map(({ path }) => basename(path));
  assert.deepEqual(new Set(found), new Set(own.map((suffix) => `kern.log${suffix}`)));
});
