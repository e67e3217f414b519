import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseRedisAddress } from './address.ts';

test('redis address: a socket with a password, which a URL without a host cannot have', () => {
  const display = 'unix:///run/redis.sock';
  const place = { tls: false, host: '', port: 0, socketPath: '/run/redis.sock', display };
  const cases: [string, object][] = [
    ['unix:///run/redis.sock', { ...place, db: 0 }],
    ['unix://u:p%40w@/run/redis.sock?db=3', { ...place, username: 'u', password: 'p@w', db: 3 }],
    ['unix://:pw@/run/redis.sock', { ...place, password: 'pw', db: 0 }],
  ];
  for (const [text, expected] of cases) assert.deepEqual(parseRedisAddress(text), expected);
  assert.throws(
    () => parseRedisAddress('unix://u:s3cret@host/run/redis.sock'),
    (error: Error) => {
      assert.match(error.message, /expected unix:\/\/\/absolute\/path\/to\.sock/);
      assert.doesNotMatch(error.message, /s3cret/);
      return true;
    },
  );
});
