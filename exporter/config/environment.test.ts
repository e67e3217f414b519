import assert from 'node:assert/strict';
import { globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { trustProblems, unknownVariables } from './environment.ts';
import { nearest } from './near.ts';
import { readConfig } from './read.ts';
import { settings } from './settings.ts';

const of = (env: Record<string, string>) => unknownVariables(env, settings);

const misspelled: Readonly<Record<string, string>> = {
  STEALWATCH_REDIS_ULR: 'STEALWATCH_REDIS_URL',
  STEALWATCH_REDISURL: 'STEALWATCH_REDIS_URL',
  STEALWATCH_REDIS: 'STEALWATCH_REDIS_URL',
  stealwatch_redis_url: 'STEALWATCH_REDIS_URL',
  STEALWATCH_REDIS_URL_FIEL: 'STEALWATCH_REDIS_URL_FILE',
  STEALWATCH_LISEN: 'STEALWATCH_LISTEN',
  STEALWATCH_LISTEN_FILE: 'STEALWATCH_LISTEN',
  STEALWATCH_WEB_CONFIG: 'STEALWATCH_WEB_CONFIG_FILE',
  STEALWATCH_LOGLEVEL: 'STEALWATCH_LOG_LEVEL',
  STEALWATCH_APP: 'STEALWATCH_APPS',
  STEALWATCH_HEARTBEAT: 'STEALWATCH_HEARTBEAT_URL',
};

test('environment: a misspelled variable is refused, and what was meant is named', () => {
  for (const [name, meant] of Object.entries(misspelled)) {
    const { problems, remarks } = of({ [name]: 'redis://:s3cret@h' });
    assert.deepEqual(problems, [`${name}: no such setting; is ${meant} meant?`]);
    assert.deepEqual(remarks, []);
    assert.deepEqual(of({ [name]: '' }).problems, [], 'set to nothing is not set');
  }
});

test('environment: what is near to no setting is told and starts all the same', () => {
  const { problems, remarks } = of({
    STEALWATCH_PORT: '10190',
    [`STEALWATCH_${'A'.repeat(9e3)}`]: 'x',
  });
  assert.deepEqual(problems, []);
  assert.deepEqual(remarks, [
    'STEALWATCH_PORT is set and means nothing to this version',
    'STEALWATCH_... (not shown) is set and means nothing to this version',
  ]);
});

test('environment: what Kubernetes, links of Docker and programs beside ours set is no mistake', () => {
  const env = {
    STEALWATCH_SERVICE_HOST: '10.96.0.7',
    STEALWATCH_SERVICE_PORT_HTTP: '10190',
    STEALWATCH_PORT: 'tcp://10.96.0.7:10190',
    STEALWATCH_PORT_10190_TCP: 'tcp://10.96.0.7:10190',
    STEALWATCH_PORT_10190_TCP_ADDR: '10.96.0.7',
    STEALWATCH_APP_SERVICE_PORT: '80',
    STEALWATCH_DASHBOARDS_PATH: '/d',
    STEALWATCH_EXPORTER_TOKEN: 't',
    OTHERS_REDIS_ULR: 'x',
  };
  assert.deepEqual(of(env), { problems: [], remarks: [] });
});

test('environment: every variable that this project reads is known', () => {
  const read = globSync('exporter/**/*.ts')
    .filter((path) => !path.endsWith('.test.ts'))
    .flatMap((path) => readFileSync(path, 'utf8').match(/'STEALWATCH_[A-Z_]+'/g) ?? [])
    .map((quoted) => quoted.slice(1, -1));
  assert.ok(read.length > 40);
  for (const name of read) {
    assert.deepEqual(of({ [name]: 'x' }), { problems: [], remarks: [] }, name);
  }
});

test('config: a misspelled variable or option is one more problem, all are listed', () => {
  const command = readConfig({
    argv: ['--redis-ulr=x', '--frobnicate', '--canary', '32'],
    env: { STEALWATCH_LISEN: ':1', NODE_EXTRA_CA_CERTS: '/nonexistent' },
    version: 'test',
    collectors: [],
  });
  assert.ok(command.kind === 'invalid');
  assert.deepEqual(command.problems, [
    '--redis-ulr: no such option; is --redis-url meant?',
    '--frobnicate: no such option; --help lists them',
    '--canary: expected its value behind a =, --canary=MiB',
    'STEALWATCH_LISEN: no such setting; is STEALWATCH_LISTEN meant?',
    'NODE_EXTRA_CA_CERTS: expected a file with certificates in PEM, and cannot read it (ENOENT)',
  ]);
});

test('environment: NODE_EXTRA_CA_CERTS, of which Node takes anything without a word', (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'stealwatch-ca-'));
  t.after(() => rmSync(directory, { recursive: true }));
  const file = join(directory, 'ca.pem');
  const problems = (text: string) => {
    writeFileSync(file, text);
    return trustProblems({ NODE_EXTRA_CA_CERTS: file });
  };
  assert.deepEqual(problems('# mine\n-----BEGIN CERTIFICATE-----\nMIIB\n'), []);
  for (const text of ['', 'hello', '-----BEGIN PRIVATE KEY-----\n']) {
    assert.match(problems(text).join(), /^NODE_EXTRA_CA_CERTS: expected .* in PEM, found none$/);
  }
  assert.deepEqual([{}, { NODE_EXTRA_CA_CERTS: '' }].flatMap(trustProblems), []);
});

test('near: one mistake in four letters, and words that are missing; nothing further off', () => {
  const known = ['listen', 'redis-url', 'redis-url-file', 'app'];
  assert.equal(nearest('lisetn', known), 'listen');
  assert.equal(nearest('redis-rul', known), 'redis-url');
  assert.equal(nearest('REDIS-URL', known), 'redis-url');
  assert.equal(nearest('redis', known), 'redis-url');
  assert.equal(nearest('redis-url-files-here', known), 'redis-url');
  for (const far of ['', 'port', 'log-level', 'redisurlfilename', 'list', 'x'.repeat(5000)]) {
    assert.equal(nearest(far, known), undefined, far);
  }
});
