import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
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

function login(text: string) {
  const { username, password } = parseRedisAddress(text);
  return [username, password];
}

function place(text: string) {
  const { host, port, db, display } = parseRedisAddress(text);
  return { host, port, db, display };
}

test('redis address: what redis-cli and Asynq take', () => {
  assert.deepEqual(login('redis://word@h'), [undefined, 'word']);
  assert.deepEqual(login('redis://:word@h'), [undefined, 'word']);
  assert.deepEqual(login('redis://word:@h'), ['word', undefined]);
  assert.deepEqual(login('redis://u:p:w@h'), ['u', 'p:w']);
  assert.deepEqual(login('redis://u:p[^ "w\\ü%C3%BC@h'), ['u', 'p[^ "w\\üü']);
  assert.deepEqual(place(' REDIS://Host_1.x\r\n'), {
    host: 'Host_1.x',
    port: 6379,
    db: 0,
    display: 'redis://Host_1.x:6379',
  });
  assert.deepEqual(place('redis://h:1/?family=0&db=4'), {
    host: 'h',
    port: 1,
    db: 4,
    display: 'redis://h:1/4',
  });
  for (const zone of ['%', '%25']) {
    assert.deepEqual(place(`redis://[fe80::1${zone}eth0]:7`), {
      host: 'fe80::1%eth0',
      port: 7,
      db: 0,
      display: 'redis://[fe80::1%eth0]:7',
    });
  }
  assert.deepEqual(parseRedisAddress('redis-sentinel://:pw@a:1,b?master=my%20master%0d'), {
    host: 'a',
    port: 1,
    tls: false,
    db: 0,
    sentinel: {
      places: [
        { host: 'a', port: 1 },
        { host: 'b', port: 26_379 },
      ],
      master: 'my master',
      login: { password: 'pw' },
    },
    display: 'redis-sentinel://a:1,b?master=my master',
  });
  assert.equal(parseRedisAddress('redis+sentinel://a/mymaster \n').sentinel?.master, 'mymaster');
  assert.equal(parseRedisAddress('redis-socket://:pw@/run/r.sock?db=2').socketPath, '/run/r.sock');
  assert.equal(parseRedisAddress('unix:///run/a@b.sock').socketPath, '/run/a@b.sock');
  assert.equal(parseRedisAddress('redis+cluster://a/0').db, 0);
});

