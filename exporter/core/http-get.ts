/**
 * One GET with a deadline, for health endpoints and heartbeats. node:http rather than fetch, which
 * costs 5 to 8 MB of memory. Redirects are answers, not orders.
 */
import { get as getHttp, type IncomingMessage } from 'node:http';
import type { ConnectionOptions } from 'node:tls';
import { version } from './version.ts';

export interface Answer {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  /** As much of it as was asked for and came in time. */
  readonly body: string;
}

/** A body as the text that it is: its characters are bytes, of which some make one character in UTF-8. */
export const textOf = (body: Answer['body']): string => Buffer.from(body, 'latin1').toString();

export interface GetOptions {
  readonly headers?: Readonly<Record<string, string>>;
  /** Whom to trust over TLS, where it is not the public authorities. */
  readonly trust?: Pick<ConnectionOptions, 'ca' | 'allowPartialTrustChain' | 'checkServerIdentity'>;
}

/** `100 Continue` and its like. Who sends them without end never answers. */
const mostInterimAnswers = 8;

const firstBytes = 16 * 1024;

async function beginningOf(response: IncomingMessage, bytes: number): Promise<string> {
  // Grows as what comes does, in few steps: it may come byte by byte.
  let body = Buffer.alloc(Math.min(bytes, firstBytes));
  let length = 0;
  response.on('data', (chunk: Buffer) => {
    const wanted = Math.min(bytes, length + chunk.length);
    if (wanted > body.length) {
      const larger = Buffer.alloc(Math.min(bytes, Math.max(wanted, 2 * body.length)));
      body.copy(larger, 0, 0, length);
      body = larger;
    }
    chunk.copy(body, length);
    length = wanted;
    if (length >= bytes) response.destroy();
  });
  if (bytes === 0) response.destroy();
  await new Promise((resolve) => {
    response.once('close', resolve);
    response.once('error', resolve);
  });
  return body.toString('latin1', 0, length);
}

/**
 * Resolves with the answer and the first bytes of its body. Rejects with an error that never
 * holds the URL, which may be secret. `ca`: in place of the public authorities.
 */
export function httpGet(
  url: URL,
  deadlineMs: number,
  bodyBytes: number,
  { headers = {}, trust = {} }: GetOptions = {},
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    // TLS costs 4 MB of memory: not before somebody uses it.
    const get = url.protocol === 'https:' ? process.getBuiltinModule('node:https').get : getHttp;
    const request = get(url, {
      agent: false,
      ...trust,
      headers: { 'user-agent': `stealwatch/${version}`, ...headers },
    });
    let interim = 0;
    let connected = false;
    function giveUp(reason: string): void {
      clearTimeout(timer);
      request.destroy();
      reject(Object.assign(new Error(reason), { connected }));
    }
    request.once('socket', (socket) => socket.once('connect', () => (connected = true)));
    let answer: IncomingMessage | undefined;
    // Not request.setTimeout: that one waits for silence, this for the answer.
    const timer = setTimeout(() => {
      if (answer === undefined) giveUp(`no answer within ${deadlineMs / 1000} s`);
      else answer.destroy();
    }, deadlineMs);
    request.on('information', () => {
      if (++interim > mostInterimAnswers) giveUp('interim answers without end');
    });
    request.on('response', (response) => {
      answer = response;
      const { statusCode: status = 0, headers } = response;
      void beginningOf(response, bodyBytes).then((body) => {
        clearTimeout(timer);
        resolve({ status, headers, body });
      });
    });
    request.on('error', (error: NodeJS.ErrnoException) => giveUp(error.code ?? 'request failed'));
  });
}

/** Somebody took the connection, and what failed came after that. */
export function wasConnected(error: unknown): boolean {
  return error instanceof Error && 'connected' in error && error.connected === true;
}

/** The same where only the status matters. */
export async function httpStatus(url: URL, deadlineMs: number): Promise<number> {
  return (await httpGet(url, deadlineMs, 0)).status;
}
