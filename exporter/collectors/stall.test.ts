import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import fc from 'fast-check';
import { manualClock, systemClock } from '../measure/clock.ts';
import type { Collector } from '../core/collector.ts';
import type { HistogramValue } from '../measure/histogram.ts';
import { parseSchedstat } from '../procfs/schedstat.ts';
import { startExporter } from '../../tools/rig/exporter-process.ts';
import { until } from '../../tools/rig/redis-server.ts';
import { stallCollector } from './stall.ts';

/** A collector whose timer was as late as it is told. */
function underTest() {
  const clock = manualClock();
  let cpu = 5;
  let delay = 2;
  let lateSeconds = 0;
  const collector = stallCollector({
    clock,
    schedstat: {
      read: () => `${Math.round(cpu * 1e9)} ${Math.round(delay * 1e9)} 7\n`,
      close: () => undefined,
    },
    timer: {
      take() {
        const taken = lateSeconds;
        lateSeconds = 0;
        return taken;
      },
      close: () => undefined,
    },
    afterTimers: (work) => work(),
  });
  return {
    clock,
    collector,
    late: (seconds: number) => (lateSeconds += seconds),
    busy: (seconds: number) => (cpu += seconds),
    queued: (seconds: number) => (delay += seconds),
  };
}

async function read(collector: Collector) {
  const families = await collector.collect(AbortSignal.timeout(1000));
  const value = (name: string) =>
    families.find(({ metric }) => metric.name === name)?.samples[0]?.value;
  const { counts, sum } = value('stealwatch_stall_seconds') as HistogramValue;
  return { counts, sum, longest: value('stealwatch_stall_longest_seconds') };
}

/** What is late by less than a microsecond is rounding. */
const near = (actual: unknown, expected: number) =>
  assert.ok(Math.abs(Number(actual) - expected) < 1e-6, `${String(actual)} is not ${expected}`);

test('stall: a second in which nobody ran is a second of standstill', async () => {
  const { clock, collector, late, busy } = underTest();
  late(1);
  busy(0.01);
  clock.advance(1);
  const { counts, sum, longest } = await read(collector);
  near(sum, 0.99);
  near(longest, 0.99);
  assert.deepEqual(counts, [3, 0, 0, 0, 1, 0, 0, 0, 0, 0], 'one look of four, up to 1 s');
});

test('stall: what came between two looks is one, what came after it another', async () => {
  const { clock, collector, late } = underTest();
  late(0.2);
  late(0.1);
  clock.advance(0.25);
  late(0.2);
  clock.advance(0.25);
  const { counts, sum, longest } = await read(collector);
  near(sum, 0.5);
  near(longest, 0.3);
  assert.deepEqual(counts.slice(0, 5), [0, 0, 1, 1, 0]);
});

test('stall: being busy, or waiting behind others of this guest, is none', async () => {
  const { clock, collector, late, busy, queued } = underTest();
  late(1);
  busy(0.7);
  queued(0.3);
  clock.advance(1);
  const { longest, sum } = await read(collector);
  near(longest, 0);
  near(sum, 0);
});

test('stall: the longest is remembered for 5 minutes at least, and then forgotten', async () => {
  const { clock, collector, late } = underTest();
  late(2);
  clock.advance(299);
  near((await read(collector)).longest, 2);
  clock.advance(302);
  near((await read(collector)).longest, 0);
});

test('stall: without schedstat nothing is claimed; a broken one fails loudly', async () => {
  const absent = stallCollector({
    clock: manualClock(),
    schedstat: { read: () => undefined, close: () => undefined },
  });
  assert.deepEqual(await absent.collect(AbortSignal.timeout(1000)), []);
  assert.equal(absent.report?.().signals?.[0]?.supported, false);
  assert.match(absent.report?.().signals?.[0]?.reason ?? '', /^this kernel has no /);
  assert.equal(absent.report?.().samplers?.[0]?.ageSeconds, 0);
  const clock = manualClock();
  const broken = stallCollector({
    clock,
    schedstat: { read: () => '1 2', close: () => undefined },
    afterTimers: (work) => work(),
  });
  clock.advance(20);
  await assert.rejects(
    broken.collect(AbortSignal.timeout(1000)),
    /last reading failed: schedstat: unexpected text "1 2"/,
  );
  const { signals = [], samplers = [] } = broken.report?.() ?? {};
  assert.match(signals[0]?.reason ?? '', /^\/proc\/thread-self\/schedstat cannot be read \(/);
  assert.equal(samplers[0]?.ageSeconds, 20, 'a clock that tells nothing does not tick');
  assert.match(samplers[0].problem ?? '', /"1 2"/);
});

test('stall: 700 ms of computing in this very thread are explained', async () => {
  const collector = stallCollector({ clock: systemClock });
  await new Promise((resolve) => setTimeout(resolve, 200));
  const end = performance.now() + 700;
  while (performance.now() < end);
  await new Promise((resolve) => setTimeout(resolve, 1300));
  const { counts, longest } = await read(collector);
  assert.ok(counts.reduce((a, b) => a + b) > 3, 'the timer has fired');
  // The host of the machine that runs this test may take a part of it: one wide bound.
  assert.ok(Number(longest) < 0.6, 'computing counted as standstill');
  await collector.close?.();
});

test('stall: an exporter that could not run for a second says so', async (t) => {
  const exporter = await startExporter(t, ['--redis-url', 'redis://127.0.0.1:1']);
  const stalls = async () => {
    const text = await (await fetch(`${exporter.url}/metrics`)).text();
    const value = (name: string) => Number(new RegExp(`^${name} (.*)$`, 'm').exec(text)?.[1]);
    return {
      longest: value('stealwatch_stall_longest_seconds'),
      sum: value('stealwatch_stall_seconds_sum'),
    };
  };
  await until('it has looked', async () => (await stalls()).sum >= 0);
  // What the host of this very machine takes meanwhile is none of the test's: it counts from here.
  const [before, began] = [await stalls(), performance.now()];
  // As when the host takes all its vCPUs: it uses no CPU, and nobody of this guest is before it.
  process.kill(exporter.pid, 'SIGSTOP');
  await sleep(1500);
  process.kill(exporter.pid, 'SIGCONT');
  const stoppedSeconds = (performance.now() - began) / 1000;
  await until('the standstill is told', async () => (await stalls()).sum - before.sum > 0.8);
  const after = await stalls();
  const seconds = (performance.now() - began) / 1000;
  const told = JSON.stringify({ before, after, stoppedSeconds, seconds });
  assert.ok(after.longest > 0.8, told);
  // A look of a quarter of a second lies over each end.
  assert.ok(after.longest <= Math.max(before.longest, stoppedSeconds + 0.6), told);
  assert.ok(after.sum - before.sum <= seconds + 0.3, `no more than has passed: ${told}`);
});

test('schedstat: no text makes the parser invent a number', () => {
  assert.deepEqual(parseSchedstat('109189535197 83635708718 12259\n'), {
    cpuSeconds: 109.189535197,
    runDelaySeconds: 83.635708718,
  });
  fc.assert(
    fc.property(fc.string(), (text) => {
      assert.throws(() => parseSchedstat(`x${text}`), /schedstat: unexpected text/);
    }),
  );
});
