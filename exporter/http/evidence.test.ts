import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import type { OutgoingHttpHeaders } from 'node:http';
import { connect } from 'node:net';
import { test, type TestContext } from 'node:test';
import { promisify } from 'node:util';
import { gunzipSync } from 'node:zlib';
import { hanging, serve } from '../../tools/rig/app-server.ts';
import type { EvidenceSource } from '../evidence/evidence.ts';
import type { Access } from './access/access.ts';
import { mayAsk, namesLoopback } from './on-this-machine.ts';

function recorder(length = 100) {
  let generation = 1;
  let made = 0;
  const evidence: EvidenceSource = {
    tag: () => `7-${generation}`,
    text() {
      made += 1;
      return JSON.stringify({ generation, filler: 'x'.repeat(length) });
    },
    incidents: () => [],
  };
  return { evidence, next: () => (generation += 1), made: () => made };
}

const known = (identifies: boolean): Access => ({
  tls: undefined,
  identifies: () => identifies,
  headers: () => ({}),
  authenticator: {
    challenge: () => '',
    replace: () => undefined,
    check: () => 'allowed',
  },
});

const start = async (t: TestContext, length?: number, access?: Access) => {
  const flight = recorder(length);
  const more = access === undefined ? {} : { access };
  const server = await serve(t, [hanging], { evidence: flight.evidence, ...more });
  return { ...flight, ...server };
};

test('GET /evidence: from memory while every source hangs, plain or compressed', async (t) => {
  const { get, evidence } = await start(t);
  const plain = await get('/evidence');
  assert.equal(plain.status, 200);
  assert.equal(plain.headers['content-type'], 'application/json; charset=utf-8');
  assert.equal(plain.body.toString(), evidence.text());
  const zipped = await get('/evidence', { 'Accept-Encoding': 'gzip' });
  assert.equal(zipped.headers['content-encoding'], 'gzip');
  assert.equal(gunzipSync(zipped.body).toString(), evidence.text());
});

test('GET /evidence: who has the answer already is told so, until there is another', async (t) => {
  const { get, next, made } = await start(t);
  const etag = (await get('/evidence')).headers.etag;
  assert.equal(etag, 'W/"7-1"');
  const before = made();
  for (const header of [etag, `"x", ${etag}`, '*', '"7-1"']) {
    const again = await get('/evidence', { 'If-None-Match': header });
    assert.deepEqual([again.status, again.body.length], [304, 0], header);
  }
  assert.equal(made(), before, 'nothing is written for it');
  next();
  const changed = await get('/evidence', { 'If-None-Match': etag });
  assert.deepEqual([changed.status, changed.headers.etag], [200, 'W/"7-2"']);
});

test('GET /evidence: a large answer comes whole, to many at once, and is made once for them', async (t) => {
  const { get, made } = await start(t, 256 * 1024);
  const answers = await Promise.all(Array.from({ length: 10 }, async () => get('/evidence')));
  for (const { status, body, headers } of answers) {
    assert.equal(status, 200);
    assert.equal(body.length, Number(headers['content-length']));
    assert.equal((JSON.parse(body.toString()) as { generation: number }).generation, 1);
  }
  assert.equal(made(), 1);
  for (let i = 0; i < 10; i += 1) await get('/evidence');
  assert.equal(made(), 1, 'nor for those who come one after the other');
});

test('GET /evidence: without credentials for this machine alone, and not through a proxy on it', async (t) => {
  for (const access of [undefined, known(false)]) {
    const { get, port } = await start(t, 10, access);
    assert.equal((await get('/evidence')).status, 200);
    const refused = async (headers: OutgoingHttpHeaders) => {
      const { status, body, headers: said } = await get('/evidence', headers);
      assert.equal(status, 403, JSON.stringify(headers));
      assert.equal(said.etag, undefined);
      assert.match(body.toString(), /--web-config-file/);
      assert.ok(body.toString().includes(`http://127.0.0.1:${port}/evidence`), body.toString());
    };
    const ofProxies = ['X-Forwarded-For', 'Forwarded', 'X-Real-IP', 'Via', 'X-Forwarded-Proto'];
    for (const name of [...ofProxies, 'X-Envoy-External-Address', 'CF-Connecting-IP']) {
      await refused({ [name]: '1.1 proxy' });
      await refused({ [name]: '' });
    }
    for (const origin of ['http://evil.example', 'null', `http://127.0.0.1:${port}`, '']) {
      await refused({ Origin: origin });
    }
    const strangers = ['evil.example', '127.evil.example', '127.0.0.1.evil.example', 'localhost.x'];
    for (const host of [...strangers, '10.0.0.7', '[::2]', '128.0.0.1', '0.0.0.0', '2130706433']) {
      await refused({ Host: `${host}:${port}` });
    }
    // Another port, none, and what is no host.
    for (const host of [`127.0.0.1:${port - 1}`, '127.0.0.1', 'localhost', ':', `:${port}`]) {
      await refused({ Host: host });
    }
  }
});

