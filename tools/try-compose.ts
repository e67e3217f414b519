/**
 * Tries docker-compose.yml and the demo's on a real Docker engine: up, scrape, freeze, page, cut off, page, down.
 *
 *   npm run try-compose            needs Docker Engine 25, Compose 2.24, and the ports below
 *
 * It runs as a project of its own (stealwatch-try) with settings, ports and volumes of its own, and
 * takes all of it away at the end, also when a check fails. A stealwatch that runs here is not
 * touched. Takes about two minutes once the images are there.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { messageOf } from '../exporter/measure/errors.ts';
import { type HttpSink, startSink, webhookMessage } from './rig/http-sink.ts';
import { until as waitUntil } from './rig/redis-server.ts';

const project = 'stealwatch-try';
const files = ['-f', 'docker-compose.yml', '-f', 'deploy/demo/compose.yml'];
const ports = {
  exporter: 11190,
  demo: 11191,
  prometheus: 11090,
  alertmanager: 11093,
  grafana: 11300,
};
const password = randomBytes(12).toString('hex');
const directory = mkdtempSync(join(tmpdir(), 'stealwatch-try-'));
const environmentFile = join(directory, 'env');

function compose(...args: readonly string[]): string {
  return execFileSync(
    'docker',
    ['compose', '-p', project, '--env-file', environmentFile, ...files, ...args],
    {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  );
}

function check(what: string, holds: boolean, detail = ''): void {
  console.log(`${holds ? 'ok  ' : 'FAIL'} ${what}${detail === '' ? '' : `: ${detail}`}`);
  if (!holds) throw new Error(what);
}

interface Answer {
  readonly status: number;
  readonly text: string;
}

async function get(url: string, init: RequestInit = {}): Promise<Answer> {
  const response = await fetch(url, {
    signal: AbortSignal.timeout(5000),
    redirect: 'manual',
    ...init,
  });
  return { status: response.status, text: await response.text() };
}

const at = (service: keyof typeof ports, path: string) =>
  `http://127.0.0.1:${ports[service]}${path}`;

async function until(
  what: string,
  seconds: number,
  holds: () => Promise<boolean>,
): Promise<number> {
  const began = performance.now();
  await waitUntil(what, () => holds().catch(() => false), seconds, 200).catch((error: unknown) =>
    check(what, false, messageOf(error)),
  );
  const took = (performance.now() - began) / 1000;
  check(what, true, `${took.toFixed(1)} s`);
  return took;
}

/** What would be Discord has got. */
const messagesIn = ({ posted }: HttpSink) => posted.map(webhookMessage);

function paged(sink: HttpSink, alertname: string): boolean {
  return messagesIn(sink).some(
    ({ status, alerts }) =>
      status === 'firing' && alerts.some(({ labels }) => labels['alertname'] === alertname),
  );
}

async function value(query: string): Promise<number> {
  const { text } = await get(at('prometheus', `/api/v1/query?query=${encodeURIComponent(query)}`));
  const { data } = JSON.parse(text) as { data: { result: { value: [number, string] }[] } };
  return Number(data.result[0]?.value[1] ?? NaN);
}

async function looksRight(): Promise<void> {
  await until('the exporter sees Redis', 20, async () =>
    /^redis_up 1$/m.test((await get(at('exporter', '/metrics'))).text),
  );
  await until('Prometheus scrapes it', 20, async () => (await value('up{job="stealwatch"}')) === 1);
  const rules = await get(at('prometheus', '/api/v1/rules?type=alert'));
  check(
    'the rules are loaded',
    rules.text.includes('"RedisFrozen"') && !rules.text.includes('"health":"err"'),
  );
  const process1 = compose('exec', '-T', 'exporter', 'cat', '/proc/1/status');
  check('the exporter is no root', /^Uid:\s+10190\s+10190/m.test(process1));
  const granted = /^CapEff:\s*(\S+)/m.exec(process1)?.[1];
  check('it holds SYSLOG and SYS_PTRACE and nothing else', granted === '0000000400080000', granted);
  for (const service of ['prometheus', 'alertmanager', 'grafana', 'exporter', 'demo'] as const) {
    const published = compose('port', service, String(privatePorts[service])).trim();
    check(`${service} is published on loopback only`, published === `127.0.0.1:${ports[service]}`);
  }
}

const privatePorts = {
  exporter: 10190,
  demo: 10191,
  prometheus: 9090,
  alertmanager: 9093,
  grafana: 3000,
};

const basic = (text: string) => ({ headers: { authorization: `Basic ${btoa(text)}` } });

