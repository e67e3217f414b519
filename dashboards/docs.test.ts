import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { committed } from './lint/model.ts';
import { verdictSentences } from './kit/verdict.ts';

const directory = join(import.meta.dirname, '../docs/dashboards');
const page = (name: string) => readFileSync(join(directory, `${name}.md`), 'utf8');

test('every dashboard has its page, listed, with pictures that exist', () => {
  for (const { uid } of committed()) {
    const name = uid.replace('stealwatch-', '');
    const text = page(name);
    assert.ok(page('README').includes(`(${name}.md)`), `${name} is not listed`);
    for (const size of ['desk', 'phone']) {
      for (const theme of ['dark', 'light']) {
        assert.ok(
          text.includes(`images/${name}-${size}-${theme}.png`),
          `${name}: ${size} ${theme}`,
        );
      }
    }
  }
});

test('links of the pages lead somewhere', () => {
  for (const name of ['README', ...committed().map(({ uid }) => uid.replace('stealwatch-', ''))]) {
    for (const [, target = ''] of page(name).matchAll(/\]\(([^)#]+)(?:#[^)]*)?\)/g)) {
      assert.ok(existsSync(join(directory, target)), `${name}.md: ${target}`);
    }
  }
});

test('the page of the overview explains every sentence of the verdict', () => {
  for (const { value, text } of verdictSentences) {
    assert.ok(page('overview').includes(`| ${value} | ${text} |`), text);
  }
});
