/** Clients from the Internet: bad requests, pipelines, drips, readers that do not read, crowds. */
import { connect, type Socket } from 'node:net';
import { flood, mangle } from './mangle.ts';
import type { Player } from './player.ts';
import type { Random } from './random.ts';

const targets = [
  '/metrics',
  '/status',
  '/evidence',
  '/',
  '/livez',
  '/runbook/PageInStuck',
  '/runbook/%2e%2e/%2e%2e/package.json',
  '/probe?target=x',
  '/%00',
  '*',
  '/__proto__',
  'http://[/',
  'http://[::1/metrics',
  'http://evil.example/metrics',
  '//[::1/',
  'metrics',
  ':80',
];
const headers = [
  'Accept: application/openmetrics-text;version=1.0.0;q=0.5,*/*;q=0.1',
  'Accept: text/html',
  'Accept: text/plain;q=nan, ;;;,,,=',
  'Accept-Encoding: gzip',
  'Accept-Encoding: gzip;q=0, br, zstd',
  'X-Prometheus-Scrape-Timeout-Seconds: 0.01',
  'X-Prometheus-Scrape-Timeout-Seconds: 1e309',
  'X-Prometheus-Scrape-Timeout-Seconds: -1',
  'Content-Length: 5',
  'Transfer-Encoding: chunked',
  'Expect: 100-continue',
  'Upgrade: websocket\r\nConnection: upgrade',
  'Connection: close',
  'Authorization: Basic ////',
  'Authorization: Bearer \u00ff\u00fe',
];

/** What one client holds open at most, and all of them together. */
const mostOpen = 150;

function requestOf(random: Random): string {
  const chosen = headers.filter(() => random.chance(0.2));
  const target = targets[random.int(0, targets.length - 1)] ?? '/';
  const method = random.pick(['GET', 'GET', 'GET', 'HEAD', 'POST', 'OPTIONS', 'CONNECT', 'PRI']);
  return [`${method} ${target} HTTP/1.1`, 'Host: x', ...chosen, '', ''].join('\r\n');
}

export function httpPlayer(port: number, random: Random): Player {
  let playing = false;
  const open = new Set<Socket>();

  function client(): Socket {
    const socket = connect(port, '127.0.0.1');
    open.add(socket);
    socket.on('error', () => undefined);
    socket.on('close', () => open.delete(socket));
    return socket;
  }

  const acts: readonly [() => void, ...(() => void)[]] = [
    () => client().end(requestOf(random)),
    () => client().end(mangle(requestOf(random), random), 'latin1'),
    // Many at once, and nobody reads the answers.
    () => {
      const socket = client();
      socket.pause();
      socket.write('GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n'.repeat(random.int(2, 20_000)));
    },
    () => {
      client().write(requestOf(random).slice(0, random.int(1, 30)));
    },
    () => {
      client().write(`GET / HTTP/1.1\r\nX: ${flood(random.int(1e3, 1e5), random)}`);
    },
    () => {
      client();
    },
    () => {
      const socket = client();
      socket.write(requestOf(random));
      setTimeout(() => socket.resetAndDestroy(), random.int(0, 50)).unref();
    },
  ];

  return {
    name: 'http',
    start() {
      playing = true;
    },
    step() {
      if (!playing) return;
      for (let times = random.int(1, 5); times > 0; times--) random.pick(acts)();
      for (const socket of open) {
        if (open.size <= mostOpen) break;
        socket.destroy();
      }
    },
    calm() {
      playing = false;
      for (const socket of open) socket.destroy();
    },
    close() {
      for (const socket of open) socket.destroy();
    },
  };
}
