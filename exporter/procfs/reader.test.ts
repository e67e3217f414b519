import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { closeSync, constants, openSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fixtureTree } from '../../tools/rig/fixture-tree.ts';
import { createPseudoFs } from './reader.ts';

test('reader: a file of the kernel that needs many reads comes whole', () => {
  // A record is some ten lines; each read of such a file gives the records of one page.
  const whole = readFileSync('/proc/crypto', 'utf8');
  assert.ok(whole.length > 8192, 'needs more than two reads');
  assert.equal(createPseudoFs('/proc').read('crypto'), whole);
});

test('reader: a kept file is read anew each time, whole, shorter or longer than before', (t) => {
  const root = fixtureTree(t, { one: '' });
  const file = createPseudoFs(root).file('one');
  for (const length of [0, 10, 2047, 2048, 2049, 65_535, 65_536, 65_537, 300_000, 5]) {
    const text = 'x'.repeat(length);
    writeFileSync(join(root, 'one'), text);
    assert.equal(file.read(), text);
  }
  file.close();
});

test('reader: what is not there is undefined, what is too large is an error', (t) => {
  const root = fixtureTree(t, { large: 'x'.repeat(4 * 1024 * 1024 + 1) });
  const fs = createPseudoFs(root);
  assert.equal(fs.read('none'), undefined);
  assert.equal(fs.list('none'), undefined);
  assert.throws(() => fs.read('large'), /large is over 4194304 bytes/);
});

test('reader: a pipe in the place of a file parks nobody and is told', (t) => {
  const root = fixtureTree(t, {});
  const path = join(root, 'stat');
  assert.equal(spawnSync('mkfifo', [path]).status, 0);
  const fs = createPseudoFs(root);
  const file = fs.file('stat');
  for (const read of [() => fs.read('stat'), () => file.read()]) {
    assert.throws(read, /stat is no file/);
    const writer = openSync(path, constants.O_RDWR | constants.O_NONBLOCK);
    assert.throws(read, /stat is no file/);
    closeSync(writer);
  }
  file.close();
  assert.equal(createPseudoFs('/dev').read('null'), undefined, 'masked, as containers mask files');
});