test('redis address: a mistyped one is refused with what to write', () => {
  const cases: [string, RegExp][] = [
    ['redis://default:12345#abc@redis:6379', /expected %23 for #/],
    ['redis://default:12345?abc@redis:6379', /expected %3F for \?/],
    ['redis://default:12345/abc@redis:6379', /expected %2F for \//],
    ['redis://default:12345@abc@redis:6379', /expected %40 for @/],
    ['redis+cluster://:123/4@a:1,b', /expected %2F for \//],
    ['redis://u:50%off@h', /expected %25 for %/],
    ['redis://u:%ff@h', /expected UTF-8/],
    ['redis://u:a%0Ab@h', /line end or control character in the password/],
    ['redis://h:1#frag', /expected %23 for #/],
    ['redis://bob:12345?abc', /expected %3F for \?/],
    ['redis://default:12345', /expected @host after the password/],
    ['redis://bob:s3cret', /expected host\[:port\] after/],
    ['redis://u:12345 redis', /expected host\[:port\] after/],
    ['redis://:12345', /expected host\[:port\]/],
    ['redis://u:12345@', /expected a host/],
    ['redis://h/x', /expected a database number/],
    ['redis://h:0', /expected host\[:port\]/],
    ['s3cret:foo@host', /^expected a URL that starts with redis:/],
    ['http://u:s3cret@h', /^expected a URL that starts with redis:/],
    ['unix:///s3cr:et@/run/r.sock', /expected %2F for \//],
    ['redis-sentinel://a:1/mymaster', /expected \?master=NAME/],
    ['redis+sentinel://a/m/1/2', /expected \/master or \/master\/db/],
  ];
  for (const [text, message] of cases) {
    assert.throws(() => parseRedisAddress(text), { message }, text);
  }
});

/** The words that refusals are made of. */
const messages =
  'Error: expected %40 for @: in a user name or password these are written @ %40, / %2F, ? %3F, # %23, % %25 expected @host after the password expected host[:port],host[:port] after the scheme';

/** Every text of four characters in the secret. */
const pieces = (secret: string) =>
  Array.from({ length: Math.max(0, secret.length - 3) }, (_, i) => secret.slice(i, i + 4));

test('redis address: no piece of a password is in what is shown, however the URL is mistyped', () => {
  const piece = fc.oneof(
    fc.stringMatching(/^[0-9]{1,5}$/),
    fc.stringMatching(/^[A-Za-z0-9]{1,9}$/),
    fc.string({ unit: 'grapheme', minLength: 1, maxLength: 6 }),
  );
  const mark = fc.constantFrom(
    '#',
    '?',
    '@',
    '/',
    ':',
    '%',
    ' ',
    '\\',
    ',',
    ';',
    '&',
    '=',
    '%40',
    '[',
    '//',
  );
  const secret = fc
    .array(fc.tuple(piece, mark), { minLength: 1, maxLength: 3 })
    .chain((parts) => piece.map((last) => `${parts.flat().join('')}${last}`));
  const shape = fc.constantFrom(
    'redis://default:S@redis.example:6379/1',
    'redis://:S@redis.example',
    'rediss://S@redis.example:1',
    'unix://default:S@/run/redis.sock',
    'redis+sentinel://default:S@sentinel.example:1,other.example/mymaster',
    'redis+cluster://:S@node.example:1,other.example',
    'redis-sentinel://:S@sentinel.example?master=mymaster',
  );
  fc.assert(
    fc.property(secret, shape, (password, form) => {
      const place = form.replace(/S@/, '');
      let shown: string;
      try {
        shown = parseRedisAddress(form.replace('S', () => password)).display;
      } catch (error) {
        shown = String(error);
        assert.match(shown, /expected/);
      }
      const told = pieces(password).find((text) => shown.includes(text) && !place.includes(text));
      // What is in every message, or is the port where none is named, is no piece of this password.
      if (told !== undefined) assert.ok(`${messages}${place} 6379 26379`.includes(told), shown);
    }),
    { numRuns: 3000 },
  );
});

test('redis address: what would be passed over, or shown, is refused', () => {
  const cases: [string, RegExp][] = [
    ['unix:///tmp/:S3cret@x.sock', /password before the path/],
    ['redis-socket:///tmp/u:S3cret@x.sock', /password before the path/],
    ['redis://h?password=S3cret', /no user name, password or database behind/],
    ['redis://h/1?auth=S3cret', /no user name, password or database behind/],
    ['redis://h?username=u', /no user name, password or database behind/],
    ['redis://h?database=2', /no user name, password or database behind/],
    ['redis+sentinel://h/m?db=2', /no user name, password or database behind/],
    ['redis+cluster://h?password=S3cret', /no user name, password or database behind/],
    ['redis-sentinel://h?master=m&password=S3cret', /no user name, password or database behind/],
    ['unix:///run/r.sock?pass=S3cret', /no user name, password or database behind/],
    ['redis://h/1?db=word', /one database/],
    ['redis://h/0?db=2', /one database/],
    ['redis://h?db=1&db=2', /one database/],
    ['redis://h?db=word', /database number/],
  ];
  for (const [text, because] of cases) {
    assert.throws(
      () => parseRedisAddress(text),
      (error: Error) => because.test(error.message) && !/S3cret/.test(error.message),
      text,
    );
  }
  assert.equal(parseRedisAddress('unix:///run/redis@a.sock').socketPath, '/run/redis@a.sock');
});
