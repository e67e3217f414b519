import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type Batch, hostFaultsOf } from './attribution.ts';

const quiet: Batch = {
  switches: 0,
  majorFaults: 0,
  minorFaults: 0,
  runDelaySeconds: 0,
  stealSeconds: 0,
  touchSeconds: Array.from({ length: 16 }, () => 0.000_000_4),
};

/** A quiet batch in which the first touches took this long. */
function slow(...seconds: number[]): Batch {
  return { ...quiet, touchSeconds: [...seconds, ...quiet.touchSeconds].slice(0, 16) };
}

test('attribution: resident pages cost nothing', () => {
  assert.equal(hostFaultsOf(quiet), 0);
});

test('attribution: a sleep that is no major fault is the host', () => {
  assert.equal(hostFaultsOf({ ...quiet, switches: 3 }), 3);
  assert.equal(hostFaultsOf({ ...quiet, switches: 3, majorFaults: 2 }), 1);
  assert.equal(hostFaultsOf({ ...quiet, switches: 1, majorFaults: 2 }), 0);
});

test('attribution: a sleep for the lock of a page that this guest swaps out is its own', () => {
  assert.equal(hostFaultsOf({ ...quiet, switches: 1, minorFaults: 8 }), 0);
  assert.equal(hostFaultsOf({ ...quiet, switches: 3, minorFaults: 1, majorFaults: 1 }), 1);
  assert.equal(hostFaultsOf({ ...slow(0.004, 0.005), minorFaults: 1 }), 1);
});

test('attribution: where no sleep is seen, slow touches count', () => {
  assert.equal(hostFaultsOf(slow(0.004, 0.005, 0.0009)), 2);
  assert.equal(hostFaultsOf({ ...slow(0.004, 0.005), switches: 5 }), 5);
});

test('attribution: waiting for a CPU, of this guest or of the host, explains slow touches', () => {
  assert.equal(hostFaultsOf({ ...slow(0.004, 0.02), runDelaySeconds: 0.003 }), 1);
  assert.equal(hostFaultsOf({ ...slow(0.004, 0.02), runDelaySeconds: 0.024 }), 0);
  assert.equal(hostFaultsOf({ ...slow(0.02), stealSeconds: 0.02 }), 0);
});

test('attribution: without a run delay slow touches prove nothing', () => {
  assert.equal(hostFaultsOf({ ...slow(0.4), runDelaySeconds: undefined }), 0);
});

test('attribution: never below 0, never more than there were touches', () => {
  const count = fc.nat({ max: 100 });
  const seconds = fc.double({ min: 0, max: 10, noNaN: true });
  fc.assert(
    fc.property(
      fc.record({
        switches: count,
        majorFaults: count,
        minorFaults: count,
        runDelaySeconds: fc.option(seconds, { nil: undefined }),
        stealSeconds: seconds,
        touchSeconds: fc.array(seconds, { maxLength: 16 }),
      }),
      (batch) => {
        const faults = hostFaultsOf(batch);
        assert.ok(faults >= 0 && faults <= batch.touchSeconds.length);
      },
    ),
  );
});