test('the page leads to the evidence only whom it answers, and everybody to the report', async (t) => {
  const cause = { name: 'x', text: 'X.' };
  const one = { id: 'x', began: 0, seconds: 9, open: false, met: ['x'], cause };
  for (const [access, link] of [
    [known(true), true],
    [known(false), false],
    [undefined, false],
  ] as const) {
    const evidence = { ...recorder().evidence, incidents: () => [one] };
    const { get } = await serve(t, [], { evidence, ...(access === undefined ? {} : { access }) });
    const page = (await get('/', { Accept: 'text/html' })).body.toString();
    assert.equal(page.includes('href="evidence"'), link);
    assert.ok(page.includes('stealwatch report'));
  }
});

test('GET /evidence: by each name that is nobody but this machine', async (t) => {
  const { get, port } = await start(t, 10);
  for (const host of ['127.0.0.1', '127.8.9.10', 'localhost', 'LOCALHOST', '[::1]', '[0:0::1]']) {
    assert.equal((await get('/evidence', { Host: `${host}:${port}` })).status, 200, host);
  }
  assert.ok(namesLoopback('localhost', 80, 80));
  assert.ok(!namesLoopback('localhost', 10_190, 80));
  assert.ok(!namesLoopback(undefined, 80, 80));
});

/** The code of what is sent as it stands, by a client that knows no better. */
async function codeOf(port: number, ...lines: readonly string[]): Promise<string | undefined> {
  const socket = connect(port, '127.0.0.1');
  socket.end(`${lines.join('\r\n')}\r\nConnection: close\r\n\r\n`);
  const chunks: Buffer[] = [];
  for await (const chunk of socket) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('latin1').split(' ')[1];
}

test('GET /evidence: as proxies ask that add nothing', async (t) => {
  const { port } = await start(t, 10);
  const host = `Host: 127.0.0.1:${port}`;
  const code = (...lines: readonly string[]) => codeOf(port, ...lines);
  assert.equal(await code('GET /evidence HTTP/1.1', host), '200');
  // proxy_pass of nginx, to an address and to an upstream of a name.
  assert.equal(await code('GET /evidence HTTP/1.0', host), '403');
  assert.equal(await code('GET /evidence HTTP/1.0', 'Host: exporter'), '403');
  assert.equal(await code('GET /evidence HTTP/1.0'), '403');
  assert.equal(await code('GET /evidence HTTP/1.1', 'Host:'), '403');
  // The target says whom, whatever Host says.
  const evil = 'GET http://evil.example/evidence HTTP/1.1';
  assert.equal(await code(evil, host), '403');
  assert.equal(await code(`GET http://localhost:${port}/evidence HTTP/1.1`, host), '200');
  for (const second of ['Host: evil.example', host]) {
    assert.equal(await code('GET /evidence HTTP/1.1', host, second), '403', second);
  }
  assert.equal(await code('GET /evidence HTTP/1.1', 'Host: evil.example', host), '403');
});

const another = 33;
const isRoot = process.getuid?.() === 0;

test(
  'GET /evidence: a proxy that asks as a client would is another user, and refused',
  { skip: isRoot ? false : 'needs root, to be somebody else' },
  async (t) => {
    const { port } = await start(t, 10);
    const ask = `exec 3<>/dev/tcp/127.0.0.1/${port}; printf 'GET /evidence HTTP/1.1\\r\\nHost: 127.0.0.1:${port}\\r\\nConnection: close\\r\\n\\r\\n' >&3; cat <&3`;
    const codeAs = async (uid: number) => {
      const { stdout } = await promisify(execFile)('bash', ['-c', ask], { uid, gid: uid });
      return stdout.split(' ')[1];
    };
    assert.equal(await codeAs(0), '200');
    assert.equal(await codeAs(another), '403');
  },
);

test('GET /evidence: the superuser and our own user may ask, nobody else and not nobody', () => {
  assert.ok(mayAsk(0, 998) && mayAsk(0, undefined) && mayAsk(998, 998));
  assert.ok(!mayAsk(33, 998) && !mayAsk(undefined, undefined) && !mayAsk(undefined, 998));
  assert.ok(!mayAsk(65_534, 65_534));
});

test('GET /evidence: whoever has shown who they are reads it from anywhere', async (t) => {
  const { get } = await start(t, 10, known(true));
  assert.equal((await get('/evidence', { Via: '1.1 proxy' })).status, 200);
});

test('GET /evidence: is counted by its path', async (t) => {
  const { get, requests } = await start(t);
  await get('/evidence');
  await get('/livez');
  const counted = requests.counts().find(({ path }) => path === '/evidence');
  assert.deepEqual(counted, { path: '/evidence', code: '200', count: 1 });
});
