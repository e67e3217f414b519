/**
 * The phone of the demo: what Alertmanager would have sent to Slack ends here, and the page shows it. So one
 * reads the message that the templates make, without an account anywhere.
 */
import type { IncomingMessage } from 'node:http';
import { isMapping, type Mapping } from '../../exporter/measure/mapping.ts';
import { escapeHtml } from '../../exporter/http/page/escape.ts';

interface Message {
  readonly at: Date;
  readonly title: string;
  readonly text: string;
  readonly over: boolean;
}

export interface Inbox {
  /** Whether it was a message. */
  take(body: string): boolean;
  /** Newest first, as HTML. */
  html(): string;
}

/** Alertmanager's message of 60 alerts has 5 kB. */
const longestBody = 64 * 1024;
const most = 20;

/** The body of a request; nothing where it is longer than any message, or ends before its end. */
export async function bodyOf(request: IncomingMessage): Promise<string | undefined> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  try {
    for await (const chunk of request as AsyncIterable<Buffer>) {
      bytes += chunk.length;
      if (bytes > longestBody) return undefined;
      chunks.push(chunk);
    }
  } catch {
    return undefined;
  }
  return Buffer.concat(chunks).toString();
}

function attachmentOf(body: string): Mapping | undefined {
  try {
    const message: unknown = JSON.parse(body);
    const attachments: unknown = isMapping(message) ? message['attachments'] : undefined;
    const [first]: unknown[] = Array.isArray(attachments) ? attachments : [];
    return isMapping(first) ? first : undefined;
  } catch {
    return undefined;
  }
}

/** Slack reads three entities, whatever else there is. */
function shown(text: unknown): string | undefined {
  if (typeof text !== 'string') return undefined;
  return text.replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&amp;', '&');
}

/** `why: ...` with its word in bold; a link where the message has one. */
function line(text: string): string {
  const [, word = '', rest = text] =
    /^(why|do|cost|report|runbook|forensics): (.*)$/.exec(text) ?? [];
  const isLink = /^(runbook|forensics)$/.test(word) && /^https?:\/\/\S+$/.test(rest);
  const said = isLink ? `<a href="${escapeHtml(rest)}">${escapeHtml(rest)}</a>` : escapeHtml(rest);
  const body = /^(do|report)$/.test(word) ? `<code>${said}</code>` : said;
  return word === '' ? body : `<b>${word}</b> ${body}`;
}

function article({ at, title, text, over }: Message): string {
  return `<article class="${over ? 'over' : 'firing'}"><h2>${escapeHtml(title)}</h2><time>${at.toISOString().slice(11, 19)} UTC</time>
<p>${text.trim().split('\n').map(line).join('<br>')}</p></article>`;
}

export function createInbox(now: () => Date = () => new Date()): Inbox {
  const messages: Message[] = [];
  return {
    take(body) {
      const attachment = attachmentOf(body);
      const [title, text] = [shown(attachment?.['title']), shown(attachment?.['text'])];
      if (title === undefined || text === undefined) return false;
      messages.unshift({ at: now(), title, text, over: attachment?.['color'] === 'good' });
      messages.splice(most);
      return true;
    },
    html() {
      if (messages.length > 0) return messages.map(article).join('\n');
      return '<p>Nothing yet. The first message of a freeze comes within ten seconds.</p>';
    },
  };
}
