import assert from 'node:assert/strict';
import { existsSync, readFileSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { drawnChecks } from './lint/drawn-rules.ts';
import { ruleNames } from './lint/lint.ts';
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

test('what Grafana makes of a dashboard is held by rules that exist, and each such rule is told', () => {
  const told = [...page('grafana').matchAll(/`([a-z-]+)`[^|]*\|$/gm)].map(([, name]) => name);
  const known = new Set(ruleNames);
  assert.deepEqual(
    told.filter((name) => !known.has(name ?? '')),
    [],
  );
  const untold = Object.keys(drawnChecks).filter((name) => !told.includes(name));
  // These two are about what is asked and said, not about what is drawn.
  assert.deepEqual(untold, ['description-names-its-source', 'rate-of-a-gauge']);
});

test('a photograph of a board is small, and under it stands of which Grafana and of what data', () => {
  const images = join(directory, '../images');
  const photographs = readdirSync(images).filter((name) => name.endsWith('.png'));
  assert.ok(photographs.length > 0);
  for (const name of photographs) {
    assert.ok(statSync(join(images, name)).size < 200_000, name);
    const board = page(name.replace('.png', ''));
    assert.match(
      board,
      new RegExp(`images/${name}\\)\n\n\\*Grafana \\d+\\.\\d+\\.\\d+,[^*]*incident`),
    );
  }
});
