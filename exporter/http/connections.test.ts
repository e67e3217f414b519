import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type RequestListener, type ServerResponse } from 'node:http';
import { createServer as createTlsServer, Server as TlsServer } from 'node:https';
import { test } from 'node:test';
import { connect as connectTls } from 'node:tls';
import { createAuthority } from '../../tools/rig/certificates.ts';
import { until } from '../../tools/rig/redis-server.ts';
import {
  type Client,
  clientOn,
  serve,
  request,
  answerAt,
  turnOfTheLoop,
  answers,
} from '../../tools/rig/watched-server.ts';

test('connections: of requests sent ahead one is read and answered, then the connection is closed', async (t) => {
  const { open, begun, refused } = await serve(t, (_request, response) => {
    setTimeout(() => response.end('here'), 50);
  });
  const garbage = `${request}\0\0\r\n${request}`;
  for (const text of [request.repeat(20_000), `${request}\r\n${request}`, garbage]) {
    const before = begun();
    const client = await open();
    client.socket.write(text);
    await until('it is closed', client.closed);
    assert.equal(begun() - before, 1);
    assert.equal(answers(client), 1, 'the first is answered');
    assert.match(client.text(), /Connection: close/i);
  }
  assert.equal(refused(), 0, 'nothing was made of the second');
});

const answerSoon: RequestListener = (_request, response) => {
  setImmediate(() => response.end('here'));
};

test('connections: the same within TLS', async (t) => {
  const authority = createAuthority(t);
  const { cert, key } = authority.issue('server');
  const server = createTlsServer({ cert, key });
  const { port, begun, refused } = await serve(t, answerSoon, {}, server);
  const socket = connectTls({ port, host: '127.0.0.1', ca: authority.ca, servername: 'localhost' });
  const client = clientOn(t, socket);
  await once(socket, 'secureConnect');
  socket.write(request);
  await until('the first answer', () => answers(client) === 1);
  socket.write(request.repeat(2000));
  await until('it is closed', client.closed);
  assert.equal(answers(client), 2);
  assert.deepEqual([begun(), refused()], [2, 0]);
});

test('connections: a request that comes while the last of an answer is on its way is answered after it', async (t) => {
  const { open, begun } = await serve(t, (_request, response) => {
    // That it was sent is heard late, as within TLS.
    const emit = response.emit.bind(response);
    t.mock.method(response, 'emit', (name: string, ...rest: unknown[]) => {
      if (name !== 'close') return emit(name, ...rest);
      setTimeout(() => emit(name, ...rest), 100);
      return true;
    });
    response.end('here');
  });
  const client = await open();
  client.socket.write(request);
  await until('the first answer', () => answers(client) === 1);
  client.socket.write(request);
  await until('both answers', () => answers(client) === 2);
  assert.deepEqual([begun(), client.closed()], [2, false]);
});

test('connections: one request after the other, cut anywhere, keeps the connection', async (t) => {
  const { open, begun } = await serve(t, answerAt);
  const client = await open();
  client.socket.setNoDelay();
  for (let cut = 1; cut < request.length; cut++) {
    client.socket.write(request.slice(0, cut));
    await new Promise((resolve) => setTimeout(resolve, 2));
    client.socket.write(request.slice(cut));
    await until('an answer', () => answers(client) === cut);
  }
  assert.equal(begun(), request.length - 1);
  client.socket.write(`\r\n\r\n${request}`);
  await until('empty lines before it do no harm', () => answers(client) === request.length);
  assert.equal(client.closed(), false);
});

test('connections: a request with a body is answered, the body is not waited for', async (t) => {
  const { open, begun, refused } = await serve(t, answerAt);
  for (const header of ['Content-Length: 1000000', 'Transfer-Encoding: chunked']) {
    const client = await open();
    client.socket.write(`POST /a HTTP/1.1\r\nHost: x\r\n${header}\r\n\r\n5\r\n`);
    await until('it is closed', client.closed, 2);
    assert.equal(answers(client), 1);
  }
  assert.deepEqual([begun(), refused()], [2, 0]);
});

