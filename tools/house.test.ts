/** The house is what ARCHITECTURE.md says it is: its rooms, and that no arrow runs back up. */
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, dirname, join, normalize } from 'node:path';
import { test } from 'node:test';
import { parseSync } from 'oxc-parser';

const root = join(import.meta.dirname, '..');
const parts = ['exporter', 'alerts', 'dashboards', 'deploy', 'tools'] as const;

const sources = parts.flatMap((part) =>
  readdirSync(join(root, part), { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.ts') && !path.endsWith('.test.ts'))
    .map((path) => join(part, path)),
);

type Graph = ReadonlyMap<string, ReadonlySet<string>>;

/** Relative paths that a file imports, types included. */
function importsOf(path: string): string[] {
  const { module } = parseSync(path, readFileSync(join(root, path), 'utf8'));
  const named = [
    ...module.staticImports.map(({ moduleRequest }) => moduleRequest.value),
    ...module.staticExports.flatMap(({ entries }) =>
      entries.map(({ moduleRequest }) => moduleRequest?.value ?? ''),
    ),
  ];
  return named
    .filter((name) => name.startsWith('.'))
    .map((name) => normalize(join(dirname(path), name)));
}

function graphOf(nodeOf: (path: string) => string): Graph {
  const graph = new Map<string, Set<string>>();
  for (const path of sources) {
    const from = nodeOf(path);
    const arrows = graph.get(from) ?? new Set();
    for (const imported of importsOf(path)) {
      if (nodeOf(imported) !== from) arrows.add(nodeOf(imported));
    }
    graph.set(from, arrows);
  }
  return graph;
}

/** A way that leads back to where it began, if there is one. */
function circle(graph: Graph): readonly string[] | undefined {
  const done = new Set<string>();
  function walk(node: string, way: readonly string[]): readonly string[] | undefined {
    if (way.includes(node)) return [...way.slice(way.indexOf(node)), node];
    if (done.has(node)) return undefined;
    for (const next of graph.get(node) ?? []) {
      const found = walk(next, [...way, node]);
      if (found !== undefined) return found;
    }
    done.add(node);
    return undefined;
  }
  for (const node of graph.keys()) {
    const found = walk(node, []);
    if (found !== undefined) return found;
  }
  return undefined;
}

const files = graphOf((path) => path);
const rooms = graphOf(dirname);

const roomsOfExporter = () => [...rooms.keys()].filter((room) => room.startsWith('exporter/'));

test('house: no file and no room imports itself by way of others', () => {
  assert.ok(files.size > 200, `${files.size} files`);
  assert.equal(circle(files)?.join(' -> '), undefined);
  assert.equal(circle(rooms)?.join(' -> '), undefined);
  assert.deepEqual(
    circle(
      new Map([
        ['a', new Set(['b'])],
        ['b', new Set(['a'])],
      ]),
    ),
    ['a', 'b', 'a'],
  );
});

test('house: what ships imports nothing else, and no rule a board', () => {
  const arrows = [...rooms].flatMap(([from, to]) => [...to].map((room) => [from, room] as const));
  const outOf = (part: string, others: RegExp) =>
    arrows.filter(([from, to]) => from.startsWith(part) && others.test(to)).map(String);
  assert.deepEqual(outOf('exporter', /^(?!exporter)/), []);
  assert.deepEqual(outOf('alerts', /^dashboards/), []);
});

interface Entry {
  readonly name: string;
  /** All that is said of it. */
  readonly text: string;
}

/** The drawing in ARCHITECTURE.md: a name at the margin or two spaces in, and what is in it. */
function drawn(): Entry[] {
  const text = readFileSync(join(root, 'ARCHITECTURE.md'), 'utf8').split('```')[1] ?? '';
  const entries: { name: string; text: string }[] = [];
  let part = '';
  for (const line of text.split('\n').slice(1)) {
    const [, indent = '', names = '', said = ''] =
      /^( {0,2})(\S+(?: \S+)*) {2,}(.*)$/.exec(line) ?? [];
    if (names === '') {
      const last = entries.at(-1);
      if (last !== undefined) last.text += ` ${line.trim()}`;
      continue;
    }
    if (indent === '') part = '';
    for (const name of names.split(' ')) entries.push({ name: part + name, text: said });
    if (indent === '' && !names.includes(' ')) part = names;
  }
  return entries;
}

test('house: the map in ARCHITECTURE.md is the tree', () => {
  const entries = drawn();
  const names = entries.map(({ name }) => name);
  assert.ok(names.length > 20, `${names.length} names`);
  for (const { name, text } of entries) {
    assert.ok(existsSync(join(root, name)), `ARCHITECTURE.md draws ${name}, which is not there`);
    if (!name.endsWith('/')) continue;
    for (const [, file = ''] of text.matchAll(/\b([a-z-]+\.ts)\b/g)) {
      assert.ok(existsSync(join(root, name, file)), `ARCHITECTURE.md: no ${file} in ${name}`);
    }
  }
  const folders = readdirSync(join(root, 'exporter'), { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => `exporter/${entry.name}/`);
  for (const room of roomsOfExporter()) {
    const parent = entries.find(({ name }) => name === `${dirname(room)}/`);
    const isSaid = parent?.text.includes(`${basename(room)}/`) === true;
    assert.ok(
      names.includes(`${room}/`) || isSaid,
      `ARCHITECTURE.md names no ${basename(room)}/ in ${dirname(room)}/`,
    );
  }
  for (const folder of [...parts.map((part) => `${part}/`), ...folders]) {
    assert.ok(names.includes(folder), `ARCHITECTURE.md does not draw ${folder}`);
  }
});

test('house: the figures in ARCHITECTURE.md are those of today', () => {
  const text = readFileSync(join(root, 'ARCHITECTURE.md'), 'utf8');
  const rows = [...text.matchAll(/^\|([^|]+)\|[^|]+\|([\d ,]+)\|$/gm)];
  const said = rows.map(([, what = '', today = '']) => [what.trim(), today.trim()]);
  const out = [...files].flatMap(([from, to]) =>
    [...to].filter((path) => from.startsWith('exporter/') && !path.startsWith('exporter/')),
  );
  const atTop = sources.filter((path) => dirname(path) === 'exporter').length;
  const circles = { files: circle(files) ?? [], rooms: circle(rooms) ?? [] };
  assert.deepEqual(said, [
    ['sources at the top of `exporter/`', String(atTop)],
    [
      'rooms in `exporter/`, of them in one circle',
      `${roomsOfExporter().length}, ${circles.rooms.length}`,
    ],
    ['arrows out of `exporter/`', String(out.length)],
    ['circles of files, types included, in the whole tree', String(circles.files.length)],
  ]);
});

test('house: files that the decisions and the guides name are there', () => {
  const all = ['.github', 'docs', ...parts].flatMap((part) =>
    readdirSync(join(root, part), { recursive: true, encoding: 'utf8' }).map((path) =>
      join(part, path),
    ),
  );
  all.push(...readdirSync(root));
  const decisions = readdirSync(join(root, 'docs/adr')).map((name) => `docs/adr/${name}`);
  for (const page of ['ARCHITECTURE.md', 'CONTRIBUTING.md', 'RELEASE.md', ...decisions]) {
    const text = readFileSync(join(root, page), 'utf8');
    for (const [, name = ''] of text.matchAll(/`([\w./-]+\.(?:ts|yml|sh|md|json))`/g)) {
      // NAME and LAYER stand for any; a name alone is of some file.
      if (/[A-Z]{4}/.test(name.replace(/^[A-Z]+\.md$/, ''))) continue;
      const found = all.some((path) => path === name || path.endsWith(`/${name}`));
      assert.ok(found, `${page} names ${name}, which is not there`);
    }
  }
});
