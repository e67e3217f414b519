import assert from 'node:assert/strict';
import { test } from 'node:test';
import { systemClock } from '../measure/clock.ts';
import { type Collector, type Family, gauge, incomplete, single } from './collector.ts';
import { isolate, startDeadline } from './isolate.ts';
import { stopwatch } from '../../tools/rig/waited.ts';

const answer = gauge({ name: 'answer', help: 'The answer, from the test.' });

/** A source whose calls are counted and end when told to. */
function sourceUnderTest() {
  const calls: PromiseWithResolvers<readonly Family[]>[] = [];
  const signals: AbortSignal[] = [];
  const collector: Collector = {
    name: 'source',
    metrics: [answer],
    collect(signal) {
      const call = Promise.withResolvers<readonly Family[]>();
      calls.push(call);
      signals.push(signal);
      return call.promise;
    },
  };
  return { calls, signals, isolated: isolate(collector, systemClock) };
}

test('isolate: hands families through and remembers the success', async () => {
  const { calls, isolated } = sourceUnderTest();
  const run = isolated.run(startDeadline(5));
  calls[0]?.resolve([single(answer, 42)]);
  const outcome = await run;
  assert.equal(outcome.success, true);
  assert.deepEqual(outcome.families, [single(answer, 42)]);
  assert.ok(isolated.lastSuccess() > 1_600_000_000);
});

test('isolate: a rejection is a failure with its error, and the next call is a new one', async () => {
  const { calls, isolated } = sourceUnderTest();
  const first = isolated.run(startDeadline(5));
  calls[0]?.reject(new Error('stat: no such line'));
  const outcome = await first;
  assert.equal(outcome.success, false);
  assert.match(outcome.error?.message ?? '', /no such line/);
  assert.equal(isolated.lastSuccess(), 0);
  void isolated.run(startDeadline(5));
  assert.equal(calls.length, 2);
  calls[1]?.resolve([]);
});

test('isolate: a failure publishes what is still true', async () => {
  const { calls, isolated } = sourceUnderTest();
  const run = isolated.run(startDeadline(5));
  calls[0]?.reject(incomplete('not asked', [single(answer, Number.NaN)]));
  const outcome = await run;
  assert.equal(outcome.success, false);
  assert.equal(outcome.error?.message, 'not asked');
  assert.deepEqual(outcome.families, [single(answer, Number.NaN)]);
});

test('isolate: callers share the call that runs', async () => {
  const { calls, isolated } = sourceUnderTest();
  const runs = [
    isolated.run(startDeadline(5)),
    isolated.run(startDeadline(5)),
    isolated.run(startDeadline(5)),
  ];
  calls[0]?.resolve([]);
  const outcomes = await Promise.all(runs);
  assert.equal(calls.length, 1);
  assert.ok(outcomes.every(({ success }) => success));
});

test('isolate: a stuck source fails by its deadline, then at once, and is asked only once', async () => {
  const { calls, signals, isolated } = sourceUnderTest();
  const outcome = await isolated.run(startDeadline(0.05));
  assert.equal(outcome.success, false);
  assert.match(outcome.error?.message ?? '', /source: no answer within 0.05 s/);
  assert.equal(signals[0]?.aborted, true);

  const watch = stopwatch();
  const more = await Promise.all(Array.from({ length: 50 }, () => isolated.run(startDeadline(10))));
  watch.within(5000, 'waited for a stuck source');
  assert.ok(more.every(({ success }) => !success));
  assert.equal(calls.length, 1);

  calls[0]?.resolve([]);
  await new Promise(setImmediate);
  const recovered = isolated.run(startDeadline(5));
  assert.equal(calls.length, 2);
  calls[1]?.resolve([single(answer, 1)]);
  assert.equal((await recovered).success, true);
});

test('isolate: a collector that throws before it returns a promise fails like any other', async () => {
  const isolated = isolate(
    {
      name: 'thrower',
      metrics: [],
      collect() {
        throw new Error('at once');
      },
    },
    systemClock,
  );
  assert.match((await isolated.run(startDeadline(1))).error?.message ?? '', /at once/);
});

test('isolate: at the deadline a collector that heeds the signal still says what it knows', async () => {
  const isolated = isolate(
    {
      name: 'heeding',
      metrics: [answer],
      collect: (signal) =>
        new Promise((_, reject) => {
          signal.addEventListener('abort', () => {
            reject(incomplete('given up', [single(answer, Number.NaN)]));
          });
        }),
    },
    systemClock,
  );
  const outcome = await isolated.run(startDeadline(0.05));
  assert.equal(outcome.success, false);
  assert.deepEqual(outcome.families, [single(answer, Number.NaN)]);
  assert.equal(
    (await isolated.run(startDeadline(0.05))).error?.message,
    'given up',
    'asked again, not stuck',
  );
});
