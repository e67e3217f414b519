/** Several watchers: one list of agents in shares, and two that look at the same without telling it twice. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { test, type TestContext } from 'node:test';
import { type Alertmanager, startAlertmanager } from '../tools/rig/alertmanager.ts';
import { httpSink, type HttpSink, webhookMessage } from '../tools/rig/http-sink.ts';
import { installedTools } from '../tools/rig/prometheus-tools.ts';
import { freePort, until } from '../tools/rig/redis-server.ts';
import { prometheusFolder, startShippedPrometheus } from '../tools/rig/shipped-prometheus.ts';
import { temporaryRoot } from '../tools/rig/temporary-root.ts';

const { prometheus, alertmanager: program } = installedTools();

function folder(t: TestContext, targets: string): string {
  const directory = temporaryRoot(t);
  prometheusFolder(directory);
  writeFileSync(join(directory, 'targets', 'agents.yml'), targets);
  return directory;
}

const hosts = Array.from({ length: 40 }, (_, i) => `vps${i}`);

/** Prometheus' hashmod: the second half of the MD5. */
const shardOf = (host: string, of: number): number =>
  Number(createHash('md5').update(host).digest().readBigUInt64BE(8) % BigInt(of)) + 1;

interface Targets {
  readonly activeTargets: readonly {
    readonly scrapePool: string;
    readonly labels: Readonly<Record<string, string>>;
  }[];
}

test('SHARD: each watcher of three takes its share of one list, by the name of the machine', async (t) => {
  // Two of them have no name and go by their address.
  const named = hosts.map(
    (host, i) => `- targets: ['127.0.0.1:${i + 1}']\n  labels: { host: ${host} }\n`,
  );
  const list = [...named, `- targets: ['127.0.0.2:1', '127.0.0.3:1']\n`].join('');
  const all = [...hosts, '127.0.0.2', '127.0.0.3'];
  const { ask } = await startShippedPrometheus(t, prometheus, folder(t, list), { SHARD: '2/3' });
  const mine = async () =>
    (await ask<Targets>('targets?state=active')).activeTargets
      .filter(({ scrapePool }) => scrapePool === 'stealwatch-agents')
      .map(({ labels }) => labels);
  const expected = all.filter((host) => shardOf(host, 3) === 2);
  await until('it has read the list', async () => (await mine()).length > 0, 20);
  const labels = await mine();
  assert.deepEqual(new Set(labels.map(({ host }) => host)), new Set(expected));
  for (const one of labels) assert.equal(one['job'], 'stealwatch');
  // And the three together are all of them, each in some.
  const shares = [1, 2, 3].map((shard) => all.filter((host) => shardOf(host, 3) === shard).length);
  assert.equal(
    shares.reduce((sum, share) => sum + share),
    all.length,
  );
  assert.ok(Math.min(...shares) > 5, String(shares));
});

function refusal(t: TestContext, settings: Readonly<Record<string, string>>): string {
  const directory = folder(t, '');
  const args = ['deploy/prometheus/start.sh', '--render', join(directory, 'prometheus.yml')];
  const env = {
    PATH: process.env['PATH'],
    ETC: directory,
    ALERTMANAGER_TARGET: 'a:9093',
    ...settings,
  };
  const { status, stderr } = spawnSync('sh', args, { env, encoding: 'utf8' });
  assert.equal(status, stderr === '' ? 0 : 1);
  return stderr;
}

test('SHARD, ALERTMANAGER_TARGET: what cannot be stops the start, and says what was expected', (t) => {
  for (const SHARD of ['1/1', '5/5', ' 2/5 ', '1000/1000']) assert.equal(refusal(t, { SHARD }), '');
  for (const SHARD of [
    '0/5',
    '2/0',
    '2',
    '2/',
    '/5',
    '2/5/5',
    '-1/5',
    'a/b',
    '2 /5',
    '99999/99999',
    '1/99999999999999999999',
    '2/1e1',
    '08/09',
    '1/0x9',
  ]) {
    const said = 'start.sh: SHARD: expected which of how many, such as 2/5\n';
    assert.equal(refusal(t, { SHARD }), said, SHARD);
  }
  assert.equal(refusal(t, { SHARD: '6/5' }), 'start.sh: SHARD: there is no 6 of 5\n');
  for (const ALERTMANAGER_TARGET of ['a:9093', 'a:9093,[::1]:9094', 'a:9093, b:9093,']) {
    assert.equal(refusal(t, { ALERTMANAGER_TARGET }), '');
  }
  for (const ALERTMANAGER_TARGET of ['a', 'a:9093,b', "a:9093','b:1", '*:9093', ',', 'a:99999']) {
    assert.match(refusal(t, { ALERTMANAGER_TARGET }), /ALERTMANAGER_TARGET/, ALERTMANAGER_TARGET);
  }
});

