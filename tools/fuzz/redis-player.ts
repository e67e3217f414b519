/**
 * A peer on Redis's port that speaks RESP when it feels like it. Its mood changes every second: it
 * answers well, mangles its answers, sends other types, floods, drips, falls silent, or hangs up.
 */
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import type { Player } from './player.ts';
import { flood, mangle } from './mangle.ts';
import type { Random } from './random.ts';

const info = readFileSync(
  new URL('../../exporter/fixtures/info/redis-7.0.15.txt', import.meta.url),
  'latin1',
);

const bulk = (text: string) => `$${Buffer.byteLength(text, 'latin1')}\r\n${text}\r\n`;
const array = (items: readonly string[]) => `*${items.length}\r\n${items.join('')}`;

const moods = [
  'honest',
  'mangled',
  'mangled',
  'refusing',
  'foreign',
  'flooding',
  'flooding',
  'dripping',
  'silent',
  'leaving',
] as const;
type Mood = (typeof moods)[number];

/** What a Redis without Asynq would say, or near enough. */
function honest(name: string, second: string): string {
  switch (name) {
    case 'PING':
      return '+PONG\r\n';
    case 'INFO':
      return bulk(info);
    case 'TIME':
      return array([bulk(String(Math.floor(Date.now() / 1000))), bulk('0')]);
    case 'CONFIG':
      return array([bulk('save'), bulk('3600 1')]);
    case 'SLOWLOG':
      return second === 'LEN' ? ':0\r\n' : array([]);
    case 'LATENCY':
      return array([array([bulk('fork'), ':1700000000\r\n', ':12\r\n', ':200\r\n'])]);
    case 'SMEMBERS':
      return array([bulk('default'), bulk('__proto__')]);
    case 'SSCAN':
    case 'SCAN':
      return array([bulk('0'), array([bulk('default'), bulk('constructor')])]);
    case 'GET':
    case 'HGET':
      return '$-1\r\n';
    case 'MGET':
      return array(['$-1\r\n', '$-1\r\n']);
    case 'ZRANGE':
    case 'LRANGE':
    case 'ZRANGEBYSCORE':
    case 'HKEYS':
    case 'ZSCAN':
      return array([]);
    case 'AUTH':
    case 'SELECT':
      return '+OK\r\n';
    default:
      return ':0\r\n';
  }
}

const refusals = [
  '-NOAUTH Authentication required.\r\n',
  '-ERR max number of clients reached\r\n',
  '-LOADING Redis is loading the dataset in memory\r\n',
  '-BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE.\r\n',
  "-NOPERM this user has no permissions to run the 'info' command\r\n",
  '-MOVED 3999 127.0.0.1:1\r\n',
  "-ERR unknown command 'INFO', with args beginning with: \r\n",
  '-\u001b[31m<script>\r\n',
] as const;

function foreign(random: Random): string {
  return random.pick([
    '_\r\n',
    '#t\r\n',
    ',nan\r\n',
    '(123456789012345678901234567890\r\n',
    '=15\r\ntxt:Some string\r\n',
    '%1\r\n+a\r\n:1\r\n',
    '>2\r\n+invalidate\r\n*-1\r\n',
    '|1\r\n+ttl\r\n:1\r\n:5\r\n',
    '*-1\r\n',
    '$-2\r\n',
    ':9223372036854775808\r\n',
    '*2147483647\r\n',
    '$536870912\r\n',
    '*1\r\n'.repeat(random.int(1, 20_000)),
    'HTTP/1.1 400 Bad Request\r\n\r\n',
    '\u0016\u0003\u0001',
  ]);
}

/** The commands of one chunk; requests of clients are small and come whole. */
function commandsIn(chunk: string): string[][] {
  return chunk
    .split(/(?=\*\d+\r\n\$)/)
    .map((command) => command.split('\r\n').filter((_, i) => i % 2 === 0 && i > 0))
    .filter((words) => words.length > 0);
}

export interface RedisPlayer extends Player {
  readonly port: number;
  /** The most connections that were open at once. */
  mostOpen(): number;
}

export async function redisPlayer(random: Random): Promise<RedisPlayer> {
  let mood: Mood = 'honest';
  let playing = false;
  let most = 0;
  const open = new Set<Socket>();

  function answer(socket: Socket, words: readonly string[]): void {
    const [name = '', second = ''] = words.map((word) => word.toUpperCase());
    const right = honest(name, second);
    // A peer that fails these is asked nothing else: mostly it answers them.
    const first = name === 'PING' || name === 'AUTH' || name === 'SELECT';
    switch (first && random.chance(0.95) ? 'honest' : mood) {
      case 'honest':
        socket.write(right, 'latin1');
        break;
      case 'mangled':
        socket.write(random.chance(0.5) ? mangle(right, random) : right, 'latin1');
        break;
      case 'refusing':
        socket.write(random.pick(refusals), 'latin1');
        break;
      case 'foreign':
        socket.write(foreign(random), 'latin1');
        break;
      case 'flooding': {
        const text = flood(random.pick([1e4, 1e6, 4e6, 3e7]), random);
        socket.write(random.chance(0.5) ? bulk(text) : text, 'latin1');
        break;
      }
      case 'dripping':
        socket.write(right.slice(0, 1), 'latin1');
        break;
      case 'leaving':
        socket.write(right.slice(0, random.int(0, right.length)), 'latin1');
        socket.destroy();
        break;
      case 'silent':
    }
  }

  const server = createServer((socket) => {
    open.add(socket);
    most = Math.max(most, open.size);
    socket.setEncoding('latin1');
    socket.on('error', () => undefined);
    socket.on('close', () => open.delete(socket));
    socket.on('data', (chunk: string) => {
      for (const words of commandsIn(chunk)) if (socket.writable) answer(socket, words);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');

  return {
    name: 'redis',
    port: (server.address() as AddressInfo).port,
    mostOpen: () => most,
    start() {
      playing = true;
    },
    step() {
      if (playing && random.chance(0.07)) mood = random.pick(moods);
      if (playing && random.chance(0.02)) for (const socket of open) socket.write('+PONG\r\n');
    },
    /** From here on an honest Redis; what was left half said is cut off, as a restart would. */
    calm() {
      playing = false;
      mood = 'honest';
      for (const socket of open) socket.destroy();
    },
    close() {
      server.close();
      for (const socket of open) socket.destroy();
    },
  };
}
