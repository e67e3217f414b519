/** Each answer is counted once, under the code that was sent; what was not answered is not. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { test, type TestContext } from 'node:test';
import { type Collector, single } from '../core/collector.ts';
import { healthy, level, serve } from '../../tools/rig/app-server.ts';
import { until } from '../../tools/rig/redis-server.ts';

type Served = Awaited<ReturnType<typeof serve>>;

/** What was counted, without the pairs that are there from the start. */
const counted = ({ requests }: Served) =>
  requests
    .counts()
    .filter(({ count }) => count > 0)
    .map(({ path, code, count }) => `${path} ${code} ${count}`);

/** Sends it as it is; all that comes until the other side closes. */
async function send(t: TestContext, { port }: Served, text: string): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  let answer = '';
  t.after(() => socket.destroy());
  socket.on('data', (chunk: Buffer) => (answer += chunk.toString()));
  socket.on('error', () => undefined);
  socket.write(text);
  await once(socket, 'close');
  return answer;
}

const failing = (error: unknown): Collector => ({
  ...healthy,
  report() {
    throw error;
  },
});

test('counted: a handler that throws is 500, to its client, in the count and once in the log', async (t) => {
  for (const error of [
    new Error('secret cause'),
    Object.assign(new Error('secret cause'), { code: 'ENOENT' }),
    Object.assign(new Error('secret cause'), { code: 'ECONNREFUSED' }),
    Object.assign(new Error('secret cause'), { status: 404, expose: true }),
    'secret cause',
  ]) {
    const served = await serve(t, [failing(error)]);
    for (const [i, path] of ['/status', '/', '/metrics'].entries()) {
      const { status, headers, body } = await served.get(path, { 'accept-encoding': 'gzip' });
      assert.equal(status, 500, path);
      assert.equal(body.toString(), 'internal error; the log says why\n');
      assert.equal(headers['content-encoding'], undefined);
      assert.equal(headers['x-content-type-options'], 'nosniff');
      assert.equal(served.changes.length, i + 1);
    }
    assert.deepEqual(
      served.changes.map((line) => line.split(':')[0]),
      ['/status', '/', '/metrics'],
    );
    assert.deepEqual(counted(served), ['/status 500 1', '/ 500 1', '/metrics 500 1']);
  }
});

test('counted: HEAD, other methods, unknown paths, no such target', async (t) => {
  const served = await serve(t, [healthy]);
  await served.get('/metrics', {}, 'HEAD');
  await served.get('/metrics', { 'if-none-match': '*' });
  await served.get('/status', {}, 'DELETE');
  await served.get('/probe?target=x');
  await served.get('/x', {}, 'OPTIONS');
  await served.get('/livez', {}, 'OPTIONS');
  assert.deepEqual(counted(served).sort(), [
    '/livez 200 1',
    '/metrics 200 2',
    '/probe 404 1',
    '/status 405 1',
    'other 404 1',
  ]);
});

test('counted: what is refused before it is a request, as it was sent', async (t) => {
  const head = 'GET /metrics HTTP/1.1\r\n';
  const close = 'Host: x\r\nConnection: close\r\n';
  const refused: readonly (readonly [string, string])[] = [
    [`${head}${close}X: ${'x'.repeat(9000)}\r\n\r\n`, '431'],
    ['no HTTP at all\r\n\r\n', '400'],
    [`${head}Connection: close\r\n\r\n`, '400'],
    [`GET [ HTTP/1.1\r\n${close}\r\n`, '400'],
    [`${head}${close}Transfer-Encoding: xchunked\r\n\r\n`, '400'],
    [`${head}${close}Expect: a miracle\r\n\r\n`, '417'],
  ];
  for (const [text, code] of refused) {
    const served = await serve(t, [healthy]);
    const answer = await send(t, served, text);
    assert.ok(answer.startsWith(`HTTP/1.1 ${code} `), `${text.slice(0, 60)}: ${answer}`);
    assert.equal(answer.split('HTTP/1.1 ').length, 2, 'one answer');
    const read = text.startsWith(`${head}Connection`) || /^(Transfer|Expect)/m.test(text);
    const path = read ? '/metrics' : 'other';
    assert.deepEqual(counted(served), [`${path} ${code} 1`]);
  }
  const old = await serve(t, [healthy]);
  assert.match(await send(t, old, 'GET /livez HTTP/1.0\r\n\r\n'), /^HTTP\/1\.1 200 /);
});

test('counted: who goes away before the answer had none', async (t) => {
  const answer = Promise.withResolvers<void>();
  let asked = 0;
  const slow: Collector = {
    ...healthy,
    async collect() {
      asked += 1;
      await answer.promise;
      return [single(level, 1)];
    },
  };
  const served = await serve(t, [slow]);
  const socket = connect(served.port, '127.0.0.1');
  socket.write('GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n');
  await until('it is asked', () => asked === 1);
  socket.destroy();
  await once(socket, 'close');
  answer.resolve();
  await served.get('/metrics');
  assert.deepEqual(counted(served), ['/metrics 200 1']);
  assert.deepEqual(served.changes, []);
});
