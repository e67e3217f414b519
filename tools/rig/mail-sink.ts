/** Stands where a mail relay would, one without STARTTLS: keeps what is sent to it. */
import { createServer, type Socket } from 'node:net';
import type { AddressInfo } from 'node:net';

export interface MailSink {
  /** 127.0.0.1:PORT */
  readonly address: string;
  /** Header and body of each mail as they came, line ends as \n. */
  readonly mails: readonly string[];
  close(): Promise<void>;
}

/** One line of SMTP outside DATA, and what is said to it. */
function answerTo(line: string): string {
  if (/^EHLO/i.test(line)) return '250 relay';
  if (/^DATA/i.test(line)) return '354 go on';
  if (/^QUIT/i.test(line)) return '221 bye';
  return '250 ok';
}

function converse(socket: Socket, mails: string[]): void {
  let text = '';
  let data: string[] | undefined;
  socket.setEncoding('utf8').write('220 relay\r\n');
  socket.on('error', () => undefined);
  socket.on('data', (chunk: string) => {
    text += chunk;
    for (let end = text.indexOf('\r\n'); end >= 0; end = text.indexOf('\r\n')) {
      const line = text.slice(0, end);
      text = text.slice(end + 2);
      if (data === undefined) {
        socket.write(`${answerTo(line)}\r\n`);
        if (/^DATA/i.test(line)) data = [];
      } else if (line === '.') {
        mails.push(data.join('\n'));
        data = undefined;
        socket.write('250 kept\r\n');
      } else data.push(line.replace(/^\./, ''));
    }
  });
}

export async function startMailSink(): Promise<MailSink> {
  const mails: string[] = [];
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket.once('close', () => sockets.delete(socket)));
    converse(socket, mails);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    mails,
    async close() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
