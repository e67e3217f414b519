/**
 * The page and its text in six situations. `npm run golden` rewrites golden/page/; read the diff as one who
 * was woken by it.
 */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { sameText } from '../../../tools/rig/in-step.ts';
import { situation, situationNames } from '../../../tools/rig/page-situations.ts';
import { htmlOf, style } from './html.ts';
import { overviewOf } from './overview.ts';
import { textOf } from './text.ts';

const folder = join(import.meta.dirname, '../../golden/page');

/** Colours, margins and lines are looked at, not read. */
const read = (html: string) => html.replace(style, '').replaceAll(/ d="[^"]*"/g, '');

for (const name of situationNames) {
  test(`page: ${name}, for a browser and for a terminal`, (t) => {
    const overview = overviewOf(situation(t, name));
    const text = textOf(overview);
    const files = { txt: text, html: read(htmlOf(overview)) };
    for (const [ext, actual] of Object.entries(files)) {
      const file = join(folder, `${name}.${ext}`);
      try {
        t.assert.fileSnapshot(actual, file, { serializers: [(value: string) => value] });
      } catch {
        const wanted = readFileSync(file, 'utf8').trim();
        sameText(actual.trim(), wanted, `${file}: if it is meant, npm run golden`);
        throw new Error(`${file} differs in blank lines: npm run golden`);
      }
    }
    for (const line of text.split('\n')) assert.ok(line.length <= 80, line);
    assert.doesNotMatch(text, /[^\n\x20-\x7e]/);
  });
}

test('page: no golden file of a situation that is no more', () => {
  const wanted = situationNames.flatMap((name) => [`${name}.html`, `${name}.txt`]);
  assert.deepEqual(readdirSync(folder).sort(), wanted.sort());
});
