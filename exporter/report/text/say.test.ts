import assert from 'node:assert/strict';
import { test } from 'node:test';
import { asItIs, fenced, joined, name, process, say, table, toMarkdown, toPlain } from './say.ts';

const md = (text: ReturnType<typeof say>) => toMarkdown(text, asItIs);

/** Names that try to end a cell, a line, a code span, or to begin a link, a heading, a tag. */
const hostile = [
  'a | b',
  'a\n# heading',
  'a\r\n| forged | row |',
  '`code`',
  '[x](http://e.co)',
  '<b onclick=x>',
  'www.e.co',
  'https://e.co/x',
  'me@e.co',
  '**bold** _em_ ~~no~~',
  'a\u2028b',
  '\u202Eevil',
  '&lt;script&gt;',
  '\\| \\`',
  '\\\\|',
  'a|b',
];

test('say: what is put in is shown and does nothing', () => {
  for (const value of hostile) {
    const line = md(say`**Title:** ${value} and ${name(value)} and ${process(value)}`);
    assert.doesNotMatch(line, /[\n\r\u2028\u2029\u202E]/, value);
    const [, prose = ''] = /^\*\*Title:\*\* (.*?) and `/.exec(line) ?? [];
    assert.notEqual(prose, '', value);
    assert.doesNotMatch(prose, /(?<!\\)[|`[\]<>*_~&@#]|https?:\/\/|www\.e/, value);
    const code = [...line.matchAll(/(?<!\\)`([^`]*)`/g)].map(([, inside = '']) => inside);
    assert.equal(code.length, 2, value);
  }
});

test('say: a table keeps its columns whatever is in it', () => {
  const rows = hostile.map((value) => [md(say`${value}`), md(say`${name(value)}`)]);
  for (const line of table(['a', 'b'], rows)) {
    assert.equal(line.replaceAll(/\\[\\|]/g, '').split('|').length, 4, line);
  }
});

test('say: a fence that no line can end', () => {
  const lines = fenced(['```', '````text', 'a\tb\u001B[31m', 'x\ny']);
  assert.equal(lines[0], '`````text');
  assert.equal(lines.at(-1), '`````');
  assert.deepEqual(lines.slice(1, -1), ['```', '````text', 'a b?[31m', 'x?y']);
});

test('say: plain text has the words without the dress', () => {
  const text = joined([say`**What:** ${process('redis-server')}`, say`at ${12}`], ', ');
  assert.equal(toPlain(text, asItIs), 'What: redis-server, at 12');
  assert.equal(toPlain(say`${'a*b\nc'}`, asItIs), 'a*b c');
});

test('say: what is empty is still a name', () => {
  assert.equal(md(say`${name('')}`), '` `');
});

test('say: a command can be copied as it is', () => {
  const command = "sed -i 's|^logfile .*|logfile /x|' /etc/redis/redis.conf && a || b";
  assert.equal(md(say`${name(command)}`), `\`${command}\``);
});

test('say: a sentence or a command of ours is shown to its end, and no megabyte', () => {
  const command = `Run sadf -d -U FILE -- ${'-u ALL '.repeat(60)}and hand over its output with --sysstat`;
  assert.equal(md(say`${name(command)}`), `\`${command}\``);
  assert.ok(md(say`${command}`).endsWith('--sysstat'));
  assert.ok(md(say`${'x'.repeat(1_000_000)}`).length < 300);
  assert.equal(md(say`${name('a\u001B[31m')}`), String.raw`\`a\x1b[31m\``.replaceAll('\\`', '`'));
});
