import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { createAuthority } from '../../../tools/rig/certificates.ts';
import { readWebConfig } from './config.ts';

const hash = '$2y$10$X0h1gDsPszWURQaxFh.zoubFi6DXncSjhoQNJgRrnGs7EsimhC7zG';
const digest = 'a'.repeat(64);

function read(text: string) {
  return readWebConfig('/etc/stealwatch/web.yml', async (path) => {
    if (path === '/etc/stealwatch/web.yml') return text;
    throw Object.assign(new Error('no such file'), { code: 'ENOENT' });
  });
}

async function problemsOf(text: string): Promise<string> {
  const error = await read(text).then(
    () => undefined,
    (error: unknown) => error,
  );
  assert.ok(error instanceof Error, `accepted: ${text}`);
  return error.message;
}

test('web config: a file with nothing in it, or a key with nothing in it, is cut and not a wish', async () => {
  for (const text of ['', ' \n', '# to do\n', '---\n', 'null', '{}']) {
    assert.match(await problemsOf(text), /web\.yml: the file: nothing is in it/, text);
  }
  for (const key of ['basic_auth_users', 'bearer_tokens', 'tls_server_config']) {
    for (const value of ['', ' {}', ' null']) {
      const problems = await problemsOf(`${key}:${value}\n`);
      assert.match(problems, new RegExp(`web\\.yml: ${key}: nothing is in it`));
    }
  }
});

test('web config: headers alone are allowed', async () => {
  const config = await read('http_server_config: {headers: {X-Frame-Options: deny}}');
  assert.deepEqual([config.tls, config.users.size, config.tokens.length], [undefined, 0, 0]);
});

test('web config: users, tokens and headers', async () => {
  const config = await read(`
basic_auth_users:
  alice: ${hash}
bearer_tokens:
  watcher: ${digest}
http_server_config:
  http2: false
  headers:
    Strict-Transport-Security: max-age=31536000
`);
  assert.deepEqual([...config.users], [['alice', hash]]);
  assert.deepEqual(config.tokens, [Buffer.alloc(32, 0xaa)]);
  assert.deepEqual(config.headers, { 'Strict-Transport-Security': 'max-age=31536000' });
});

function withFiles(t: TestContext, text: string): Promise<unknown> {
  const authority = createAuthority(t);
  authority.issue('server');
  authority.issue('other');
  const path = join(authority.directory, 'web.yml');
  writeFileSync(path, text);
  return readWebConfig(path);
}

test('web config: file names are relative to the file that holds them', async (t) => {
  const config = await withFiles(
    t,
    'tls_server_config: {cert_file: server.pem, key_file: server.key, client_ca_file: ca.pem, client_auth_type: RequireAndVerifyClientCert, min_version: TLS13}',
  );
  const { tls } = config as Awaited<ReturnType<typeof readWebConfig>>;
  assert.equal(tls?.clientCertificate, true);
  assert.equal(tls?.context.minVersion, 'TLSv1.3');
  assert.match(String(tls?.context.ca), /BEGIN CERTIFICATE/);
});

test('web config: a key that does not fit its certificate is found at start', async (t) => {
  await assert.rejects(
    withFiles(t, 'tls_server_config: {cert_file: server.pem, key_file: other.key}'),
    /web\.yml: tls_server_config: certificate, key or CA do not work together \(ERR_OSSL_X509_KEY_VALUES_MISMATCH\)/,
  );
});

