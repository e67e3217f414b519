import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { noIncidents as answer } from '../../../tools/rig/no-evidence.ts';
import type { EvidenceIncident } from '../format.ts';
import { parseEvidenceFile } from '../parse.ts';
import { createShelf, folderOf } from './shelf.ts';

const incident = (id: string, more: Partial<EvidenceIncident> = {}): EvidenceIncident => ({
  id,
  formerIds: [],
  state: 'closed',
  onset: { earliest: 1, latest: 1 },
  openedBy: [],
  cause: { name: 'unknown', text: '' },
  kernel: [],
  tasks: [],
  samples: { columns: ['time'], parts: [] },
  ...more,
});

function directoryOf(t: TestContext): string {
  const directory = mkdtempSync(join(tmpdir(), 'stealwatch-shelf-'));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

const limits = { filesOfHost: 50, bytesOfHost: 1e6, bytes: 1e6 };
const filesOf = (directory: string, host: string) =>
  existsSync(join(directory, host)) ? readdirSync(join(directory, host)).sort() : [];

test('shelf: a file is whole and can be read back, and nothing is left beside it', async (t) => {
  const directory = directoryOf(t);
  const shelf = createShelf(directory);
  await shelf.load();
  await shelf.save('vps1', 77, answer, incident('b-1'));
  assert.deepEqual(filesOf(directory, 'vps1'), ['b-1.json']);
  const file = parseEvidenceFile(readFileSync(join(directory, 'vps1', 'b-1.json'), 'utf8'));
  assert.deepEqual(file, { ...answer, host: 'vps1', fetched: 77, incidents: [incident('b-1')] });
  assert.deepEqual([...shelf.counts()], [['vps1', 1]]);
});

test('shelf: a host called like a path stays in the folder, and two are never one', () => {
  const names = [
    '..',
    '.',
    '../../etc',
    '/etc/passwd',
    'a/b',
    'a_b',
    'a\0b',
    '',
    'ü',
    'x'.repeat(200),
    '.hidden',
  ];
  const folders = names.map(folderOf);
  assert.equal(new Set(folders).size, names.length);
  for (const folder of folders) assert.match(folder, /^(?!\.)[A-Za-z0-9._~-]{1,64}$|^a_b$/);
  assert.equal(folderOf('vps-1.example.org'), 'vps-1.example.org');
});

test('shelf: the oldest go first, an open one last, each host by itself and all together', async (t) => {
  const directory = directoryOf(t);
  const shelf = createShelf(directory, { ...limits, filesOfHost: 3 });
  await shelf.load();
  await shelf.save('a', 1, answer, incident('b-1', { state: 'open' }));
  for (let i = 2; i <= 5; i += 1) await shelf.save('a', i, answer, incident(`b-${i}`));
  assert.deepEqual(filesOf(directory, 'a'), ['b-1.json', 'b-4.json', 'b-5.json']);

  const size = readFileSync(join(directory, 'a', 'b-5.json')).length + 10;
  const small = createShelf(directory, { ...limits, bytes: size * 4 });
  await small.load();
  await small.save('z', 3e9, answer, incident('b-1'));
  await small.save('z', 3e9 + 1, answer, incident('b-2'));
  assert.equal(filesOf(directory, 'a').length, 2);
  assert.equal(filesOf(directory, 'z').length, 2);
});

test('shelf: one host takes nothing from the others', async (t) => {
  const directory = directoryOf(t);
  const shelf = createShelf(directory, { ...limits, bytesOfHost: 2000, bytes: 4000 });
  await shelf.load();
  await shelf.save('good', 1, answer, incident('b-1'));
  for (let i = 2; i <= 40; i += 1) {
    // Whoever tells of many open incidents has one.
    await shelf.save('bad', i, answer, incident(`b-${i}`, { state: 'open' }));
  }
  assert.deepEqual(filesOf(directory, 'good'), ['b-1.json']);
  assert.ok(filesOf(directory, 'bad').length < 10);
});

test('shelf: who tells of many open incidents keeps one of them before others', async (t) => {
  const directory = directoryOf(t);
  const open = incident('b-1', { state: 'open' });
  const shelf = createShelf(directory);
  await shelf.load();
  await shelf.save('bad', 1, answer, open);
  const size = readFileSync(join(directory, 'bad', 'b-1.json')).length + 10;
  const small = createShelf(directory, { ...limits, bytes: size * 4 });
  for (let i = 2; i <= 4; i += 1) await small.save('bad', i, answer, { ...open, id: `b-${i}` });
  await small.save('good', 10, answer, incident('b-1'));
  await small.save('bad', 11, answer, { ...open, id: 'b-5' });
  assert.deepEqual(filesOf(directory, 'good'), ['b-1.json']);
});

test('shelf: what is there from before counts; what is cut off or not ours is no reason to fail', async (t) => {
  const directory = directoryOf(t);
  const before = createShelf(directory);
  await before.load();
  await before.save('a', 1, answer, incident('b-1'));
  writeFileSync(join(directory, 'a', 'b-2.json'), '{"schema":1,');
  writeFileSync(join(directory, 'a', 'b-3.json.tmp'), '{');
  writeFileSync(join(directory, 'a', 'notes.txt'), 'mine');
  writeFileSync(join(directory, 'README'), 'mine');
  mkdirSync(join(directory, 'a', 'folder'));
  const shelf = createShelf(directory);
  await shelf.load();
  assert.deepEqual([...shelf.counts()], [['a', 2]]);
  await shelf.save('a', 2, answer, incident('b-2'));
  const text = readFileSync(join(directory, 'a', 'b-2.json'), 'utf8');
  assert.equal(parseEvidenceFile(text).incidents[0]?.id, 'b-2');
  assert.deepEqual(filesOf(directory, 'a'), ['b-1.json', 'b-2.json', 'folder', 'notes.txt']);
});

test('shelf: an incident that got another name is one file', async (t) => {
  const directory = directoryOf(t);
  const shelf = createShelf(directory);
  await shelf.load();
  const rows = [
    [1, 0],
    [2, 2],
  ];
  const columns = ['time', 'redis_state'];
  await shelf.save(
    'a',
    1,
    answer,
    incident('b-1', { samples: { columns, parts: [{ step: 1, rows }] } }),
  );
  await shelf.save(
    'a',
    2,
    answer,
    incident('b-9', { formerIds: ['b-1'], samples: { columns, parts: [] } }),
  );
  assert.deepEqual(filesOf(directory, 'a'), ['b-9.json']);
  const text = readFileSync(join(directory, 'a', 'b-9.json'), 'utf8');
  assert.deepEqual(parseEvidenceFile(text).incidents[0]?.samples.parts, [{ step: 1, rows }]);
});

test('shelf: a disk that takes nothing loses nothing of what is there', async (t) => {
  const directory = directoryOf(t);
  const shelf = createShelf(directory);
  await shelf.load();
  await shelf.save('a', 1, answer, incident('b-1'));
  // Where the folder would be is a file.
  writeFileSync(join(directory, 'b'), '');
  await assert.rejects(shelf.save('b', 2, answer, incident('b-1')), { code: 'EEXIST' });
  assert.deepEqual(filesOf(directory, 'a'), ['b-1.json']);
  await shelf.save('a', 3, answer, incident('b-2'));
  assert.deepEqual([...shelf.counts()], [['a', 2]]);
});

test(
  'shelf: a disk that is full leaves nothing half, and takes the next when there is room again',
  { skip: process.getuid?.() === 0 ? false : 'mounting needs root' },
  async (t) => {
    const directory = mkdtempSync(join(tmpdir(), 'stealwatch-shelf-'));
    const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', directory]);
    t.after(() => {
      spawnSync('umount', [directory]);
      rmSync(directory, { recursive: true, force: true });
    });
    if (mounted.status !== 0) {
      t.skip('no tmpfs may be mounted here');
      return;
    }
    const shelf = createShelf(directory);
    await shelf.load();
    await shelf.save('a', 1, answer, incident('b-1'));
    const large = incident('b-2', { cause: { name: 'disk', text: 'x'.repeat(100_000) } });
    await assert.rejects(shelf.save('a', 2, answer, large), { code: 'ENOSPC' });
    assert.deepEqual(filesOf(directory, 'a'), ['b-1.json']);
    // Not a byte is left: what is written beside is empty, and goes as well.
    const rest = join(directory, 'rest');
    assert.throws(() => writeFileSync(rest, Buffer.alloc(65_536)), { code: 'ENOSPC' });
    await assert.rejects(shelf.save('a', 3, answer, incident('b-2')), { code: 'ENOSPC' });
    assert.deepEqual(filesOf(directory, 'a'), ['b-1.json']);
    rmSync(rest);
    await shelf.save('a', 3, answer, incident('b-2'));
    assert.deepEqual(filesOf(directory, 'a'), ['b-1.json', 'b-2.json']);
  },
);

test('shelf: a folder below /proc, where none can be made, is refused and not asked for for ever', async () => {
  await assert.rejects(createShelf('/proc/evidence').load(), { code: 'ENOENT' });
});
