/** An HTTP server whose connections are watched, with a clock that the test moves. */
import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import { connect, type Socket } from 'node:net';
import type { TestContext } from 'node:test';
import { manualClock } from '../../exporter/measure/clock.ts';
import { type ConnectionLimits, watchConnections } from '../../exporter/http/connections.ts';
import { listening } from './listening.ts';

const many: ConnectionLimits = {
  connections: 100,
  perAddress: 100,
  unreadBytes: 1e6,
  answerSeconds: 30,
  slowestBytesPerSecond: 256e3,
};

export const request = 'GET /a HTTP/1.1\r\nHost: x\r\n\r\n';

export interface Client {
  readonly socket: Socket;
  /** Everything that came so far. */
  readonly text: () => string;
  readonly closed: () => boolean;
}

export function clientOn(t: TestContext, socket: Socket): Client {
  let text = '';
  let closed = false;
  socket.on('data', (chunk: Buffer) => (text += chunk.toString('latin1')));
  socket.on('error', () => undefined);
  socket.on('close', () => (closed = true));
  t.after(() => socket.destroy());
  return { socket, text: () => text, closed: () => closed };
}

export async function serve(
  t: TestContext,
  listener: RequestListener,
  limits: Partial<ConnectionLimits> = {},
  server: Server = createServer(),
  /** The first of those it may be: the oldest. */
  random = () => 0,
) {
  const clock = manualClock();
  let begun = 0;
  let refused = 0;
  const connections = watchConnections(server, { ...many, ...limits }, clock, random);
  server.on('request', (incoming, response) => {
    if (connections.begin(incoming, response)) {
      begun++;
      listener(incoming, response);
    } else refused++;
  });
  server.on('clientError', (_error, socket) => {
    if (!connections.early(socket)) socket.destroy();
  });
  const port = await listening(t, server);
  return {
    server,
    port,
    clock,
    connections,
    begun: () => begun,
    refused: () => refused,
    open: async (localAddress = '127.0.0.1'): Promise<Client> => {
      const client = clientOn(t, connect({ port, host: '127.0.0.1', localAddress }));
      await once(client.socket, 'connect');
      return client;
    },
  };
}

export const answerAt: RequestListener = (_request, response) => response.end('here');
export const turnOfTheLoop = () => new Promise((resolve) => setTimeout(resolve, 20));
export const answers = (client: Client) => client.text().split('HTTP/1.1 200').length - 1;
