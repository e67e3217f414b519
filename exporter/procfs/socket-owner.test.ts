/** Whose the other end of a connection is, of real ones and of rows as kernels print them. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { test, type TestContext } from 'node:test';
import { ownerIn, ownerOfPeer } from './socket-owner.ts';

async function accepted(t: TestContext, listen: string, to: string): Promise<Socket> {
  const server = createServer();
  server.listen(0, listen);
  await once(server, 'listening');
  t.after(() => server.close());
  const address = server.address();
  assert.ok(typeof address === 'object' && address !== null);
  const client = connect({ host: to, port: address.port, family: to.includes(':') ? 6 : 4 });
  t.after(() => client.destroy());
  const [socket] = (await once(server, 'connection')) as [Socket];
  t.after(() => socket.destroy());
  return socket;
}

const ownerOf = ({
  remoteAddress = '',
  remotePort = 0,
  localAddress = '',
  localPort = 0,
}: Socket) => ownerOfPeer({ remoteAddress, remotePort, localAddress, localPort });

test('socket owner: the other end of a connection on this machine is that of its process', async (t) => {
  const socket = await accepted(t, '127.0.0.1', '127.0.0.1');
  assert.equal(ownerOf(socket), process.getuid?.());
  // That of somewhere else is not in the table.
  assert.equal(
    ownerOfPeer({ remoteAddress: '192.0.2.1', remotePort: 9, localAddress: '::1', localPort: 9 }),
    undefined,
  );
});

test('socket owner: IPv4 to a socket of IPv6, and IPv6', async (t) => {
  try {
    const socket = await accepted(t, '::', '127.0.0.1');
    assert.match(socket.remoteAddress ?? '', /^::ffff:/);
    assert.equal(ownerOf(socket), process.getuid?.());
    assert.equal(ownerOf(await accepted(t, '::1', '::1')), process.getuid?.());
  } catch (error) {
    if (!/EAFNOSUPPORT|EADDRNOTAVAIL|EINVAL/.test(String(error))) throw error;
    t.skip('no IPv6 here');
  }
});

const row = (uid: number, inode: number, state = '01') =>
  `   7: 0100007F:A3C2 0100007F:27CE ${state} 00000000:00000000 00:00000000 00000000 ${String(uid).padStart(5)}        0 ${inode} 1 0000000000000000 20 4 30 10 -1`;

test('socket owner: one that was closed is nobody’s, whoever it is listed under', () => {
  const wanted = ': 0100007F:A3C2 0100007F:27CE ';
  assert.equal(ownerIn(row(33, 4711), wanted), 33);
  assert.equal(ownerIn(row(1000, 4711, '05'), wanted), 1000);
  assert.equal(ownerIn(row(0, 0, '06'), wanted), undefined);
  // A table that was cut in the middle of it.
  assert.equal(ownerIn(row(33, 4711).slice(0, 60), wanted), undefined);
  assert.equal(ownerIn('', wanted), undefined);
});
