/**
 * deploy/prometheus/prometheus.yml in a running Prometheus: what it scrapes, how often, under which
 * labels, whom it tells and what it evaluates. Both releases.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { parse } from 'yaml';
import { ruleFiles } from '../alerts/testing/rule-files.ts';
import { allTools } from '../tools/rig/prometheus-tools.ts';
import { prometheusFolder, startShippedPrometheus } from '../tools/rig/shipped-prometheus.ts';
import { until } from '../tools/rig/redis-server.ts';

type Settings = Readonly<Record<string, string>>;

function directoryOf(t: TestContext): string {
  const directory = mkdtempSync(join(tmpdir(), 'stealwatch-running-'));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  prometheusFolder(directory);
  return directory;
}

function render(directory: string, settings: Settings): string {
  const path = join(directory, 'prometheus.yml');
  const env = { PATH: process.env['PATH'], ETC: directory, ...settings };
  const script = ['deploy/prometheus/start.sh', '--render', path];
  const { status, stderr } = spawnSync('sh', script, { env, encoding: 'utf8' });
  assert.equal(status, 0, stderr);
  return path;
}

interface Target {
  readonly scrapePool: string;
  readonly scrapeUrl: string;
  readonly scrapeInterval: string;
  readonly scrapeTimeout: string;
  readonly labels: Settings;
}

/** As "POOL URL INTERVAL/TIMEOUT", and the labels every series of it gets. */
function told({ scrapePool, scrapeUrl, scrapeInterval, scrapeTimeout, labels }: Target) {
  return [`${scrapePool} ${scrapeUrl} ${scrapeInterval}/${scrapeTimeout}`, labels] as const;
}

const settings: Settings = {
  PROMETHEUS_TARGET: '127.0.0.1:9090',
  LOCAL_TARGET: 'exporter:10190',
  HOST_NAME: 'here',
  HOST_PROVIDER: 'contoso',
  HOST_PLAN: 'cpx21',
  HOST_PRICE: '7.55',
  STEALWATCH_TARGETS: 'shop@vps1=https://shop.example/,vps2=https://vps2.example:10190/status',
};

const agents = `- targets: ['10.0.0.1:10190']
  labels: {host: vps1, provider: fabrikam, plan: s, price: '5', __scheme__: https}
- targets: ['vps2.example:10190']
`;

const probe = (name: string) => `http://prober:10190/probe?target=${encodeURIComponent(name)}`;

/** What is scraped: rules ask for job and host, dashboards for the rest. */
const expected: Readonly<Record<string, Settings>> = {
  'stealwatch http://exporter:10190/metrics 2s/2s': {
    job: 'stealwatch',
    instance: 'exporter:10190',
    host: 'here',
    provider: 'contoso',
    plan: 'cpx21',
    price: '7.55',
  },
  // An agent is of the same job, and what names no host is called by its address.
  'stealwatch-agents https://10.0.0.1:10190/metrics 2s/2s': {
    job: 'stealwatch',
    instance: '10.0.0.1:10190',
    host: 'vps1',
    provider: 'fabrikam',
    plan: 's',
    price: '5',
  },
  'stealwatch-agents http://vps2.example:10190/metrics 2s/2s': {
    job: 'stealwatch',
    instance: 'vps2.example:10190',
    host: 'vps2.example',
  },
  // NAME@HOST is a page of HOST; a NAME alone is its own host.
  [`stealwatch-probe ${probe('shop@vps1')} 10s/5s`]: {
    job: 'stealwatch-probe',
    instance: 'shop',
    host: 'vps1',
  },
  [`stealwatch-probe ${probe('vps2')} 10s/5s`]: {
    job: 'stealwatch-probe',
    instance: 'vps2',
    host: 'vps2',
  },
  'prometheus http://127.0.0.1:9090/metrics 15s/5s': {
    job: 'prometheus',
    instance: '127.0.0.1:9090',
    host: 'watcher',
  },
  'alertmanager http://alertmanager:9093/metrics 15s/5s': {
    job: 'alertmanager',
    instance: 'alertmanager:9093',
    host: 'watcher',
  },
};

