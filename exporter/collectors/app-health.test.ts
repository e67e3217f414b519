import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { manualClock } from '../measure/clock.ts';
import { httpSink } from '../../tools/rig/http-sink.ts';
import { until } from '../../tools/rig/redis-server.ts';
import { appHealthCollector } from './app-health.ts';

async function watched(t: TestContext, status: () => number) {
  const app = await httpSink(t, (_, response) => {
    const code = status();
    if (code !== 0) response.writeHead(code, { location: '/elsewhere' }).end('fine');
  });
  const clock = manualClock();
  let silentSeconds = 0;
  let refusesSeconds = 0;
  const collector = appHealthCollector({
    config: { apps: [{ name: 'shop', url: new URL(`${app.url}/health`) }] },
    clock,
    redis: { unresponsiveSeconds: () => silentSeconds, refusesAllSeconds: () => refusesSeconds },
  });
  t.after(() => collector.close?.());
  async function values() {
    const families = await collector.collect(AbortSignal.timeout(1000));
    return Object.fromEntries(
      families.map(({ metric, samples }) => [metric.name, samples[0]?.value]),
    );
  }
  return {
    app,
    clock,
    collector,
    values,
    silence: (seconds: number) => (silentSeconds = seconds),
    refuse: (seconds: number) => (refusesSeconds = seconds),
    answered: () =>
      until('the app was asked', async () => 'stealwatch_app_health_lying' in (await values())),
  };
}

const found = (collector: ReturnType<typeof appHealthCollector>) =>
  collector.report?.().findings?.map(({ text }) => text) ?? [];

test('app-health: a 200 while Redis is silent is a lie, a 200 while it answers is not', async (t) => {
  const { app, clock, collector, values, silence } = await watched(t, () => 200);
  await until(
    'first answer',
    async () => (await values())['stealwatch_app_health_status_code'] === 200,
  );
  assert.equal((await values())['stealwatch_app_health_lying'], 0);
  assert.deepEqual(found(collector), []);
  silence(5);
  clock.advance(5);
  await until('second GET', () => app.requests.length === 2);
  await until('it was judged', () => collector.report?.().checks?.[0]?.ageSeconds === 0);
  assert.equal((await values())['stealwatch_app_health_lying'], 0, '5 s is not over 5 s');
  silence(41);
  clock.advance(5);
  await until('the lie is seen', async () => (await values())['stealwatch_app_health_lying'] === 1);
  assert.match(
    found(collector).join(),
    /shop says it is healthy \(HTTP 200\) while Redis has not answered for 41 s/,
  );
  assert.deepEqual(app.requests, ['GET /health', 'GET /health', 'GET /health']);
});

test('app-health: a 200 over a Redis that refuses everybody is a lie after half a minute', async (t) => {
  const { app, clock, collector, values, refuse } = await watched(t, () => 200);
  await until('first answer', async () => (await values())['stealwatch_app_health_lying'] === 0);
  refuse(30);
  clock.advance(5);
  await until('second GET', () => app.requests.length === 2);
  await until('it was judged', () => collector.report?.().checks?.[0]?.ageSeconds === 0);
  assert.equal((await values())['stealwatch_app_health_lying'], 0, '30 s is not over 30 s');
  refuse(31);
  clock.advance(5);
  await until('the lie is seen', async () => (await values())['stealwatch_app_health_lying'] === 1);
  assert.match(
    found(collector).join(),
    /shop says it is healthy \(HTTP 200\) while Redis has refused everybody for 31 s/,
  );
});

test('app-health: an endpoint that admits it is honest', async (t) => {
  const { values, silence, clock } = await watched(t, () => 503);
  silence(41);
  clock.advance(5);
  await until(
    'answered',
    async () => (await values())['stealwatch_app_health_status_code'] === 503,
  );
  assert.equal((await values())['stealwatch_app_health_lying'], 0);
});

test('app-health: redirects are answers, not followed', async (t) => {
  const { app, values } = await watched(t, () => 302);
  await until(
    'answered',
    async () => (await values())['stealwatch_app_health_status_code'] === 302,
  );
  assert.deepEqual(app.requests, ['GET /health']);
});

test('app-health: one that hangs is status 0 after its deadline and is asked once at a time', async (t) => {
  const { app, clock, collector, values } = await watched(t, () => 0);
  for (let i = 0; i < 20; i++) clock.advance(5);
  assert.deepEqual(await values(), {
    stealwatch_app_health_status_code: undefined,
    stealwatch_app_health_seconds: undefined,
    stealwatch_app_health_lying: undefined,
  });
  await until('gave up', async () => (await values())['stealwatch_app_health_status_code'] === 0);
  assert.equal(app.requests.length, 1);
  assert.match(found(collector).join(), /shop does not answer its health check/);
});

test('app-health: its line of /status, and since when it says so', async (t) => {
  let code = 200;
  const { app, clock, collector, silence, values } = await watched(t, () => code);
  const line = () => {
    const { name, critical, ok, state, reason, sinceSeconds, ageSeconds } =
      collector.report?.().checks?.[0] ?? {};
    assert.deepEqual([name, critical], ['app_shop', false]);
    return `${ok} ${state}: ${reason}, for ${sinceSeconds} s, ${ageSeconds} s ago`;
  };
  const severities = () => collector.report?.().findings?.map(({ severity }) => severity);
  /** The next GET, and what came of it. */
  async function next(status: number): Promise<void> {
    code = status;
    const before = app.requests.length;
    clock.advance(5);
    await until('asked', () => app.requests.length > before);
    await until('answered', async () => {
      return (
        (await values())['stealwatch_app_health_status_code'] === status &&
        line().endsWith(' 0 s ago')
      );
    });
  }
  assert.equal(line(), 'true none: shop not answered yet, for 0 s, 0 s ago');
  await until('answered', () => line().includes('healthy'));
  assert.equal(line(), 'true healthy: shop says that it is healthy (HTTP 200), for 0 s, 0 s ago');
  await next(200);
  assert.equal(line(), 'true healthy: shop says that it is healthy (HTTP 200), for 5 s, 0 s ago');
  clock.stall(3);
  assert.match(line(), /for 8 s, 3 s ago$/);
  await next(503);
  assert.equal(
    line(),
    'false unhealthy: shop says that it is not healthy (HTTP 503), for 0 s, 0 s ago',
  );
  assert.deepEqual(severities(), [], 'it said so itself');
  silence(41);
  await next(200);
  assert.equal(
    line(),
    'false lying: shop says that it is healthy while Redis serves nobody (HTTP 200), for 0 s, 0 s ago',
  );
  assert.deepEqual(severities(), ['bad']);
  await collector.close?.();
  const asked = app.requests.length;
  clock.advance(60);
  await new Promise((resolve) => setTimeout(resolve, 30));
  assert.equal(app.requests.length, asked, 'closed, it asks no more');
});
