import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createPseudoFs, type PseudoFs } from '../procfs/reader.ts';
import { fixtureTree } from '../../tools/rig/fixture-tree.ts';
import { listProcesses, listVisible, readVisible } from './process-files.ts';

const failing = (code: string): PseudoFs => ({
  ...createPseudoFs('/nonexistent'),
  list() {
    throw Object.assign(new Error(code), { code });
  },
});

test('process files: text and names of what is there, undefined for what is not', (t) => {
  const procfs = createPseudoFs(fixtureTree(t, { '7/stat': 'seven', '7/task/7/stat': '', x: '' }));
  assert.equal(readVisible(procfs, '7/stat'), 'seven');
  assert.deepEqual(listVisible(procfs, '7/task'), ['7']);
  for (const path of ['8/stat', '7/stat/x', 'x/stat']) {
    assert.equal(readVisible(procfs, path), undefined, path);
    assert.equal(listVisible(procfs, path), undefined, path);
  }
});

test('process files: hidden from us is as not there, any other failure is one', () => {
  for (const code of ['EPERM', 'EACCES', 'ENOENT', 'ESRCH']) {
    assert.equal(listVisible(failing(code), '7/task'), undefined, code);
  }
  for (const code of ['EMFILE', 'EIO', 'ENOMEM']) {
    assert.throws(() => listVisible(failing(code), '7/task'), { code });
  }
});

test('process files: a directory is no file, and a file over 32 KiB no file of a process', (t) => {
  const procfs = createPseudoFs(
    fixtureTree(t, { '7/stat': 'x'.repeat(32 * 1024), '8/stat': 'x'.repeat(32 * 1024 - 1) }),
  );
  assert.throws(() => readVisible(procfs, '7'), { code: 'EISDIR' });
  assert.throws(() => readVisible(procfs, '7/stat'), /7\/stat is over 32768 bytes/);
  assert.equal(readVisible(procfs, '8/stat')?.length, 32 * 1024 - 1);
});

test('process files: pids are what begins with a digit', (t) => {
  const names = ['1', '20', '300', 'self', 'sys', 'mounts', 'x1', '0'];
  const tree = Object.fromEntries(names.map((name) => [`${name}/stat`, '']));
  const pids = listProcesses(createPseudoFs(fixtureTree(t, tree)));
  assert.deepEqual(
    pids?.sort((a, b) => a - b),
    [1, 20, 300],
  );
  assert.equal(listProcesses(createPseudoFs('/nonexistent')), undefined);
});
