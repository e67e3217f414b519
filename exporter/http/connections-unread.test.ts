import assert from 'node:assert/strict';
import { createServer, type ServerResponse } from 'node:http';
import { createServer as createTlsServer, Server as TlsServer } from 'node:https';
import { connect, type Socket } from 'node:net';
import { test } from 'node:test';
import { connect as connectTls } from 'node:tls';
import { createAuthority } from '../../tools/rig/certificates.ts';
import { until } from '../../tools/rig/redis-server.ts';
import { type Client, serve, request, turnOfTheLoop } from '../../tools/rig/watched-server.ts';

/** More than the socket buffers of both sides take. */
const large = Buffer.alloc(8e6, 'x');

test('connections: answers nobody reads are bounded together, the oldest are dropped', async (t) => {
  const { open, begun, clock } = await serve(t, (_request, response) => response.end(large), {
    unreadBytes: 12e6,
  });
  const deaf: Client[] = [];
  for (let i = 0; i < 4; i++) {
    const client = await open();
    client.socket.pause();
    client.socket.write(request);
    await until('it is asked', () => begun() === i + 1);
    deaf.push(client);
  }
  clock.advance(1);
  const reader = await open();
  reader.socket.write(request);
  await until('who reads gets it all', () => reader.text().length > large.length);
  for (const { socket } of deaf) socket.resume();
  await until('the first ones were cut off', () =>
    deaf.slice(0, 3).every(({ closed }) => closed()),
  );
  assert.ok(deaf.slice(0, 3).every(({ text }) => text().length < large.length));
});

test('connections: in a burst it is looked at before the second is over', async (t) => {
  const { open, begun } = await serve(t, (_request, response) => response.end(large), {
    unreadBytes: 12e6,
  });
  const deaf: Client[] = [];
  for (let i = 0; i < 8; i++) {
    const client = await open();
    client.socket.pause();
    client.socket.write(request);
    await until('it is asked', () => begun() === i + 1);
    deaf.push(client);
  }
  for (const { socket } of deaf) socket.resume();
  await until('the first ones were cut off', () =>
    deaf.slice(0, 6).every(({ closed }) => closed()),
  );
});

test('connections: what answers share is counted once, and with TLS a copy for each', async (t) => {
  const authority = createAuthority(t);
  const { cert, key } = authority.issue('server');
  for (const server of [createServer(), createTlsServer({ cert, key })]) {
    const held = [{ key: large, bytes: large.length }];
    const { port, connections, begun, clock } = await serve(
      t,
      (_request, response) => {
        connections.holds(response, () => held);
        response.end(large);
      },
      { unreadBytes: 20e6 },
      server,
    );
    const deaf: Socket[] = [];
    for (let i = 0; i < 4; i++) {
      const socket =
        server instanceof TlsServer
          ? connectTls({ port, host: '127.0.0.1', ca: authority.ca, servername: 'localhost' })
          : connect({ port, host: '127.0.0.1' });
      t.after(() => socket.destroy());
      socket.on('error', () => undefined).pause();
      socket.write(request);
      deaf.push(socket);
      await until('it is asked', () => begun() === i + 1);
      await turnOfTheLoop();
    }
    clock.advance(1);
    let whole = 0;
    for (const socket of deaf) {
      let length = 0;
      socket.on('data', (chunk: Buffer) => {
        length += chunk.length;
        if (length - chunk.length <= large.length && length > large.length) whole += 1;
      });
      socket.resume();
    }
    const wanted = server instanceof TlsServer ? 1 : 4;
    await until('those that were kept have it all', () => whole === wanted);
    await turnOfTheLoop();
    assert.equal(whole, wanted);
  }
});

test('connections: who takes some stays, though it came first, and who takes none goes', async (t) => {
  const responses: ServerResponse[] = [];
  const { open, connections, clock, begun } = await serve(
    t,
    (_request, response) => {
      responses.push(response);
      const own = [{ key: response, bytes: 5e6 }];
      connections.holds(response, () => own);
      response.write('beginning');
    },
    { unreadBytes: 12e6 },
  );
  const clients: Client[] = [];
  for (let i = 0; i < 2; i++) {
    const client = await open();
    client.socket.write(request);
    await until('it is asked', () => begun() === i + 1);
    clients.push(client);
  }
  await turnOfTheLoop();
  clock.advance(5);
  responses[0]?.write('more');
  await turnOfTheLoop();
  clock.advance(1);
  const third = await open();
  third.socket.write(request);
  await until('it is asked', () => begun() === 3);
  clock.advance(1);
  await until('the second goes', () => clients[1]?.closed() === true);
  assert.equal(clients[0]?.closed(), false);
});

test('connections: a long answer may take longer than 30 s, at 256 kB a second', async (t) => {
  const responses: ServerResponse[] = [];
  const { open, clock, begun } = await serve(t, (_request, response) => {
    responses.push(response);
    response.flushHeaders();
  });
  const clients = [await open(), await open()];
  for (const [i, client] of clients.entries()) {
    client.socket.write(request);
    await until('it is asked', () => begun() === i + 1);
  }
  const second = Buffer.alloc(256e3);
  for (let seconds = 1; seconds <= 40; seconds++) {
    responses[0]?.write(second);
    if (seconds % 2 === 0) responses[1]?.write(second);
    await turnOfTheLoop();
    clock.advance(1);
    if (seconds === 30) assert.ok(clients.every(({ closed }) => !closed()));
  }
  await until('the slow one is closed', () => clients[1]?.closed() === true);
  assert.equal(clients[0]?.closed(), false);
});

test('connections: an answer that is not read for 30 s is given up', async (t) => {
  const { open, begun, clock } = await serve(t, (_request, response) => response.end(large), {
    unreadBytes: 1e9,
  });
  const client = await open();
  client.socket.pause();
  client.socket.write(request);
  await until('it is asked', () => begun() === 1);
  clock.advance(29);
  await turnOfTheLoop();
  clock.advance(2);
  client.socket.resume();
  await until('it is closed', client.closed);
  assert.ok(client.text().length < large.length);
});
