/** The options of the doctor, and the command around it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fixtureTree } from '../../tools/rig/fixture-tree.ts';
import { doctor } from './command.ts';
import { withUnitEnvironment } from './environment.ts';
import { readDoctorOptions } from './options.ts';

function optionsOf(argv: readonly string[], env: Record<string, string> = {}) {
  const command = readDoctorOptions(argv, env);
  if (command.kind !== 'examine') throw new Error(JSON.stringify(command));
  return command.options;
}

test('doctor options: those of the exporter beside it, from its environment', () => {
  const options = optionsOf([], {
    REDIS_URL: 'redis://:s3cret@10.0.0.1:6380',
    STEALWATCH_LISTEN: '0.0.0.0:9999',
    STEALWATCH_CANARY: 'what the doctor does not ask for cannot be wrong',
    STEALWATCH_REDIS_SENTINEL_PASSWORD: 'p',
  });
  assert.equal(options.redis.password, 's3cret');
  assert.equal(options.exporter.url.href, 'http://127.0.0.1:9999/');
  assert.equal(options.alertmanager, undefined);
  assert.deepEqual(
    [options.root, options.procfs, options.sysfs, options.kmsg],
    ['/', '/proc', '/sys', '/dev/kmsg'],
  );
});

test('doctor options: a root holds what is not named, and what is named stays', () => {
  const { root, procfs, sysfs, kmsg } = optionsOf(['--root', '/host', '--sysfs', '/sys2'], {
    STEALWATCH_PROCFS: '/host/proc2',
  });
  assert.deepEqual(
    [root, procfs, sysfs, kmsg],
    ['/host', '/host/proc2', '/sys2', '/host/dev/kmsg'],
  );
});

test('doctor options: where the exporter is', () => {
  for (const [listen, url] of [
    ['127.0.0.1:10190', 'http://127.0.0.1:10190/'],
    ['[::]:1', 'http://[::1]:1/'],
    ['[fe80::1]:1', 'http://[fe80::1]:1/'],
    [':7', 'http://127.0.0.1:7/'],
  ] as const) {
    assert.equal(optionsOf(['--listen', listen]).exporter.url.href, url);
  }
  const named = optionsOf(['--exporter', 'https://u:p@h:1/'], { STEALWATCH_EXPORTER_TOKEN: 'T' });
  assert.equal(named.exporter.url.href, 'https://u:p@h:1/');
  assert.equal(named.exporter.token, 'T');
});

async function run(argv: readonly string[], env: Record<string, string> = {}) {
  const [printed, complained]: [string[], string[]] = [[], []];
  const code = await doctor({
    argv,
    env,
    print: (text) => void printed.push(text),
    complain: (text) => void complained.push(text),
  });
  return { code, printed: printed.join(''), complained: complained.join('') };
}

test('doctor options: the file of the unit says what the environment does not', (t) => {
  const root = fixtureTree(t, {
    file: '# ours\nREDIS_URL=redis://one\nSTEALWATCH_LISTEN="127.0.0.1:7"\nSTEALWATCH_EXPORTER_TOKEN=\n',
    big: 'x'.repeat(2e6),
  });
  const { env, problem } = withUnitEnvironment({ REDIS_URL: 'redis://two' }, `${root}/file`);
  assert.equal(problem, undefined);
  const options = optionsOf([], { ...(env as Record<string, string>) });
  assert.equal(options.redis.host, 'two');
  assert.equal(options.exporter.url.port, '7');
  assert.equal(options.exporter.token, undefined);
  for (const path of ['none', 'file/none']) {
    assert.deepEqual(withUnitEnvironment({ a: 'b' }, `${root}/${path}`), { env: { a: 'b' } });
  }
  for (const [path, why] of [
    ['big', 'it is larger than 1 MiB'],
    ['', 'it is no regular file'],
  ]) {
    const { problem: said } = withUnitEnvironment({}, `${root}/${path}`);
    assert.ok(said?.endsWith(`cannot be read (${why})`), said);
  }
});

test('doctor: wrong options end with 3, all named at once, and no secret with them', async () => {
  const { code, printed, complained } = await run(
    [
      '--exporter',
      'hunter2',
      '--root',
      'host',
      '--jsn',
      'x',
      '--redis-tls-cert-file',
      '/etc/hostname',
    ],
    { STEALWATCH_ALERTMANAGER_URL: 'ftp://hunter2' },
  );
  assert.equal(code, 3);
  assert.equal(printed, '');
  for (const said of [
    /--exporter: expected a URL that starts with http/,
    /STEALWATCH_ALERTMANAGER_URL: expected a URL/,
    /--root: expected an absolute path; got "host"/,
    /--jsn: no such option/,
    /expected both or neither/,
  ]) {
    assert.match(complained, said);
  }
  assert.doesNotMatch(complained, /hunter2/);
});

test('doctor: help names every option, also where a file of a secret is missing', async () => {
  const { code, printed } = await run(['--help'], { REDIS_URL_FILE: '/nowhere/at/all' });
  assert.equal(code, 0);
  for (const flag of ['root', 'exporter', 'exporter-token', 'alertmanager', 'json', 'redis-url']) {
    assert.match(printed, new RegExp(`^ {2}--${flag}\\b`, 'm'));
  }
});

test('doctor: a screen for people, JSON for machines, the same results', async (t) => {
  const root = fixtureTree(t, { 'etc/x': '' });
  const env = { REDIS_URL: 'redis://127.0.0.1:1', STEALWATCH_LISTEN: '127.0.0.1:1' };
  const screen = await run(['--root', root], env);
  const json = await run(['--root', root, '--json'], env);
  assert.equal(screen.code, 2);
  assert.equal(json.code, 2);
  assert.equal(screen.complained + json.complained, '');
  assert.match(screen.printed, /^FAIL {2}Redis answers: .*ECONNREFUSED/m);
  const { schema, exitCode, results } = JSON.parse(json.printed) as Record<string, unknown>;
  assert.equal(schema, 1);
  assert.equal(exitCode, 2);
  assert.ok(Array.isArray(results) && results.length > 30);
});
