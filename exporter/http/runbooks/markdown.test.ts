import assert from 'node:assert/strict';
import { test } from 'node:test';
import { htmlFromMarkdown } from './markdown.ts';

const html = (...lines: readonly string[]) =>
  htmlFromMarkdown(lines.join('\n'), (target) => (target === 'A.md' ? 'A' : undefined));

test('markdown: what the runbooks are written in', () => {
  const cases: readonly (readonly [string, readonly string[], string])[] = [
    ['nothing', [''], ''],
    ['headings', ['# A', '', '## B'], '<h1 id="a">A</h1>\n<h2 id="b">B</h2>'],
    ['a heading and its text', ['## A', 'b', 'c'], '<h2 id="a">A</h2>\n<p>b c</p>'],
    [
      'what links call a heading',
      ["## It's `slow`, here_2"],
      '<h2 id="its-slow-here_2">It&#39;s <code>slow</code>, here_2</h2>',
    ],
    ['paragraphs', ['a', 'b', '', 'c'], '<p>a b</p>\n<p>c</p>'],
    [
      'code',
      ['```sh', 'a  <b', '', '# **c**', '```', 'd'],
      '<pre><code>a  &lt;b\n\n# **c**</code></pre>\n<p>d</p>',
    ],
    ['a fence that is open', ['a', '```', 'b'], '<p>a</p>\n<p>b</p>'],
    ['emphasis', ['**a b** *c* 2 * 3 * 4'], '<p><b>a b</b> <em>c</em> 2 * 3 * 4</p>'],
    ['a list', ['* a', '  b', '* c'], '<ul class="md"><li>a b</li>\n<li>c</li></ul>'],
    ['a numbered list', ['3. a', '4. b'], '<ol start="3"><li>a</li>\n<li>b</li></ol>'],
    ['a list under its text', ['a:', '- b'], '<p>a:</p>\n<ul class="md"><li>b</li></ul>'],
    [
      'a table',
      ['| a | b |', '|---|:-:|', '| `x \\| y` | |'],
      '<table><tr><th>a</th><th>b</th></tr>\n<tr><td><code>x | y</code></td><td></td></tr></table>',
    ],
    [
      'a table without titles',
      ['| | |', '|---|---|', '| a | b |'],
      '<table><tr><td>a</td><td>b</td></tr></table>',
    ],
    ['links', ['[a](A.md), [b](../B.md)'], '<p><a href="A">a</a>, b (docs/B.md)</p>'],
    ['code in a link', ['[`a`](A.md)'], '<p><a href="A"><code>a</code></a></p>'],
    ['no markup in code', ['`*a* [b](A.md) <i>`'], '<p><code>*a* [b](A.md) &lt;i&gt;</code></p>'],
  ];
  for (const [name, lines, wanted] of cases) assert.equal(html(...lines), wanted, name);
});

test('markdown: whatever characters it has, they are text', () => {
  const hostile = '<script>"\'&\u00010\u0001\u001b[31m';
  for (const line of [
    hostile,
    `# ${hostile}`,
    `* ${hostile}`,
    `| ${hostile} |`,
    `\`${hostile}\``,
  ]) {
    const text = html(line);
    assert.doesNotMatch(text.replaceAll('\n', ''), /<script|\p{Cc}/u);
    assert.ok(text.includes('&lt;script&gt;&quot;&#39;&amp;'), text);
  }
  assert.equal(html('[a](A.md" onclick="x)'), '<p>[a](A.md&quot; onclick=&quot;x)</p>');
});
