/** A peer that answers each command as told, for what no Redis can be made to say. */
import { createServer, type Socket } from 'node:net';
import { createServer as createTlsServer, type TlsOptions } from 'node:tls';
import { freePort, type Scope } from './redis-server.ts';

/** Bytes to send; undefined for silence. It may write to the socket itself. */
export type Answer = (
  command: readonly string[],
  socket: Socket,
) => string | Buffer | undefined | void;

export interface ScriptedRedis {
  readonly port: number;
  readonly url: string;
  /** Commands as they came, arguments behind blanks. */
  readonly commands: string[];
  /** Connections that were accepted, and those that are open. */
  accepted(): number;
  open(): number;
}

export const bulk = (text: string): string => `$${Buffer.byteLength(text)}\r\n${text}\r\n`;
export const array = (...items: readonly string[]): string =>
  `*${items.length}\r\n${items.join('')}`;

/** The first whole command in the text and what is behind it. */
function firstCommand(text: string): { command: string[]; rest: string } | undefined {
  const head = /^\*(\d+)\r\n/.exec(text);
  if (head === null) return undefined;
  const command: string[] = [];
  let at = head[0].length;
  for (let i = 0; i < Number(head[1]); i += 1) {
    const size = /^\$(\d+)\r\n/.exec(text.slice(at, at + 20));
    if (size === null) return undefined;
    const start = at + size[0].length;
    const end = start + Number(size[1]);
    if (text.length < end + 2) return undefined;
    command.push(Buffer.from(text.slice(start, end), 'latin1').toString());
    at = end + 2;
  }
  return { command, rest: text.slice(at) };
}

export async function startScripted(
  scope: Scope,
  answer: Answer,
  tls?: TlsOptions,
): Promise<ScriptedRedis> {
  const sockets = new Set<Socket>();
  const commands: string[] = [];
  let accepted = 0;
  function serve(socket: Socket): void {
    let text = '';
    accepted += 1;
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', () => socket.destroy());
    socket.on('data', (chunk: Buffer) => {
      text += chunk.toString('latin1');
      for (let next = firstCommand(text); next !== undefined; next = firstCommand(text)) {
        text = next.rest;
        commands.push(next.command.join(' '));
        const reply = answer(next.command, socket);
        if (reply !== undefined) socket.write(reply);
      }
    });
  }
  const server = tls === undefined ? createServer(serve) : createTlsServer(tls, serve);
  const port = await freePort();
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  scope.after(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return {
    port,
    url: `redis${tls === undefined ? '' : 's'}://127.0.0.1:${port}`,
    commands,
    accepted: () => accepted,
    open: () => sockets.size,
  };
}
