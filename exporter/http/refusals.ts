/**
 * What is refused before it is a request of anybody: Node would answer it by itself, and nobody
 * would count it. Answered here, in the same words, so that the count has each code that was sent.
 */
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';

/** By the error of Node's parser and of its clock; anything else it cannot read is 400. */
const codes: ReadonlyMap<string, number> = new Map([
  ['HPE_HEADER_OVERFLOW', 431],
  ['HPE_CHUNK_EXTENSIONS_OVERFLOW', 413],
  ['ERR_HTTP_REQUEST_TIMEOUT', 408],
]);

/** Of the socket, and not of what came through it: there is nobody to answer. */
const ofSocket = /^(E[A-Z]+$|ERR_(SSL|TLS|STREAM)_)/;

/** A short text, with the headers that every answer has. */
export function refuse(
  response: ServerResponse,
  code: number,
  text: string,
  headers: Readonly<Record<string, string>> = {},
): void {
  response.writeHead(code, {
    ...headers,
    'X-Content-Type-Options': 'nosniff',
    'Content-Type': 'text/plain; charset=utf-8',
  });
  response.end(`${text}\n`);
}

/** Why a request that Node could read goes no further; undefined for one that may. */
export function refusalOf({ httpVersion, headers }: IncomingMessage): string | undefined {
  if (httpVersion === '1.1' && headers.host === undefined) return 'a request without Host';
  const coding = headers['transfer-encoding'];
  // Where the body ends cannot be known.
  if (coding !== undefined && !/(?:^|,)\s*chunked\s*$/i.test(coding)) {
    return 'the last Transfer-Encoding is not chunked';
  }
  return undefined;
}

/** `early`: an answer is under way on this connection, which another one would garble. */
export function countRefusals(
  server: Server,
  early: (socket: Duplex) => boolean,
  count: (code: number) => void,
): void {
  server.on('clientError', (error: NodeJS.ErrnoException, socket: Duplex) => {
    const cause = error.code ?? '';
    const unreadable = !ofSocket.test(cause);
    if (unreadable && early(socket)) return;
    if (socket.writable && unreadable) {
      const code = codes.get(cause) ?? 400;
      socket.end(`HTTP/1.1 ${code} ${STATUS_CODES[code]}\r\nConnection: close\r\n\r\n`);
      count(code);
    }
    if ('destroySoon' in socket && typeof socket.destroySoon === 'function') socket.destroySoon();
    else socket.destroy();
  });
}
