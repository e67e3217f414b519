/**
 * docs/images/page.svg: the exporter's own page, as it ships, in the night of the recorded stall
 * (exporter/fixtures/kvm-async-pf). `npm run pictures` draws it anew. An SVG around the page's own HTML,
 * so that it is text: a browser draws it, and a test compares it.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
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

if (import.meta.main) {
  const ends: (() => void | Promise<void>)[] = [];
  writeFileSync(pagePath, pagePicture({ after: (end) => void ends.push(end) }));
  for (const end of ends) await end();
}
