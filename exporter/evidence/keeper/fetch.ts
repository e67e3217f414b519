/** One look at an agent's /evidence. Whatever is at the other end, it takes no longer and no more. */
import { gunzipSync } from 'node:zlib';
import { httpGet } from '../../core/http-get.ts';
import { mostAnswerBytes } from '../answer.ts';
import type { EvidenceAnswer } from '../format.ts';
import { parseEvidence } from '../parse.ts';

const deadlineMs = 8000;
/** A later version may say more than ours. */
const mostBytes = 2 * mostAnswerBytes;

export interface Asked {
  readonly url: URL;
  /** Of the answer that is known already. */
  readonly etag: string | undefined;
  readonly authorization: string | undefined;
  /** Certificates of the authority that signed the agent's, in PEM; else the public ones. */
  readonly ca: string | undefined;
}

export interface Fetched {
  readonly etag: string | undefined;
  /** Undefined when it is the one that is known. */
  readonly answer: EvidenceAnswer | undefined;
}

const refusals: Readonly<Record<number, string>> = {
  401: 'HTTP 401: it does not know the token or the user',
  403: 'HTTP 403: it shows evidence only to who has credentials, and has none configured',
  404: 'HTTP 404: it has no /evidence, as before it was there, or it is no stealwatch',
};

function inflated(body: Buffer): Buffer {
  try {
    return gunzipSync(body, { maxOutputLength: mostBytes });
  } catch {
    throw new Error(`the answer is cut, no gzip, or longer than ${mostBytes / 1024} kB`);
  }
}

function headersOf({ etag, authorization }: Asked): Record<string, string> {
  return {
    'accept-encoding': 'gzip',
    ...(etag === undefined ? {} : { 'if-none-match': etag }),
    ...(authorization === undefined ? {} : { authorization }),
  };
}

/** Rejects with a sentence that holds neither the address nor a secret. */
export async function fetchEvidence(asked: Asked): Promise<Fetched> {
  const { status, headers, body } = await httpGet(asked.url, deadlineMs, mostBytes + 1, {
    headers: headersOf(asked),
    ...(asked.ca === undefined ? {} : { trust: { ca: asked.ca } }),
  });
  if (status === 304 && asked.etag !== undefined) return { etag: asked.etag, answer: undefined };
  if (status !== 200) throw new Error(refusals[status] ?? `HTTP ${status}`);
  if (body.length > mostBytes) throw new Error(`the answer is longer than ${mostBytes / 1024} kB`);
  const bytes = Buffer.from(body, 'latin1');
  const plain = headers['content-encoding'] === 'gzip' ? inflated(bytes) : bytes;
  const etag = /^(?:W\/)?"[!-~]{0,100}"$/.test(headers.etag ?? '') ? headers.etag : undefined;
  return { etag, answer: parseEvidence(plain.toString()) };
}
