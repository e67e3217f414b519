import assert from 'node:assert/strict';
import { existsSync, readdirSync, readlinkSync } from 'node:fs';
import { test } from 'node:test';
import { createLedger } from './ledger.ts';
import { createOwnTime } from './own-time.ts';

const close = () => undefined;
const text = (runDelaySeconds: number) => `1 ${Math.round(runDelaySeconds * 1e9)} 1\n`;

function refused(): never {
  throw new Error('EACCES');
}

/** A tick that comes `gap` seconds after the one before, `queued` of them behind others of this guest. */
function stallOf(gap: number, queued: number): number {
  let delay = 100;
  const own = createOwnTime({ read: () => text(delay), close }, () => 0);
  const ledger = createLedger(0, own.seconds());
  delay += queued;
  return ledger.pass(gap, own.seconds());
}

test('own time: waiting for a CPU behind other threads of this guest is no standstill', () => {
  assert.equal(stallOf(1.75, 0.7), 0);
  assert.equal(stallOf(4, 3), 0);
  assert.equal(stallOf(4, 0), 2.5);
});

test('own time: a machine that is stopped while we stand in the queue stood still all the same', () => {
  assert.equal(stallOf(600, 599), 600 - 1.5 - 5);
});

test('own time: without schedstat, cut in half or refused, it is the CPU time alone', () => {
  for (const read of [() => undefined, () => '', () => '1 2', refused]) {
    assert.equal(createOwnTime({ read, close }, () => 3).seconds(), 3);
  }
});

test('own time: a reading that fails in between neither takes back nor counts twice', () => {
  const texts = [text(1), text(2), '', text(2.5)];
  const own = createOwnTime({ read: () => texts.shift(), close }, () => 0);
  assert.deepEqual([own.seconds(), own.seconds(), own.seconds(), own.seconds()], [0, 1, 1, 1.5]);
});

function openFiles(): string[] {
  return readdirSync('/proc/self/fd').map((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`);
    } catch {
      // That of the list itself.
      return '';
    }
  });
}

const skip = existsSync('/proc/thread-self/schedstat') ? false : 'this kernel has no schedstat';

test('own time: of the thread that runs the event loop', { skip }, () => {
  const own = createOwnTime();
  assert.ok(own.seconds() > 0);
  const its = `/proc/${process.pid}/task/${process.pid}/schedstat`;
  assert.ok(openFiles().includes(its), its);
  own.close();
  assert.ok(!openFiles().includes(its), 'closed');
});
