/** The canary's real thread: resident, beside CPU burners, and while this machine itself swaps. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { test, type TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseInterruptRow } from '../procfs/interrupts.ts';
import { threadNamed } from '../../tools/rig/frozen-thread.ts';
import { startSwapped } from '../../tools/rig/guest-swap.ts';
import { until } from '../../tools/rig/redis-server.ts';
import type { CanaryReading } from './layout.ts';
import { startCanary } from './thread.ts';

const mib = 1024 * 1024;
const lone = fileURLToPath(new URL('../../tools/rig/lone-canary.ts', import.meta.url));

function touchesOf({ classes }: CanaryReading): number {
  return classes.flatMap(({ counts }) => counts).reduce((sum, count) => sum + count, 0);
}

function hostFaultsOf({ classes }: CanaryReading): number {
  return classes.reduce((sum, { hostFaults }) => sum + hostFaults, 0);
}

/** The machine that runs this test may itself be paged by its host: what it counted is no error. */
function pageInsOfThisMachine(): number {
  const counts = parseInterruptRow(readFileSync('/proc/interrupts', 'utf8'), 'HYP');
  return [...(counts?.values() ?? [])].reduce((sum, count) => sum + count, 0);
}

/**
 * How many page-ins may be counted that this kernel did not see: one touch in a thousand. A host
 * that keeps a vCPU for less than a tick says so nowhere.
 */
const mostUnseen = (reading: CanaryReading) => Math.ceil(touchesOf(reading) / 1000);

function burnCpu(t: TestContext, processes: number): void {
  const children: ChildProcess[] = Array.from({ length: processes }, () =>
    spawn(process.execPath, ['-e', 'setTimeout(() => process.exit(), 60000); for (;;);'], {
      stdio: 'ignore',
    }),
  );
  t.after(() => {
    for (const child of children) child.kill('SIGKILL');
  });
}

test('canary: touches every age, each only once it is that old', async (t) => {
  const canary = startCanary(4 * mib, [
    { age: '2m', seconds: 0.3 },
    { age: '15m', seconds: 3600 },
  ]);
  t.after(() => canary.close());
  assert.equal(touchesOf(canary.read()), 0, 'nothing is touched while it is young');
  await until('2,000 touches', () => touchesOf(canary.read()) > 2000, 30);
  const reading = canary.read();
  assert.deepEqual(
    reading.classes.map(({ age }) => age),
    ['2m', '15m'],
  );
  assert.ok(reading.classes[1]?.counts.every((count) => count === 0));
  assert.ok((reading.classes[0]?.sum ?? 0) > 0);
  assert.equal(reading.discardedTouches, 0);
  assert.ok(reading.ageSeconds < 10);
});

/** Nanoseconds that the canary's thread has been on a CPU. */
function ranOf(tid: number): number {
  return Number(readFileSync(`/proc/self/task/${tid}/schedstat`, 'utf8').split(' ')[0]);
}

test('canary: while no page is old enough it sleeps, a second at most', async (t) => {
  const canary = startCanary(4 * mib, [{ age: '2m', seconds: 3600 }]);
  t.after(() => canary.close());
  await until('it goes round', () => threadNamed(process.pid, 'cold-page') !== undefined);
  const tid = threadNamed(process.pid, 'cold-page') ?? 0;
  // All that belongs to its beginning.
  await sleep(1000);
  const before = ranOf(tid);
  await sleep(1200);
  const busy = (ranOf(tid) - before) / 1e9;
  assert.ok(busy < 0.05, `${busy} s on a CPU in 1.2 s`);
  await until('it has come round again', () => canary.read().ageSeconds < 1);
});

test('canary: four CPU burners are not taken for the host', async (t) => {
  const before = pageInsOfThisMachine();
  const canary = startCanary(16 * mib, [{ age: '2m', seconds: 2 }]);
  t.after(() => canary.close());
  burnCpu(t, 4);
  await until('12,000 touches', () => touchesOf(canary.read()) > 12_000, 60);
  const paged = pageInsOfThisMachine() - before;
  const reading = canary.read();
  const counted = hostFaultsOf(reading);
  assert.ok(
    counted <= mostUnseen(reading) + paged,
    `${counted} page-ins counted, ${paged} seen by this kernel`,
  );
});

test("canary: this machine's own swap is not taken for the host", async (t) => {
  const swapped = await startSwapped(t, [lone, '16', '1']);
  if (swapped === undefined) return;
  const last = () => {
    const line = swapped.output().trimEnd().split('\n').at(-1) ?? '';
    return line === '' ? undefined : (JSON.parse(line) as CanaryReading);
  };
  const before = pageInsOfThisMachine();
  await until('first touches', () => touchesOf(last() ?? ({ classes: [] } as never)) > 1000, 30);
  for (let round = 1; round <= 3; round++) {
    await swapped.pushOut();
    const discarded = last()?.discardedTouches ?? 0;
    // A batch has 16 touches. On a busy machine one that fetches all its pages takes a second.
    await until(
      'touches of swapped pages',
      () => {
        return (last()?.discardedTouches ?? 0) > discarded + 160;
      },
      30,
    );
  }
  const reading = last();
  assert.ok(reading !== undefined);
  const paged = pageInsOfThisMachine() - before;
  const counted = hostFaultsOf(reading);
  assert.ok(
    counted <= mostUnseen(reading) + paged,
    `${counted} page-ins counted, ${paged} seen by this kernel`,
  );
  t.diagnostic(`${reading.discardedTouches} touches discarded, ${touchesOf(reading)} counted`);
});

test('canary: a pool too small for its ages is refused, and a thread that ends is told', async () => {
  assert.throws(() => startCanary(4096), /a pool of 4096 bytes/);
  const canary = startCanary(4 * mib);
  await canary.close();
  assert.throws(() => canary.read(), /canary ended/);
});