for (const { label, prometheus } of allTools()) {
  test(`prometheus.yml: what is scraped, and whom it tells (${label})`, async (t) => {
    const directory = directoryOf(t);
    writeFileSync(join(directory, 'targets', 'a.yml'), agents);
    const { ask } = await startShippedPrometheus(t, prometheus, directory, settings);
    const targets = async () =>
      (await ask<{ activeTargets: Target[] }>('targets?state=active')).activeTargets;
    const count = Object.keys(expected).length;
    await until('every target is known', async () => (await targets()).length === count);
    assert.deepEqual(Object.fromEntries((await targets()).map(told)), expected);

    writeFileSync(join(directory, 'targets', 'b.json'), '[{"targets":["c:1"]}]');
    await until('a file that came later is read', async () =>
      (await targets()).some(({ scrapeUrl }) => scrapeUrl === 'http://c:1/metrics'),
    );
    const { activeAlertmanagers } = await ask<{ activeAlertmanagers: { url: string }[] }>(
      'alertmanagers',
    );
    assert.deepEqual(
      activeAlertmanagers.map(({ url }) => url),
      ['http://alertmanager:9093/api/v2/alerts'],
    );
    const { groups } = await ask<{ groups: { file: string; name: string }[] }>('rules');
    const files = groups.map(({ file }) => file.split('/').at(-1) ?? '');
    assert.deepEqual(new Set(files), new Set(ruleFiles));
  });
}

interface Written {
  readonly global: Readonly<Record<string, unknown>>;
  readonly scrape_configs: readonly Readonly<Record<string, unknown>>[];
  readonly remote_write?: unknown;
}

/** What one setting changes, each alone with what it needs. */
function written(t: TestContext, given: Settings, ca = false): Written {
  const directory = directoryOf(t);
  if (ca) writeFileSync(join(directory, 'secrets', 'agent-ca.pem'), 'a CA');
  const text = readFileSync(render(directory, given), 'utf8').replaceAll(directory, 'ETC');
  return parse(text, { merge: true }) as Written;
}

const jobIn = ({ scrape_configs }: Written, name: string) =>
  scrape_configs.find(({ job_name }) => job_name === name) ?? {};

function access(config: Written): Readonly<Record<string, unknown>> {
  const job = jobIn(config, 'stealwatch-agents');
  const { job_name: _, file_sd_configs: __, relabel_configs: ___, ...rest } = job;
  return rest;
}

test('prometheus.yml: agents are asked with what is set, and nothing else', (t) => {
  assert.deepEqual(access(written(t, {})), {});
  assert.deepEqual(access(written(t, { AGENT_TOKEN: 't' })), {
    authorization: { type: 'Bearer', credentials: 't' },
  });
  assert.deepEqual(access(written(t, { AGENT_USER: 'u', AGENT_PASSWORD: 'p' })), {
    basic_auth: { username: 'u', password: 'p' },
  });
  assert.deepEqual(access(written(t, {}, true)), {
    tls_config: { ca_file: 'ETC/secrets/agent-ca.pem' },
  });
});

test('prometheus.yml: the copy is sent with what is set, and nothing else', (t) => {
  const base = {
    url: 'http://store/write',
    queue_config: { max_shards: 4, capacity: 10_000 },
  };
  const REMOTE_WRITE_URL = base.url;
  const copy = (given: Settings) => written(t, given).remote_write;
  assert.equal(copy({}), undefined);
  assert.deepEqual(copy({ REMOTE_WRITE_URL }), [base]);
  const user = { REMOTE_WRITE_USER: 'u', REMOTE_WRITE_PASSWORD: 'p' };
  assert.deepEqual(copy({ REMOTE_WRITE_URL, ...user }), [
    { ...base, basic_auth: { username: 'u', password: 'p' } },
  ]);
  assert.deepEqual(copy({ REMOTE_WRITE_URL, REMOTE_WRITE_TOKEN: 't' }), [
    { ...base, authorization: { type: 'Bearer', credentials: 't' } },
  ]);
});

const target = (labels: Settings) => [{ targets: ['a:1'], labels: { host: '', ...labels } }];

test('prometheus.yml: labels of this machine and of this watcher are each alone', (t) => {
  const local = (given: Settings) =>
    jobIn(written(t, { LOCAL_TARGET: 'a:1', ...given }), 'stealwatch')['static_configs'];
  assert.deepEqual(local({}), target({}));
  assert.deepEqual(local({ HOST_NAME: 'h' }), target({ host: 'h' }));
  assert.deepEqual(local({ HOST_PROVIDER: 'x' }), target({ provider: 'x' }));
  assert.deepEqual(local({ HOST_PLAN: 'x' }), target({ plan: 'x' }));
  assert.deepEqual(local({ HOST_PRICE: '1.5' }), target({ price: '1.5' }));
  assert.equal(written(t, {}).global['external_labels'], undefined);
  assert.deepEqual(written(t, { EXTERNAL_LABEL: 'w' }).global['external_labels'], { watcher: 'w' });
});
