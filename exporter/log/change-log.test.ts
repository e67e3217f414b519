import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { logChanges } from './change-log.ts';
import { manualClock } from '../measure/clock.ts';
import type { Check } from '../core/collector.ts';
import type { Status } from '../core/status.ts';
import { startExporter } from '../../tools/rig/exporter-process.ts';
import { httpSink } from '../../tools/rig/http-sink.ts';
import { startRedis, until } from '../../tools/rig/redis-server.ts';
import { verdictOf } from '../core/verdict.ts';

const redis: Check = {
  name: 'redis',
  critical: true,
  ok: true,
  state: 'up',
  reason: 'answers',
  sinceSeconds: 0,
  ageSeconds: 0,
};

function logged(t: TestContext) {
  const clock = manualClock();
  const lines: Record<string, unknown>[] = [];
  let status: Status = { status: 'ok', verdict: verdictOf({}), checks: [redis], findings: [] };
  const add = (level: string) => (fields: object, msg: string) =>
    lines.push({ level, msg, ...fields });
  const stop = logChanges(() => status, clock, { info: add('info'), warn: add('warn') });
  t.after(stop);
  return {
    clock,
    lines,
    stop,
    set: (change: Partial<Status>) => (status = { ...status, ...change }),
  };
}

test('change log: a line when a state changes, and none while it lasts', (t) => {
  const { clock, lines, set, stop } = logged(t);
  clock.advance(100);
  assert.deepEqual(lines, [], 'well from the start');
  const frozen = { ...redis, ok: false, state: 'frozen', reason: 'no answer', sinceSeconds: 5 };
  set({ checks: [frozen] });
  clock.advance(50);
  const since = new Date((clock.wall() - 49 - 5) * 1000).toISOString();
  assert.deepEqual(lines, [
    {
      level: 'warn',
      msg: 'state changed',
      check: 'redis',
      from: 'up',
      to: 'frozen',
      reason: 'no answer',
      since,
      lasted: 100,
    },
  ]);
  set({ checks: [redis], verdict: verdictOf({ stealOfDemand: 0.5 }) });
  clock.advance(1);
  assert.deepEqual(
    lines.slice(1).map(({ level, check, from, to, lasted }) => [level, check, from, to, lasted]),
    [
      ['warn', 'verdict', 'unknown', 'cpu_steal', 150],
      ['info', 'redis', 'frozen', 'up', 50],
    ],
  );
  stop();
  set({ checks: [frozen] });
  clock.advance(10);
  assert.equal(lines.length, 3);
});

test('change log: what is ill from the start is told', (t) => {
  const { clock, lines, set } = logged(t);
  set({ checks: [{ ...redis, ok: false, state: 'refused' }] });
  clock.advance(5);
  assert.deepEqual(
    lines.map(({ from, to, lasted }) => [from, to, lasted]),
    [[undefined, 'refused', 0]],
  );
});

test('change log: what becomes known in the first seconds is no change, what was ill and heals is', (t) => {
  const { clock, lines, set } = logged(t);
  set({ checks: [{ ...redis, state: 'starting' }] });
  clock.advance(2);
  set({ checks: [redis], verdict: verdictOf({ stealOfDemand: 0 }) });
  clock.advance(2);
  assert.deepEqual(lines, []);
  set({ checks: [{ ...redis, ok: false, state: 'refused' }] });
  clock.advance(2);
  set({ checks: [redis] });
  clock.advance(2);
  assert.deepEqual(
    lines.map(({ from, to }) => [from, to]),
    [
      ['up', 'refused'],
      ['refused', 'up'],
    ],
  );
});

test('change log: a state that flaps writes 30 lines a minute, and how many more there were', (t) => {
  const { clock, lines, set } = logged(t);
  const flapping = [
    [redis, { ...redis, name: 'asynq' }],
    [
      { ...redis, state: 'slow' },
      { ...redis, name: 'asynq', state: 'slow' },
    ],
  ];
  clock.advance(10);
  for (let second = 1; second <= 45; second++) {
    set({ checks: flapping[second % 2] ?? [] });
    clock.advance(1);
  }
  assert.equal(lines.length, 30);
  clock.advance(10);
  assert.equal(lines.length, 31);
  // Of asynq the first look is none.
  assert.deepEqual(lines.at(-1), {
    level: 'warn',
    msg: 'states changed too often to log each',
    changes: 2 * 45 - 1 - 30,
  });
  set({ checks: flapping[0] ?? [] });
  clock.advance(1);
  assert.equal(lines.length, 33, 'a new minute');
});

test('change log: a reason without end is cut', (t) => {
  const { clock, lines, set } = logged(t);
  set({ checks: [{ ...redis, ok: false, state: 'error', reason: 'x'.repeat(1e6) }] });
  clock.advance(1);
  assert.equal(String(lines[0]?.['reason']).length, 400);
});

test('change log: Redis freezes while nobody scrapes, and the log has all of it', async (t) => {
  const server = await startRedis(t);
  const app = await httpSink(t, (_, response) => response.end('fine'));
  const exporter = await startExporter(t, [], {
    STEALWATCH_REDIS_URL: server.url,
    STEALWATCH_APPS: `shop=${app.url}/S3cr3t`,
    STEALWATCH_HEARTBEAT_URL: `${app.url}/S3cr3t`,
  });
  await until('it beats', () => app.requests.length > 3);
  server.freeze();
  const has = (text: string) => exporter.log().includes(text);
  await until('the freeze is logged', () => has('"check":"redis","from":"up","to":"frozen"'), 30);
  await until(
    'the lie is logged',
    () => has('"check":"app_shop","from":"healthy","to":"lying"'),
    30,
  );
  await until('so is the beat that is missing', () => has('"to":"withheld"'), 40);
  server.thaw();
  await until(
    'and the end of it',
    () => /"check":"redis","from":"\w+","to":"up"/.test(exporter.log()),
    30,
  );
  assert.doesNotMatch(exporter.log(), /S3cr3t/);
});
