import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { type Clock, systemClock } from '../measure/clock.ts';
import type { Collector } from '../core/collector.ts';
import { createPseudoFs } from '../procfs/reader.ts';
import { watchAnswers } from '../redis/answers.ts';
import { parseRedisAddress } from '../redis/address.ts';
import { createRedisClient } from '../redis/client.ts';
import { createRedisProbe, type RedisProbe } from '../redis/probe.ts';
import { redisStates } from '../redis/state.ts';
import { fixtureTree, writeTree } from '../../tools/rig/fixture-tree.ts';
import { freePort, type RedisServer, startRedis, until } from '../../tools/rig/redis-server.ts';
import { redisProbeCollector } from './redis-probe.ts';

interface Probing {
  readonly probe: RedisProbe;
  readonly collector: Collector;
  readonly value: (name: string, label?: string) => Promise<number>;
}

function start(
  t: TestContext,
  url: string,
  { clock = systemClock, procfs = '/proc', container = false } = {},
): Probing {
  const address = parseRedisAddress(url);
  const probe = createRedisProbe(address, clock, createPseudoFs(procfs));
  const collector = redisProbeCollector({
    config: { redis: address },
    clock,
    redis: probe,
    container,
  });
  t.after(probe.hold());
  // The probe's timers and sockets keep no process alive; here they are what is waited for.
  const alive = setInterval(() => undefined, 1000);
  t.after(() => clearInterval(alive));
  return {
    probe,
    collector,
    async value(name, label) {
      const families = await collector.collect(patient());
      const samples = families.find(({ metric }) => metric.name === name)?.samples ?? [];
      const value = samples.find(
        ({ labels }) => label === undefined || Object.values(labels).includes(label),
      )?.value;
      if (typeof value !== 'number') throw new Error(`no ${name} ${label}`);
      return value;
    },
  };
}

const patient = () => AbortSignal.timeout(10_000);

function reason(collector: Collector): string {
  return collector.report?.().checks?.[0]?.reason ?? '';
}

/** A peer that speaks as told, for behaviour on the wire that no Redis can be made to show. */
async function startPeer(t: TestContext, talk: (socket: Socket) => void): Promise<string> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => socket.destroy());
    talk(socket);
  });
  const port = await freePort();
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  t.after(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return `redis://127.0.0.1:${port}`;
}

function makeCertificate(directory: string): void {
  const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost'];
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  const files = ['-keyout', `${directory}/key.pem`, '-out', `${directory}/cert.pem`];
  const args = ['req', '-x509', '-days', '2', ...subject, ...key, ...files];
  execFileSync('openssl', args, { stdio: 'ignore' });
}

/** Sockets whose local port is Redis's, as the kernel counts them, its listener left out. */
function socketsOnRedisSide(port: number): number {
  const listening = '0A';
  const hex = port.toString(16).toUpperCase().padStart(4, '0');
  return readFileSync('/proc/net/tcp', 'utf8')
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .filter(([, local, , state]) => local?.endsWith(`:${hex}`) === true && state !== listening)
    .length;
}

test('redis-probe: up, with every result and state there from the first scrape', async (t) => {
  const server = await startRedis(t);
  const { collector, value } = start(t, server.url);
  const families = await collector.collect(patient());
  assert.deepEqual(
    families.map(({ metric, samples }) => [metric.name, samples.length]),
    [
      ['redis_up', 1],
      ['redis_state', 8],
      ['redis_unresponsive_seconds', 1],
      ['redis_ping_seconds', 1],
      ['redis_probes_total', 5],
    ],
  );
  assert.equal(await value('redis_up'), 1);
  assert.equal(await value('redis_state', 'up'), 1);
  for (const result of ['slow', 'timeout', 'refused', 'error']) {
    assert.equal(await value('redis_probes_total', result), 0);
  }
  assert.equal(await value('redis_unresponsive_seconds'), 0);
  assert.deepEqual(collector.report?.().findings, []);
  await until('a second PING', async () => (await value('redis_probes_total', 'ok')) >= 2);
});

