import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { generatedFiles } from './all.ts';
import { withVersion } from './version.ts';
import { sameText } from '../rig/in-step.ts';

const root = join(import.meta.dirname, '..', '..');

test('generate: our images have the version of the package, and nobody else has', () => {
  const compose =
    '    image: stealwatch:0.1.0\n    image: stealwatch-demo:0.1.0\n    image: grafana/grafana:12.1.1\n' +
    '    image: ${STEALWATCH_IMAGE:-ghcr.io/stealwatch/stealwatch:0.1.0}\n';
  assert.equal(withVersion(compose, '1.2.3'), compose.replaceAll('0.1.0', '1.2.3'));
});

test('generate: what is committed is what the sources generate', async () => {
  const files = [...(await generatedFiles())];
  assert.ok(files.length > 10, `${files.length} files`);
  for (const [path, text] of files) {
    sameText(text, readFileSync(join(root, path), 'utf8'), `${path}: run npm run generate`);
  }
});