test('web config: every problem at once, with file and key', async () => {
  const problems = await problemsOf(`
tls_server_config:
  cert_file: missing.pem
  min_version: SSL3
  client_auth_type: VerifyClientCertIfGiven
  client_allowed_sans: [a]
basic_auth_users: {bob: hunter2, eve: ${hash.replace('$10$', '$31$')}, mallory: ${hash.replace('$10$', '$03$')}}
bearer_tokens: {watcher: hunter2}
http_server_config: {headers: {Set-Cookie: a, X-Frame-Options: allow}}
rate_limit: {burst: 1}
`);
  assert.deepEqual(
    problems.split('\n').map((line) => line.replace('/etc/stealwatch/web.yml: ', '')),
    [
      'rate_limit: not supported here; supported are tls_server_config, http_server_config, basic_auth_users, bearer_tokens',
      'tls_server_config.client_allowed_sans: not supported here; supported are cert_file, key_file, client_ca_file, cert, key, client_ca, client_auth_type, min_version, max_version',
      'tls_server_config.cert_file: cannot read /etc/stealwatch/missing.pem (ENOENT)',
      'tls_server_config.client_auth_type: expected RequireAndVerifyClientCert or NoClientCert',
      'tls_server_config.key_file: missing',
      'tls_server_config.min_version: expected one of TLS10, TLS11, TLS12, TLS13; got "SSL3"',
      'http_server_config.headers.Set-Cookie: this header cannot be set',
      'http_server_config.headers.X-Frame-Options: expected deny or sameorigin',
      'basic_auth_users.bob: expected a bcrypt hash ($2y$10$...)',
      'basic_auth_users.eve: expected a bcrypt cost from 4 to 14; got 31',
      'basic_auth_users.mallory: expected a bcrypt cost from 4 to 14; got 3',
      "bearer_tokens.watcher: expected the token's SHA-256 as 64 hexadecimal digits, not the token itself",
    ],
  );
  assert.doesNotMatch(problems, /hunter2/);
});

test('web config: client certificates need a CA, and a CA needs client certificates', async (t) => {
  const pair = 'cert_file: server.pem, key_file: server.key';
  await assert.rejects(
    withFiles(t, `tls_server_config: {${pair}, client_auth_type: RequireAndVerifyClientCert}`),
    /client_auth_type: needs client_ca_file/,
  );
  await assert.rejects(
    withFiles(t, `tls_server_config: {${pair}, client_ca_file: ca.pem}`),
    /client_auth_type: a client CA is given and not used/,
  );
});

test('web config: what is not YAML is named by its line, and not repeated', async () => {
  const texts = [
    'basic_auth_users:\n  bob: "hunter2',
    'basic_auth_users:\n\tbob: hunter2',
    'basic_auth_users: {a: 1}\nbasic_auth_users: hunter2: {',
    'a: b\n--- hunter2\n...\nhunter2',
    '- hunter2',
    'hunter2',
    'basic_auth_users: [hunter2]',
  ];
  for (const text of texts) {
    const problems = await problemsOf(text);
    assert.doesNotMatch(problems, /hunter2/, text);
    assert.match(problems, /web\.yml: (line \d+: not YAML \([A-Z_]+\)|[a-z_ ]+: )/, text);
  }
});

test('web config: a file that is not there', async () => {
  await assert.rejects(
    readWebConfig('/nowhere/web.yml'),
    /^Error: \/nowhere\/web\.yml: cannot be read \(ENOENT\)$/,
  );
});

const entries = (count: number, value: string) =>
  Array.from({ length: count }, (_, i) => `n${i}: ${value}`).join(', ');
const crowdedFile = (count: number) =>
  `{basic_auth_users: {${entries(count, `"${hash}"`)}}, bearer_tokens: {${entries(count, digest)}}}`;

test('web config: up to a hundred users, and as many tokens', async () => {
  const { users, tokens } = await read(crowdedFile(100));
  assert.deepEqual([users.size, tokens.length], [100, 100]);
  const problems = await problemsOf(crowdedFile(101));
  assert.match(problems, /basic_auth_users: over 100 users/);
  assert.match(problems, /bearer_tokens: over 100 tokens/);
});

test('web config: no alias is followed, not even one: a few of them make a text of gigabytes', async () => {
  assert.match(await problemsOf(`{bearer_tokens: {a: &x ${digest}, b: *x}}`), /alias/i);
});
