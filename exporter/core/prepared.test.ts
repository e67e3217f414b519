import assert from 'node:assert/strict';
import { text } from 'node:stream/consumers';
import { Readable } from 'node:stream';
import { test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { gzipPage, type Page, plainPage, startPreparing } from './prepared.ts';

async function prepared(...texts: readonly string[]) {
  const preparing = startPreparing();
  for (const one of texts) await preparing.add(one);
  return preparing.end();
}

const lines = (count: number, word: string) =>
  Array.from({ length: count }, (_, i) => `asynq_${word}{queue="ключ ${i}"} ${i * 7919}\n`).join(
    '',
  );

test('prepared: what was compressed piece by piece is one gzip file with what stands around it', async () => {
  const [first, second] = [lines(40_000, 'size'), lines(9, 'age')];
  const pages: readonly (readonly [Page, string])[] = [
    [[await prepared(first)], first],
    [
      ['before\n', await prepared(first), 'between\n', await prepared(second), 'é\n'],
      `before\n${first}between\n${second}é\n`,
    ],
    [[await prepared(), 'alone\n', await prepared(second, second)], `alone\n${second}${second}`],
    [[], ''],
  ];
  for (const [page, expected] of pages) {
    assert.equal(gunzipSync(gzipPage(page)).toString(), expected);
    assert.equal(await text(Readable.from(plainPage(page))), expected);
  }
});

test('prepared: many small texts are a few pieces, and take a fraction of their bytes', async () => {
  const some = lines(1000, 'queue_size').replaceAll(/ \d+$/gm, ' 0');
  const { pieces, length } = await prepared(...Array.from({ length: 100 }, () => some));
  assert.ok(pieces.length > 10 && pieces.length < 50, `${pieces.length} pieces`);
  const bytes = pieces.reduce((sum, piece) => sum + piece.length, 0);
  assert.ok(bytes < length / 3, `${bytes} of ${length}`);
});