test('redis-probe: a freeze is seen in time, holds two sockets, and its end is seen', async (t) => {
  const server = await startRedis(t);
  const { probe, collector, value } = start(t, server.url);
  const client = createRedisClient(parseRedisAddress(server.url));
  t.after(() => client.close());
  await until('up', () => probe.answers());
  await client.send([['PING']], AbortSignal.timeout(5000));
  assert.equal(socketsOnRedisSide(server.port), 2);
  server.freeze();
  const frozenAt = performance.now();
  await until('frozen', () => probe.state() === 'frozen', 10);
  const seen = (performance.now() - frozenAt) / 1000;
  assert.ok(seen < 3.5, `frozen seen after ${seen} s`);
  let series = 0;
  for (let scrape = 0; scrape < 200; scrape++) {
    const families = await collector.collect(AbortSignal.timeout(1000));
    series = families.reduce((sum, { samples }) => sum + samples.length, 0);
    assert.equal(series, 16);
    await sleep(100);
  }
  assert.equal(await value('redis_up'), 0);
  assert.ok((await value('redis_unresponsive_seconds')) > 19);
  assert.ok((await value('redis_probes_total', 'timeout')) >= 15);
  assert.equal(socketsOnRedisSide(server.port), 2);
  assert.match(
    collector.report?.().findings?.[0]?.text ?? '',
    /accepts connections and has not answered for 2\d s\.$/,
  );
  // For the flight recorder: since when, by the PING that is awaited and by the last answer.
  const { second } = collector.report?.() ?? {};
  assert.equal(second?.redis_state, redisStates.indexOf('frozen'));
  assert.ok((second?.redis_latency_seconds ?? 0) > 18);
  assert.ok((second?.redis_silent_seconds ?? 0) > (second?.redis_latency_seconds ?? Infinity));
  server.thaw();
  const thawedAt = performance.now();
  await until('answers', () => probe.answers(), 10);
  const back = (performance.now() - thawedAt) / 1000;
  assert.ok(back < 3, `recovery seen after ${back} s`);
  await until('up', () => probe.state() === 'up');
  t.diagnostic(`frozen seen after ${seen.toFixed(2)} s, its end after ${back.toFixed(2)} s`);
});

test('redis-probe: refused, with advice while it was never there; then up; then refused', async (t) => {
  const port = await freePort();
  const { probe, collector, value } = start(t, `redis://user:s3cret@127.0.0.1:${port}`);
  await until('refused', () => probe.verdict()?.state === 'refused');
  const second = collector.report?.().second ?? {};
  assert.deepEqual(Object.keys(second), ['redis_state', 'redis_silent_seconds']);
  assert.equal(
    reason(collector),
    `Nothing listens at redis://127.0.0.1:${port}. If there is no Redis here, start with --redis-url none (REDIS_URL=none in .env).`,
  );
  assert.ok((await value('redis_probes_total', 'refused')) >= 1);
  const server = await startRedis(t, { port, args: ['--user', 'user', 'on', '>s3cret', '+ping'] });
  await until('up', () => probe.state() === 'up', 5);
  await server.stop();
  await until('refused again', () => probe.state() === 'refused', 5);
  assert.equal(reason(collector), `Nothing listens at redis://127.0.0.1:${port}.`);
  assert.ok(probe.unresponsiveSeconds() > 0);
});

test('redis-probe: refused in a container by an address that leads nowhere else', async (t) => {
  const port = await freePort();
  const said = async (host: string, container: boolean) => {
    const { probe, collector } = start(t, `redis://${host}:${port}`, { container });
    await until('refused', () => probe.verdict()?.state === 'refused');
    return reason(collector) ?? '';
  };
  for (const host of ['127.0.0.1', 'localhost', '127.0.0.2']) {
    assert.match(await said(host, true), /^Nothing listens at .* that is the container itself/);
    assert.doesNotMatch(await said(host, false), /container/);
  }
});

