import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { request, type RequestOptions } from 'node:https';
import { connect } from 'node:net';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import type { TLSSocket } from 'node:tls';
import { createHttpServer } from '../server.ts';
import { type ManualClock, manualClock } from '../../measure/clock.ts';
import { connectionLimits } from '../open-files.ts';
import { watchAskers } from '../askers.ts';
import { createRequestCounter } from '../../core/requests.ts';
import { createScraper } from '../../core/scrape.ts';
import { createTargets } from '../probe-targets.ts';
import { createAuthority } from '../../../tools/rig/certificates.ts';
import { until } from '../../../tools/rig/redis-server.ts';
import { openAccess } from './access.ts';
import { noEvidence } from '../../../tools/rig/no-evidence.ts';
import { listening } from '../../../tools/rig/listening.ts';
import { stopwatch } from '../../../tools/rig/waited.ts';

const tokenDigest = (token: string) => createHash('sha256').update(token).digest('hex');

async function serve(t: TestContext, settings: () => string) {
  const authority = createAuthority(t);
  authority.issue('server');
  const file = join(authority.directory, 'web.yml');
  writeFileSync(file, settings());
  const clock: ManualClock = manualClock();
  const log: string[] = [];
  const access = await openAccess(file, clock, {
    info: (_fields, message) => log.push(message),
    error: (fields, message) => log.push(`${message} ${JSON.stringify(fields)}`),
  });
  const requests = createRequestCounter();
  const { server } = createHttpServer({
    clock,
    collectors: [],
    scraper: createScraper([], clock, { collectorChanged: () => undefined }),
    targets: createTargets([], clock),
    requests,
    askers: watchAskers(clock),
    limits: connectionLimits,
    evidence: noEvidence,
    version: 'test',
    access,
    requestFailed: (path, error) => log.push(`${path}: ${String(error)}`),
  });
  access.follow(server);
  t.after(() => access.close());
  const port = await listening(t, server);

  /** Status, headers and whose certificate the server showed; or the error's code. */
  async function get(path: string, options: RequestOptions = {}) {
    const sent = request({
      host: '127.0.0.1',
      servername: 'localhost',
      port,
      path,
      agent: false,
      ca: authority.ca,
      ...options,
    });
    sent.end();
    const [response] = (await once(sent, 'response')) as [IncomingMessage];
    response.resume();
    const serial = (response.socket as TLSSocket).getPeerCertificate().serialNumber;
    return { status: response.statusCode, headers: response.headers, serial };
  }
  return { authority, file, clock, log, get, requests, port, access };
}

const turnOfTheLoop = () => new Promise((resolve) => setTimeout(resolve, 20));
const bearer = (token: string) => ({ headers: { authorization: `Bearer ${token}` } });
const tls = 'cert_file: server.pem, key_file: server.key';

test('access: every path is behind the token, over TLS', async (t) => {
  const { get, requests } = await serve(
    t,
    () => `
tls_server_config: {${tls}}
http_server_config: {headers: {Strict-Transport-Security: max-age=60}}
bearer_tokens: {watcher: ${tokenDigest('token-1')}}
`,
  );
  for (const path of ['/metrics', '/status', '/livez', '/', '/probe', '/nothing', '/../etc']) {
    const refused = await get(path);
    assert.equal(refused.status, 401, path);
    assert.equal(refused.headers['www-authenticate'], 'Bearer realm="stealwatch"');
    assert.equal((await get(path, bearer('token-2'))).status, 401, path);
  }
  const allowed = await get('/livez', bearer('token-1'));
  assert.equal(allowed.status, 200);
  assert.equal(allowed.headers['strict-transport-security'], 'max-age=60');
  const refusals = requests.counts().filter(({ code }) => code === '401');
  assert.equal(
    refusals.reduce((sum, { count }) => sum + count, 0),
    14,
    'counted',
  );
});

test('access: basic authentication, with the challenge a browser understands', async (t) => {
  // Of "correct-horse", cost 4.
  const hash = '$2y$04$abcdefghijklmnopqrstuuPoaPXzWjiVz4HaNq2LJXksWbO79E.S6';
  const { get } = await serve(
    t,
    () => `{tls_server_config: {${tls}}, basic_auth_users: {alice: "${hash}"}}`,
  );
  const refused = await get('/livez', { auth: 'alice:battery-staple' });
  assert.equal(refused.status, 401);
  assert.match(refused.headers['www-authenticate'] ?? '', /^Basic realm=/);
  assert.equal((await get('/livez', { auth: 'alice:correct-horse' })).status, 200);
});

