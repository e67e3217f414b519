import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { parse } from 'yaml';
import { until } from '../../tools/rig/redis-server.ts';
import { messagesOf, type TimedAlert } from '../replays/notifications.ts';
import { shippedRouting } from '../replays/replay.ts';
import { type PostedAlert, startAlertmanager, startScript } from '../../tools/rig/alertmanager.ts';
import { alertsOf, ruleFiles } from '../testing/rule-files.ts';
import { httpSink, webhookMessage } from '../../tools/rig/http-sink.ts';
import { allTools, run } from '../../tools/rig/prometheus-tools.ts';

const tools = allTools();
const everySecret = {
  DISCORD_WEBHOOK_URL: 'http://127.0.0.1:9/api/webhooks/1/disc0rd-t0ken',
  SLACK_WEBHOOK_URL: 'http://127.0.0.1:9/services/sl4ck-t0ken',
  TELEGRAM_BOT_TOKEN: '1:t3legram-t0ken',
  TELEGRAM_CHAT_ID: '-100',
  TELEGRAM_API_URL: 'http://127.0.0.1:9',
  EMAIL_TO: 'oncall@example.org',
  SMTP_SMARTHOST: '127.0.0.1:9',
  SMTP_FROM: 'stealwatch@example.org',
  SMTP_USERNAME: 'stealwatch',
  SMTP_PASSWORD: 'sm7p-passw0rd',
  WEBHOOK_URL: 'http://127.0.0.1:9/w3bhook-t0ken',
  HEARTBEAT_URL: 'http://127.0.0.1:9/h3artbeat-t0ken',
};

