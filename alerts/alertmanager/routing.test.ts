/**
 * Who is told, when, and in how many messages: the shipped configuration in a running Alertmanager,
 * with every channel, for half a minute. What takes hours is read from the configuration.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { parse } from 'yaml';
import { until } from '../../tools/rig/redis-server.ts';
import { type PostedAlert, startScript } from '../../tools/rig/alertmanager.ts';
import { startChannels } from '../../tools/rig/channels.ts';
import { type Posted, webhookMessage, type WebhookMessage } from '../../tools/rig/http-sink.ts';
import { allTools, type Tools } from '../../tools/rig/prometheus-tools.ts';

type Labels = Readonly<Record<string, string>>;

const alert = (labels: Labels): PostedAlert => ({ labels, annotations: { summary: 'x' } });
const of = (host: string, alertname: string, layer: string, severity = 'page') =>
  alert({ alertname, host, layer, severity });

/** What is posted at once; the name of the case is its host. */
const posted: readonly PostedAlert[] = [
  alert({ alertname: 'X' }),
  of('custom', 'X', 'shop'),
  of('frozen', 'HostFrozen', 'host'),
  of('redis', 'RedisFrozen', 'redis'),
  of('asynq', 'AsynqNoConsumers', 'asynq'),
  of('app', 'HealthEndpointLies', 'app'),
  of('slo', 'ErrorBudgetBurnFast', 'slo'),
  of('tickets', 'StealHigh', 'host', 'ticket'),
  of('tickets', 'ForkSlow', 'redis', 'ticket'),
  of('tickets', 'CollectorFailing', 'meta', 'ticket'),
  of('two', 'PageInStuck', 'host'),
  of('two', 'TaskStuckInD', 'host'),
  ...Array.from({ length: 25 }, (_, i) => of('many', `A${i}`, 'host')),
  alert({ alertname: 'Watchdog', severity: 'none' }),
];

interface Expected {
  /** Seconds after it was posted. */
  readonly from: number;
  readonly to: number;
  readonly alerts: number;
  readonly why: string;
}

/** The first message of each. A busy machine is late, never early. */
const first: Readonly<Record<string, Expected>> = {
  '': { from: 9, to: 20, alerts: 1, why: 'an alert that is not ours reaches people as well' },
  custom: { from: 9, to: 20, alerts: 1, why: 'so does a page of a layer that is not ours' },
  frozen: { from: 0.8, to: 8, alerts: 1, why: 'the cause speaks first' },
  redis: { from: 0.8, to: 8, alerts: 1, why: 'Redis says it together with the host' },
  asynq: { from: 9, to: 20, alerts: 1, why: 'what follows waits for its cause' },
  app: { from: 9, to: 20, alerts: 1, why: 'what follows waits for its cause' },
  slo: { from: 9, to: 20, alerts: 1, why: 'what follows waits for its cause' },
  tickets: { from: 29, to: 45, alerts: 3, why: 'all tickets of a machine are one message' },
  two: { from: 0.8, to: 8, alerts: 2, why: 'two pages of a layer are one message' },
  many: { from: 0.8, to: 8, alerts: 20, why: 'a message has a bound' },
};

interface Arrived extends WebhookMessage {
  readonly at: number;
  readonly truncatedAlerts?: number;
}

const arrived = (message: Posted): Arrived => ({ ...webhookMessage(message), at: message.at });

async function startEverything(t: TestContext, { alertmanager: program }: Tools) {
  const { sink, mail, alertmanager } = await startChannels(t, program);
  const to = (path: string) => sink.posted.filter((one) => one.path.startsWith(path));
  const people = (host: string) =>
    to('/people')
      .map(arrived)
      .filter(({ alerts }) => (alerts[0]?.labels['host'] ?? '') === host);
  return { alertmanager, to, people, mail };
}

