import assert from 'node:assert/strict';
import { appendFileSync, renameSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { type ManualClock, manualClock } from '../measure/clock.ts';
import { fixtureTree } from '../../tools/rig/fixture-tree.ts';
import { type Follower, followKmsg } from './follower.ts';

interface Followed {
  readonly file: string;
  readonly clock: ManualClock;
  readonly follower: Follower;
  /** `past text` or `new text`. */
  readonly seen: string[];
  lost: number;
  quiet: number;
}

function follow(
  t: TestContext,
  text: string | undefined,
  userspace = false,
  now?: () => number,
): Followed {
  const root = fixtureTree(t, text === undefined ? {} : { kmsg: text });
  const file = join(root, 'kmsg');
  const clock = manualClock();
  const followed = { file, clock, seen: [] as string[], lost: 0, quiet: 0 };
  const result = Object.assign(followed, {
    follower: followKmsg({
      path: file,
      clock,
      userspace,
      ...(now === undefined ? {} : { now }),
      onRecord: ({ text }, past) => followed.seen.push(`${past ? 'past' : 'new'} ${text}`),
      onLost: (count) => {
        followed.lost += count;
      },
      onQuiet: () => {
        followed.quiet++;
      },
    }),
  });
  t.after(() => result.follower.close());
  return result;
}

test('follower: what was there is past, what comes is new', (t) => {
  const followed = follow(t, '6,1,1,-;one\n SUBSYSTEM=x\n6,2,1,-;two\n');
  assert.deepEqual(followed.seen, ['past one', 'past two']);
  assert.equal(followed.follower.takeProblem(), undefined);
  appendFileSync(followed.file, '6,3,1,-;three\n');
  followed.clock.advance(1);
  assert.deepEqual(followed.seen.slice(2), ['new three']);
  assert.deepEqual(followed.follower.access(), { kind: 'following' });
});

test('follower: a last line without its newline waits for it', (t) => {
  const followed = follow(t, '6,1,1,-;one\n6,2,1,-;tw');
  followed.clock.advance(1);
  assert.deepEqual(followed.seen, ['past one']);
  appendFileSync(followed.file, 'o\n');
  followed.clock.advance(1);
  assert.deepEqual(followed.seen, ['past one', 'new two']);
});

test('follower: a truncated file is read from its start', (t) => {
  const followed = follow(t, '6,9,1,-;a long line to be cut\n');
  truncateSync(followed.file, 0);
  followed.clock.advance(1);
  appendFileSync(followed.file, '6,1,1,-;one\n');
  followed.clock.advance(1);
  assert.deepEqual(followed.seen.slice(1), ['new one']);
  assert.equal(followed.lost, 0);
});

test('follower: a gap in the sequence is lost records, at the start it is not', (t) => {
  const followed = follow(t, '6,1,1,-;one\n6,50,1,-;two\n');
  appendFileSync(followed.file, '6,51,1,-;three\n6,61,1,-;four\n');
  followed.clock.advance(1);
  assert.equal(followed.lost, 9);
});

test('follower: user space is not the kernel, unless asked for', (t) => {
  const text = '12,1,1,-;from user space\n0,2,1,-;emergency\n7,3,1,-;debug\n8,4,1,-;user\n';
  assert.deepEqual(follow(t, text).seen, ['past emergency', 'past debug']);
  assert.equal(follow(t, text, true).seen.length, 4);
});

/** A clock by which 500 lines, after which it is looked at, take so long. */
function slow(ms: number): () => number {
  let time = 0;
  return () => (time += ms);
}

test('follower: a flood is taken for 30 ms at a time', (t) => {
  const followed = follow(t, '6,0,1,-;zero\n', false, slow(4));
  const lines = Array.from({ length: 9000 }, (_, i) => `6,${i + 1},1,-;x\n`).join('');
  appendFileSync(followed.file, lines);
  followed.clock.advance(1);
  assert.equal(followed.seen.length, 4001);
  assert.equal(followed.quiet, 1, 'only the first tick came to the end');
  followed.clock.advance(2);
  assert.equal(followed.seen.length, 9001);
});

test('follower: a tick that takes long at once reads some all the same', (t) => {
  const followed = follow(t, '6,0,1,-;zero\n', false, slow(1000));
  appendFileSync(
    followed.file,
    Array.from({ length: 900 }, (_, i) => `6,${i + 1},1,-;x\n`).join(''),
  );
  followed.clock.advance(1);
  assert.equal(followed.seen.length, 501);
});

const noRecords = ['\n', '\r\n', ' KEY=value\n', 'no record\n'];

test('follower: lines that are no records take their time as well', (t) => {
  for (const line of noRecords) {
    const followed = follow(t, '6,0,1,-;zero\n', false, slow(4));
    appendFileSync(followed.file, line.repeat(9000));
    followed.clock.advance(2);
    assert.equal(followed.quiet, 1, JSON.stringify(line));
    followed.clock.advance(1);
    assert.equal(followed.quiet, 2, JSON.stringify(line));
  }
});

test('follower: half a million of them are passed within a minute', (t) => {
  for (const line of noRecords) {
    const followed = follow(t, '6,0,1,-;zero\n');
    appendFileSync(followed.file, line.repeat(500_000));
    followed.clock.advance(60);
    assert.ok(followed.quiet > 1, JSON.stringify(line));
  }
});

test('follower: a flood at the start ends up counted all the same', (t) => {
  const lines = Array.from({ length: 125_000 }, (_, i) => `6,${i},1,-;x\n`).join('');
  const followed = follow(t, lines, false, slow(4));
  followed.clock.advance(60);
  assert.equal(followed.seen.length, 125_000);
  assert.equal(followed.seen.at(-1), 'new x');
});

test('follower: a record that does not parse is told once, the rest goes on', (t) => {
  const followed = follow(t, '6,1,1,-;one\n');
  appendFileSync(followed.file, 'garbage\n6,2,1,-;two\n');
  followed.clock.advance(1);
  assert.match(String(followed.follower.takeProblem()), /unexpected record "garbage"/);
  assert.equal(followed.follower.takeProblem(), undefined);
  assert.deepEqual(followed.seen, ['past one', 'new two']);
  assert.deepEqual(followed.follower.access(), { kind: 'following' });
  appendFileSync(followed.file, 'garbage\nand more\n');
  followed.clock.advance(1);
  const access = followed.follower.access();
  assert.equal(access.kind, 'no_records');
  assert.match(String('error' in access && access.error), /"and more"/);
});

test('follower: no file is absent, and it is noticed when one comes', (t) => {
  const followed = follow(t, undefined);
  assert.equal(followed.follower.access().kind, 'absent');
  writeFileSync(`${followed.file}.new`, '6,1,1,-;one\n');
  renameSync(`${followed.file}.new`, followed.file);
  followed.clock.advance(70);
  assert.equal(followed.follower.access().kind, 'following');
  assert.deepEqual(followed.seen, ['past one']);
});

test('follower: attempts to open become rare', (t) => {
  const followed = follow(t, undefined);
  followed.clock.advance(250);
  writeFileSync(followed.file, '6,1,1,-;one\n');
  followed.clock.advance(5);
  assert.equal(followed.follower.access().kind, 'absent');
  followed.clock.advance(60);
  assert.equal(followed.follower.access().kind, 'following');
});

test('follower: the age is that of the last read', (t) => {
  const followed = follow(t, '');
  followed.clock.stall(40);
  assert.equal(followed.follower.ageSeconds(), 40);
  followed.clock.advance(1);
  assert.ok(followed.follower.ageSeconds() < 1.1);
});

test('follower: a directory is broken, not absent', (t) => {
  const clock = manualClock();
  const follower = followKmsg({
    path: fixtureTree(t, {}),
    clock,
    userspace: false,
    onRecord: () => assert.fail('no record'),
    onLost: () => undefined,
    onQuiet: () => undefined,
  });
  assert.equal(follower.access().kind, 'broken');
  follower.close();
  follower.close();
});