test('connections: empty lines without end are no request', async (t) => {
  const { open, clock } = await serve(t, answerAt);
  const client = await open();
  client.socket.write('\r\n'.repeat(100_000));
  await turnOfTheLoop();
  clock.advance(1);
  await until('it is closed', client.closed, 2);
});

test('connections: at the limit whoever comes gets in, and a stranger goes', async (t) => {
  const { open, clock } = await serve(t, answerAt, { connections: 4 });
  const scraper = await open('127.0.0.2');
  scraper.socket.write(request);
  await until('it is answered', () => answers(scraper) === 1);
  const idle: Client[] = [];
  for (let i = 0; i < 6; i++) {
    clock.advance(1);
    idle.push(await open());
    await turnOfTheLoop();
  }
  await until('the oldest are closed', () => idle.filter(({ closed }) => closed()).length === 3);
  assert.deepEqual(
    idle.map(({ closed }) => closed()),
    [true, true, true, false, false, false],
  );
  const restarted = await open('127.0.0.2');
  restarted.socket.write(request);
  await until('the new one is answered', () => answers(restarted) === 1);
  assert.equal(scraper.closed(), false, 'who was answered stays');
});

test('connections: who has begun to speak outlasts a flood of those that say nothing', async (t) => {
  const authority = createAuthority(t);
  const { cert, key } = authority.issue('server');
  for (const server of [createServer(), createTlsServer({ cert, key })]) {
    const { open } = await serve(t, answerAt, { perAddress: 4 }, server);
    const speaker = await open();
    // The beginning of a request, or of a handshake.
    speaker.socket.write(server instanceof TlsServer ? Buffer.from('1603010200', 'hex') : 'GET /a');
    await turnOfTheLoop();
    for (let i = 0; i < 20; i++) await open();
    await turnOfTheLoop();
    assert.equal(speaker.closed(), false);
  }
});

test('connections: which stranger goes is chance, so that no flood knows whom it pushes out', async (t) => {
  const { open } = await serve(t, answerAt, { perAddress: 4 }, createServer(), () => 0.75);
  const crowd: Client[] = [];
  for (let i = 0; i < 5; i++) crowd.push(await open());
  await until('one is closed', () => crowd.some(({ closed }) => closed()));
  assert.deepEqual(
    crowd.map(({ closed }) => closed()),
    [false, false, false, true, false],
  );
});

test('connections: an address that has too many pays with its own', async (t) => {
  const { open } = await serve(t, answerAt, { perAddress: 3 });
  const other = await open('127.0.0.2');
  const crowd: Client[] = [];
  for (let i = 0; i < 5; i++) crowd.push(await open());
  await until('two are closed', () => crowd.filter(({ closed }) => closed()).length === 2);
  await turnOfTheLoop();
  assert.equal(other.closed(), false);
  assert.deepEqual(
    crowd.map(({ closed }) => closed()),
    [true, true, false, false, false],
  );
});

test('connections: where all wait for answers, the one that waits longest goes', async (t) => {
  const { open, begun } = await serve(t, () => undefined, { connections: 2 });
  const waiting: Client[] = [];
  for (let i = 0; i < 3; i++) {
    const client = await open();
    client.socket.write(request);
    await until('it is asked', () => begun() === i + 1);
    waiting.push(client);
  }
  await until('the first is closed', () => waiting[0]?.closed() === true);
  assert.equal(waiting[2]?.closed(), false);
});

test('connections: at the end idle ones go at once, answers under way are given first', async (t) => {
  const asked = Promise.withResolvers<ServerResponse>();
  const { open, connections, server } = await serve(t, (_request, response) => {
    asked.resolve(response);
  });
  const idle = await open();
  const busy = await open();
  busy.socket.write(request);
  const response = await asked.promise;
  const closed = once(server, 'close');
  server.close();
  connections.end();
  await until('the idle one is closed', idle.closed);
  assert.equal(busy.closed(), false);
  response.end('here');
  await closed;
  await until('then the other', busy.closed);
  assert.equal(answers(busy), 1);
  assert.match(busy.text(), /Connection: close/i);
});
