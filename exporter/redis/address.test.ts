import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseRedisAddress } from './address.ts';

test('redis address: Sentinels and the nodes of a cluster', () => {
  assert.deepEqual(parseRedisAddress('redis+sentinel://u:p%40%3aw@a:1,[::1],c/mymaster/2'), {
    tls: false,
    host: 'a',
    port: 1,
    username: 'u',
    password: 'p@:w',
    db: 2,
    sentinel: {
      places: [
        { host: 'a', port: 1 },
        { host: '::1', port: 26_379 },
        { host: 'c', port: 26_379 },
      ],
      master: 'mymaster',
    },
    display: 'redis+sentinel://a:1,[::1],c/mymaster',
  });
  assert.deepEqual(parseRedisAddress('rediss+cluster://:pw@n1:7000,n2'), {
    tls: true,
    host: 'n1',
    port: 7000,
    password: 'pw',
    db: 0,
    cluster: [
      { host: 'n1', port: 7000 },
      { host: 'n2', port: 6379 },
    ],
    display: 'rediss+cluster://n1:7000,n2',
  });
  for (const wrong of [
    'redis+sentinel://s3cret@a:1',
    'redis+sentinel://:s3cret@a:1,b:x/m',
    'redis+sentinel://:s3cret@a/m/x',
    'redis+cluster://:s3cret@a:70000',
    'redis+cluster://:s3cret@a/1',
  ]) {
    assert.throws(
      () => parseRedisAddress(wrong),
      (error: Error) => {
        assert.match(error.message, /^expected /);
        return !error.message.includes('s3cret');
      },
    );
  }
});

test('redis address: a socket with a password, which a URL without a host cannot have', () => {
  const display = 'unix:///run/redis.sock';
  const place = { tls: false, host: '', port: 0, socketPath: '/run/redis.sock', display };
  const cases: [string, object][] = [
    ['unix:///run/redis.sock', { ...place, db: 0 }],
    [
      'unix://u:p%40w@/run/redis.sock?db=3',
      { ...place, username: 'u', password: 'p@w', db: 3, display: `${display}?db=3` },
    ],
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
