/** What an application sees: random reads and a PING a second, each on its own connection. */
import { connect } from 'node:net';

export interface ClientFigures {
  readonly reads: number;
  readonly slowestReadSeconds: number;
  /** The longest time in which no PING was answered. */
  readonly longestSilenceSeconds: number;
}

export interface Client {
  /** Figures since the last call. The read under way counts with the time it has taken so far. */
  take(): ClientFigures;
  close(): void;
}

const command = (...words: string[]) =>
  `*${words.length}\r\n${words.map((word) => `$${word.length}\r\n${word}\r\n`).join('')}`;

const now = () => performance.now() / 1000;

/** Asks again only once it was answered. */
function asker(port: number, everyMs: number, next: () => string, answered: (s: number) => void) {
  const socket = connect(port, '127.0.0.1');
  let askedAt: number | undefined;
  socket.on('error', () => undefined);
  socket.on('data', () => {
    if (askedAt !== undefined) answered(now() - askedAt);
    askedAt = undefined;
  });
  const timer = setInterval(() => {
    if (askedAt !== undefined) return;
    askedAt = now();
    socket.write(next());
  }, everyMs);
  return {
    waiting: () => (askedAt === undefined ? 0 : now() - askedAt),
    close() {
      clearInterval(timer);
      socket.destroy();
    },
  };
}

export function startClient(port: number, keys: number, everyMs: number): Client {
  let reads = 0;
  let slowest = 0;
  let silence = 0;
  const random = () => command('STRLEN', `key:${Math.floor(Math.random() * keys)}`);
  const reader = asker(port, everyMs, random, (seconds) => {
    reads += 1;
    slowest = Math.max(slowest, seconds);
  });
  const pinger = asker(
    port,
    1000,
    () => command('PING'),
    (seconds) => {
      silence = Math.max(silence, seconds);
    },
  );
  return {
    take() {
      const figures = {
        reads,
        slowestReadSeconds: Math.max(slowest, reader.waiting()),
        longestSilenceSeconds: Math.max(silence, pinger.waiting()),
      };
      reads = slowest = silence = 0;
      return figures;
    },
    close() {
      reader.close();
      pinger.close();
    },
  };
}
