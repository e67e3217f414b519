/** The process as the sources run it: how it starts, refuses to start, and ends. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { test, type TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { freePort, until } from '../tools/rig/redis-server.ts';
import { placed, temporaryRoot } from '../tools/rig/temporary-root.ts';

const main = fileURLToPath(new URL('main.ts', import.meta.url));
/** Nothing that this machine has, so that nothing of it matters. */
const nothing = ['--procfs=/nonexistent', '--sysfs=/nonexistent', '--kmsg=/nonexistent'];

function start(
  t: TestContext,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
) {
  const child = spawn(process.execPath, [main, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env,
  });
  t.after(() => child.kill('SIGKILL'));
  const output = { stdout: '', stderr: '' };
  child.stdout.on('data', (chunk: Buffer) => (output.stdout += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (output.stderr += chunk.toString()));
  const ended = once(child, 'close').then(([code, signal]) => code ?? signal) as Promise<
    number | NodeJS.Signals
  >;
  return { child, output, ended };
}

test('main: --version prints and ends well', async (t) => {
  const { output, ended } = start(t, ['--version']);
  assert.equal(await ended, 0);
  assert.match(output.stdout, /^stealwatch \S+\n$/);
  assert.equal(output.stderr, '');
});

test('main: a wrong configuration is told with every problem, and ends with 2', async (t) => {
  const { output, ended } = start(t, ['--lisen', '--steal-threshold=2']);
  assert.equal(await ended, 2);
  assert.equal(output.stdout, '');
  assert.match(output.stderr, /^stealwatch cannot start:\n {2}\S.*\n {2}\S.*\n$/);
});

test('main: a file that is late ends it with 1, to be started again', async (t) => {
  const { output, ended } = start(t, [], { STEALWATCH_REDIS_URL_FILE: '/nonexistent/url' });
  assert.equal(await ended, 1);
  assert.match(output.stderr, /^stealwatch cannot start:\n {2}STEALWATCH_REDIS_URL_FILE: /);
});

test('main: --check-config says what would be done, without a secret, and ends with 0', async (t) => {
  const { output, ended } = start(
    t,
    [
      '--check-config',
      '--procfs=/proc',
      '--redis-url=redis://me:s3cret@[::1]:7000/3',
      '--listen=[::]:1',
      '--app=shop=https://me:s3cret@shop.example/s3cret?s3cret',
      '--target=db@vps1=redis+sentinel://:s3cret@a,b/main',
      '--heartbeat-url=https://hc.example/s3cret',
      '--canary=8',
      '--without=load',
    ],
    { STEALWATCH_FROBNICATE: 's3cret' },
  );
  assert.equal(await ended, 0);
  assert.deepEqual(output.stdout.split('\n  '), [
    'stealwatch would start:',
    'serves http://[::]:1, to everybody who reaches it',
    'watches redis://[::1]:7000/3',
    'reads this machine at /proc',
    'asks shop (https://shop.example)',
    'answers /probe for db@vps1 (redis+sentinel://a,b/main)',
    'beats to https://hc.example every 15 s',
    'keeps a canary of 8 MiB',
    'leaves out load',
    'STEALWATCH_FROBNICATE is set and means nothing to this version\n',
  ]);
});

test('main: --check-config ends with 2 for all that a start would not do, or would do in vain', async (t) => {
  const certificate = placed(temporaryRoot(t), 'own.crt', '-----BEGIN CERTIFICATE-----\n');
  for (const [args, problem] of [
    [['--procfs=/nonexistent'], '--procfs: expected the proc file system of a host, '],
    [['--sysfs=/nonexistent'], '--sysfs: expected the sys file system of a host, '],
    [['--kmsg=/nonexistent'], '--kmsg: expected the kernel log, /nonexistent is not there'],
    [['--evidence-dir=/tmp', '--agents=/nonexistent'], '--agents: expected the folder of '],
    [
      ['--redis-url=rediss://h', `--redis-tls-ca-file=${main}`],
      '--redis-tls-ca-file: expected a file with certificates in PEM, found none',
    ],
    [
      [
        '--redis-url=rediss://h',
        `--redis-tls-cert-file=${certificate}`,
        `--redis-tls-key-file=${certificate}`,
      ],
      '--redis-tls-key-file: expected a file with a private key in PEM, found none',
    ],
    [
      ['--evidence-dir=/tmp', '--agents=/tmp', `--agent-ca-file=${main}`],
      '--agent-ca-file: expected a file with certificates in PEM, found none',
    ],
    [
      ['--web-config-file=/nonexistent/web.yml'],
      '--web-config-file: /nonexistent/web.yml: cannot be read (ENOENT)',
    ],
    [['--listen=nowhere'], '--listen: expected HOST:PORT'],
  ] as const) {
    const { output, ended } = start(t, ['--check-config', ...args]);
    assert.equal(await ended, 2);
    assert.equal(output.stdout, '');
    assert.ok(output.stderr.startsWith(`stealwatch cannot start:\n  ${problem}`), output.stderr);
  }
});

test('main: what is wrong is named as it was set, by its variable', async (t) => {
  const key = placed(temporaryRoot(t), 'own.key', '-----BEGIN CERTIFICATE-----\n');
  for (const [env, said] of [
    [{ STEALWATCH_PROCFS: '/nonexistent' }, 'STEALWATCH_PROCFS: expected the proc file system'],
    [{ STEALWATCH_SYSFS: '/nonexistent' }, 'STEALWATCH_SYSFS: expected the sys file system'],
    [{ STEALWATCH_KMSG: '/nonexistent' }, 'STEALWATCH_KMSG: expected the kernel log'],
    [
      { STEALWATCH_EVIDENCE_DIR: '/tmp', STEALWATCH_AGENTS: '/nonexistent' },
      'STEALWATCH_AGENTS: expected the folder of ',
    ],
    [
      {
        REDIS_URL: 'rediss://h',
        STEALWATCH_REDIS_TLS_CERT_FILE: key,
        STEALWATCH_REDIS_TLS_KEY_FILE: key,
      },
      'STEALWATCH_REDIS_TLS_KEY_FILE: expected a file with a private key in PEM, found none',
    ],
    [
      { STEALWATCH_WEB_CONFIG_FILE: '/nonexistent/web.yml' },
      'STEALWATCH_WEB_CONFIG_FILE: /nonexistent/web.yml: cannot be read (ENOENT)',
    ],
  ] as const) {
    const { output, ended } = start(t, ['--check-config'], env);
    assert.equal(await ended, 2);
    assert.equal(output.stderr.split('\n')[1]?.slice(2, 2 + said.length), said);
    assert.doesNotMatch(output.stderr, / --[a-z]/);
  }
});

test('main: a port that is taken ends it with 1, though background clocks run', async (t) => {
  const taken = createServer();
  taken.listen(0, '127.0.0.1');
  await once(taken, 'listening');
  t.after(() => taken.close());
  const { port } = taken.address() as AddressInfo;
  const { output, ended } = start(t, [...nothing, `--listen=127.0.0.1:${port}`, '--canary=4']);
  assert.equal(await ended, 1);
  assert.match(output.stderr, new RegExp(`^stealwatch: --listen: .*EADDRINUSE.*${port}\\n$`));
  const byVariable = start(t, [...nothing], { STEALWATCH_LISTEN: `127.0.0.1:${port}` });
  assert.equal(await byVariable.ended, 1);
  assert.match(byVariable.output.stderr, /^stealwatch: STEALWATCH_LISTEN: .*EADDRINUSE/);
});

test('main: a web configuration that is not there ends it with 1 before it listens', async (t) => {
  const port = await freePort();
  const file = '/nonexistent/web.yml';
  const { output, ended } = start(t, [`--listen=127.0.0.1:${port}`, `--web-config-file=${file}`]);
  assert.equal(await ended, 1);
  assert.match(
    output.stderr,
    /^stealwatch: cannot start:\n {2}--web-config-file: \/nonexistent\/web\.yml: /,
  );
  assert.doesNotMatch(output.stdout, /listening/);
});

test('main: on a terminal it says beside the log where it listens, what it found and what is missing', async (t) => {
  const port = await freePort();
  const args = [...nothing, '--redis-url=redis://127.0.0.1:1', `--listen=0.0.0.0:${port}`];
  const command = [process.execPath, main, ...args].join(' ');
  const child = spawn('script', ['-qfec', `echo $$; exec ${command}`, '/dev/null'], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { PATH: process.env['PATH'] },
  });
  let output = '';
  // A terminal that goes is a SIGHUP, which is a reload: whoever started it there has to end it.
  t.after(() => {
    const [pid] = output.split('\r\n');
    if (/^\d+$/.test(pid ?? '')) process.kill(Number(pid), 'SIGKILL');
    child.kill('SIGKILL');
  });
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
  await until('it has said what is missing', () => output.includes('missing: '));
  const [, ...rest] = output.split('\r\n');
  const lines = rest.filter((line) => !line.startsWith('{'));
  assert.equal(lines[0], `stealwatch listens at http://127.0.0.1:${port}/`);
  assert.match(lines[1] ?? '', /^found: /);
  assert.match(lines[2] ?? '', /^missing: .*Nothing listens at redis:\/\/127\.0\.0\.1:1/);
  assert.match(output, /"msg":"listening"/);
});

for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  test(`main: ${signal} ends it with 0 and says so`, async (t) => {
    const port = await freePort();
    const { child, output, ended } = start(t, [...nothing, `--listen=127.0.0.1:${port}`]);
    await until('it listens', () => output.stdout.includes('"listening"'));
    assert.equal((await fetch(`http://127.0.0.1:${port}/livez`)).status, 200);
    child.kill(signal);
    assert.equal(await ended, 0);
    assert.match(output.stdout, new RegExp(`"signal":"${signal}".*"ending"`));
  });
}
