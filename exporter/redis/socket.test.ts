import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { parseRedisAddress } from './address.ts';
import { dial } from './socket.ts';

test('socket: a certificate file that became a FIFO fails the connection and waits for nobody', async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'stealwatch-socket-'));
  t.after(() => rmSync(directory, { recursive: true }));
  const fifo = join(directory, 'ca.pem');
  execFileSync('mkfifo', [fifo]);
  const address = parseRedisAddress('rediss://127.0.0.1:1');
  const ended = Promise.withResolvers<Error | undefined>();
  const dialled = dial(
    { ...address, tlsSettings: { caFile: fifo } },
    { host: '127.0.0.1', port: 1 },
    {
      connected: () => undefined,
      ready: () => undefined,
      data: () => undefined,
      ended: (error) => ended.resolve(error),
    },
  );
  assert.equal(dialled.reading(), true, 'not while the caller waits');
  assert.match((await ended.promise)?.message ?? '', /no regular file/);
});
