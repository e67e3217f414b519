import assert from 'node:assert/strict';
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { join } from 'node:path';
import { test } from 'node:test';
import { temporaryRoot } from '../../../tools/rig/temporary-root.ts';
import { createPseudoFs } from '../../procfs/reader.ts';
import { gather } from './index.ts';
import { places, refusedIn } from './permission.ts';

test('permission: a folder that may not be looked into is unseen, not missing', () => {
  const answers: Readonly<Record<string, string>> = {
    '/r/var/log/redis': 'EACCES',
    '/r/var/log/valkey': 'ENOENT',
  };
  const access = (path: string) => {
    const code = answers[path];
    if (code !== undefined) throw Object.assign(new Error(code), { code });
  };
  assert.deepEqual(refusedIn('/r', places.redis, access), [
    {
      what: 'what /r/var/log/redis holds',
      why: 'there is no permission to look into it',
      command: 'sudo stealwatch report',
    },
  ]);
});

test('permission: where the logs of a machine may not be looked into, none of them is called missing', async (t) => {
  const root = temporaryRoot(t);
  const refused = t.mock.method(fs, 'accessSync', (path: string) => {
    if (path.startsWith(join(root, 'var/log')))
      throw Object.assign(new Error(), { code: 'EACCES' });
  });
  // Root may look everywhere, and tests may run as root.
  syncBuiltinESMExports();
  t.after(() => {
    refused.mock.restore();
    syncBuiltinESMExports();
  });
  const options = { root, lastBoot: false, kernLog: [], sysstat: [], redisLog: [] };
  const procfs = createPseudoFs(root);
  const { missing } = await gather(options, { env: {}, now: () => 1.8e9, uid: 1000, procfs });
  const unseen = missing.filter(({ why }) => why === 'there is no permission to look into it');
  for (const place of ['var/log', 'var/log/journal', 'var/log/sysstat', 'var/log/redis'])
    assert.ok(
      unseen.some(({ what }) => what === `what ${join(root, place)} holds`),
      place,
    );
  assert.deepEqual(
    missing.filter(({ why }) => /is not there|there (?:is|are) no (?!permission)/.test(why)),
    [],
  );
});
