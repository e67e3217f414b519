/**
 * Markdown as the runbooks are written in, as HTML: headings, paragraphs, lists, tables, blocks of code,
 * and within a line code, emphasis and links. Whatever else there is stays the text it is.
 */
import { escaped } from '../page/html.ts';

/** Where a link leads, as the document has it; undefined for no place that can be reached from here. */
export type Lead = (target: string) => string | undefined;

/** Text between two pieces of code. */
function emphasised(text: string, lead: Lead): string {
  return escaped(text)
    .replaceAll(/\[([^\]]+)\]\(([^)\s]+)\)/g, (_, words: string, target: string) => {
      const place = lead(target);
      return place === undefined
        ? `${words} (${target.replace(/^\.\.\//, 'docs/')})`
        : `<a href="${place}">${words}</a>`;
    })
    .replaceAll(/\*\*([^*]+)\*\*/g, '<b>$1</b>')
    .replaceAll(/\*([^*\s][^*]*)\*/g, '<em>$1</em>');
}

/** Odd pieces stand between backticks. A link may hold code, so its text is put together first. */
function inline(text: string, lead: Lead): string {
  const codes: string[] = [];
  const without = text.replaceAll(/`([^`]+)`/g, (_, code: string) => {
    codes.push(code);
    return `\u0001${codes.length - 1}\u0001`;
  });
  return emphasised(without, lead).replaceAll(
    /\\x01(\d+)\\x01/g,
    (_, i: string) => `<code>${escaped(codes[Number(i)] ?? '')}</code>`,
  );
}

function cellsOf(row: string): string[] {
  return row
    .trim()
    .replace(/^\|/, '')
    .replace(/\|$/, '')
    .split(/(?<!\\)\|/)
    .map((cell) => cell.trim().replaceAll('\\|', '|'));
}

const row = (cells: readonly string[], tag: 'td' | 'th', lead: Lead) =>
  `<tr>${cells.map((cell) => `<${tag}>${inline(cell, lead)}</${tag}>`).join('')}</tr>`;

function tableOf(lines: readonly string[], lead: Lead): string {
  const [head = '', rule = '', ...rows] = lines;
  const ruled = /^\|[\s:|-]+$/.test(rule);
  const body = ruled ? rows : lines.slice(1);
  const heads = cellsOf(head);
  const titles = heads.every((cell) => cell === '') ? '' : `${row(heads, 'th', lead)}\n`;
  return `<table>${titles}${body.map((line) => row(cellsOf(line), 'td', lead)).join('\n')}</table>`;
}

const item = /^(?:[*-]|(\d+)\.) +(.*)$/;

/** Lines that go on with an item are indented. */
function listOf(lines: readonly string[], lead: Lead): string {
  const items: string[] = [];
  for (const line of lines) {
    const text = item.exec(line)?.[2];
    if (text !== undefined) items.push(text);
    else items.push(`${items.pop() ?? ''} ${line.trim()}`);
  }
  const number = item.exec(lines[0] ?? '')?.[1];
  const [open, close] =
    number === undefined ? ['<ul class="md">', '</ul>'] : [`<ol start="${number}">`, '</ol>'];
  return `${open}${items.map((text) => `<li>${inline(text, lead)}</li>`).join('\n')}${close}`;
}

/** What links within a document call a heading, as GitHub has it. */
const slugOf = (title: string) =>
  title
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
    .replaceAll(' ', '-');

function blockOf(lines: readonly string[], lead: Lead): string {
  const [first = ''] = lines;
  const [, marks, title] = /^(#{1,4}) (.*)$/.exec(first) ?? [];
  if (marks !== undefined && title !== undefined) {
    const rest = lines.slice(1);
    const heading = `<h${marks.length} id="${slugOf(title)}">${inline(title, lead)}</h${marks.length}>`;
    return rest.length === 0 ? heading : `${heading}\n${blockOf(rest, lead)}`;
  }
  if (first.startsWith('|')) return tableOf(lines, lead);
  if (item.test(first)) return listOf(lines, lead);
  const begun = lines.findIndex((line, i) => i > 0 && (line.startsWith('|') || item.test(line)));
  if (begun > 0) {
    return `${blockOf(lines.slice(0, begun), lead)}\n${blockOf(lines.slice(begun), lead)}`;
  }
  return `<p>${inline(lines.join(' '), lead)}</p>`;
}

const fence = /^\s*```/;

/** What stands between two blank lines is a block, and so is what stands between two fences. */
export function htmlFromMarkdown(markdown: string, lead: Lead): string {
  const blocks: string[] = [];
  let lines: string[] = [];
  let code: string[] | undefined;
  const end = () => {
    if (lines.length > 0) blocks.push(blockOf(lines, lead));
    lines = [];
  };
  for (const line of markdown.split('\n')) {
    if (fence.test(line)) {
      end();
      if (code !== undefined)
        blocks.push(`<pre><code>${code.map(escaped).join('\n')}</code></pre>`);
      code = code === undefined ? [] : undefined;
    } else if (code !== undefined) code.push(line);
    else if (line.trim() === '') end();
    else lines.push(line);
  }
  // Of a fence that is never closed nothing is lost.
  if (code !== undefined) lines.push(...code);
  end();
  return blocks.join('\n');
}