async function grafanaIsClosed(): Promise<void> {
  const health = await get(at('grafana', '/api/health'));
  check('Grafana is up', health.status === 200);
  const right = await get(
    at('grafana', '/api/dashboards/uid/stealwatch-overview'),
    basic(`admin:${password}`),
  );
  if (right.status === 501) {
    console.log('skip Grafana logins: the image answers 501, it is not a real Grafana');
    return;
  }
  check('Grafana: our password opens the dashboards', right.status === 200);
  check(
    'Grafana: admin/admin does not',
    (await get(at('grafana', '/api/org'), basic('admin:admin'))).status === 401,
  );
  check('Grafana: nobody does not', (await get(at('grafana', '/api/org'))).status === 401);
}

async function freezeRedis(sink: HttpSink): Promise<void> {
  const post = { method: 'POST' };
  check('the button is pressed', (await get(at('demo', '/freeze'), post)).status === 303);
  await until(
    '/status says 503',
    10,
    async () => (await get(at('exporter', '/status'))).status === 503,
  );
  const began = performance.now();
  await get(at('exporter', '/metrics'));
  check(
    'a scrape is quick meanwhile',
    performance.now() - began < 1000,
    `${(performance.now() - began).toFixed(0)} ms`,
  );
  await until('somebody is paged: RedisFrozen', 30, async () => paged(sink, 'RedisFrozen'));
  check('the button is pressed again', (await get(at('demo', '/thaw'), post)).status === 303);
  await until(
    '/status says 200',
    10,
    async () => (await get(at('exporter', '/status'))).status === 200,
  );
}

/** The exporter's container stands still, as its machine would: connections hang, nobody refuses. */
async function cutOff(sink: HttpSink): Promise<void> {
  compose('pause', 'exporter');
  try {
    await until('somebody is paged: HostFrozen', 60, async () => paged(sink, 'HostFrozen'));
  } finally {
    compose('unpause', 'exporter');
  }
  await until('and it is back', 20, async () => (await value('up{job="stealwatch"}')) === 1);
}

function writeEnvironment(webhook: string): void {
  const settings = {
    COMPOSE_PROFILES: 'all',
    REDIS_URL: 'redis://redis:6379',
    GRAFANA_ADMIN_PASSWORD: password,
    WEBHOOK_URL: webhook,
    HOST_NAME: 'tried',
    EXPORTER_OOM_SCORE_ADJ: process.env['EXPORTER_OOM_SCORE_ADJ'] ?? '-900',
    ...Object.fromEntries(
      Object.entries(ports).map(([service, port]) => [
        `${service.toUpperCase()}_PORT`,
        `127.0.0.1:${port}`,
      ]),
    ),
  };
  const lines = Object.entries(settings).map(([name, text]) => `${name}=${text}`);
  writeFileSync(environmentFile, `${lines.join('\n')}\n`, { mode: 0o600 });
}

function refusesWithoutPassword(): void {
  const environment = { ...process.env, COMPOSE_PROFILES: 'all' };
  delete (environment as Record<string, unknown>)['GRAFANA_ADMIN_PASSWORD'];
  const { status, stderr } = spawnSync(
    'docker',
    ['compose', '-p', project, '--env-file', '/dev/null', 'config', '-q'],
    { encoding: 'utf8', env: environment },
  );
  check(
    'without a password it says what to do',
    status !== 0 && /Set GRAFANA_ADMIN_PASSWORD in \.env/.test(stderr),
  );
}

async function main(): Promise<void> {
  const gateway = execFileSync(
    'docker',
    ['network', 'inspect', 'bridge', '-f', '{{(index .IPAM.Config 0).Gateway}}'],
    { encoding: 'utf8' },
  ).trim();
  const sink = await startSink(undefined, gateway);
  writeEnvironment(`http://host.docker.internal:${sink.port}/`);
  refusesWithoutPassword();
  try {
    const began = performance.now();
    compose('up', '-d', '--build', '--wait', '--wait-timeout', '180', '--quiet-pull');
    check('up --wait', true, `${((performance.now() - began) / 1000).toFixed(0)} s`);
    await looksRight();
    await grafanaIsClosed();
    await freezeRedis(sink);
    await cutOff(sink);
    const names = messagesIn(sink).map(
      ({ status, alerts }) =>
        `${status} ${alerts.map(({ labels }) => labels['alertname']).join('+')}`,
    );
    console.log(`     ${names.length} messages: ${names.join(', ')}`);
  } catch (error) {
    console.log(compose('logs', '--tail', '20'));
    throw error;
  } finally {
    compose('down', '-v', '--remove-orphans', '--timeout', '5');
    await sink.close();
    rmSync(directory, { recursive: true, force: true });
  }
  const left = execFileSync(
    'docker',
    ['volume', 'ls', '-q', '--filter', `label=com.docker.compose.project=${project}`],
    { encoding: 'utf8' },
  );
  check('down -v leaves nothing', left.trim() === '');
}

await main();
