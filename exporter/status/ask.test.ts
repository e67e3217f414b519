/** Why the exporter cannot be asked: each cause has its own words, and none looks like another. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { createServer as createHttp, type RequestListener } from 'node:http';
import { createServer as createHttps } from 'node:https';
import { createServer, type AddressInfo, type Server } from 'node:net';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { createAuthority } from '../../tools/rig/certificates.ts';
import { freePort } from '../../tools/rig/redis-server.ts';
import type { ExporterPlace } from '../http/access/way-in.ts';
import { askForPage } from './ask.ts';

async function listening(t: TestContext, server: Server): Promise<number> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close());
  return (server.address() as AddressInfo).port;
}

const answering = (t: TestContext, listener: RequestListener) => listening(t, createHttp(listener));

const place = (url: string, more: Partial<ExporterPlace> = {}): ExporterPlace => ({
  url: new URL(url),
  named: true,
  token: undefined,
  webConfigFile: undefined,
  ...more,
});

const impatienceMs = 150;

async function whyNot(url: string, more: Partial<ExporterPlace> = {}): Promise<string> {
  const answer = askForPage(place(url, more), { deadlineMs: impatienceMs }).then(
    ({ text }) => assert.fail(text),
    (error: unknown) => String(error),
  );
  return (await answer).replace('Error: ', '');
}

const wholePage = 'ok    wohlauf \u00fc\n\n/status says ok; stealwatch 1\n';

const page: RequestListener = (_, response) => {
  response.setHeader('Stealwatch-State', 'good');
  response.end(wholePage);
};

test('status: frozen, refused, locked and not ours are told apart', async (t) => {
  const mute = await listening(t, createServer());
  assert.equal(
    await whyNot(`http://127.0.0.1:${mute}`),
    `http://127.0.0.1:${mute}: it accepts connections and has not answered within 0.15 s: the exporter or the whole machine stands still`,
  );
  assert.match(
    await whyNot(`http://127.0.0.1:${mute}`, { named: false }),
    /stands still\. Without asking it, stealwatch rescue looks who waits for what$/,
  );
  const nobody = await freePort();
  assert.match(await whyNot(`http://127.0.0.1:${nobody}`), /: nothing listens there/);
  const locked = await answering(t, (_, response) => response.writeHead(401).end('no'));
  assert.match(
    await whyNot(`http://127.0.0.1:${locked}`),
    /^http:\/\/127\.0\.0\.1:\d+: it asks for credentials \(HTTP 401\)/,
  );
  assert.match(
    await whyNot(`http://ann:s3cret@127.0.0.1:${locked}`),
    /^http:\/\/127\.0\.0\.1:\d+: it does not take the credentials that it was given/,
  );
  const other = await answering(t, (_, response) => response.end('Welcome'));
  assert.match(await whyNot(`http://127.0.0.1:${other}`), /does not say its state/);
  const failing = await answering(t, (_, response) => response.writeHead(500).end());
  assert.match(await whyNot(`http://127.0.0.1:${failing}`), /it answers HTTP 500/);
  const behind = await answering(t, (_, response) => response.writeHead(502).end());
  assert.match(
    await whyNot(`http://127.0.0.1:${behind}`),
    /the exporter behind it does not \(HTTP 502/,
  );
  for (const [location, where] of [
    ['https://login.example/s3cret?s3cret', 'to https://login.example'],
    ['/login', 'elsewhere'],
    ['', 'elsewhere'],
  ] as const) {
    const login = await answering(t, (_, response) => response.writeHead(302, { location }).end());
    const why = await whyNot(`http://127.0.0.1:${login}`);
    assert.ok(why.includes(`it sends ${where} (HTTP 302)`), why);
    assert.doesNotMatch(why, /s3cret/);
  }
  const line = await listening(
    t,
    createServer((socket) => socket.end('-ERR unknown command\r\n')),
  );
  assert.match(await whyNot(`http://127.0.0.1:${line}`), /what answers there is no HTTP/);
});

test('status: half an answer is none, whether the rest is late or never comes', async (t) => {
  for (const [last, headers] of [
    ['destroy', { 'Content-Length': 100 }],
    ['destroy', {}],
    ['wait', {}],
  ] as const) {
    const port = await answering(t, (_, response) => {
      response.writeHead(200, { 'Stealwatch-State': 'good', ...headers });
      response.write('ok    half\n\n/status says');
      if (last === 'destroy') setImmediate(() => response.destroy());
      else t.after(() => response.destroy());
    });
    assert.match(await whyNot(`http://127.0.0.1:${port}`), /its answer came in part only/, last);
  }
});

test('status: TLS where there is none, none where there is, and whose certificate it is', async (t) => {
  const authority = createAuthority(t);
  const { cert, key, certFile, keyFile } = authority.issue('server');
  const secure = await listening(t, createHttps({ cert, key }, page));
  const open = await answering(t, page);
  assert.match(await whyNot(`http://127.0.0.1:${secure}`), /it may want TLS, ask https:/);
  assert.match(await whyNot(`https://127.0.0.1:${open}`), /does not speak TLS: ask http:/);
  assert.match(
    await whyNot(`https://127.0.0.1:${secure}`),
    /of an authority that is not known here: NODE_EXTRA_CA_CERTS/,
  );
  const webConfigFile = join(authority.directory, 'web.yml');
  const files = `cert_file: ${certFile}, key_file: ${keyFile}`;
  writeFileSync(webConfigFile, `tls_server_config: { ${files} }\n`);
  const own = place(`http://127.0.0.1:${secure}`, { named: false, webConfigFile });
  assert.deepEqual(await askForPage(own), {
    state: 'good',
    text: wholePage,
    address: `https://127.0.0.1:${secure}/`,
  });
  const wants = `client_auth_type: RequireAndVerifyClientCert, client_ca_file: ${authority.caFile}`;
  writeFileSync(webConfigFile, `tls_server_config: { ${files}, ${wants} }\n`);
  assert.match(
    await whyNot(`http://127.0.0.1:${secure}`, { named: false, webConfigFile }),
    /it asks its clients for a certificate/,
  );
});

test('status: a token goes along', async (t) => {
  const port = await answering(t, (request, response) => {
    if (request.headers.authorization === 'Bearer t0ken') page(request, response);
    else response.writeHead(401).end();
  });
  const url = `http://127.0.0.1:${port}`;
  assert.equal((await askForPage(place(url, { token: 't0ken' }))).state, 'good');
  assert.match(await whyNot(url, { token: 'other' }), /does not take the credentials/);
});

test('status: below the folder of a proxy, and from any page of the exporter', async (t) => {
  const asked: (string | undefined)[] = [];
  const port = await answering(t, (request, response) => {
    asked.push(request.url);
    page(request, response);
  });
  const url = `http://127.0.0.1:${port}`;
  const from = async (path: string) =>
    (await askForPage(place(url + path))).address.slice(url.length);
  assert.deepEqual(await Promise.all(['', '/metrics', '/sw/', '/sw/status'].map(from)), [
    '/',
    '/',
    '/sw/',
    '/sw/',
  ]);
  assert.deepEqual(asked, ['/', '/', '/sw/', '/sw/']);
});
