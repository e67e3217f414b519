import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { setTimeout as passed } from 'node:timers/promises';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { placed, temporaryRoot } from '../../../tools/rig/temporary-root.ts';
import { readChunks } from './packed-file.ts';

/** Packs to a twentieth: when enough was unpacked, more of the packed file is waiting already. */
const lines = Array.from(
  { length: 250_000 },
  () => `${randomBytes(8).toString('hex')} ${'x'.repeat(400)}\n`,
);

test('packed file: once it was read its digest is final, wherever the reading ended', async (t) => {
  const root = temporaryRoot(t);
  const text = Buffer.from(lines.join(''));
  for (const [name, packed] of [
    ['gz', gzipSync(text)],
    ['zst', zstdCompressSync(text)],
    ['plain', text],
  ] as const) {
    const path = placed(root, `log.${name}`, packed);
    for (const wanted of [1, 7, 40]) {
      const hash = createHash('sha256');
      const mostBytes = wanted * 1024 * 1024;
      const read = await readChunks(path, { env: process.env, mostBytes, hash }, () => true);
      hash.digest('hex');
      assert.match(read.problems.join(), /^only its (?:first|last) \d+ MB/, name);
      // For a piece that was asked for before: it would be an error that nobody catches.
      await passed(20);
    }
  }
});