test('redis-probe: a name that does not resolve is unreachable', async (t) => {
  // Too long for a name in DNS, so no name server is asked.
  const { probe, collector } = start(t, `redis://${'x'.repeat(64)}:1`);
  await probe.judged(patient());
  assert.equal(probe.state(), 'unreachable');
  assert.match(reason(collector), /^redis:\/\/x{64}:1 cannot be reached: .*ENOTFOUND/);
});

test('redis-probe: a connection request without an answer is unreachable', async (t) => {
  const server = await startRedis(t, { args: ['--tcp-backlog', '1'] });
  server.freeze();
  // The accept queue holds one more than the backlog; then the kernel drops the requests.
  const fill = Array.from({ length: 4 }, () => connect(server.port, '127.0.0.1'));
  for (const socket of fill) socket.on('error', () => undefined);
  t.after(() => fill.forEach((socket) => socket.destroy()));
  await sleep(200);
  const { probe, collector, value } = start(t, server.url);
  await probe.judged(patient());
  assert.equal(probe.state(), 'unreachable');
  assert.match(reason(collector), /no answer to the connection request\.$/);
  assert.ok((await value('redis_probes_total', 'timeout')) >= 1);
  server.thaw();
  await until('up', () => probe.state() === 'up');
});

test('redis-probe: an end that does not even acknowledge is unreachable, not frozen', async (t) => {
  // Packets cannot be dropped here without changing the machine, so the kernel's table of our
  // connections is a copy in which 14 bytes of each are not acknowledged.
  const root = fixtureTree(t, { 'self/net/tcp': '' });
  const server = await startRedis(t);
  const { probe, collector } = start(t, server.url, { procfs: root });
  await until('up', () => probe.state() === 'up');
  const table = readFileSync('/proc/net/tcp', 'utf8');
  server.freeze();
  await until('frozen', () => probe.state() === 'frozen');
  const cut = table.replaceAll(/ 00000000:00000000 (\d\d:\d{8})/g, ' 0000000E:00000000 $1');
  writeTree(root, { 'self/net/tcp': cut });
  const before = socketsOnRedisSide(server.port);
  await until('unreachable', () => probe.state() === 'unreachable');
  assert.match(reason(collector), /not even its kernel acknowledges/);
  await until('a new connection', () => socketsOnRedisSide(server.port) > before);
  server.thaw();
  await until('up', () => probe.state() === 'up');
});

test('redis-probe: passwords, right, wrong, missing, needless, and an ACL user', async (t) => {
  const args = ['--requirepass', 'right', '--user', 'watcher', 'on', '>pw', '+ping', '+info'];
  const locked = await startRedis(t, { args });
  const open = await startRedis(t, { args: ['--user', 'deaf', 'on', '>pw'] });
  const cases: [string, string][] = [
    [`redis://:right@127.0.0.1:${locked.port}`, 'up'],
    [`redis://watcher:pw@127.0.0.1:${locked.port}`, 'up'],
    [`redis://:wr0ng-s3cret@127.0.0.1:${locked.port}`, 'auth_failed'],
    [`redis://127.0.0.1:${locked.port}`, 'auth_failed'],
    [`redis://:needless@127.0.0.1:${open.port}`, 'up'],
    // As the default user may do everything here, only the refused AUTH tells.
    [`redis://nobody:s3cret@127.0.0.1:${open.port}`, 'auth_failed'],
    [`redis://deaf:pw@127.0.0.1:${open.port}`, 'auth_failed'],
  ];
  await Promise.all(
    cases.map(async ([url, state]) => {
      const { probe, collector } = start(t, url);
      await probe.judged(patient());
      await sleep(2500);
      assert.equal(probe.state(), state, url);
      assert.doesNotMatch(JSON.stringify(collector.report?.()), /s3cret/);
      // Turned away is not silent: an application's health is not judged by our password.
      assert.equal(probe.unresponsiveSeconds(), 0);
      assert.equal(probe.refusesAllSeconds(), 0);
    }),
  );
});

