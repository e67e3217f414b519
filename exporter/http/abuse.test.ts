/**
 * What strangers do to a port on the Internet, done to the exporter as it ships. After and during
 * each of them a scrape with the right credentials is answered.
 */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { get } from 'node:http';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test, type TestContext } from 'node:test';
import { type ExporterProcess, startExporter } from '../../tools/rig/exporter-process.ts';
import { until } from '../../tools/rig/redis-server.ts';
import { stopwatch } from '../../tools/rig/waited.ts';

/** For a scrape: short against Prometheus' 10 s. Whoever guesses passwords may wait. */
const patienceMs = 5000;
/** The process is 60 MB; a leak of 50 kB a connection would show. */
const mostGrowthBytes = 40e6;

const token = 'correct-token';
/** bcrypt of "correct-horse", cost 10: what htpasswd -B -C 10 writes. */
const hash = '$2y$10$abcdefghijklmnopqrstuuf4yQswfQRuOxajohDXdzREFVDuc.Vdy';

let exporter: ExporterProcess;
const ends: (() => void | Promise<void>)[] = [];

before(async () => {
  const directory = mkdtempSync(join(tmpdir(), 'stealwatch-abuse-'));
  ends.push(() => rmSync(directory, { recursive: true, force: true }));
  const file = join(directory, 'web.yml');
  const digest = createHash('sha256').update(token).digest('hex');
  writeFileSync(file, `{basic_auth_users: {alice: "${hash}"}, bearer_tokens: {w: ${digest}}}`);
  exporter = await startExporter({ after: (end) => ends.push(end) }, ['--web-config-file', file]);
});

after(async () => {
  for (const end of ends.reverse()) await end();
});

interface Answer {
  readonly status: number | undefined;
  readonly body: string;
}

function ask(path: string, authorization: string, timeoutMs = 60_000): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const options = { headers: { authorization }, agent: false, timeout: timeoutMs };
    const sent = get(`${exporter.url}${path}`, options, (response) => {
      let body = '';
      response.on('data', (chunk: Buffer) => (body += chunk.toString()));
      response.on('end', () => resolve({ status: response.statusCode, body }));
    });
    sent.on('timeout', () => sent.destroy(new Error(`no answer to ${path} in ${timeoutMs} ms`)));
    sent.on('error', reject);
  });
}

async function scrapes(why: string): Promise<void> {
  const watch = stopwatch([exporter.pid]);
  const { status, body } = await ask('/metrics', `Bearer ${token}`);
  watch.within(patienceMs, `a scrape ${why}`);
  assert.equal(status, 200, why);
  assert.match(body, /^stealwatch_build_info\{/m, why);
}

function open(t: TestContext, localAddress = '127.0.0.1'): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const to = { port: exporter.port, host: '127.0.0.1', localAddress };
    const socket = connect(to, () => resolve(socket));
    socket.on('error', reject);
    t.after(() => socket.destroy());
  });
}

/** Writes the text and resolves with all that comes until the other side closes. */
async function send(t: TestContext, text: string | Buffer): Promise<string> {
  const socket = await open(t);
  let answer = '';
  socket.on('data', (chunk: Buffer) => (answer += chunk.toString('latin1')));
  socket.on('error', () => undefined);
  socket.end(text);
  await new Promise((resolve) => socket.once('close', resolve));
  return answer;
}

const authorized = `Authorization: Bearer ${token}\r\nConnection: close\r\n`;

test('abuse: paths that climb, encode, or are no paths get 400 or 404', async (t) => {
  const paths = [
    '/../../../etc/passwd',
    '/..%2f..%2fetc%2fpasswd',
    '/%00',
    '/%',
    '/%ff%fe',
    '//metrics/../..',
    '/metrics%00',
    `/${'a/'.repeat(2000)}`,
    'http://evil.example/metrics2',
    'http://evil.example:99999999/x',
    'http://[/',
    'http://[::1/x',
    'HTTPS://a@[',
    '[',
    '/\u00a0http://[',
    '//[/#',
    '*',
    '/__proto__',
    '/constructor',
  ];
  for (const path of paths) {
    const answer = await send(t, `GET ${path} HTTP/1.1\r\nHost: x\r\n${authorized}\r\n`);
    assert.match(answer, /^HTTP\/1\.1 40[04] /, path);
    assert.doesNotMatch(answer, /root:|node_modules|at .*\.cjs/, path);
  }
  await scrapes('after bad paths');
  assert.doesNotMatch(exporter.log(), /Deprecation|request failed/);
});

