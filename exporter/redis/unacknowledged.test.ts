import assert from 'node:assert/strict';
import { connect, createServer } from 'node:net';
import { test } from 'node:test';
import { createPseudoFs } from '../procfs/reader.ts';
import { fixtureTree } from '../../tools/rig/fixture-tree.ts';
import { freePort } from '../../tools/rig/redis-server.ts';
import { unacknowledgedBytes } from './unacknowledged.ts';

const head =
  '  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n';

test('unacknowledged: IPv4 and IPv6, this connection and no other', (t) => {
  const root = fixtureTree(t, {
    'self/net/tcp': `${head}   0: 0100007F:9C40 0100007F:18EB 01 0000001C:00000000 01:00000014 00000003     0        0 1\n`,
    'self/net/tcp6': `${head}   0: 00000000000000000000000001000000:9C41 00000000000000000000000001000000:18EB 01 0000000E:00000000 00:00000000 00000000     0        0 2\n`,
  });
  const procfs = createPseudoFs(root);
  const bytes = (localPort: number) => unacknowledgedBytes(procfs, { localPort, remotePort: 6379 });
  assert.deepEqual([40_000, 40_001, 40_002].map(bytes), [28, 14, undefined]);
  const broken = createPseudoFs(fixtureTree(t, { 'self/net/tcp': ' 0: a:9C40 b:18EB 01 zz\n' }));
  assert.throws(
    () => unacknowledgedBytes(broken, { localPort: 40_000, remotePort: 6379 }),
    /self\/net\/tcp: unexpected text/,
  );
});

test('unacknowledged: 0 on a real connection whose other end reads nothing', async (t) => {
  const port = await freePort();
  const server = createServer({ pauseOnConnect: true });
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  const socket = connect(port, '127.0.0.1');
  t.after(() => {
    socket.destroy();
    server.close();
  });
  await new Promise<void>((resolve) => socket.on('connect', resolve));
  await new Promise((resolve) => socket.write('PING\r\n', resolve));
  const ends = { localPort: socket.localPort ?? 0, remotePort: port };
  assert.equal(unacknowledgedBytes(createPseudoFs('/proc'), ends), 0);
});
