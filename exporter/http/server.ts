/** The server that listens: what is refused before it is a request, what is counted, what is bounded. */
import { once } from 'node:events';
import {
  createServer,
  type IncomingMessage,
  type RequestListener,
  type Server,
  type ServerResponse,
} from 'node:http';
import type { Server as TlsServer } from 'node:https';
import { type App, createApp, internalError } from './app.ts';
import { type Connections, watchConnections } from './connections.ts';
import { countRefusals, refusalOf, refuse } from './refusals.ts';
import { hostOf, pathOf, targetOf } from './request-target.ts';

/** What a monitor comes for, and is told. */
function isWatching(path: string, code: number): boolean {
  return (path === '/metrics' && code === 200) || (path === '/status' && [200, 503].includes(code));
}

/** By the code that was sent; who went away before the first byte has had no answer. */
function countAnswer(app: App, request: IncomingMessage, response: ServerResponse): void {
  const { socket } = request;
  const { remoteAddress } = socket;
  const before = socket.bytesWritten;
  response.once('close', () => {
    if (response.headersSent && socket.bytesWritten > before) {
      const path = pathOf(request.url ?? '');
      app.requests.count(path, response.statusCode);
      if (isWatching(path, response.statusCode)) app.askers.answered(remoteAddress);
    }
  });
}

interface Listeners {
  readonly request: RequestListener;
  /** Of a request that expects something before it sends its body. */
  readonly expecting: RequestListener;
}

/**
 * Whatever goes wrong with a request ends this one, and nothing else. What is refused here is
 * behind no credentials, as whatever is no HTTP.
 */
function createListeners(app: App, connections: () => Connections): Listeners {
  const handle = createApp(app, connections).callback();

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const target = targetOf(request.url ?? '');
    const refusal =
      refusalOf(request) ?? (target === undefined ? 'the request target is no path' : undefined);
    if (refusal !== undefined) return refuse(response, 400, refusal, app.access?.headers());
    const named = hostOf(request.url ?? '');
    if (named !== undefined) request.headers.host = named;
    request.url = target;
    await handle(request, response);
  }

  const listener =
    (work: (request: IncomingMessage, response: ServerResponse) => Promise<void>) =>
    (request: IncomingMessage, response: ServerResponse) => {
      countAnswer(app, request, response);
      const begun = async () => {
        if (connections().begin(request, response)) await work(request, response);
      };
      begun().catch((error: unknown) => {
        if (response.headersSent) response.destroy();
        else refuse(response, 500, internalError, app.access?.headers());
        app.requestFailed(pathOf(request.url ?? ''), error);
      });
    };
  return {
    request: listener(answer),
    expecting: listener(async (_request, response) => {
      refuse(response, 417, 'nothing is expected here', app.access?.headers());
    }),
  };
}

const httpLimits = {
  maxHeaderSize: 8 * 1024,
  headersTimeout: 5000,
  connectionsCheckingInterval: 1000,
  keepAliveTimeout: 65_000,
  // It is asked for in `refusalOf`, where the answer is counted.
  requireHostHeader: false,
};

export interface HttpServer {
  readonly server: Server | TlsServer;
  /** Takes no more connections; resolves when the answers under way have been given. */
  readonly end: () => Promise<void>;
}

/**
 * A server that slow or greedy clients cannot hold: headers within 5 s and 8 KiB, one request at a
 * time on each connection, as many connections and unread bytes as `connections.ts` grants, idle
 * ones closed after 65 s (longer than any scrape interval in use).
 */
export function createHttpServer(app: App): HttpServer {
  const listeners = createListeners(app, () => connections);
  const tls = app.access?.tls;
  const server =
    tls === undefined
      ? createServer(httpLimits, listeners.request)
      : process.getBuiltinModule('node:https').createServer(
          {
            ...httpLimits,
            ...tls.context,
            requestCert: tls.clientCertificate,
            rejectUnauthorized: tls.clientCertificate,
            handshakeTimeout: 5000,
          },
          listeners.request,
        );
  const connections = watchConnections(server, app.limits, app.clock);
  server.on('checkExpectation', listeners.expecting);
  countRefusals(
    server,
    (socket) => connections.early(socket),
    (code) => app.requests.count('', code),
  );
  return {
    server,
    async end() {
      const closed = once(server, 'close');
      server.close();
      connections.end();
      await closed;
    },
  };
}
