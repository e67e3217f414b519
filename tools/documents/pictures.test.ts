/** The drawn pictures of the README are what ships. The boards are photographs of Grafana: nothing draws those anew. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { messagePath, messagePicture, pagePath, pagePicture } from './pictures.ts';

test('the picture of the page is the page', (t) => {
  assert.ok(readFileSync(pagePath, 'utf8') === pagePicture(t), 'stale: run npm run pictures');
});

test('the picture of the message is the message', () => {
  assert.ok(readFileSync(messagePath, 'utf8') === messagePicture(), 'stale: run npm run pictures');
});

test('each picture of the README is there', () => {
  const root = join(import.meta.dirname, '../..');
  const readme = readFileSync(join(root, 'README.md'), 'utf8');
  const pictures = [...readme.matchAll(/!\[[^\]]+\]\(([^)]+)\)/g)].map(([, path = '']) => path);
  assert.ok(pictures.length >= 3, String(pictures.length));
  for (const path of pictures) assert.ok(existsSync(join(root, path)), path);
});
