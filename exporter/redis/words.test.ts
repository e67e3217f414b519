/** What the probe says of a Redis that is not one, not there, or lets nobody in: and who is blamed. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { test, type TestContext } from 'node:test';
import { systemClock } from '../measure/clock.ts';
import { createAuthority } from '../../tools/rig/certificates.ts';
import { freePort, startRedis, until } from '../../tools/rig/redis-server.ts';
import { startScripted } from '../../tools/rig/scripted-redis.ts';
import { withSettings } from './address-settings.ts';
import { parseRedisAddress, type RedisAddress, type RedisTls } from './address.ts';
import { createRedisClient } from './client.ts';
import { createRedisProbe, type RedisProbe } from './probe.ts';
import { disconnected } from './verdict.ts';

const patient = () => AbortSignal.timeout(10_000);

function probeOf(t: TestContext, address: RedisAddress): RedisProbe {
  const probe = createRedisProbe(address, systemClock);
  t.after(probe.hold());
  const alive = setInterval(() => undefined, 1000);
  t.after(() => clearInterval(alive));
  return probe;
}

async function verdictOf(t: TestContext, address: RedisAddress) {
  const probe = probeOf(t, address);
  await probe.judged(patient());
  return { state: probe.state(), reason: probe.verdict()?.reason ?? '' };
}

const locked = (tls: RedisTls) => ({ tls, sentinelLogin: {}, addressMap: new Map() });

test('words: the database that was asked for is not there, or not for us', async (t) => {
  const server = await startRedis(t, {
    args: ['--user', 'sw', 'on', '>pw', '~*', '+@all', '-select'],
  });
  const node = await startRedis(t, { args: ['--cluster-enabled', 'yes'] });
  const cases: [string, string, RegExp][] = [
    [
      `${server.url}/99`,
      'error',
      /does not give us database 99: "ERR DB index is out of range"\.$/,
    ],
    [`redis://sw:pw@127.0.0.1:${server.port}/1`, 'auth_failed', /database 1: "NOPERM /],
    [`${node.url}/1`, 'error', /A cluster has database 0 alone\.$/],
    [`${server.url}/15`, 'up', / answers\.$/],
    [
      `redis://sw:wrong@127.0.0.1:${server.port}/1`,
      'auth_failed',
      /does not let us in: "WRONGPASS/,
    ],
  ];
  for (const [url, state, words] of cases) {
    const verdict = await verdictOf(t, parseRedisAddress(url));
    assert.equal(verdict.state, state, url);
    assert.match(verdict.reason, words);
  }
});

test('words: a word alone is the password, as for redis-cli; probe and client agree', async (t) => {
  const server = await startRedis(t, { args: ['--requirepass', 'word'] });
  const address = parseRedisAddress(`redis://word@127.0.0.1:${server.port}/1`);
  assert.equal((await verdictOf(t, address)).state, 'up');
  const client = createRedisClient(address, { timeoutMs: 5000 });
  t.after(() => client.close());
  assert.deepEqual(await client.send([['PING']], patient()), ['PONG']);
});

const atPort = (port: number) => parseRedisAddress(`redis://default:pw@127.0.0.1:${port}`);

test('words: a file of TLS that is wrong is named by the setting that names it', () => {
  const names = { caFile: 'OUR_CA', certFile: 'OUR_CERT', keyFile: 'OUR_KEY' };
  const address = withSettings(parseRedisAddress('rediss://h'), locked({ caFile: '/x', names }));
  const said = (text: string) => disconnected(new Error(text), address, false).reason;
  assert.match(said('key values mismatch'), /The key in OUR_KEY .* certificate in OUR_CERT\./);
  assert.match(said('no start line'), /that OUR_CA, OUR_CERT and OUR_KEY name/);
  assert.match(said('self-signed certificate'), /in the file that OUR_CA names/);
});

test('words: Redis before 6 has no user names', async (t) => {
  const open = new WeakSet<Socket>();
  const answer = (password: string) => (command: readonly string[], socket: Socket) => {
    const [name, ...args] = command;
    if (name === 'AUTH') {
      if (args.length > 1) return "-ERR wrong number of arguments for 'auth' command\r\n";
      if (args[0] !== password) return '-ERR invalid password\r\n';
      open.add(socket);
      return '+OK\r\n';
    }
    return open.has(socket) ? '+PONG\r\n' : '-NOAUTH Authentication required.\r\n';
  };
  const right = await startScripted(t, answer('pw'));

  assert.equal((await verdictOf(t, atPort(right.port))).state, 'up');
  const wrong = await startScripted(t, answer('other'));
  const refused = await verdictOf(t, atPort(wrong.port));
  assert.equal(refused.state, 'auth_failed');
  assert.match(refused.reason, /invalid password/);
  const never = await startScripted(t, ([name]) =>
    name === 'AUTH' ? "-ERR wrong number of arguments for 'auth' command\r\n" : '-NOAUTH x\r\n',
  );
  const told = await verdictOf(t, atPort(never.port));
  assert.equal(told.state, 'auth_failed');
  assert.match(told.reason, /Redis before 6 has passwords only/);
});

/** In front of a Redis, as docker-proxy and haproxy are: accepts, and closes when there is none behind. */
async function startProxy(t: TestContext, port: number): Promise<number> {
  const server = createServer((front) => {
    const back = connect(port, '127.0.0.1');
    front.on('error', () => back.destroy());
    back.on('error', () => front.destroy());
    front.pipe(back).pipe(front);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close());
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}

test('words: who has answered in the clear does not want TLS', async (t) => {
  const redis = await startRedis(t);
  const port = await startProxy(t, redis.port);
  const probe = probeOf(t, parseRedisAddress(`redis://127.0.0.1:${port}`));
  await until('up', () => probe.state() === 'up');
  await redis.stop();
  await until('down', () => probe.state() === 'error');
  assert.match(probe.verdict()?.reason ?? '', /It answered before: it is gone, or what stands/);
  const never = await verdictOf(t, parseRedisAddress(`redis://127.0.0.1:${port}`));
  assert.match(never.reason, /It may want TLS/);
});

test('words: of a cluster the node that is gone', async (t) => {
  const [gone, other] = [await freePort(), (await startRedis(t)).port];
  const url = `redis+cluster://127.0.0.1:${gone},127.0.0.1:${other}`;
  const { state, reason } = await verdictOf(t, parseRedisAddress(url));
  assert.equal(state, 'refused');
  assert.equal(
    reason,
    `Nothing listens at 127.0.0.1:${gone}, the first node of ${url}. The other nodes are not looked at by the PING.`,
  );
});

test('words: TLS by name, with our certificate and without, and what it says then', async (t) => {
  const authority = createAuthority(t);
  const [server, client] = [authority.issue('server'), authority.issue('client')];
  const port = await freePort();
  const listen = `--tls-port ${port} --tls-ca-cert-file ${authority.caFile}`;
  const identity = `--tls-cert-file ${server.certFile} --tls-key-file ${server.keyFile}`;
  await startRedis(t, { args: `${listen} ${identity}`.split(' ') });
  const address = parseRedisAddress(`rediss://localhost:${port}`);
  const ca = { caFile: authority.caFile };
  const own = { certFile: client.certFile, keyFile: client.keyFile };
  const without = await verdictOf(t, withSettings(address, locked(ca)));
  assert.equal(without.state, 'error');
  assert.match(without.reason, /It wants a client certificate: --redis-tls-cert-file and/);
  assert.doesNotMatch(without.reason, /error:|openssl|\n|[0-9A-F]{8}/);
  const well = withSettings(address, locked({ ...ca, ...own }));
  assert.equal((await verdictOf(t, well)).state, 'up');
  const redis = createRedisClient(well, { timeoutMs: 5000 });
  t.after(() => redis.close());
  assert.deepEqual(await redis.send([['PING']], patient()), ['PONG']);
  const byNumber = parseRedisAddress(`rediss://127.0.0.2:${port}`);
  const named = { ...ca, ...own, serverName: 'localhost' };
  assert.equal((await verdictOf(t, withSettings(byNumber, locked(named)))).state, 'up');
  const gone = { ...ca, certFile: `${client.certFile}.gone`, keyFile: client.keyFile };
  assert.match((await verdictOf(t, withSettings(address, locked(gone)))).reason, /ENOENT/);
});

test('words: every connection says by its name which server it wants', async (t) => {
  const authority = createAuthority(t);
  const { cert, key } = authority.issue('server');
  const names: (string | undefined)[] = [];
  const server = await startScripted(t, () => '+PONG\r\n', {
    cert,
    key,
    SNICallback(name, done) {
      names.push(name);
      done(null);
    },
  });
  const url = `rediss://localhost:${server.port}`;
  const address = withSettings(parseRedisAddress(url), locked({ caFile: authority.caFile }));
  const client = createRedisClient(address, { timeoutMs: 5000 });
  t.after(() => client.close());
  assert.deepEqual(await client.send([['PING']], patient()), ['PONG']);
  assert.equal((await verdictOf(t, address)).state, 'up');
  assert.deepEqual(names, ['localhost', 'localhost']);
});

test('words: no secret, however it is spelt, and no noise of OpenSSL', () => {
  const address = parseRedisAddress('redis://u:S3cr3t%C3%BC%22%25@h');
  const secret = 'S3cr3tü"%';
  for (const spelt of [
    secret,
    Buffer.from(secret).toString('latin1'),
    encodeURIComponent(secret),
    JSON.stringify(secret),
  ]) {
    const { reason } = disconnected(new Error(`it said ${spelt} to us`), address, false);
    assert.doesNotMatch(reason, /S3cr3t/);
    assert.match(reason, /it said .*\*\*\*.* to us/);
  }
  // An access token is longer than what is kept of a line.
  const token = Array.from({ length: 300 }, (_, i) => (i * 7919).toString(36)).join('');
  const cut = disconnected(
    new Error(`it said ${token.slice(40, 900)}`),
    { ...address, password: token },
    false,
  );
  assert.match(cut.reason, /failed: it said \*\*\*\.$/);
  const noise =
    '406DAA43687F0000:error:0A00045C:SSL routines:ssl3_read_bytes:tlsv13 alert certificate required:../deps/openssl/openssl/ssl/record/rec_layer_s3.c:918:SSL alert number 116\n';
  const { reason } = disconnected(
    Object.assign(new Error(noise), { code: 'ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED' }),
    { ...address, tls: true },
    false,
  );
  assert.match(reason, /failed: TLS: tlsv13 alert certificate required\. It wants a client/);
});

test('words: a certificate that TLS does not take names what to set', () => {
  const plain = parseRedisAddress('rediss://h');
  const withCa = { ...plain, tlsSettings: { caFile: '/ca' } };
  const cases = [
    [
      plain,
      'unable to get local issuer certificate; if the root CA is installed locally, try running Node.js with --use-system-ca',
      /: unable to get local issuer certificate\. .*--redis-tls-ca-file names/,
    ],
    [withCa, 'self-signed certificate in certificate chain', /not of the authority in the file/],
    [plain, "Hostname/IP does not match certificate's altnames: IP: h", /--redis-tls-server-name/],
    [plain, 'error:0480006C:PEM routines::no start line', /holds no PEM text/],
    [plain, 'error:05800074:x509 certificate routines::key values mismatch', /does not belong/],
  ] as const;
  for (const [address, text, expected] of cases) {
    const { reason } = disconnected(new Error(text), address, false);
    assert.match(reason, expected);
    assert.doesNotMatch(reason, /Node\.js/);
  }
});
