/** An HTTP server that remembers what it was asked: an application, a webhook, Discord, a heartbeat service. */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Scope } from './redis-server.ts';

export interface Posted {
  readonly path: string;
  /** performance.now() when the last byte was there. */
  readonly at: number;
  readonly body: string;
}

export interface HttpSink {
  /** http://127.0.0.1:PORT */
  readonly url: string;
  readonly port: number;
  /** `GET /path` of each request so far. */
  readonly requests: readonly string[];
  /** What came with them. */
  readonly posted: readonly Posted[];
  close(): Promise<void>;
}

type Answer = (request: IncomingMessage, response: ServerResponse) => void;

/** What the service itself would say: a message that got another answer counts as not sent. */
const asMessenger: Answer = ({ url = '' }, response) => {
  if (url.startsWith('/bot')) {
    response.end(JSON.stringify({ ok: true, result: { message_id: 1, chat: { id: 1 } } }));
  } else if (url.startsWith('/slack')) response.end('ok');
  else response.writeHead(204).end();
};

/** To be closed by whoever has no scope. */
export async function startSink(answer = asMessenger, host = '127.0.0.1'): Promise<HttpSink> {
  const requests: string[] = [];
  const posted: Posted[] = [];
  const server = createServer((request, response) => {
    const { method, url: path = '' } = request;
    let body = '';
    request.setEncoding('utf8').on('data', (chunk: string) => (body += chunk));
    request.on('end', () => {
      requests.push(`${method} ${path}`);
      posted.push({ path, at: performance.now(), body });
      answer(request, response);
    });
  });
  server.listen(0, host);
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://${host}:${port}`,
    port,
    requests,
    posted,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

export async function httpSink(scope: Scope, answer?: Answer): Promise<HttpSink> {
  const sink = await startSink(answer);
  scope.after(() => sink.close());
  return sink;
}

/** What Alertmanager's webhook posts, as far as we look. */
export interface WebhookMessage {
  readonly status: 'firing' | 'resolved';
  readonly groupLabels: Readonly<Record<string, string>>;
  readonly alerts: readonly {
    readonly status: string;
    readonly labels: Readonly<Record<string, string>>;
    readonly annotations: Readonly<Record<string, string>>;
  }[];
}

export function webhookMessage({ body }: Posted): WebhookMessage {
  const message: WebhookMessage = JSON.parse(body);
  return message;
}