test('abuse: what is no HTTP is closed, with 400 at most', async (t) => {
  const texts = [
    '\r\n\r\n\r\n',
    'GET\r\n\r\n',
    'SSH-2.0-OpenSSH_9.2\r\n',
    'GET /metrics HTTP/9.9\r\n\r\n',
    `POST /metrics HTTP/1.1\r\nHost: x\r\n${authorized}Content-Length: -1\r\n\r\n`,
    `POST /metrics HTTP/1.1\r\nHost: x\r\n${authorized}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
    `GET /metrics HTTP/1.1\r\nHost: x\r\nA\0B: c\r\n${authorized}\r\n`,
    Buffer.from('16030100c8010000c40303', 'hex'),
    Buffer.alloc(100_000, 0xff),
  ];
  for (const text of texts) assert.match(await send(t, text), /^(HTTP\/1\.1 400 |$)/);
  await scrapes('after garbage');
});

test('abuse: headers over 8 KiB, one or many, are refused', async (t) => {
  const one = `X: ${'x'.repeat(9000)}\r\n`;
  const many = Array.from({ length: 3000 }, (_, i) => `X${i}: 1\r\n`).join('');
  for (const headers of [one, many, `Authorization: Bearer ${'x'.repeat(20_000)}\r\n`]) {
    const answer = await send(t, `GET /metrics HTTP/1.1\r\nHost: x\r\n${headers}\r\n`);
    assert.match(answer, /^(HTTP\/1\.1 431 |$)/);
  }
  await scrapes('after huge headers');
});

test('abuse: a body nobody asked for is not read', async (t) => {
  const socket = await open(t);
  socket.on('error', () => undefined);
  const before = exporter.residentBytes();
  socket.write('POST /metrics HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000000\r\n\r\n');
  const chunk = Buffer.alloc(64 * 1024);
  for (let i = 0; i < 200 && socket.writable; i++) socket.write(chunk);
  await scrapes('while a body of 1 GB is sent');
  assert.ok(exporter.residentBytes() - before < mostGrowthBytes);
});

test('abuse: one byte a second does not hold a connection', async (t) => {
  const slow = await Promise.all(Array.from({ length: 50 }, () => open(t)));
  let closed = 0;
  for (const socket of slow) {
    socket.on('close', () => closed++);
    socket.on('error', () => undefined);
    socket.write('GET /metrics HTTP/1.1\r\nX-Slow: ');
  }
  const drip = setInterval(() => {
    for (const socket of slow) if (socket.writable) socket.write('x');
  }, 1000);
  t.after(() => clearInterval(drip));
  await scrapes('during a slowloris');
  await until('slow connections are closed', () => closed === slow.length, 30);
});

test('abuse: thousands of requests sent ahead and never read cost one answer a connection', async (t) => {
  const before = exporter.residentBytes();
  for (const headers of [authorized.replace('Connection: close\r\n', ''), '']) {
    const flood = Buffer.from(`GET / HTTP/1.1\r\nHost: x\r\n${headers}\r\n`.repeat(40_000));
    for (let i = 0; i < 20; i++) {
      const socket = await open(t);
      socket.on('error', () => undefined);
      socket.pause();
      socket.write(flood);
    }
    const watch = stopwatch();
    await ask('/livez', `Bearer ${token}`);
    watch.within(600, '/livez beside them');
    await scrapes('beside clients that do not read');
  }
  const grown = exporter.residentBytes() - before;
  assert.ok(grown < mostGrowthBytes, `${grown} bytes more`);
});

test('abuse: idle connections beyond the limit keep nobody out, and go', async (t) => {
  const idle: Socket[] = [];
  for (const end of [2, 3, 4, 5, 6, 7]) {
    for (let i = 0; i < 220; i++) idle.push(await open(t, `127.0.0.${end}`));
  }
  await scrapes('beside 1,320 idle connections');
  await until('the oldest are closed', () => idle.filter((s) => s.destroyed).length >= 300);
});

test('abuse: 1,000 idle connections cost little and stop nothing', async (t) => {
  const before = exporter.residentBytes();
  await Promise.all(Array.from({ length: 1000 }, () => open(t)));
  await scrapes('beside 1,000 idle connections');
  const grown = exporter.residentBytes() - before;
  t.diagnostic(`1,000 idle connections: ${(grown / 1e6).toFixed(1)} MB`);
  assert.ok(grown < mostGrowthBytes, `${grown} bytes more`);
});

test('abuse: wrong tokens, as many as come', async () => {
  const wrong = [
    '',
    'Bearer',
    'Bearer ',
    `Bearer ${token}x`,
    `Bearer ${token.slice(1)}`,
    `bearer${token}`,
    `Token ${token}`,
    'Basic',
    'Basic \u00ff',
    `Basic ${'A'.repeat(7000)}`,
  ];
  for (const authorization of wrong) {
    assert.equal((await ask('/metrics', authorization)).status, 401, authorization);
  }
  // Of one address no more at a time than are kept: of 500 some are closed for those that follow.
  for (const round of ['a', 'b', 'c']) {
    const flood = await Promise.all(
      Array.from({ length: 200 }, async (_, i) => ask('/metrics', `Bearer guess-${round}${i}`)),
    );
    assert.ok(flood.every(({ status }) => status === 401));
  }
  await scrapes('after 600 wrong tokens');
});

const basic = (user: string, password: string) =>
  `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;

test('abuse: guessing passwords neither stops scrapes nor keeps the right password out', async (t) => {
  const guessing = new AbortController();
  t.after(() => guessing.abort());
  let guesses = 0;
  let slowest = 0;
  const guessers = Array.from({ length: 8 }, async (_, id) => {
    while (!guessing.signal.aborted) {
      const { status } = await ask('/metrics', basic('admin', `${id}-${guesses++}`));
      assert.ok(status === 401 || status === 429, String(status));
    }
  });
  const cpuBefore = exporter.cpuSeconds();
  const began = performance.now();
  for (let i = 0; i < 20; i++) {
    const asked = performance.now();
    await scrapes('while passwords are guessed');
    slowest = Math.max(slowest, performance.now() - asked);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  const right = await ask('/metrics', basic('alice', 'correct-horse'));
  assert.equal(right.status, 200, 'the right password is let in');
  assert.equal((await ask('/metrics', basic('alice', 'correct-horse'))).status, 200);
  const seconds = (performance.now() - began) / 1000;
  const cores = (exporter.cpuSeconds() - cpuBefore) / seconds;
  guessing.abort();
  await Promise.all(guessers);
  t.diagnostic(
    `${guesses} guesses in ${seconds.toFixed(1)} s, slowest scrape ${slowest.toFixed(0)} ms, ${cores.toFixed(2)} cores`,
  );
});