test('who is told, when, and in how many messages', { concurrency: true }, async (t) => {
  const subtests = allTools().map((tools) =>
    t.test(tools.label, async (one) => {
      const { alertmanager, to, people, mail } = await startEverything(one, tools);
      const began = performance.now();
      const since = (at: number) => (at - began) / 1000;
      await alertmanager.post(posted);
      await until('the first pages', () => people('frozen').length > 0, 20);
      await alertmanager.post([
        of('frozen', 'PageInStuck', 'host'),
        { ...of('redis', 'RedisFrozen', 'redis'), endsAt: new Date().toISOString() },
      ]);
      await until('the tickets', () => people('tickets').length > 0, 60);
      await until('what came second', () => people('frozen').length > 1, 60);
      await until('what is over', () => people('redis').length > 1, 60);
      await sleep(500);
      for (const [host, { from, to: latest, alerts, why }] of Object.entries(first)) {
        const [message] = people(host);
        assert.ok(message, `${host}: ${why}`);
        const at = since(message.at);
        assert.ok(at >= from && at <= latest, `${host || 'no host'} after ${at} s: ${why}`);
        assert.equal(message.alerts.length, alerts, `${host}: ${why}`);
        const again = ['frozen', 'redis'].includes(host) ? 2 : 1;
        assert.equal(
          people(host).length,
          again,
          `${host}: one message, and what is new in another`,
        );
      }
      assert.equal(people('many')[0]?.truncatedAlerts, 5);
      const [, second] = people('frozen');
      assert.ok(second && since(second.at) > 29, 'a second alert waits for group_interval');
      assert.equal(people('redis')[1]?.status, 'resolved');

      const heartbeats = to('/heartbeat');
      assert.ok(since(heartbeats[0]?.at ?? Infinity) < 5, 'the heartbeat waits for nobody');
      const watched = heartbeats.map(arrived).flatMap(({ alerts }) => alerts);
      assert.deepEqual(
        new Set(watched.map(({ labels }) => labels['alertname'])),
        new Set(['Watchdog']),
      );
      assert.ok(to('/people').every(({ body }) => !body.includes('Watchdog')));

      // Every channel, of one message and of its end.
      const said = (path: string, text: string) => to(path).some(({ body }) => body.includes(text));
      for (const path of ['/discord', '/slack', '/bot']) {
        await until(`${path} told the page`, () => said(path, 'PAGE redis: RedisFrozen'), 10);
        await until(`${path} told its end`, () => said(path, 'OVER redis: RedisFrozen'), 10);
        assert.ok(said(path, 'TICKET tickets: '), path);
      }
      const subject = (text: string) => mail.mails.some((one) => one.includes(`Subject: ${text}`));
      await until('the mails', () => subject('PAGE redis: ') && subject('OVER redis: '), 10);
      const colors = to('/slack').map(({ body }) => /"color":"(\w+)"/.exec(body)?.[1]);
      assert.deepEqual(new Set(colors), new Set(['danger', 'good']));
    }),
  );
  await Promise.all(subtests);
});

interface Route {
  readonly receiver: string;
  readonly matchers?: readonly string[];
  readonly routes?: readonly Route[];
  readonly group_by?: readonly string[];
  readonly [key: string]: unknown;
}

interface Configuration {
  readonly global: Readonly<Record<string, unknown>>;
  readonly route: Route;
  readonly receivers: readonly Readonly<Record<string, unknown>>[];
}

function rendered(t: TestContext, settings: Labels): Configuration {
  const directory = mkdtempSync(join(tmpdir(), 'stealwatch-routing-'));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  const path = join(directory, 'alertmanager.yml');
  const env = { PATH: process.env['PATH'], ...settings };
  assert.equal(spawnSync(startScript, ['--render', path], { env }).status, 0);
  return parse(readFileSync(path, 'utf8')) as Configuration;
}

test('what is repeated, and how often', (t) => {
  const { global, route } = rendered(t, {});
  // Prometheus says when an alert is over. This is for one that died and says nothing.
  assert.deepEqual(global, { resolve_timeout: '5m' });
  const { routes = [], ...root } = route;
  assert.deepEqual(root, {
    receiver: 'people',
    group_by: ['host', 'layer'],
    group_wait: '10s',
    group_interval: '30s',
    // A page that nobody took is said again in the same night.
    repeat_interval: '4h',
  });
  const [heartbeat, tickets, ...pages] = routes;
  assert.deepEqual(heartbeat, {
    matchers: ['alertname="Watchdog"'],
    receiver: 'heartbeat',
    group_by: ['alertname'],
    group_wait: '0s',
    group_interval: '1m',
    // Not 1m: equal values beat every other time.
    repeat_interval: '59s',
  });
  assert.deepEqual(tickets, {
    matchers: ['severity="ticket"'],
    receiver: 'people',
    group_by: ['host'],
    group_wait: '30s',
    // At most four messages an hour, and the same again tomorrow.
    group_interval: '15m',
    repeat_interval: '1d',
  });
  for (const page of pages) {
    assert.deepEqual(Object.keys(page).toSorted(), ['group_wait', 'matchers', 'receiver']);
  }
});

test('a mail server is used as it is given', (t) => {
  const settings = { EMAIL_TO: 'a@b.c', SMTP_SMARTHOST: 'mail:587', SMTP_FROM: 'd@e.f' };
  const login = { SMTP_USERNAME: 'u', SMTP_PASSWORD: 'p' };
  const { resolve_timeout: _, ...smtp } = rendered(t, { ...settings, ...login }).global;
  assert.deepEqual(smtp, {
    smtp_smarthost: 'mail:587',
    smtp_from: 'd@e.f',
    smtp_auth_username: 'u',
    smtp_auth_password: 'p',
    smtp_require_tls: true,
  });
  const open = rendered(t, { ...settings, SMTP_REQUIRE_TLS: 'false' }).global;
  assert.equal(open['smtp_require_tls'], false);
});

test('receivers have what is set, and nothing else', (t) => {
  const none = rendered(t, {});
  assert.deepEqual(none.receivers, [{ name: 'people' }, { name: 'heartbeat' }]);
  const beat = rendered(t, { HEARTBEAT_URL: 'http://a/b' }).receivers[1];
  // The end of a heartbeat is no message.
  assert.deepEqual(beat?.['webhook_configs'], [{ url: 'http://a/b', send_resolved: false }]);
});
