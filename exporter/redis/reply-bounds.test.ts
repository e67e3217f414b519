import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { linear } from '../../tools/rig/linear.ts';
import { encode, type Reply } from './commands.ts';
import { createReplyBounds } from './reply-bounds.ts';

/** Checks these bytes, cut at these places; gives the checker for what comes after them. */
function checked(bytes: Buffer, cuts: readonly number[] = []) {
  const bounds = createReplyBounds();
  bounds.allow({ bytes: 1 << 20, values: 1 << 20 });
  const places = [0, ...cuts.map((cut) => cut % (bytes.length + 1)), bytes.length].sort(
    (a, b) => a - b,
  );
  for (const [i, end] of places.slice(1).entries()) bounds.check(bytes.subarray(places[i], end));
  return bounds;
}

const wire = (reply: Reply): Buffer => {
  if (reply === null) return Buffer.from('$-1\r\n');
  if (typeof reply === 'number') return Buffer.from(`:${reply}\r\n`);
  if (reply instanceof Error) return Buffer.from(`-${reply.message}\r\n`);
  if (typeof reply === 'string') return Buffer.from(`+${reply}\r\n`);
  if (Buffer.isBuffer(reply)) {
    return Buffer.concat([Buffer.from(`$${reply.length}\r\n`), reply, Buffer.from('\r\n')]);
  }
  return Buffer.concat([Buffer.from(`*${reply.length}\r\n`), ...reply.map(wire)]);
};

const { reply } = fc.letrec<{ reply: Reply }>((tie) => ({
  reply: fc.oneof(
    { maxDepth: 4 },
    fc.integer(),
    fc.constant(null),
    fc.stringMatching(/^[A-Z]{2,9} [a-z ]*$/).map((text) => new Error(text)),
    fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes)),
    fc.array(tie('reply'), { maxLength: 5 }),
  ),
}));

test('reply bounds: whole replies pass wherever the bytes are cut, and what follows them is a reply anew', () => {
  fc.assert(
    fc.property(fc.array(reply), fc.array(fc.nat()), (replies, cuts) => {
      const bounds = checked(Buffer.concat(replies.map(wire)), cuts);
      bounds.check(Buffer.from('+OK\r\n'));
      const answers = Buffer.concat(replies.map(wire));
      assert.throws(
        () => bounds.check(Buffer.concat([answers, Buffer.from('!no\r\n')])),
        /no reply of Redis: "!no"/,
      );
      assert.equal(bounds.whole(), answers.length);
    }),
  );
});

test('reply bounds: whatever comes passes or is an error, wherever the bytes are cut', () => {
  const scrap = fc.constantFrom(
    '*',
    '$',
    ':',
    '+',
    '-',
    '>',
    '\r\n',
    '\r',
    '\n',
    '-1',
    '3',
    '\0',
    '\u00ff',
  );
  fc.assert(
    fc.property(fc.array(scrap, { maxLength: 60 }), fc.array(fc.nat()), (scraps, cuts) => {
      const bytes = Buffer.from(scraps.join(''), 'latin1');
      const attempt = (places: readonly number[]) => {
        try {
          checked(bytes, places);
          return 'passed';
        } catch (error) {
          return String(error);
        }
      };
      // Which of two faults is seen first may depend on where it is cut; that there is one does not.
      assert.equal(attempt(cuts) === 'passed', attempt([]) === 'passed');
    }),
    { numRuns: 3000 },
  );
});

test('reply bounds: a line ends with carriage return and line feed, and has neither in it', () => {
  for (const text of [
    '+a\n',
    '+a\rb\r\n',
    '$3\n',
    '$3\rx\r\n',
    '+\r\r\n',
    '*1\r*1\r\n',
    '\r\n\n',
  ]) {
    for (const cut of [0, 1, 2, 3, 4]) {
      assert.throws(() => checked(Buffer.from(text), [cut]), /a line that is none|no reply/, text);
    }
  }
  checked(Buffer.from('+a\r\n'), [3]);
});

