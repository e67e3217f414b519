import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { hanging, serve } from '../../tools/rig/app-server.ts';
import type { EvidenceSource } from '../evidence/evidence.ts';
import type { Access } from './access/access.ts';

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
    const { get } = await start(t, 10, access);
    assert.equal((await get('/evidence')).status, 200);
    for (const name of ['X-Forwarded-For', 'Forwarded', 'X-Real-IP', 'Via']) {
      const refused = await get('/evidence', { [name]: '1.1 proxy' });
      assert.equal(refused.status, 403, name);
      assert.match(refused.body.toString(), /--web-config-file/);
      assert.equal(refused.headers.etag, undefined);
    }
  }
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
