/**
 * Two pictures of the README, which `npm run pictures` draws anew. docs/images/page.svg: the exporter's own page, as it
 * ships, in the night of the recorded stall (exporter/fixtures/kvm-async-pf). docs/images/message.svg: what a
 * telephone then shows, the text that the shipped templates make of it (alerts/messages/firing.txt). Each is an SVG around
 * HTML, so that it is text: a browser draws it, and a test compares it.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { escapeHtml } from '../../exporter/http/page/escape.ts';
import { htmlOf, style } from '../../exporter/http/page/html.ts';
import { overviewOf } from '../../exporter/http/page/overview.ts';
import { situation } from '../rig/page-situations.ts';
import type { Scope } from '../rig/redis-server.ts';

export const pagePath = join(import.meta.dirname, '../../docs/images/page.svg');

const width = 860;
/** What is below it on the page (the checks) is not in the picture. */
const height = 1000;

/** In XML a picture within says that it is one. */
const asXml = (html: string) =>
  html.replaceAll('<svg ', '<svg xmlns="http://www.w3.org/2000/svg" ');

export function pagePicture(scope: Scope): string {
  const whole = htmlOf(overviewOf(situation(scope, 'frozen')));
  const main = /<main>.*<\/main>/s.exec(whole)?.[0] ?? '';
  const css = style
    .replace(/^body\{/m, '.page{')
    .replace('margin:0 auto;', 'margin:0 auto;background:Canvas;');
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}">
<style>${css.replaceAll('\nsvg{', '\n.page svg{')}</style>
<foreignObject width="${width}" height="${height}"><div xmlns="http://www.w3.org/1999/xhtml" class="page" style="min-height:${height}px">
${asXml(main)}
</div></foreignObject>
</svg>
`;
}

export const messagePath = join(import.meta.dirname, '../../docs/images/message.svg');
const messages = join(import.meta.dirname, '../../alerts/messages/firing.txt');

/** A link is shown as long as a line is. */
const shownLine = (line: string) =>
  /^(?:runbook|forensics): /.test(line)
    ? `<u>${escapeHtml(line.split(': ')[0] ?? '')}</u>`
    : escapeHtml(line);

export function messagePicture(): string {
  const all = readFileSync(messages, 'utf8').split(/\n-{80}\n/);
  const message = all.find((one) => one.trim().startsWith('PAGE vps1: RedisFrozen')) ?? '';
  const [title = '', ...lines] = message.trim().split('\n');
  const size = { width: 430, height: 340 };
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${size.width} ${size.height}" width="${size.width}" height="${size.height}">
<style>
.phone{box-sizing:border-box;height:${size.height}px;padding:18px;background:#1e1f22;border-radius:24px;color:#dbdee1;font:14px/1.4 system-ui,sans-serif;overflow-wrap:anywhere}
.card{background:#2b2d31;border-left:4px solid #da373c;border-radius:6px;padding:10px 12px}
b{color:#fff}p{margin:.4em 0 0;white-space:pre-wrap}
</style>
<foreignObject width="${size.width}" height="${size.height}"><div xmlns="http://www.w3.org/1999/xhtml" class="phone">
<p><b>stealwatch</b></p>
<div class="card"><b>${escapeHtml(title)}</b>
${lines
  .filter((line) => line !== '')
  .map((line) => `<p>${shownLine(line)}</p>`)
  .join('\n')}
</div></div></foreignObject>
</svg>
`;
}

if (import.meta.main) {
  const ends: (() => void | Promise<void>)[] = [];
  writeFileSync(pagePath, pagePicture({ after: (end) => void ends.push(end) }));
  writeFileSync(messagePath, messagePicture());
  for (const end of ends) await end();
}
