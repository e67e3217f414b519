/** The demo is a project of its own: nothing of a stealwatch that runs here is shared, asked for or taken away. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { parseEnv } from 'node:util';
import { composeFile, filledIn } from '../../tools/rig/compose.ts';

const file = 'deploy/demo/compose.yml';
const env = parseEnv(readFileSync('deploy/demo/env', 'utf8')) as Record<string, string>;
const demo = filledIn(env, file);
const product = filledIn(env);
const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string };

test('demo: another name than the product, and settings that leave nothing to ask for', () => {
  assert.equal(demo.name, 'stealwatch-demo');
  assert.notEqual(demo.name, product.name);
  assert.equal(env['COMPOSE_PROFILES'], 'all');
  assert.equal(env['REDIS_URL'], 'redis://redis:6379');
  for (const name of Object.keys(env)) assert.doesNotMatch(name, /WEBHOOK|TOKEN|SMTP|HEARTBEAT/);
});

test("demo: beside the product, every port is the product's and 10000 more, on loopback", () => {
  const all = { ...demo.services, ...product.services };
  const published = Object.values(all).filter(({ profiles }) => profiles?.includes('all') ?? true);
  let ports = 0;
  for (const text of published.flatMap((service) => service.ports ?? [])) {
    const [, port = '', inside = ''] = /^127\.0\.0\.1:(\d+):(\d+)$/.exec(text) ?? [];
    assert.equal(Number(port), Number(inside) + 10_000, text);
    ports += 1;
  }
  assert.equal(ports, 5);
});

const covered = (name: string) =>
  (demo.services[name]?.volumes ?? []).map((volume) => volume.split(':')[1]);

test('demo: what the product mounts of this machine, secrets and agents, is covered by nothing', () => {
  for (const [name, { profiles, volumes = [] }] of Object.entries(product.services)) {
    if (!profiles?.includes('all')) continue;
    const own = volumes.filter((volume) => /^\.\/(?:secrets|targets)/.test(volume));
    assert.deepEqual(new Set(covered(name)), new Set(own.map((volume) => volume.split(':')[1])));
  }
  for (const volume of Object.values(demo.services).flatMap((one) => one.volumes ?? [])) {
    assert.match(volume, /^\.\/deploy\/demo\/none:.*:ro$/);
  }
  assert.deepEqual(readdirSync('deploy/demo/none'), ['README.md']);
});

test('demo: a Redis that can be stopped, by a button that sees nothing else', () => {
  const { redis, demo: button, ...others } = demo.services;
  const { environment: toThePage } = others['alertmanager'] ?? {};
  assert.deepEqual(toThePage, { SLACK_WEBHOOK_URL: 'http://demo:10191/inbox' });
  for (const [name, service] of Object.entries(others)) {
    const keys = name === 'alertmanager' ? ['environment', 'volumes'] : ['volumes'];
    assert.deepEqual(Object.keys(service), keys, name);
  }
  const bounded = {
    restart: 'unless-stopped',
    cap_drop: ['ALL'],
    security_opt: ['no-new-privileges:true'],
    logging: product.services['exporter']?.['logging'],
    user: '999:999',
    read_only: true,
    mem_limit: '128m',
    pids_limit: 50,
  };
  assert.deepEqual(redis, {
    ...bounded,
    image: 'redis:7.2.5-bookworm',
    // A process 1 cannot be stopped from inside its namespace: a shell is it. No health check.
    entrypoint: ['/bin/sh', '-c'],
    command: [
      'trap "kill $!" TERM; redis-server --protected-mode no --save "" --appendonly no --maxmemory 64mb & wait',
    ],
    tmpfs: ['/data:mode=1777,size=1m'],
  });
  const { test: command, ...times } = button?.healthcheck ?? {};
  const { test: _, ...usual } = product.services['grafana']?.healthcheck ?? {};
  assert.deepEqual(times, usual);
  assert.match(command?.join(' ') ?? '', /^CMD node -e fetch\('http:\/\/127\.0\.0\.1:10191\/'\)/);
  const { healthcheck: __, environment, ...rest } = button ?? {};
  assert.deepEqual(rest, {
    ...bounded,
    image: `stealwatch-demo:${version}`,
    build: { context: '.', dockerfile: 'exporter/Dockerfile', target: 'demo' },
    pid: 'service:redis',
    ports: [`${env['DEMO_PORT']}:10191`],
    depends_on: ['redis'],
  });
  assert.equal(environment?.['REDIS_HOST'], 'redis');
});

/** A `docker` that says how it was called. */
function called(t: TestContext, args: readonly string[], shell: Record<string, string> = {}) {
  const directory = mkdtempSync(join(tmpdir(), 'stealwatch-demo-'));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  const docker = join(directory, 'docker');
  writeFileSync(docker, '#!/bin/sh\necho "$*"\nenv\n');
  chmodSync(docker, 0o755);
  const path = `${directory}:${process.env['PATH']}`;
  const out = execFileSync('sh', ['deploy/demo/run.sh', ...args], {
    env: { PATH: path, ...shell },
    encoding: 'utf8',
  });
  const [line = '', ...variables] = out.split('\n');
  return { line, variables, out };
}

test('demo: run.sh starts it, ends it with its volumes, and knows no setting of this shell', (t) => {
  const before =
    'compose -p stealwatch-demo --env-file deploy/demo/env -f docker-compose.yml -f deploy/demo/compose.yml';
  const shell = {
    DISCORD_WEBHOOK_URL: 'https://mine',
    COMPOSE_FILE: 'mine.yml',
    COMPOSE_PROFILES: 'watch',
    GRAFANA_PORT: '3000',
    DOCKER_HOST: 'unix:///mine',
  };
  const { line, variables, out } = called(t, [], shell);
  assert.equal(line, `${before} up -d --build --wait`);
  assert.deepEqual(
    Object.entries(shell).filter(([name, value]) => variables.includes(`${name}=${value}`)),
    [['DOCKER_HOST', 'unix:///mine']],
  );
  for (const name of ['DEMO_PORT', 'EXPORTER_PORT', 'PROMETHEUS_PORT', 'GRAFANA_PORT']) {
    assert.ok(out.includes(`http://${env[name]}`), `it does not say where ${name} is`);
  }
  assert.equal(called(t, ['down']).line, `${before} down -v --remove-orphans --timeout 5`);
  assert.equal(called(t, ['logs', '--tail', '3']).line, `${before} logs --tail 3`);
});

test('demo: the file of the product knows nothing of it', () => {
  assert.doesNotMatch(readFileSync('docker-compose.yml', 'utf8'), /\[.*demo.*\]|^ {2}demo:/m);
  assert.ok(!('redis' in composeFile().services));
});