interface Alerts {
  readonly alerts: readonly {
    readonly state: string;
    readonly labels: Readonly<Record<string, string>>;
  }[];
}

const isFrozen = (labels: Readonly<Record<string, string>>) =>
  labels['alertname'] === 'HostFrozen' && labels['host'] === 'vps1';

test('a pair: what both see is one alert, though each writes into the store under its own name', async (t) => {
  const alertmanager = await startAlertmanager(program, {});
  t.after(() => alertmanager.stop());
  const ALERTMANAGER_TARGET = new URL(alertmanager.url).host;
  const list = `- targets: ['127.0.0.1:1']\n  labels: { host: vps1 }\n`;
  const pair = await Promise.all(
    ['one', 'two'].map((EXTERNAL_LABEL) =>
      startShippedPrometheus(t, prometheus, folder(t, list), {
        ALERTMANAGER_TARGET,
        EXTERNAL_LABEL,
      }),
    ),
  );
  for (const { ask } of pair) {
    await until(
      'both of them fire',
      async () =>
        (await ask<Alerts>('alerts')).alerts.some(
          ({ state, labels }) => state === 'firing' && isFrozen(labels),
        ),
      60,
    );
  }
  const received = async () => {
    const answer = await fetch(`${alertmanager.url}/api/v2/alerts`);
    const alerts = (await answer.json()) as Alerts['alerts'];
    return alerts.map(({ labels }) => labels).filter(isFrozen);
  };
  // Sent again every 5 s: by then both of them have.
  await until('it is received', async () => (await received()).length > 0, 20);
  await sleep(6000);
  const alerts = await received();
  assert.equal(alerts.length, 1, JSON.stringify(alerts));
  assert.ok(!('watcher' in (alerts[0] ?? {})));
});

const pagesIn = ({ posted }: HttpSink) =>
  posted.map(webhookMessage).filter(({ status }) => status === 'firing');

test('a pair of Alertmanagers: what both are sent is one message', async (t) => {
  const sink = await httpSink(t);
  const ports = [await freePort(), await freePort()] as const;
  const start = (own: number, other: number): Promise<Alertmanager> =>
    startAlertmanager(program, { WEBHOOK_URL: sink.url }, undefined, [
      `--cluster.listen-address=127.0.0.1:${own}`,
      `--cluster.advertise-address=127.0.0.1:${own}`,
      `--cluster.peer=127.0.0.1:${other}`,
      // The second of them waits for this long to hear from the first; 15 s unless one says otherwise.
      '--cluster.peer-timeout=3s',
    ]);
  const pair = await Promise.all([start(ports[0], ports[1]), start(ports[1], ports[0])]);
  t.after(async () => {
    await Promise.all(pair.map((one) => one.stop()));
  });
  for (const { url } of pair) {
    await until(
      'they know one another',
      async () => {
        const answer = await fetch(`${url}/api/v2/status`);
        const { cluster } = (await answer.json()) as {
          cluster: { status: string; peers?: readonly unknown[] };
        };
        return cluster.status === 'ready' && cluster.peers?.length === 2;
      },
      60,
    );
  }
  const labels = { alertname: 'HostFrozen', host: 'vps1', layer: 'host', severity: 'page' };
  await Promise.all(pair.map((one) => one.post([{ labels }])));
  await until('somebody is told', () => pagesIn(sink).length > 0, 30);
  await sleep(6000);
  assert.equal(pagesIn(sink).length, 1);
});
