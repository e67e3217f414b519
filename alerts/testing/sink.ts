/** Stands where Discord, a webhook or a heartbeat service would: keeps what is posted to it. */
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Posted {
  readonly path: string;
  /** performance.now() when the last byte was there. */
  readonly at: number;
  readonly body: string;
}

export interface Sink {
  /** http://127.0.0.1:PORT */
  readonly url: string;
  readonly posted: readonly Posted[];
  close(): Promise<void>;
}

/** What the service itself would say: a message that got another answer counts as not sent. */
function answer(path: string, response: ServerResponse): void {
  if (path.startsWith('/bot')) {
    response.end(JSON.stringify({ ok: true, result: { message_id: 1, chat: { id: 1 } } }));
  } else if (path.startsWith('/slack')) response.end('ok');
  else response.writeHead(204).end();
}

export async function startSink(): Promise<Sink> {
  const posted: Posted[] = [];
  const server = createServer((request, response) => {
    let body = '';
    request.setEncoding('utf8');
    request.on('data', (chunk: string) => {
      body += chunk;
    });
    request.on('end', () => {
      posted.push({ path: request.url ?? '', at: performance.now(), body });
      answer(request.url ?? '', response);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    posted,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
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