test('access: client certificates of our CA get through the handshake, others do not', async (t) => {
  const { get, authority } = await serve(
    t,
    () =>
      `tls_server_config: {${tls}, client_ca_file: ca.pem, client_auth_type: RequireAndVerifyClientCert}`,
  );
  await assert.rejects(get('/livez'), /certificate required|ECONNRESET/);
  const stranger = createAuthority(t).issue('client');
  await assert.rejects(get('/livez', { cert: stranger.cert, key: stranger.key }));
  const { cert, key } = authority.issue('client');
  assert.equal((await get('/livez', { cert, key })).status, 200);
});

test('access: no TLS below min_version', async (t) => {
  const { get } = await serve(t, () => `tls_server_config: {${tls}, min_version: TLS13}`);
  await assert.rejects(get('/livez', { maxVersion: 'TLSv1.2' }), /alert protocol version/);
  assert.equal((await get('/livez')).status, 200);
});

const settings = (token: string) =>
  `{tls_server_config: {${tls}}, bearer_tokens: {w: ${tokenDigest(token)}}}`;

test('access: a TLS handshake that does not end is ended after 5 s', async (t) => {
  const { get, port } = await serve(t, () => `tls_server_config: {${tls}}`);
  const watch = stopwatch();
  const silent = Array.from({ length: 50 }, () => connect(port, '127.0.0.1'));
  t.after(() => silent.forEach((socket) => socket.destroy()));
  await Promise.all(silent.map((socket) => once(socket, 'connect')));
  assert.equal((await get('/livez')).status, 200, 'beside them');
  await Promise.all(silent.map((socket) => once(socket, 'close')));
  watch.within(20_000);
});

test('access: certificates and tokens are taken up when their files change', async (t) => {
  const { get, authority, file, clock, log, access } = await serve(t, () => settings('token-1'));
  const before = await get('/livez', bearer('token-1'));
  const renewed = authority.issue('renewed');
  const at = (name: string) => join(authority.directory, name);

  // Half of a renewal: the new certificate without its key.
  renameSync(renewed.certFile, at('server.pem'));
  clock.advance(10);
  await until('the half renewal is reported', () => log.length > 0);
  assert.match(log[0] ?? '', /kept as it was.*server\.pem|kept as it was.*do not work together/);
  assert.equal((await get('/livez', bearer('token-1'))).serial, before.serial, 'still served');

  renameSync(renewed.keyFile, at('server.key'));
  clock.advance(10);
  await until('the new certificate is read', () => log.includes('web configuration read again'));
  const after = await get('/livez', bearer('token-1'));
  assert.equal(after.status, 200);
  assert.notEqual(after.serial, before.serial);

  writeFileSync(file, settings('token-2'));
  clock.advance(10);
  await until('the new token is read', () => log.length >= 3);
  assert.equal((await get('/livez', bearer('token-1'))).status, 401, 'the old token is void');
  assert.equal((await get('/livez', bearer('token-2'))).status, 200);

  assert.equal(access.problem(), undefined);
});

const closed = (token: string) =>
  `{bearer_tokens: {w: ${tokenDigest(token)}}, tls_server_config: {${tls}}}`;

test('access: what would open stays as it was, and says so until the file is right again', async (t) => {
  const { get, authority, file, clock, log, access } = await serve(t, () => closed('token-1'));
  const text = closed('token-1');
  const spoilt: [what: string, spoil: () => void, reason: RegExp][] = [
    ['empty', () => writeFileSync(file, ''), /nothing is in it/],
    ['a comment', () => writeFileSync(file, '# to do\n'), /nothing is in it/],
    ['cut behind a key', () => writeFileSync(file, 'bearer_tokens:\n'), /nothing is in it/],
    ['cut in the middle', () => writeFileSync(file, text.slice(0, 40)), /not YAML/],
    ['binary', () => writeFileSync(file, Buffer.alloc(99, 0xfe)), /web\.yml: /],
    ['too large', () => writeFileSync(file, ' '.repeat(2e6)), /larger than 1 MiB/],
    ['missing', () => undefined, /cannot be read \(ENOENT\)/],
    ['a directory', () => mkdirSync(file), /no regular file/],
    ['a FIFO', () => execFileSync('mkfifo', [file]), /no regular file/],
    [
      'without credentials',
      () => writeFileSync(file, `tls_server_config: {${tls}}`),
      /all users and tokens are gone/,
    ],
    [
      'without TLS',
      () => writeFileSync(file, `bearer_tokens: {w: ${tokenDigest('token-1')}}`),
      /TLS is gone from the file/,
    ],
    [
      'headers only',
      () => writeFileSync(file, 'http_server_config: {headers: {X-Frame-Options: deny}}'),
      /TLS is gone.*; all users and tokens are gone/,
    ],
    [
      'certificate cut',
      () => {
        writeFileSync(file, text);
        writeFileSync(join(authority.directory, 'server.pem'), '-----BEGIN CERTIFICATE-----\nMII');
      },
      /do not work together/,
    ],
  ];
  const certificate = readFileSync(join(authority.directory, 'server.pem'));
  for (const [what, spoil, reason] of spoilt) {
    rmSync(file, { force: true, recursive: true });
    spoil();
    // With the clock standing: a look that is slow on a busy machine is not late.
    await until(`${what}: it is told`, () => {
      if (access.problem() !== undefined) return true;
      access.reload();
      return false;
    });
    assert.match(access.problem()?.reason ?? '', reason, what);
    const lines = log.length;
    // Fewer seconds than a look may take.
    for (const seconds of [10, 9.9]) {
      clock.advance(seconds);
      await turnOfTheLoop();
    }
    assert.equal(log.length, lines, `${what}: logged once`);
    assert.ok((access.problem()?.sinceSeconds ?? 0) >= 19, what);
    assert.equal((await get('/livez')).status, 401, `${what}: nobody gets in`);
    assert.equal((await get('/livez', bearer('token-1'))).status, 200, `${what}: who could, can`);
    rmSync(file, { force: true, recursive: true });
    writeFileSync(file, text);
    writeFileSync(join(authority.directory, 'server.pem'), certificate);
    await until(`${what}: it is well again`, () => {
      if (access.problem() === undefined) return true;
      access.reload();
      return false;
    });
  }
});

