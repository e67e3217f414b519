/** `GET /runbook/NAME`: what to do, as Markdown for a terminal and as a page for a browser. */
import type { Context, Middleware } from 'koa';
import { wantsHtml } from '../page/accept.ts';
import { contentSecurityPolicy, escaped, style } from '../page/html.ts';
import { htmlFromMarkdown, type Lead } from './markdown.ts';
import { namesOf, runbookOf, type Runbooks } from './runbooks.ts';

/** Runbooks are here; of other documents only who has them can say where they are. */
function leadFrom(all: Runbooks, path: string): Lead {
  // `/runbook` and `/runbook/` are one, and a browser goes on from the last slash.
  const folder = path.endsWith('/runbook') ? 'runbook/' : '';
  return (target) => {
    if (/^(?:https?:\/\/|#)/.test(target)) return target;
    const name = /^(\w+)\.md$/.exec(target)?.[1];
    return name !== undefined && all.has(name) ? `${folder}${name}` : undefined;
  };
}

/** With tables that fit a phone: a path or an option in them breaks anywhere. */
export const documentStyle = `
body{max-width:52rem}pre{white-space:pre-wrap;overflow-wrap:anywhere;padding:.6em .8em;border:1px solid var(--rule)}
td:last-child{overflow-wrap:break-word}td code{overflow-wrap:anywhere}th{white-space:normal}ul.md{list-style:disc}ol,ul.md{padding-left:1.6em}nav{font-size:.9rem}`;

function pageOf(title: string, body: string, home: string): string {
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">
<title>${escaped(title)}</title><style>${style}${documentStyle}</style></head>
<body><nav><a href="${home}">what is happening now</a> · <a href="${home}runbook/">all runbooks</a></nav>
<main>${body}</main></body></html>
`;
}

function listed(all: Runbooks): string {
  const names = namesOf(all).map((name) => `  /runbook/${name}`);
  return ['no such runbook; there are /runbook/ by symptom, and', ...names, ''].join('\n');
}

function answer(ctx: Context, all: Runbooks): void {
  const name = ctx.path.replace(/^\/runbook\/?/, '').replace(/\.md$/, '');
  const markdown = runbookOf(all, name);
  ctx.vary('Accept');
  ctx.set('Content-Security-Policy', contentSecurityPolicy);
  if (markdown === undefined) {
    ctx.status = 404;
    ctx.body = listed(all);
  } else if (wantsHtml(ctx.get('Accept'))) {
    const home = ctx.path.endsWith('/runbook') ? './' : '../';
    ctx.type = 'html';
    ctx.body = pageOf(
      name || 'runbooks',
      htmlFromMarkdown(markdown, leadFrom(all, ctx.path)),
      home,
    );
  } else {
    ctx.type = 'text';
    ctx.body = markdown;
  }
}

/** `read`: all there are. */
export const runbookRoute =
  (read: () => Runbooks): Middleware =>
  (ctx) =>
    answer(ctx, read());
