/** Files that may never answer, and files that are none. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fixtureTree } from '../../tools/rig/fixture-tree.ts';
import { openDisks } from './files.ts';
import { stopwatch } from '../../tools/rig/waited.ts';

const never = () => new Promise<Buffer>(() => undefined);

test('doctor files: one that does not answer fails in time, its lane with it, and no other lane', async (t) => {
  const root = fixtureTree(t, { 'var/log/x': 'log', 'etc/x': 'setting' });
  let asked = 0;
  const disks = openDisks(root, {
    seconds: 1,
    readFile: async (path) => {
      asked += 1;
      return path.endsWith('log/x') ? never() : Buffer.from('text');
    },
  });
  const logs = disks.files('logs');
  const watch = stopwatch();
  const [first, second] = await Promise.allSettled([logs.text('/var/log/x'), logs.text('/etc/x')]);
  watch.within(4000);
  assert.equal(
    String(first.status === 'rejected' && first.reason),
    'Error: /var/log/x does not answer, waited 1 s',
  );
  assert.equal(second.status, 'rejected', 'what stands behind it is not asked');
  assert.equal(asked, 1);
  assert.deepEqual(disks.stuck(), ['/var/log/x']);
  await assert.rejects(logs.facts('/etc/x'), /log\/x does not answer/);
  assert.equal(await disks.files('settings').text('/etc/x'), 'text');
});

test('doctor files: what is late and then comes holds nothing any more', async (t) => {
  const root = fixtureTree(t, { x: '' });
  const { promise, resolve } = Promise.withResolvers<Buffer>();
  const disks = openDisks(root, { seconds: 0.05, readFile: () => promise });
  await assert.rejects(disks.files('logs').text('/x'), /does not answer/);
  assert.deepEqual(disks.stuck(), ['/x']);
  resolve(Buffer.from(''));
  await promise;
  await new Promise(setImmediate);
  assert.deepEqual(disks.stuck(), []);
});

test('doctor files: a pipe, a folder, a file of 1 GB, a name too long, and none', async (t) => {
  const root = fixtureTree(t, { small: 'text', big: '' });
  execFileSync('mkfifo', [join(root, 'pipe')]);
  truncateSync(join(root, 'big'), 1e9);
  const files = openDisks(root).files('logs');
  await assert.rejects(files.text('/pipe'), /^Error: \/pipe: it is no regular file$/);
  await assert.rejects(files.text('/'), /it is no regular file|EISDIR/);
  await assert.rejects(files.text('/big'), /^Error: \/big: it is larger than 1 MiB$/);
  await assert.rejects(files.text(`/${'x'.repeat(300)}`), /ENAMETOOLONG/);
  assert.equal(await files.text('/small/x'), undefined);
  assert.equal(await files.text('/none'), undefined);
  assert.equal(await files.names('/none'), undefined);
  assert.equal((await files.facts('/pipe'))?.kind, 'other');
  assert.equal((await files.facts('/big'))?.bytes, 1e9);
});

test('doctor files: a folder of many names is bounded', async (t) => {
  const root = fixtureTree(t, {});
  mkdirSync(join(root, 'many'));
  for (let i = 0; i < 5000; i += 1) writeFileSync(join(root, 'many', String(i)), '');
  const names = await openDisks(root).files('logs').names('/many');
  assert.equal(names?.length, 4096);
});

test('doctor files: links lead where they would on that machine, and not for ever', async (t) => {
  const root = fixtureTree(t, { 'data/docker/x': 'inside', 'etc/hostname': 'guest' });
  mkdirSync(join(root, 'var/lib'), { recursive: true });
  symlinkSync('/data/docker', join(root, 'var/lib/docker'));
  symlinkSync('../../../../../etc/hostname', join(root, 'var/up'));
  symlinkSync('/loop', join(root, 'loop'));
  symlinkSync('/etc/shadow-of-nobody', join(root, 'out'));
  const files = openDisks(root).files('logs');
  assert.equal(await files.text('/var/lib/docker/x'), 'inside');
  assert.equal(await files.text('/var/up'), 'guest');
  assert.equal(await files.text('/out'), undefined);
  await assert.rejects(files.text('/loop'), /too many links/);
});