test('redis-probe: a Unix socket, absent and then there', async (t) => {
  const directory = fixtureTree(t, {});
  const { probe, collector } = start(t, `unix://:pw@${directory}/redis.sock?db=3`);
  await probe.judged(patient());
  assert.equal(probe.state(), 'refused');
  assert.match(reason(collector), /^Nothing listens at unix:\/\/\/\S+\/redis\.sock\?db=3\./);
  await startRedis(t, { directory, args: ['--unixsocket', `${directory}/redis.sock`] });
  await until('up', () => probe.state() === 'up');
});

test('redis-probe: TLS, frozen in the handshake too; and each side mistaken', async (t) => {
  const directory = fixtureTree(t, {});
  makeCertificate(directory);
  setDefaultCACertificates([...getCACertificates(), readFileSync(`${directory}/cert.pem`, 'utf8')]);
  const tlsPort = await freePort();
  const files = { cert: `${directory}/cert.pem`, key: `${directory}/key.pem` };
  const listen = `--tls-port ${tlsPort} --tls-auth-clients no --tls-ca-cert-file ${files.cert}`;
  const identity = `--tls-cert-file ${files.cert} --tls-key-file ${files.key}`;
  const server = await startRedis(t, { args: `${listen} ${identity}`.split(' ') });
  const right = start(t, `rediss://localhost:${tlsPort}`);
  await until('up', () => right.probe.state() === 'up');
  const client = createRedisClient(parseRedisAddress(`rediss://localhost:${tlsPort}`), {
    timeoutMs: 5000,
  });
  t.after(() => client.close());
  assert.deepEqual(await client.send([['PING']], AbortSignal.timeout(5000)), ['PONG']);

  const plainToTls = start(t, `redis://127.0.0.1:${tlsPort}`);
  const tlsToPlain = start(t, `rediss://127.0.0.1:${server.port}`);
  const strange = start(t, `rediss://127.0.0.2:${tlsPort}`);
  await Promise.all([plainToTls, tlsToPlain, strange].map(({ probe }) => probe.judged(patient())));
  assert.equal(plainToTls.probe.state(), 'error');
  assert.equal(strange.probe.state(), 'error');
  assert.match(reason(plainToTls.collector), /It may want TLS \(rediss:\/\/\)\.$/);
  assert.match(reason(tlsToPlain.collector), /It may not speak TLS\.$/);
  assert.match(reason(strange.collector), /IP: 127\.0\.0\.2 is not in the cert/);

  server.freeze();
  const late = start(t, `rediss://localhost:${tlsPort}`);
  await until('frozen', () => late.probe.state() === 'frozen');
  await until('frozen', () => right.probe.state() === 'frozen');
  assert.match(reason(right.collector), /has not answered for \d s\.$/);
  server.thaw();
  await until('up', () => late.probe.state() === 'up' && right.probe.state() === 'up');
});

test('redis-probe: loading, then up', async (t) => {
  const first = await startRedis(t);
  const client = createRedisClient(parseRedisAddress(first.url), { timeoutMs: 30_000 });
  t.after(() => client.close());
  const fill = "for i=1,20000 do redis.call('set', i, i) end";
  const saved = await client.send([['EVAL', fill, 0], ['SAVE']], AbortSignal.timeout(30_000));
  assert.deepEqual(saved, [null, 'OK']);
  // 150 us a key: three seconds or more of loading, during which it answers -LOADING.
  const slow = ['--key-load-delay', '150', '--loading-process-events-interval-bytes', '1024'];
  const second = await startRedis(t, { directory: first.directory, args: slow });
  const { probe, collector } = start(t, second.url);
  await until('loading', () => probe.state() === 'loading');
  assert.match(reason(collector), /is loading its data set/);
  assert.equal(probe.answers(), false);
  await until('up', () => probe.state() === 'up', 60);
});

