/**
 * An agent and a watcher as docs/watching-from-outside.md sets them up: the shipped exporter with
 * TLS and credentials, a real Prometheus and Alertmanager with the configuration and rules that
 * ship. Then the agent stands still, and somebody is told.
 */
import assert from 'node:assert/strict';
import { cpSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { startAlertmanager } from '../tools/rig/alertmanager.ts';
import { startExporter } from '../tools/rig/exporter-process.ts';
import { type HttpSink, httpSink, webhookMessage } from '../tools/rig/http-sink.ts';
import { agentAccess, agentToken as token } from '../tools/rig/known-agent.ts';
import { installedTools } from '../tools/rig/prometheus-tools.ts';
import { until } from '../tools/rig/redis-server.ts';
import { prometheusFolder, startShippedPrometheus } from '../tools/rig/shipped-prometheus.ts';
import { listening } from '../tools/rig/listening.ts';

/** bcrypt of "correct-horse", cost 10. */
const hash = '$2y$10$abcdefghijklmnopqrstuuf4yQswfQRuOxajohDXdzREFVDuc.Vdy';

/** Of every message to whoever is paged. */
const alertsIn = ({ posted }: HttpSink) => posted.flatMap((one) => webhookMessage(one).alerts);

interface Target {
  readonly health: string;
  readonly lastError: string;
  readonly labels: Readonly<Record<string, string>>;
}

type Settings = Readonly<Record<string, string>>;

/** Prometheus and Alertmanager as in the profile `watch`, on ports of their own. */
async function startWatcher(t: TestContext, directory: string, env: Settings) {
  const { alertmanager: program, prometheus } = installedTools();
  const alertmanager = await startAlertmanager(program, env);
  t.after(() => alertmanager.stop());
  const ALERTMANAGER_TARGET = new URL(alertmanager.url).host;
  const settings = { ...env, ALERTMANAGER_TARGET };
  const { ask } = await startShippedPrometheus(t, prometheus, directory, settings);
  return {
    async agent(): Promise<Target | undefined> {
      const { activeTargets } = await ask<{ activeTargets: Target[] }>('targets?state=active');
      return activeTargets.find(({ labels }) => labels['host'] === 'vps1');
    },
  };
}

async function startAgent(t: TestContext) {
  const { directory, caFile, web } = agentAccess(t, `basic_auth_users: {watcher: "${hash}"}\n`);
  const exporter = await startExporter(t, ['--web-config-file', web]);
  prometheusFolder(directory);
  cpSync(caFile, join(directory, 'secrets', 'agent-ca.pem'));
  writeFileSync(
    join(directory, 'targets', 'agents.yml'),
    `- targets: ['127.0.0.1:${exporter.port}']
  labels: {host: vps1, provider: contoso, plan: cpx21, price: '7.55', __scheme__: https}
`,
  );
  return { exporter, directory };
}

test('watcher: TLS and a token; the agent stands still, and somebody is paged', async (t) => {
  const { exporter, directory } = await startAgent(t);
  const sink = await httpSink(t);
  const watcher = await startWatcher(t, directory, { AGENT_TOKEN: token, WEBHOOK_URL: sink.url });
  const health = async () => (await watcher.agent().catch(() => undefined))?.health;
  await until('the watcher scrapes the agent', async () => (await health()) === 'up', 30);
  const { instance: _, ...labels } = (await watcher.agent())?.labels ?? {};
  assert.deepEqual(labels, {
    job: 'stealwatch',
    host: 'vps1',
    provider: 'contoso',
    plan: 'cpx21',
    price: '7.55',
  });
  // Only from here on: no Redis is there, which is a page of its own.
  const frozen = () =>
    alertsIn(sink).find(
      ({ labels }) => labels['alertname'] === 'HostFrozen' && labels['host'] === 'vps1',
    );
  assert.equal(frozen(), undefined);
  process.kill(exporter.pid, 'SIGSTOP');
  const began = performance.now();
  await until('HostFrozen reaches the webhook', () => frozen()?.status === 'firing', 90);
  t.diagnostic(
    `paged ${((performance.now() - began) / 1000).toFixed(1)} s after the agent stopped`,
  );
});

test('watcher: basic authentication', async (t) => {
  const { directory } = await startAgent(t);
  const right = { AGENT_USER: 'watcher', AGENT_PASSWORD: 'correct-horse' };
  const watcher = await startWatcher(t, directory, right);
  const health = async () => (await watcher.agent().catch(() => undefined))?.health;
  await until('the watcher scrapes the agent', async () => (await health()) === 'up', 30);
});

test('watcher: a wrong token is an error of the target, not silence', async (t) => {
  const { directory } = await startAgent(t);
  const watcher = await startWatcher(t, directory, { AGENT_TOKEN: 'wrong' });
  await until(
    'the target is down, and says why',
    async () => /401/.test((await watcher.agent().catch(() => undefined))?.lastError ?? ''),
    30,
  );
});

test('watcher: an application that accepts and never answers is a page of its host', async (t) => {
  const { directory } = await startAgent(t);
  const sink = await httpSink(t);
  // As a frozen machine: the kernel accepts the connection, and that is all.
  const port = await listening(
    t,
    createServer(() => undefined),
  );
  const STEALWATCH_TARGETS = `shop@vps7=http://127.0.0.1:${port}/health`;
  const prober = await startExporter(t, ['--target', STEALWATCH_TARGETS]);
  await startWatcher(t, directory, {
    PROBER_TARGET: `127.0.0.1:${prober.port}`,
    STEALWATCH_TARGETS,
    WEBHOOK_URL: sink.url,
  });
  const page = () => alertsIn(sink).find(({ labels }) => labels['alertname'] === 'ProbeFailed');
  await until('ProbeFailed reaches the webhook', () => page() !== undefined, 120);
  const { alertname: _, ...labels } = page()?.labels ?? {};
  assert.deepEqual(labels, {
    job: 'stealwatch-probe',
    host: 'vps7',
    instance: 'shop',
    layer: 'app',
    severity: 'page',
  });
});
