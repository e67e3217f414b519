import assert from 'node:assert/strict';
import { test } from 'node:test';
import { batchSize, touchBuckets } from '../canary/layout.ts';
import type { CanaryReading } from '../canary/layout.ts';
import type { Canary } from '../canary/thread.ts';
import { manualClock } from '../measure/clock.ts';
import { startExporter } from '../../tools/rig/exporter-process.ts';
import { processState } from '../../tools/rig/frozen-filesystem.ts';
import { freezeThread, threadNamed, whyNoFrozenThread } from '../../tools/rig/frozen-thread.ts';
import { accepts, until } from '../../tools/rig/redis-server.ts';
import { coldPageCollector } from './cold-page.ts';

const counts = Array.from({ length: touchBuckets.length + 1 }, (_, i) => i);

function underTest() {
  const clock = manualClock();
  const faults = [0, 0, 0];
  let outstandingSeconds = 0;
  let ageSeconds = 0.5;
  let ended: Error | undefined;
  let started = 0;
  const canary: Canary = {
    read(): CanaryReading {
      if (ended !== undefined) throw ended;
      return {
        outstandingSeconds,
        ageSeconds,
        discardedTouches: 3 * batchSize,
        classes: ['2m', '15m', '60m'].map((age, i) => ({
          age,
          counts,
          sum: 0.5,
          hostFaults: faults[i] ?? 0,
        })),
      };
    },
    close: async () => undefined,
  };
  const collector = coldPageCollector({
    config: { canary: 32 },
    clock,
    start(bytes) {
      started = bytes;
      return canary;
    },
  });
  return {
    clock,
    collector,
    poolBytes: () => started,
    fault: (i: number, count: number) => (faults[i] = (faults[i] ?? 0) + count),
    wait: (seconds: number) => (outstandingSeconds = ageSeconds = seconds),
    end: (error: Error) => (ended = error),
    evidence: () => collector.report?.().evidence,
    texts: () => (collector.report?.().findings ?? []).map(({ text }) => text),
  };
}

test('cold-page: families as the thread counts them', async () => {
  const { collector, fault, wait, poolBytes } = underTest();
  assert.equal(poolBytes(), 32 * 1024 * 1024);
  fault(1, 7);
  wait(2.5);
  const families = await collector.collect(AbortSignal.timeout(1000));
  assert.deepEqual(
    families.map(({ metric, samples }) => [metric.name, samples]),
    [
      [
        'stealwatch_cold_page_touch_seconds',
        ['2m', '15m', '60m'].map((age) => ({ labels: { age }, value: { counts, sum: 0.5 } })),
      ],
      [
        'stealwatch_cold_page_host_faults_total',
        [
          { labels: { age: '2m' }, value: 0 },
          { labels: { age: '15m' }, value: 7 },
          { labels: { age: '60m' }, value: 0 },
        ],
      ],
      ['stealwatch_cold_page_outstanding_seconds', [{ labels: {}, value: 2.5 }]],
      ['stealwatch_cold_page_discarded_touches_total', [{ labels: {}, value: 48 }]],
    ],
  );
});

test('cold-page: three page-ins within five minutes are told, two are not', () => {
  const { clock, evidence, fault, texts } = underTest();
  clock.advance(60);
  fault(1, 2);
  clock.advance(10);
  assert.deepEqual(texts(), []);
  assert.deepEqual(evidence(), { coldPageIns: 0, coldPageWaitSeconds: 0 });
  fault(2, 1);
  assert.deepEqual(texts(), [
    'Your host has paged out memory that this machine left idle for 15 minutes: at least 3 pages had to be fetched back in the last 5 minutes.',
  ]);
  assert.deepEqual(evidence(), { coldPageIns: 3, coldPageWaitSeconds: 0 });
  clock.advance(311);
  assert.deepEqual(texts(), [], 'and forgotten after five');
});

test('cold-page: a touch that waits is told; its thread is no broken clock', () => {
  const { collector, texts, wait } = underTest();
  wait(4);
  assert.deepEqual(texts(), []);
  wait(41);
  assert.deepEqual(texts(), [
    'A touch of an idle page has been waiting for 41 s: your host has paged it out and does not bring it back.',
  ]);
  assert.deepEqual(collector.report?.().samplers, [{ name: 'cold_page', ageSeconds: 0 }]);
});

test('cold-page: a thread that ended fails the collector and is no signal any more', async () => {
  const { collector, end, evidence } = underTest();
  end(new Error('the thread of the canary ended: no voluntary_ctxt_switches'));
  await assert.rejects(collector.collect(AbortSignal.timeout(1000)), /ended/);
  const [signal] = collector.report?.().signals ?? [];
  assert.equal(signal?.supported, false);
  assert.match(signal?.reason ?? '', /ended: no voluntary_ctxt_switches$/);
  assert.equal(evidence(), undefined);
});

/** Waits for a beat of the thread's own: the first age is that of its order to start. */
async function untilAlive(metrics: () => Promise<string>): Promise<void> {
  let before = 0;
  await until('the thread is alive', async () => {
    const [, text] = /sampler="cold_page"} (\S+)/.exec(await metrics()) ?? [];
    const age = Number(text);
    const beats = age < before;
    before = age;
    return beats;
  });
}

test('cold-page: the shipped bundle runs its thread and ends when told to', async (t) => {
  const exporter = await startExporter(t, ['--canary=4', '--without', 'redis-probe']);
  const metrics = async () => (await fetch(`${exporter.url}/metrics`)).text();
  await untilAlive(metrics);
  assert.match(await metrics(), /^stealwatch_cold_page_host_faults_total\{age="60m"\} 0$/m);
  assert.match(await metrics(), /^stealwatch_collector_success\{collector="cold-page"\} 1$/m);
  process.kill(exporter.pid, 'SIGTERM');
  assert.equal(await exporter.ended, 0);
});

test('cold-page: a thread that nothing can wake does not keep the exporter from ending', async (t) => {
  const obstacle = whyNoFrozenThread();
  if (obstacle !== undefined) {
    t.skip(obstacle);
    return;
  }
  const exporter = await startExporter(t, ['--canary=4', '--without', 'redis-probe']);
  const { pid } = exporter;
  // Not while it starts: frozen there it holds locks of Node's own, which no page of ours does.
  const metrics = async () => (await fetch(`${exporter.url}/metrics`)).text();
  await untilAlive(metrics);
  const thaw = await freezeThread(pid, threadNamed(pid, 'cold-page') ?? 0);
  try {
    assert.equal((await fetch(`${exporter.url}/metrics`)).status, 200);
    process.kill(pid, 'SIGTERM');
    // A process whose other threads are all gone is a zombie until the last one ends.
    await until('all but that thread has ended', () => 'Z' === (processState(pid) ?? 'Z'), 20);
    assert.equal(await accepts(exporter.port), false);
  } finally {
    await thaw();
  }
  assert.equal(await exporter.ended, 'SIGTERM');
});
