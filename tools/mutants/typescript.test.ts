import assert from 'node:assert/strict';
import { test } from 'node:test';
import { apply, diffOf, lineOf } from './mutation.ts';
import { isTypescript, typescriptMutations } from './typescript.ts';

/** Every result of one operator on a text, or of all. */
function results(text: string, operator?: string): string[] {
  return typescriptMutations(text)
    .filter((mutation) => operator === undefined || mutation.operator === operator)
    .map((mutation) => apply(text, mutation));
}

const cases: readonly (readonly [operator: string, text: string, results: readonly string[]])[] = [
  ['comparison', 'f(a < b);', ['f(a <= b);', 'f(a >= b);']],
  ['comparison', 'f(a === b);', ['f(a !== b);']],
  // The `<` of the comment and of the type arguments are none of it.
  ['comparison', 'f<T>(a /* < */ > b);', ['f<T>(a /* < */ >= b);', 'f<T>(a /* < */ <= b);']],
  ['condition negated', 'if (a) b();', ['if (!(a)) b();']],
  ['condition negated', 'const x = a ? 1 : 2;', ['const x = !(a) ? 1 : 2;']],
  ['arithmetic', 'f(a + b * c);', ['f(a - b * c);', 'f(a + b / c);']],
  ['arithmetic', "f('a' + b);", []],
  ['arithmetic', 'a += 1;', ['a -= 1;']],
  ['arithmetic', 'i++;', ['i--;']],
  ['number', 'const a = 5;', ['const a = 5000;', 'const a = 0;', 'const a = 6;']],
  ['number', 'const a = 0;', ['const a = 1;']],
  ['number', 'const a = 1_000;', ['const a = 1000000;', 'const a = 0;', 'const a = 1001;']],
  ['return dropped', 'function f() { return a; }', ['function f() { return; }']],
  ['return dropped', 'function f() { return undefined; }', []],
  ['return dropped', 'function f() { if (a) return; g(); }', ['function f() { if (a)  g(); }']],
  ['call dropped', 'f(); const a = g();', [' const a = g();']],
  ['call dropped', 'await f();', ['']],
  ['call dropped', 'a?.f();', ['']],
  ['assignment dropped', 'a = 1;', ['']],
  ['boolean', 'f(true);', ['f(false);']],
  ['and, or', 'f(a && b || c);', ['f(a || b || c);', 'f(a && b && c);']],
  ['?? taken apart', 'f(a ?? b);', ['f((a));', 'f((b));']],
  ['?? taken apart', 'f(a[i] ?? 0);', ['f((0));']],
  ['number', 'f(a[i] ?? 0, a.b ?? 0);', ['f(a[i] ?? 0, a.b ?? 1);']],
  [
    'text emptied',
    "f('a', { 'b': 'c' }, \"d\");",
    ["f('', { 'b': 'c' }, \"d\");", "f('a', { 'b': '' }, \"d\");", "f('a', { 'b': 'c' }, '');"],
  ],
  ['list emptied', 'f([1, a], []);', ['f([], []);']],
  [
    'default dropped',
    'function f(a = 1, { b = 2 }) {}',
    ['function f(a, { b = 2 }) {}', 'function f(a = 1, { b }) {}'],
  ],
  ['default dropped', 'function f(a: number = 1) {}', ['function f(a: number) {}']],
  [
    '?. taken away',
    'f(a?.b, c?.[0], d?.());',
    ['f(a.b, c?.[0], d?.());', 'f(a?.b, c[0], d?.());', 'f(a?.b, c?.[0], d());'],
  ],
  ['! taken away', 'f(!a);', ['f(a);']],
  ['- taken away', 'f(-a);', ['f(a);']],
  ['method', 'f(Math.max(a, b), c[max]);', ['f(Math.min(a, b), c[max]);']],
  ['anchor dropped', 'f(/^a$/);', ['f(/a$/);', 'f(/^a/);']],
  ['anchor dropped', 'f(/a\\$/);', []],
  ['anchor dropped', 'f(/^/);', []],
  ['continue dropped', 'for (;;) { continue; }', ['for (;;) {  }']],
];

for (const [operator, text, expected] of cases) {
  test(`mutations: ${operator} of ${text}`, () => {
    assert.deepEqual(results(text, operator), expected);
  });
}

test('mutations: types, imports, names and prose are left alone', () => {
  for (const text of [
    "import { a } from './b.ts';",
    "export { a } from './b.ts';",
    "type A = 'a' | 5 | [1, 2];",
    "interface A { readonly a: 'b' }",
    "let a: Record<'b', 5>;",
    "let f: typeof import('./g.ts');",
    "const m = { help: 'What it is.' };",
    "'use strict';",
  ]) {
    assert.deepEqual(
      results(text).filter((one) => one !== ''),
      [],
      text,
    );
  }
  assert.deepEqual(results("const a = 'b' as 'c';"), ["const a = '' as 'c';"]);
});

test('mutations: every result can be parsed, and no two are the same', () => {
  const text = `
    export function f(a: number = 3, b?: { c?: string[] }): string {
      const d = b?.c?.[a - 1] ?? 'none';
      if (a > 5 && !d.startsWith('x')) return [d, /^a+$/].join('');
      for (let i = 0; i < a; i++) { if (i === 2) continue; g(i); }
      return a ? d + \`\${a}\` : '';
    }`;
  const all = results(text);
  assert.ok(all.length > 35, `${all.length}`);
  assert.equal(new Set(all).size, all.length);
  for (const one of all) assert.ok(isTypescript(one), one);
  assert.ok(!all.includes(text));
  assert.throws(() => typescriptMutations('const ='), /not TypeScript/);
});

test('mutations: shown as the lines of a diff, long ones cut', () => {
  const text = 'a();\n  if (b) c();\nd({\n  a,\n  b,\n  c,\n  e,\n});\n';
  const of = (operator: string, start = 0) => {
    const found = typescriptMutations(text).find(
      (one) => one.operator === operator && one.start >= start,
    );
    assert.ok(found);
    return { line: lineOf(text, found.start), diff: diffOf(text, found) };
  };
  assert.deepEqual(of('condition negated'), {
    line: 2,
    diff: ['-   if (b) c();', '+   if (!(b)) c();'],
  });
  assert.deepEqual(of('call dropped'), { line: 1, diff: ['- a();'] });
  assert.deepEqual(of('call dropped', text.indexOf('d(')), {
    line: 3,
    diff: ['- d({', '-   a,', '-   b,', '-   c,', '- …'],
  });
});