function temporary(t: TestContext): string {
  const directory = mkdtempSync(join(tmpdir(), 'stealwatch-render-'));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

function render(target: string, secrets: Readonly<Record<string, string>>) {
  return spawnSync(startScript, ['--render', target], {
    encoding: 'utf8',
    env: { PATH: process.env['PATH'], ...secrets },
  });
}

const byText = (a: string, b: string) => a.localeCompare(b);
const everyAlert = ruleFiles.flatMap(alertsOf);

function alert(name: string, host: string, extra: Record<string, string> = {}): PostedAlert {
  const rule = everyAlert.find((one) => one.alert === name);
  if (rule === undefined) throw new Error(`no alert ${name}`);
  return {
    labels: { alertname: name, host, instance: `${host}:10190`, ...rule.labels, ...extra },
    annotations: { summary: `${host}: ${name}` },
  };
}

for (const { label, amtool } of tools) {
  test(`the configuration is valid with every channel and with none (${label})`, (t) => {
    const directory = temporary(t);
    for (const [name, secrets] of Object.entries({ every: everySecret, none: {} })) {
      const target = join(directory, `${name}.yml`);
      assert.equal(render(target, secrets).status, 0);
      const { code, text } = run(amtool, ['check-config', target]);
      assert.equal(code, 0, text);
    }
  });

  test(`every alert reaches people, the Watchdog the heartbeat (${label})`, (t) => {
    const target = join(temporary(t), 'alertmanager.yml');
    render(target, everySecret);
    for (const { alert: alertname, labels } of everyAlert) {
      const receiver = alertname === 'Watchdog' ? 'heartbeat' : 'people';
      const args = Object.entries({ ...labels, alertname, host: 'a' }).map(([k, v]) => `${k}=${v}`);
      const { code, text } = run(amtool, [
        'config',
        'routes',
        'test',
        `--config.file=${target}`,
        `--verify.receivers=${receiver}`,
        ...args,
      ]);
      assert.equal(code, 0, `${alertname}: ${text}`);
    }
  });
}

test('a secret comes from the environment or from a file, whatever characters it has', (t) => {
  const directory = temporary(t);
  const secret = String.raw`http://127.0.0.1/it's?a=1&b=\1$2"#x:y`;
  const file = join(directory, 'secret');
  writeFileSync(file, `${secret}\n`);
  for (const [name, secrets] of Object.entries({
    environment: { DISCORD_WEBHOOK_URL: secret },
    file: { DISCORD_WEBHOOK_URL_FILE: file },
  })) {
    const target = join(directory, `${name}.yml`);
    const { stderr } = render(target, secrets);
    const config: { receivers: { discord_configs?: { webhook_url: string }[] }[] } = parse(
      readFileSync(target, 'utf8'),
    );
    assert.equal(config.receivers[0]?.discord_configs?.[0]?.webhook_url, secret);
    assert.equal(statSync(target).mode & 0o777, 0o600);
    assert.doesNotMatch(stderr, /127\.0\.0\.1/);
  }
});

test('start.sh says when nobody will be told, and when a secret cannot be read', (t) => {
  const target = join(temporary(t), 'alertmanager.yml');
  const none = render(target, {});
  assert.equal(none.status, 0);
  assert.match(none.stderr, /NOBODY WILL BE TOLD/);
  assert.match(none.stderr, /HEARTBEAT_URL is not set/);
  const missing = render(target, { DISCORD_WEBHOOK_URL_FILE: '/nowhere/secret' });
  assert.equal(missing.status, 1);
  assert.match(missing.stderr, /DISCORD_WEBHOOK_URL_FILE names \/nowhere\/secret/);
  const lines = render(target, { DISCORD_WEBHOOK_URL: 'http://a\nglobal: {}' });
  assert.equal(lines.status, 1);
  assert.match(lines.stderr, /DISCORD_WEBHOOK_URL holds more than one line/);
});

test('the repetition of the heartbeat is a second shorter than its interval', () => {
  const text = readFileSync(join(import.meta.dirname, 'alertmanager.yml'), 'utf8');
  assert.match(text, /group_interval: 1m\n\s+repeat_interval: 59s/);
});

/** In the order in which they follow from one another; ten other alerts come with each freeze. */
const incident = [
  'PageInStuck',
  'HungTaskDetected',
  'HostPageInThrash',
  'KernelSoftLockup',
  'RedisFrozen',
  'RedisBgsaveStuck',
  'PidPileup',
  'ForkFreezeRisk',
  'AofFsyncDelayed',
  'AsynqQueueStalled',
  'AsynqNoConsumers',
  'AsynqLeasesExpired',
  'HealthEndpointLies',
  'ProbeFailed',
  'ErrorBudgetBurnFast',
];

async function oneIncident(t: TestContext, program: string): Promise<void> {
  const sink = await httpSink(t);
  const alertmanager = await startAlertmanager(program, {
    WEBHOOK_URL: `${sink.url}/people`,
    HEARTBEAT_URL: `${sink.url}/heartbeat`,
  });
  t.after(() => alertmanager.stop());
  await alertmanager.post([{ labels: { alertname: 'Watchdog', severity: 'none' } }]);
  const slo = { slo: 'redis_availability' };
  const arrived: TimedAlert[] = [];
  const start = performance.now();
  async function post(posted: readonly PostedAlert[]): Promise<void> {
    await alertmanager.post(posted);
    const from = Math.floor((performance.now() - start) / 1000);
    arrived.push(...posted.map(({ labels }) => ({ labels, from, to: 10_000 })));
  }
  for (const name of incident) {
    const extra = name === 'ErrorBudgetBurnFast' ? slo : {};
    // Host a: everything. Host b: nothing above Redis. Host c: queues, and a probe from outside.
    // Host d: the host and what is far below it.
    const layer = everyAlert.find((one) => one.alert === name)?.labels['layer'] ?? '';
    const posted = [alert(name, 'a', extra)];
    if (layer !== 'host') posted.push(alert(name, 'b', extra));
    if (layer === 'asynq' || name === 'ProbeFailed') posted.push(alert(name, 'c', extra));
    if (layer !== 'redis') posted.push(alert(name, 'd', extra));
    await post(posted);
    await sleep(150);
  }
  await post([alert('CollectorFailing', 'a')]);
  // The tickets' group_wait of 30 s, and then some.
  await sleep(33_000);
  const people = sink.posted.filter(({ path }) => path === '/people').map(webhookMessage);
  const said = people.map(({ groupLabels, alerts }) =>
    [
      groupLabels['host'],
      ...alerts.map(({ labels }) => labels['alertname'] ?? '').sort(byText),
    ].join(' '),
  );
  assert.deepEqual(said.sort(byText), [
    'a CollectorFailing',
    'a PageInStuck',
    'b RedisFrozen',
    'c AsynqNoConsumers',
    'c ProbeFailed',
    'd PageInStuck',
  ]);
  // The model that counts the messages of the replays agrees.
  const modelled = messagesOf(arrived, shippedRouting()).filter(({ kind }) => kind === 'news');
  assert.deepEqual(
    modelled.map(({ alerts }) => alerts.toSorted(byText).join(' ')).toSorted(byText),
    people
      .map(({ alerts }) =>
        alerts
          .map(({ labels }) => labels['alertname'] ?? '')
          .toSorted(byText)
          .join(' '),
      )
      .toSorted(byText),
  );
  assert.equal(sink.posted.filter(({ path }) => path === '/heartbeat').length, 1);
}

test('one incident is one message', { concurrency: true }, async (t) => {
  await Promise.all(
    tools.map(({ label, alertmanager: program }) =>
      t.test(label, (one) => oneIncident(one, program)),
    ),
  );
});

interface DiscordMessage {
  readonly content?: string;
  readonly embeds: readonly { readonly title: string; readonly description: string }[];
}

for (const { label, alertmanager: program } of tools) {
  test(`Discord takes a message of 1 to 60 alerts (${label})`, async (t) => {
    const sink = await httpSink(t);
    const alertmanager = await startAlertmanager(program, {
      DISCORD_WEBHOOK_URL: `${sink.url}/discord`,
      GRAFANA_URL: `https://${'g'.repeat(72)}`,
    });
    t.after(() => alertmanager.stop());
    const long = 'Überlänge 🧊 '.repeat(60);
    for (let count = 1; count <= 60; count += 1) {
      const host = `${'h'.repeat(80)}-${count}`;
      await alertmanager.post(
        Array.from({ length: count }, (_, i) => ({
          labels: { alertname: `${'A'.repeat(50)}${i}`, host, severity: 'page', layer: 'host' },
          annotations: {
            summary: long,
            description: long.repeat(5),
            why: long,
            do: 'x'.repeat(260),
            dashboard_url: `/d/stealwatch-freeze?var-host=${'h'.repeat(80)}&from=1000&to=now`,
            runbook_url: `https://example.org/${'r'.repeat(80)}`,
          },
        })),
      );
    }
    await until('60 messages are there', () => sink.posted.length >= 60, 60);
    const sizes = sink.posted.map(({ body }) => {
      const { content = '', embeds }: DiscordMessage = JSON.parse(body);
      assert.equal(embeds.length, 1);
      const { title = '', description = '' } = embeds[0] ?? {};
      // JavaScript counts UTF-16 units, which is the stricter way to count.
      assert.ok(title.length <= 256, `title of ${title.length}`);
      assert.ok(description.length <= 4096, `description of ${description.length}`);
      assert.ok(content.length + title.length + description.length <= 6000);
      assert.match(description, /Überlänge/);
      return description.length;
    });
    t.diagnostic(`longest description: ${Math.max(...sizes)} of 4096 characters`);
    assert.match(sink.posted.map(({ body }) => body).join(''), /and 60 in all: see Alertmanager/);
  });

  test(`no secret is in the log, in ps or in the environment of Alertmanager (${label})`, async (t) => {
    const alertmanager = await startAlertmanager(program, everySecret);
    t.after(() => alertmanager.stop());
    await alertmanager.post([alert('PageInStuck', 'a'), { labels: { alertname: 'Watchdog' } }]);
    await until('every channel has failed', () =>
      ['discord', 'slack', 'telegram', 'webhook'].every((name) =>
        alertmanager.log().includes(name),
      ),
    );
    const visible = `${alertmanager.log()}${readFileSync(`/proc/${alertmanager.pid}/cmdline`, 'utf8')}${readFileSync(`/proc/${alertmanager.pid}/environ`, 'utf8')}`;
    assert.match(alertmanager.log(), /connection refused/);
    assert.doesNotMatch(visible, /t0ken|passw0rd/);
  });
}
