/** An HTTP server that remembers what it was asked, for tests of what we send. */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Scope } from './redis-server.ts';

export interface HttpSink {
  readonly url: string;
  /** `GET /path` of each request so far. */
  readonly requests: readonly string[];
}

export async function httpSink(
  scope: Scope,
  answer: (request: IncomingMessage, response: ServerResponse) => void,
): Promise<HttpSink> {
  const requests: string[] = [];
  const server = createServer((request, response) => {
    requests.push(`${request.method} ${request.url}`);
    answer(request, response);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  scope.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, requests };
}