test('redis-probe: a script that blocks Redis serves nobody', async (t) => {
  const server = await startRedis(t, { args: ['--lua-time-limit', '50'] });
  const { probe, collector } = start(t, server.url);
  const client = createRedisClient(parseRedisAddress(server.url), { timeoutMs: 30_000 });
  t.after(() => client.close());
  const script = client.send([['EVAL', 'while true do end', 0]], AbortSignal.timeout(30_000));
  await until('busy', () => probe.state() === 'error');
  assert.match(reason(collector), /blocked by a script/);
  assert.equal(probe.answers(), false);
  await until('silence counts', () => probe.unresponsiveSeconds() > 0);
  const killer = createRedisClient(parseRedisAddress(server.url), { timeoutMs: 5000 });
  t.after(() => killer.close());
  await killer.send([['SCRIPT', 'KILL']], AbortSignal.timeout(5000));
  await script;
  await until('up', () => probe.state() === 'up');
});

test('redis-probe: after a failed save PING is refused and INFO is not', async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'stealwatch-gone-'));
  const server = await startRedis(t, { directory });
  const { probe, collector } = start(t, server.url);
  const client = createRedisClient(parseRedisAddress(server.url), { timeoutMs: 5000 });
  t.after(() => client.close());
  rmSync(directory, { recursive: true });
  const failing = [['CONFIG', 'SET', 'save', '3600 1'], ['SET', 'a', '1'], ['BGSAVE']] as const;
  await client.send(failing, AbortSignal.timeout(5000));
  await until('error', () => probe.state() === 'error');
  assert.match(reason(collector), /answers PING with "MISCONF /);
  assert.ok(probe.refusesAllSeconds() > 0, 'and so to everybody');
  assert.equal(probe.answers(), true);
  assert.equal(probe.unresponsiveSeconds(), 0);
});

test('redis-probe: slow is an answer', async (t) => {
  const url = await startPeer(t, (socket) => {
    socket.on('data', () => setTimeout(() => socket.write('+PONG\r\n'), 400));
  });
  const { probe, collector, value } = start(t, url);
  await probe.judged(patient());
  assert.equal(probe.state(), 'slow');
  assert.equal(await value('redis_up'), 1);
  assert.ok((await value('redis_probes_total', 'slow')) >= 1);
  assert.match(
    collector.report?.().findings?.[0]?.text ?? '',
    /^Redis at redis:\S+ took \d{3} ms to answer a PING\.$/,
  );
});

