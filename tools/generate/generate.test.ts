import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { generatedFiles } from './all.ts';
import { sameText } from '../rig/in-step.ts';

const root = join(import.meta.dirname, '..', '..');

test('generate: what is committed is what the sources generate', async () => {
  const files = [...(await generatedFiles())];
  assert.ok(files.length > 10, `${files.length} files`);
  for (const [path, text] of files) {
    sameText(text, readFileSync(join(root, path), 'utf8'), `${path}: run npm run generate`);
  }
});
