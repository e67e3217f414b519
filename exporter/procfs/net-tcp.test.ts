import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { test } from 'node:test';
import fc from 'fast-check';
import { fixtureTree, writeTree } from '../../tools/rig/fixture-tree.ts';
import { manualClock, systemClock } from '../measure/clock.ts';
import { tcpText } from '../../tools/rig/network-files.ts';
import { startRedis, until } from '../../tools/rig/redis-server.ts';
import { listenQueueReader, parseListening, readListening } from './net-tcp.ts';
import { createPseudoFs } from './reader.ts';

test('net/tcp: a frozen redis-server with seven connections waiting, Linux 6.18', () => {
  const text = `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode                                                     
   0: 0100007F:18EB 00000000:0000 0A 00000000:00000007 00:00000000 00000000   999        0 48 1 000000001108a77b 100 0 0 10 0                        
   1: 0100007F:ACB3 0100007F:AE82 06 00000000:00000000 03:00000CEE 00000000     0        0 0 3 000000002c6eaa1a                                      
`;
  assert.deepEqual(parseListening(text), {
    sockets: [{ port: 6379, queued: 7, uid: 999, inode: 48 }],
    done: true,
  });
});

test('net/tcp: IPv6, and what comes after the listening sockets is not read', () => {
  const text =
    tcpText([{ port: 6379, queued: 2, uid: 0, inode: 12 }], 6) + '   9: whatever 01 comes next';
  const upToHere = text.slice(0, text.lastIndexOf('\n') + 1);
  assert.deepEqual(parseListening(upToHere), {
    sockets: [{ port: 6379, queued: 2, uid: 0, inode: 12 }],
    done: false,
  });
  assert.deepEqual(parseListening(text), parseListening(upToHere), 'a line that is no socket');
  assert.throws(
    () => parseListening('   9: whatever 01 comes next\n'),
    /net\/tcp: unexpected line "   9: whatever/,
  );
});

test('net/tcp: every number comes back', () => {
  const socket = fc.record(
    {
      port: fc.integer({ min: 0, max: 65_535 }),
      queued: fc.integer({ min: 0, max: 0xffffffff }),
      uid: fc.integer({ min: 0, max: 0xffffffff }),
      inode: fc.integer({ min: 0, max: 0xffffffff }),
    },
    { noNullPrototype: true },
  );
  fc.assert(
    fc.property(fc.array(socket), fc.constantFrom(4 as const, 6 as const), (sockets, version) => {
      assert.deepEqual(parseListening(tcpText(sockets, version)).sockets, sockets);
    }),
  );
});

test('net/tcp: this process is found among real sockets, with what waits for it', async (t) => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close());
  const address = server.address();
  assert.ok(typeof address === 'object' && address !== null);
  const found = readListening(createPseudoFs('/proc'), 'self').find(
    ({ port }) => port === address.port,
  );
  assert.equal(found?.queued, 0);
  assert.equal(found.uid, process.getuid?.());
});

test('net/tcp: a hundred listening sockets come in more than one read', async (t) => {
  const servers = Array.from({ length: 100 }, () => createServer().listen(0, '127.0.0.1'));
  t.after(() => servers.forEach((server) => server.close()));
  await Promise.all(servers.map(async (server) => once(server, 'listening')));
  const found = new Set(readListening(createPseudoFs('/proc'), 'self').map(({ port }) => port));
  for (const server of servers) {
    const address = server.address();
    assert.ok(typeof address === 'object' && address !== null && found.has(address.port));
  }
});

test('net/tcp: a queue is read in sips, exactly as by a whole reading', async (t) => {
  const redis = await startRedis(t);
  const read = listenQueueReader(createPseudoFs('/proc'), systemClock, redis.pid, [
    redis.port,
    6379,
  ]);
  await until('Redis has accepted all there was', () => read() === 0);
  redis.freeze();
  const sockets = Array.from({ length: 5 }, () => connect(redis.port, '127.0.0.1'));
  t.after(() => sockets.forEach((socket) => socket.destroy()));
  await Promise.all(sockets.map((socket) => once(socket, 'connect')));
  assert.equal(read(), 5);
  redis.thaw();
  await until('Redis accepts', () => read() === 0);
  await redis.stop();
  assert.equal(read(), undefined, 'gone');
});

test('net/tcp: sips over several sockets of one port, and over a line that is cut', (t) => {
  const listening = [
    { port: 80, queued: 9, uid: 0, inode: 1 },
    { port: 6379, queued: 2, uid: 0, inode: 2 },
    { port: 6379, queued: 3, uid: 0, inode: 3 },
  ];
  const root = fixtureTree(t, { '7/net/tcp': tcpText(listening), '7/net/tcp6': tcpText([], 6) });
  const clock = manualClock();
  const read = listenQueueReader(createPseudoFs(root), clock, 7, [6380, 6379]);
  assert.equal(read(), 5);
  writeTree(root, { '7/net/tcp': tcpText(listening.map((one) => ({ ...one, queued: 40 }))) });
  assert.equal(read(), 80);
  // Everything after the field that is asked for may be missing: it is not read.
  writeTree(root, { '7/net/tcp': tcpText(listening).trimEnd().slice(0, -60) });
  assert.equal(read(), 5);
  writeTree(root, { '7/net/tcp': tcpText([]) });
  assert.equal(read(), undefined);
});

const bothTables = (queued: number) => ({
  '7/net/tcp': tcpText([{ port: 6379, queued, uid: 0, inode: 1 }]),
  '7/net/tcp6': tcpText([{ port: 6379, queued, uid: 0, inode: 2 }], 6),
});

test('net/tcp: what comes from tcp6 is at most 5 s old', (t) => {
  const root = fixtureTree(t, bothTables(1));
  const clock = manualClock();
  const read = listenQueueReader(createPseudoFs(root), clock, 7, [6379]);
  assert.equal(read(), 2);
  writeTree(root, bothTables(10));
  clock.advance(4);
  assert.equal(read(), 11);
  clock.advance(1);
  assert.equal(read(), 20);
});