test('redis-probe: what is no Redis is an error, in its own words and without our password', async (t) => {
  const cases: [(socket: Socket) => void, RegExp][] = [
    [(socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'), /is no Redis: it said "HTTP\/1.1/],
    [(socket) => socket.on('data', (data) => socket.write(data)), /is no Redis: it said "\*3"/],
    [(socket) => socket.destroy(), /closes it without an answer|ECONNRESET|EPIPE/],
    [(socket) => socket.write('x'.repeat(5000)), /is no Redis: it said "x{120}"/],
    [
      (socket) => socket.end('-ERR max number of clients reached\r\n'),
      /max number of clients reached/,
    ],
  ];
  for (const [talk, expected] of cases) {
    const url = await startPeer(t, talk);
    const { probe, collector } = start(t, url.replace('//', '//u:s3cret@'));
    await probe.judged(patient());
    assert.equal(probe.state(), 'error');
    assert.match(reason(collector), expected);
    assert.doesNotMatch(reason(collector), /s3cret/);
  }
});

/** Blocks the event loop right after a PING was sent, before its answer can be read. */
async function standStillAfterPing(
  t: TestContext,
  block: () => void,
  server: RedisServer,
): Promise<{ states: string[]; answers: number[] }> {
  let blocking = false;
  const clock: Clock = {
    ...systemClock,
    every: (seconds, tick) =>
      systemClock.every(seconds, () => {
        tick();
        // The probe asks in its own setImmediate, which was made before this one.
        if (blocking) setImmediate(block);
        blocking = false;
      }),
  };
  const { probe } = start(t, server.url, { clock });
  await until('up', () => probe.state() === 'up');
  const states: string[] = [];
  const answers: number[] = [];
  probe.listen({
    answered: (seconds) => answers.push(seconds),
    result: () => states.push(probe.state()),
  });
  blocking = true;
  await until('two seconds judged', () => states.length >= 2);
  return { states, answers };
}

function spin(seconds: number): void {
  const end = performance.now() + seconds * 1000;
  while (performance.now() < end);
}

test('redis-probe: while only we stood still, an answer that lies ready counts', async (t) => {
  const server = await startRedis(t);
  const { states, answers } = await standStillAfterPing(t, () => spin(1.2), server);
  assert.deepEqual(states.slice(0, 2), ['up', 'up']);
  // The answer was there at once; the 1.2 s were ours and are no time of Redis's.
  assert.ok(Math.max(...answers) < 1, String(answers));
});

test('redis-probe: after the whole machine stood still, Redis gets its second to answer', async (t) => {
  const server = await startRedis(t);
  const block = () => {
    server.freeze();
    spin(2);
    // Redis runs again, and has not answered when the overdue tick comes.
    setTimeout(() => server.thaw(), 300);
  };
  const { states } = await standStillAfterPing(t, block, server);
  assert.ok(!states.includes('frozen'), String(states));
});

test('redis-probe: PING answered and nothing else for half a minute is not well', async (t) => {
  const server = await startRedis(t);
  const address = parseRedisAddress(server.url);
  const probe = createRedisProbe(address, systemClock);
  t.after(probe.hold());
  await probe.judged(patient());
  let unanswered = 29;
  const collector = redisProbeCollector({
    config: { redis: address },
    clock: systemClock,
    redis: probe,
    client: { refusesKeys: () => undefined, unansweredSeconds: () => unanswered },
  });
  assert.equal(collector.report?.().checks?.[0]?.ok, true);
  unanswered = 34;
  const { ok, state } = collector.report?.().checks?.[0] ?? {};
  assert.deepEqual([ok, state], [false, 'error']);
  const words = `${address.display} answers PING and has answered nothing else for 34 s. A proxy may answer PING itself, with a frozen Redis behind it.`;
  assert.equal(reason(collector), words);
  assert.deepEqual(collector.report?.().findings, [{ severity: 'bad', text: words }]);
});

test('redis-probe: a cluster without slots answers PING and is of no use', async (t) => {
  const server = await startRedis(t, { args: ['--cluster-enabled', 'yes'] });
  const address = parseRedisAddress(server.url);
  const probe = createRedisProbe(address, systemClock);
  t.after(probe.hold());
  await probe.judged(patient());
  const client = watchAnswers(createRedisClient(address), systemClock);
  t.after(() => client.close());
  const collector = redisProbeCollector({
    config: { redis: address },
    clock: systemClock,
    redis: probe,
    client,
  });
  const told = async () => {
    const families = await collector.collect(patient());
    const samples = families.flatMap(({ metric, samples }) =>
      samples.map(({ labels, value }) => ({ name: metric.name, ...labels, value })),
    );
    const states = samples.filter(({ name, value }) => name === 'redis_state' && value === 1);
    return [samples.find(({ name }) => name === 'redis_up')?.value, ...states];
  };
  await client.send([['INFO']], patient());
  assert.equal(collector.report?.().checks?.[0]?.ok, true);
  assert.deepEqual(await told(), [1, { name: 'redis_state', state: 'up', value: 1 }]);
  await client.send([['INFO'], ['GET', 'k']], patient());
  // What pages for a Redis that serves nobody reads these.
  assert.deepEqual(await told(), [0, { name: 'redis_state', state: 'error', value: 1 }]);
  const { ok, state } = collector.report?.().checks?.[0] ?? {};
  assert.deepEqual([ok, state], [false, 'error']);
  assert.match(reason(collector) ?? '', /no key can be read: slots .* says "CLUSTERDOWN Hash slot/);
});