test('access: client certificates are neither dropped nor asked for under a running server', async (t) => {
  const strict = `tls_server_config: {${tls}, client_ca_file: ca.pem, client_auth_type: RequireAndVerifyClientCert}`;
  const plain = `tls_server_config: {${tls}}`;
  for (const [before, after] of [
    [strict, plain],
    [plain, strict],
  ] as const) {
    const { get, authority, file, clock, access } = await serve(t, () => before);
    writeFileSync(file, after);
    clock.advance(10);
    await until('it is told', () => access.problem() !== undefined);
    assert.match(access.problem()?.reason ?? '', /switch client certificates on or off/);
    const { cert, key } = authority.issue('client');
    assert.equal((await get('/livez', { cert, key })).status, 200);
    if (before === strict) await assert.rejects(get('/livez'));
    else assert.equal((await get('/livez')).status, 200);
  }
});

test('access: what closes is taken at once, also beside what needs a restart', async (t) => {
  const { get, file, clock, access } = await serve(t, () => `tls_server_config: {${tls}}`);
  assert.equal((await get('/livez')).status, 200);
  writeFileSync(file, `bearer_tokens: {w: ${tokenDigest('token-1')}}`);
  clock.advance(10);
  await until('it is told', () => access.problem() !== undefined);
  assert.equal((await get('/livez')).status, 401);
  assert.equal((await get('/livez', bearer('token-1'))).status, 200);
});

test('access: SIGHUP looks at once, and says so when nothing is new', async (t) => {
  const { get, file, log, access } = await serve(t, () => closed('token-1'));
  access.reload();
  await until('it is told', () => log.includes('web configuration read again'));
  writeFileSync(file, closed('token-2'));
  access.reload();
  await until('it is read', () => log.length === 2);
  assert.equal((await get('/livez', bearer('token-1'))).status, 401);
});

test('access: what a running server cannot take up is said, and is no "read again"', async (t) => {
  const { file, clock, log, get } = await serve(t, () => settings('token-1'));
  const withClients = `{tls_server_config: {${tls}, client_ca_file: ca.pem, client_auth_type: RequireAndVerifyClientCert}, bearer_tokens: {w: ${tokenDigest('token-1')}}}`;
  const withoutTls = `{bearer_tokens: {w: ${tokenDigest('token-1')}}}`;
  for (const [i, text] of [withClients, withoutTls].entries()) {
    writeFileSync(file, text);
    clock.advance(10);
    await until('the change is told', () => log.length > i);
    assert.match(log[i] ?? '', /takes a restart/);
  }
  assert.equal(log.length, 2);
  assert.equal((await get('/livez', bearer('token-1'))).status, 200, 'served as before');
});

const withAge = (seconds: number) =>
  `{tls_server_config: {${tls}}, http_server_config: {headers: {Strict-Transport-Security: max-age=${seconds}}}}`;

test('access: headers are taken up when the file changes', async (t) => {
  const { file, clock, log, get } = await serve(t, () => withAge(60));
  const header = async () => (await get('/livez')).headers['strict-transport-security'];
  assert.equal(await header(), 'max-age=60');
  writeFileSync(file, withAge(90));
  clock.advance(10);
  await until('the file is read again', () => log.includes('web configuration read again'));
  assert.equal(await header(), 'max-age=90');
});
