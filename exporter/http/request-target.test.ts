import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { connect } from 'node:net';
import { test, type TestContext } from 'node:test';
import { createRandom, pick } from '../../tools/mutants/random.ts';
import { createHttpServer } from './server.ts';
import { systemClock } from '../measure/clock.ts';
import { connectionLimits } from './open-files.ts';
import { hostOf, pathOf, targetOf } from './request-target.ts';
import { watchAskers } from './askers.ts';
import { createRequestCounter } from '../core/requests.ts';
import { createScraper } from '../core/scrape.ts';
import { createTargets } from './probe-targets.ts';
import { noEvidence } from '../../tools/rig/no-evidence.ts';
import { listening } from '../../tools/rig/listening.ts';

test('targetOf: paths, and the path of what a proxy sends', () => {
  assert.equal(targetOf('/metrics'), '/metrics');
  assert.equal(targetOf('/probe?target=a%20b'), '/probe?target=a%20b');
  assert.equal(targetOf('//[/..'), '//[/..');
  assert.equal(targetOf('http://10.0.0.1:9911/metrics?x=1'), '/metrics?x=1');
  assert.equal(targetOf('HTTP://[::1]:9911/metrics'), '/metrics');
  assert.equal(targetOf('https://host.example'), '/');
  assert.equal(targetOf('https://host.example?x'), '/?x');
  assert.equal(hostOf('HTTP://[::1]:9911/metrics'), '[::1]:9911');
  assert.equal(hostOf('https://host.example?x'), 'host.example');
  assert.equal(hostOf('/metrics'), undefined);
  assert.equal(pathOf('/probe?target=/a?b'), '/probe');
  assert.equal(pathOf('/'), '/');
});

test('targetOf: everything else is none', () => {
  const bad = [
    '',
    '*',
    'x',
    'host:443',
    '?x',
    '[',
    'http://',
    'http:///',
    'ftp://x/',
    'javascript:x',
  ];
  const odd = ['/#x', '/\u00a0', '/\ufeff', '/a b', '/\t', '/\u00ff', '/\x7f', 'http://x/#y'];
  for (const target of [
    ...bad,
    ...odd,
    'http://u@x/',
    'http://[/',
    'http://[::1/x',
    'http://x:999999/',
    'http://a b/',
  ]) {
    assert.equal(targetOf(target), undefined, target);
  }
});

async function serve(t: TestContext) {
  const failures: string[] = [];
  const warnings: string[] = [];
  const warned = (warning: Error) => warnings.push(warning.message);
  process.on('warning', warned);
  const { server } = createHttpServer({
    clock: systemClock,
    collectors: [],
    scraper: createScraper([], systemClock, { collectorChanged: () => undefined }),
    targets: createTargets([], systemClock),
    requests: createRequestCounter(),
    askers: watchAskers(systemClock),
    limits: connectionLimits,
    evidence: noEvidence,
    version: 'test',
    requestFailed: (path, error) => failures.push(`${path}: ${String(error)}`),
  });
  t.after(() => process.off('warning', warned));
  const port = await listening(t, server);

  async function send(text: string): Promise<string> {
    const socket = connect(port, '127.0.0.1');
    let answer = '';
    socket.on('data', (chunk: Buffer) => (answer += chunk.toString('latin1')));
    socket.on('error', () => undefined);
    socket.end(Buffer.from(text, 'latin1'));
    await once(socket, 'close');
    return answer;
  }
  return { server, send, failures, warnings };
}

const get = (path: string) => `GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`;

/** What URLs, headers and the parsers of both are made of, and what breaks them. */
const scraps = [
  'http://',
  'https://',
  '//',
  '/',
  '[',
  ']',
  '[::1',
  ':',
  '99999',
  '@',
  '#',
  '?',
  '%',
  '%2f',
  '%00',
  '\\',
  '*',
  'x',
  '/metrics',
  '/status',
  '/probe?target=',
  'evil.example',
  '\xA0',
  '	',
  'ÿ',
  ';',
  'q=',
  ',',
  'gzip',
  'identity;q=0',
  '*/*',
  '"',
  '{',
  '}',
  '|',
  '^',
  '`',
  '..',
  '1e9',
];
const methods = [
  'GET',
  'GET',
  'GET',
  'HEAD',
  'OPTIONS',
  'POST',
  'CONNECT',
  'TRACE',
  'M-SEARCH',
  'PRI',
];
const headerNames = [
  'Host',
  'Accept',
  'Accept-Encoding',
  'X-Prometheus-Scrape-Timeout-Seconds',
  'Authorization',
  'Cookie',
  'Upgrade',
  'Connection',
  'Expect',
  'Content-Length',
  'Transfer-Encoding',
  'Range',
  'X-Forwarded-Host',
  'If-None-Match',
  '__proto__',
];

test('requests: 2,000 odd ones are each answered or closed, and none is a failure of ours', async (t) => {
  const { send, failures, warnings } = await serve(t);
  const random = createRandom(1);
  const one = (of: readonly string[]) => pick(of, random) ?? '';
  const below = (bound: number) => Math.floor(random() * bound);
  const some = (most: number) =>
    Array.from({ length: 1 + below(most) }, () => one(scraps)).join('');
  const odd = () => {
    const headers = Array.from({ length: below(4) }, () => `${one(headerNames)}: ${some(4)}`);
    const lines = [
      `${one(methods)} ${some(5)} HTTP/1.1`,
      'Host: x',
      'Connection: close',
      ...headers,
    ];
    return `${lines.join('\r\n')}\r\n\r\n`;
  };
  for (let sent = 0; sent < 2000; sent += 50) {
    const texts = Array.from({ length: 50 }, odd);
    await Promise.all(
      texts.map(async (text) => assert.match(await send(text), /^(HTTP\/1\.1 [2-5]\d\d |$)/, text)),
    );
  }
  assert.match(await send(get('/livez')), / 200 /);
  assert.deepEqual(failures, []);
  assert.deepEqual(warnings, []);
});

test('requests: what throws outside of every handler ends that request alone', async (t) => {
  const { server, send, failures } = await serve(t);
  server.prependListener('request', (request: IncomingMessage) => {
    Object.defineProperty(request, 'headers', {
      get() {
        throw new Error('unreadable');
      },
    });
  });
  assert.match(await send(get('/metrics?secret')), /^HTTP\/1\.1 500 /);
  assert.deepEqual(failures, ['/metrics: Error: unreadable']);
});
