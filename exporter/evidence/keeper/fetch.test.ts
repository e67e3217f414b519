/** Whatever stands at an agent's address: no answer of it costs more than its bounds, or says a secret. */
import assert from 'node:assert/strict';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { test, type TestContext } from 'node:test';
import { gzipSync } from 'node:zlib';
import { httpSink } from '../../../tools/rig/http-sink.ts';
import { noIncidents as answer } from '../../../tools/rig/no-evidence.ts';
import { fetchEvidence } from './fetch.ts';

const json = JSON.stringify(answer);

async function fetchFrom(
  t: TestContext,
  respond: (request: IncomingMessage, response: ServerResponse) => void,
  etag?: string,
) {
  const sink = await httpSink(t, respond);
  const url = new URL(`${sink.url}/evidence`);
  return fetchEvidence({ url, etag, authorization: 'Bearer s3cret', ca: undefined });
}

test('fetch: an answer with its tag, plain or compressed, asked for with the token', async (t) => {
  for (const zip of [true, false]) {
    let asked: IncomingMessage['headers'] = {};
    const fetched = await fetchFrom(t, (request, response) => {
      asked = request.headers;
      const headers = zip ? { 'content-encoding': 'gzip' } : {};
      response.writeHead(200, { etag: 'W/"7-1"', ...headers });
      response.end(zip ? gzipSync(json) : json);
    });
    assert.deepEqual(fetched, { etag: 'W/"7-1"', answer });
    assert.equal(asked.authorization, 'Bearer s3cret');
    assert.equal(asked['if-none-match'], undefined);
  }
});

test('fetch: what is known already is not sent again', async (t) => {
  const fetched = await fetchFrom(
    t,
    (request, response) => {
      response.writeHead(request.headers['if-none-match'] === 'W/"7-1"' ? 304 : 500).end();
    },
    'W/"7-1"',
  );
  assert.deepEqual(fetched, { etag: 'W/"7-1"', answer: undefined });
});

test('fetch: hostile answers are refused in words, and none holds what was asked with', async (t) => {
  const bomb = gzipSync(Buffer.alloc(64 * 1024 * 1024, ' '));
  const zipped = { 'content-encoding': 'gzip' };
  const cases: readonly [string, (response: ServerResponse) => void, RegExp][] = [
    ['no JSON', (r) => r.end('<html>'), /^expected JSON$/],
    ['no gzip', (r) => r.writeHead(200, zipped).end(json), /no gzip/],
    [
      'a gzip that is cut',
      (r) => r.writeHead(200, zipped).end(gzipSync(json).subarray(0, 40)),
      /cut/,
    ],
    ['a gzip bomb', (r) => r.writeHead(200, zipped).end(bomb), /longer than 512 kB/],
    ['another shape', (r) => r.end('{"schema":1}'), /^machine: expected an object$/],
    ['304 to who knows nothing', (r) => r.writeHead(304).end(), /^HTTP 304$/],
    [
      'a redirect',
      (r) => r.writeHead(302, { location: 'http://127.0.0.1:1/' }).end(),
      /^HTTP 302$/,
    ],
    ['wrong token', (r) => r.writeHead(401).end(), /^HTTP 401: it does not know the token/],
    ['no credentials there', (r) => r.writeHead(403).end(), /^HTTP 403: it shows evidence only/],
    ['an older exporter', (r) => r.writeHead(404).end(), /^HTTP 404: it has no \/evidence/],
    ['closed', (r) => r.destroy(), /^ECONNRESET$/],
  ];
  for (const [name, respond, message] of cases) {
    await assert.rejects(
      fetchFrom(t, (_request, response) => respond(response)),
      (error: Error) => message.test(error.message) && !error.message.includes('s3cret'),
      name,
    );
  }
});

test('fetch: an answer without end is given up at its bound', async (t) => {
  const before = performance.now();
  const endless = fetchFrom(t, (_request, response) => {
    response.writeHead(200);
    const chunk = Buffer.alloc(16 * 1024, ' ');
    const more = () => {
      while (!response.destroyed && response.write(chunk));
    };
    response.on('drain', more);
    more();
  });
  await assert.rejects(endless, { message: 'the answer is longer than 512 kB' });
  assert.ok(performance.now() - before < 5000);
});

test('fetch: an answer that trickles is given up at the deadline', async (t) => {
  const before = performance.now();
  const slow = fetchFrom(t, (_request, response) => {
    response.writeHead(200);
    const timer = setInterval(() => response.write('{'), 50);
    response.on('close', () => clearInterval(timer));
  });
  await assert.rejects(slow, { message: 'expected JSON' });
  const seconds = (performance.now() - before) / 1000;
  assert.ok(seconds > 7 && seconds < 12, `${seconds} s`);
});
