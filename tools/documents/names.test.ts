/** What the documents name is there: pages and their headings, npm scripts, metrics, options. */
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { test } from 'node:test';

const root = join(import.meta.dirname, '../..');
const read = (path: string) => readFileSync(join(root, path), 'utf8');
const below = readdirSync(join(root, 'docs'), { recursive: true, encoding: 'utf8' });
const pages = [
  ...readdirSync(root).filter((name) => name.endsWith('.md')),
  ...below.filter((name) => name.endsWith('.md')).map((name) => `docs/${name}`),
];

/** As GitHub makes an address of a heading; the second of a name gets -1. */
function anchorsOf(markdown: string): ReadonlySet<string> {
  const found = new Set<string>();
  for (const [, heading = ''] of markdown.matchAll(/^#{1,6} (.+)$/gm)) {
    const plain = heading.replaceAll(/\[([^\]]*)\]\([^)]*\)/g, '$1').toLowerCase();
    const anchor = plain.replaceAll(/[^\p{L}\p{N}_ -]/gu, '').replaceAll(' ', '-');
    let next = anchor;
    for (let again = 1; found.has(next); again++) next = `${anchor}-${again}`;
    found.add(next);
  }
  return found;
}

test('documents: every link leads somewhere, and to the heading it names', () => {
  const dead: string[] = [];
  for (const page of pages) {
    for (const [, target = ''] of read(page).matchAll(/\]\(([^)\s]+)\)/g)) {
      if (/^(?:https?|mailto):/.test(target)) continue;
      const [path = '', anchor] = target.split('#');
      const file = path === '' ? page : normalize(join(dirname(page), path));
      const there = existsSync(join(root, file));
      const known =
        anchor === undefined ||
        (there && statSync(join(root, file)).isFile() && anchorsOf(read(file)).has(anchor));
      if (!there || !known) dead.push(`${page}: ${target}`);
    }
  }
  assert.deepEqual(dead, []);
});

test('documents: every npm script is one', () => {
  const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> };
  for (const page of pages.filter((name) => name !== 'CHANGELOG.md')) {
    for (const [whole, script = ''] of read(page).matchAll(
      /npm run (?:--silent )?([a-z][\w:-]*)/g,
    )) {
      assert.ok(script in scripts, `${page}: ${whole}`);
    }
  }
});

const metrics = [...read('docs/metrics.md').matchAll(/`((?:redis|asynq|stealwatch)_[a-z0-9_]+)/g)];
const rules = readdirSync(join(root, 'alerts/generated')).map((name) =>
  read(`alerts/generated/${name}`),
);
const records = [...rules.join('\n').matchAll(/record: \w+:(\w+):/g)];
const known = new Set([...metrics, ...records].map(([, name]) => name));

test('documents: the metrics that keep their name are published under it', () => {
  const [, list = ''] =
    /Same name, same meaning, from redis_exporter: ([^]*?)\n\n/.exec(read('docs/migrating.md')) ??
    [];
  const names = [...list.matchAll(/`([a-z_*]+)/g)].map(([, name = '']) => name);
  assert.ok(names.length > 30, String(names.length));
  for (const name of names) assert.ok(known.has(name), `docs/migrating.md: ${name}`);
});

/** No metrics: other programs, labels, volumes; SLOs, their causes, groups of rules; fields of /evidence. */
const noMetric = new Set([
  'redis_exporter',
  'redis_save',
  'redis_version',
  'stealwatch_prometheus',
  'redis_availability',
  'redis_latency',
  'redis_fork',
  'redis_pages',
  'redis_tickets',
  'asynq_pages',
  'redis_latency_seconds',
  'redis_silent_seconds',
  'redis_stopped',
  'redis_frozen',
]);

test('documents: every metric that one speaks of is published', () => {
  const unknown: string[] = [];
  for (const page of pages.filter((name) => !/^(?:CHANGELOG|docs\/(?:metrics|adr))/.test(name))) {
    for (const [, name = ''] of read(page).matchAll(
      /\b((?:redis|asynq|stealwatch)_[a-z0-9_]*[a-z0-9])\b(?!\*|_\*|\.)/g,
    )) {
      const family = name.replace(/_(?:bucket|count|sum)$/, '');
      if (!known.has(name) && !known.has(family) && !noMetric.has(name))
        unknown.push(`${page}: ${name}`);
    }
  }
  assert.deepEqual([...new Set(unknown)], []);
});
