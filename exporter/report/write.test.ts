import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { claimDirectory, writeFiles } from './write.ts';

function directory(t: TestContext, before = () => {}): string {
  const path = mkdtempSync(join(tmpdir(), 'stealwatch-report-'));
  t.after(() => {
    before();
    rmSync(path, { recursive: true, force: true });
  });
  return path;
}

const files = [
  { name: 'report.md', text: 'new' },
  { name: 'facts.json', text: '{}', secret: true },
] as const;

test('write: a new directory, its parents as well, and a secret file for its owner alone', async (t) => {
  const out = join(directory(t), 'a/b');
  await claimDirectory(out, false);
  await writeFiles(out, files);
  assert.deepEqual(readdirSync(out).sort(), ['facts.json', 'report.md']);
  assert.equal(statSync(join(out, 'facts.json')).mode & 0o777, 0o600);
  assert.equal(readFileSync(join(out, 'report.md'), 'utf8'), 'new');
});

test('write: nothing is overwritten unless it was asked for, and no old ticket stays beside a new report', async (t) => {
  const out = directory(t);
  writeFileSync(join(out, 'ticket.md'), 'old');
  writeFileSync(join(out, 'mine.txt'), 'mine');
  await assert.rejects(
    claimDirectory(out, false),
    /^Error: ".*" holds ticket\.md already: .*--out, or --force/,
  );
  await claimDirectory(out, true);
  await writeFiles(out, files);
  assert.deepEqual(readdirSync(out).sort(), ['facts.json', 'mine.txt', 'report.md']);
});

test('write: what stands in the way is named', async (t) => {
  const out = directory(t);
  writeFileSync(join(out, 'file'), '');
  await assert.rejects(claimDirectory(join(out, 'file'), false), /it is there and is no directory/);
  await assert.rejects(
    claimDirectory(join(out, 'file/deeper'), false),
    /a part of the path is no directory/,
  );
  await assert.rejects(claimDirectory(join(out, 'x'.repeat(300)), false), /the name is too long/);
});

test('write: where the kernel makes no directory it is said, and not asked for ever', async () => {
  for (const out of ['/proc/foo', '/proc/self/foo/deeper', '/sys/foo'])
    await assert.rejects(claimDirectory(out, false), /cannot write to "\/.*": n/, out);
});

test('write: a link to itself is named', async (t) => {
  const out = join(directory(t), 'loop');
  symlinkSync(out, out);
  await assert.rejects(claimDirectory(out, false), /a symbolic link to itself/);
});

test(
  'write: a full disk is said, and nothing half-written stays',
  { skip: process.getuid?.() !== 0 && 'needs root to mount a small disk' },
  async (t) => {
    const out: string = directory(t, () => execFileSync('umount', [out]));
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', out]);
    await writeFiles(out, [{ name: 'report.md', text: 'before' }]);
    const large = [
      { name: 'report.md', text: 'after' },
      { name: 'report.json', text: 'x'.repeat(200_000) },
    ];
    await assert.rejects(writeFiles(out, large), /cannot write to ".*": the disk is full/);
    assert.deepEqual(readdirSync(out), ['report.md']);
    assert.equal(readFileSync(join(out, 'report.md'), 'utf8'), 'before');
  },
);
