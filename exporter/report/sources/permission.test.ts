import assert from 'node:assert/strict';
import { test } from 'node:test';
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
