import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { healthy, serve } from '../../../tools/rig/app-server.ts';
import { htmlFromMarkdown } from './markdown.ts';
import { documentStyle } from './route.ts';
import { runbookOf } from './runbooks.ts';

const folder = join(import.meta.dirname, '../../../docs/runbooks');
const browser = { accept: 'text/html,*/*;q=0.8' };

test('GET /runbook/NAME: Markdown for a terminal, a page for a browser', async (t) => {
  const { get, requests } = await serve(t, [healthy]);
  const plain = await get('/runbook/RedisFrozen');
  assert.equal(plain.status, 200);
  assert.equal(plain.headers['content-type'], 'text/plain; charset=utf-8');
  assert.match(plain.body.toString(), /^# RedisFrozen\n\n```sh\n/);
  assert.deepEqual((await get('/runbook/RedisFrozen.md')).body, plain.body);
  const html = await get('/runbook/RedisFrozen', browser);
  assert.equal(html.headers['content-type'], 'text/html; charset=utf-8');
  assert.match(String(html.headers['content-security-policy']), /^default-src 'none'/);
  assert.match(html.body.toString(), /<h1 id="redisfrozen">RedisFrozen<\/h1>\n<pre><code>/);
  assert.match(html.body.toString(), /<a href="PageInStuck">PageInStuck<\/a>/);
  const counted = requests.counts().find(({ path }) => path === '/runbook');
  assert.equal(counted?.count, 3, 'one series, whatever is asked for');
});

test('GET /runbook/: the index, whose links work from either form of its path', async (t) => {
  const { get } = await serve(t, [healthy]);
  for (const [path, prefix] of [
    ['/runbook', 'runbook/'],
    ['/runbook/', ''],
  ] as const) {
    assert.equal((await get(path)).status, 200);
    const page = (await get(path, browser)).body.toString();
    assert.ok(page.includes(`<a href="${prefix}RedisFrozen">`), path);
  }
});

test('GET /runbook/: a name that is none is 404 and told those that are', async (t) => {
  const { get } = await serve(t, [healthy]);
  for (const name of [
    'Nothing',
    '..%2fREADME',
    'a/b',
    '%00',
    '__proto__',
    'constructor',
    '%E0%A4',
  ]) {
    const { status, body } = await get(`/runbook/${name}`);
    assert.ok(status === 404 || (name === '%E0%A4' && status === 400), `${name}: ${status}`);
    if (name === 'Nothing') assert.match(body.toString(), /^ {2}\/runbook\/RedisFrozen$/m);
    assert.doesNotMatch(body.toString(), /<|proto|\0/);
  }
});

test('runbooks: what one of them links to is a runbook, a heading of its own, or a document named', async (t) => {
  const { get } = await serve(t, [healthy]);
  for (const name of ['', ...readdirSync(folder).map((file) => file.slice(0, -3))]) {
    const page = (await get(`/runbook/${name}`, browser)).body.toString();
    const main = page.slice(page.indexOf('<main>'));
    for (const [, target = ''] of main.matchAll(/<a href="([^"]*)"/g)) {
      if (target.startsWith('#'))
        assert.ok(main.includes(` id="${target.slice(1)}"`), `${name}: ${target}`);
      else if (!target.startsWith('https://'))
        assert.equal((await get(`/runbook/${target}`)).status, 200, `${name}: ${target}`);
    }
  }
});

test('runbooks: comments are for their authors, and the index is a list while nobody wrote one', () => {
  const all = new Map([['A', '# A\n\n<!-- not run:\n why -->\n```sh\nx\n```\n']]);
  assert.equal(runbookOf(all, 'A'), '# A\n\n```sh\nx\n```\n');
  assert.equal(runbookOf(all, ''), '# Runbooks\n\n* [A](A.md)\n');
  assert.equal(runbookOf(new Map([['README', '# By symptom\n']]), ''), '# By symptom\n');
});

const text = (html: string) => html.replaceAll(/<[^>]*>/g, '').replaceAll(/&[^;]+;/g, 'x');
const longestWord = (html: string) =>
  Math.max(
    0,
    ...text(html)
      .split(/[\s-]+/)
      .map(({ length }) => length),
  );

test('runbooks: no table of theirs is wider than a phone', () => {
  // 358 px are left of 390, 6 to 10 a letter of 14.4 px, and 10 between two columns.
  const mostLetters = 42;
  assert.match(documentStyle, /td code\{overflow-wrap:anywhere\}th\{white-space:normal\}/);
  for (const file of readdirSync(folder)) {
    const html = htmlFromMarkdown(readFileSync(join(folder, file), 'utf8'), () => 'x');
    for (const [table] of html.matchAll(/<table>.*?<\/table>/gs)) {
      const widths: number[] = [];
      for (const [row] of table.matchAll(/<tr>.*?<\/tr>/gs)) {
        for (const [i, cell] of row
          .split(/<t[dh]>/)
          .slice(1)
          .entries()) {
          // Code breaks anywhere.
          const word = longestWord(cell.replaceAll(/<code>.*?<\/code>/gs, ' '));
          widths[i] = Math.max(widths[i] ?? 0, word);
        }
      }
      const sum = widths.reduce((a, b) => a + b, 0);
      assert.ok(sum <= mostLetters, `${file}: ${sum} letters in words that do not break`);
    }
  }
});

test('runbooks: nothing in any of them is written in a way that the page does not know', () => {
  for (const file of readdirSync(folder)) {
    const html = htmlFromMarkdown(readFileSync(join(folder, file), 'utf8'), () => 'x');
    const prose = html.replaceAll(/<(pre|code)>.*?<\/\1>/gs, '');
    assert.doesNotMatch(prose, /\]\(|\*\*|```|`|^\||^#/m, file);
  }
});
