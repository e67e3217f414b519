import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { committed } from './lint/model.ts';
import { verdictSentences } from './kit/verdict.ts';

const directory = join(import.meta.dirname, '../docs/dashboards');
const page = (name: string) => readFileSync(join(directory, `${name}.md`), 'utf8');

test('every dashboard has its page, listed', () => {
  for (const { uid } of committed()) {
    const name = uid.replace('stealwatch-', '');
    assert.ok(page(name).length > 0, name);
    assert.ok(page('README').includes(`(${name}.md)`), `${name} is not listed`);
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