test('reply bounds: each exchange has its own, and levels that are whole are left', () => {
  const bounds = createReplyBounds();
  for (let i = 0; i < 20; i++) {
    bounds.allow({ bytes: 64, values: 64 });
    bounds.check(Buffer.from('*1\r\n*1\r\n$2\r\nxx\r\n'));
  }
  bounds.allow({ bytes: 64, values: 64 });
  assert.throws(() => bounds.check(Buffer.alloc(65, '+')), /a reply of over 0 MiB/);
  bounds.allow({ bytes: 64, values: 4 });
  bounds.check(Buffer.from('*2\r\n:1\r\n:2\r\n:3\r\n'));
  assert.throws(() => bounds.check(Buffer.from(':4\r\n')), /replies of over 4 values/);
  bounds.allow({ bytes: 64, values: 4 });
  assert.throws(() => bounds.check(Buffer.from('*5\r\n')), /replies of over 4 values/);
});

test('commands: an argument may hold any text', () => {
  const text = encode([['SET', 'é\r\n', 7], ['PING']]);
  assert.equal(text, '*3\r\n$3\r\nSET\r\n$4\r\né\r\n\r\n$1\r\n7\r\n*1\r\n$4\r\nPING\r\n');
});

test('reply bounds: what is over its bounds is not read, and what is no reply is told', () => {
  const cases: [string, RegExp][] = [
    ['$536870912\r\n', /a reply of over 1 MiB/],
    ['*2147483647\r\n', /a reply of over 1 MiB/],
    ['*1\r\n'.repeat(200_000), /arrays over 8 levels deep/],
    [`+${'x'.repeat(20_000)}`, /a line of over 16384 bytes/],
    [`${'*2\r\n$-1\r\n'.repeat(3)}$900000\r\n${'x'.repeat(1 << 20)}`, /a reply of over 1 MiB/],
    ['>2\r\n+message\r\n+x\r\n', /no reply of Redis: ">2/],
    ['|1\r\n+key\r\n+x\r\n', /no reply of Redis/],
    ['\0\xff!\r\n', /no reply of Redis/],
    ['HTTP/1.1 400 Bad Request\r\n', /no reply of Redis: "HTTP/],
    ['\r\n', /no reply of Redis/],
    [':1\r\n'.repeat((1 << 20) + 1), /a reply of over 1 MiB/],
    ['$-5\r\n', /a length that is none/],
    ['$1e3\r\n', /a length that is none/],
    [':12x\r\n', /a number that is none/],
    [':\r\n', /a number that is none/],
    ['*0\r\n'.repeat(200_000) + '*5000000\r\n', /a reply of over/],
  ];
  for (const [text, message] of cases) {
    assert.throws(() => checked(Buffer.from(text, 'latin1')), { message }, text.slice(0, 20));
  }
});

test('reply bounds: the time to check a reply grows with its length and no faster', () => {
  const cases: [string, number, (bytes: number) => string][] = [
    ['one bulk string', 65_536, (bytes) => `$${bytes}\r\n${'x'.repeat(bytes)}\r\n`],
    ['one that drips', 99, (bytes) => `$${bytes}\r\n${'x'.repeat(bytes)}\r\n`],
    ['nulls', 65_536, (bytes) => '$-1\r\n'.repeat(bytes / 5)],
    [
      'small arrays',
      65_536,
      (bytes) => `*${bytes >> 4}\r\n${'*1\r\n:12345678\r\n'.repeat(bytes >> 4)}`,
    ],
    ['errors', 65_536, (bytes) => '-E x\r\n'.repeat(bytes / 6)],
  ];
  for (const [name, chunk, make] of cases) {
    linear(name, (size) => {
      const bytes = Buffer.from(make(size));
      return () => {
        const bounds = createReplyBounds();
        bounds.allow({ bytes: 16 << 20, values: 1 << 22 });
        for (let at = 0; at < bytes.length; at += chunk) {
          bounds.check(bytes.subarray(at, at + chunk));
        }
      };
    });
  }
});
