import assert from 'node:assert/strict';
import { mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import type { ListeningSocket } from '../procfs/net-tcp.ts';
import { createPseudoFs } from '../procfs/reader.ts';
import { fixtureTree, writeTree } from '../../tools/rig/fixture-tree.ts';
import { fibTrieText, tcpText } from '../../tools/rig/network-files.ts';
import { type MadeUpTask, processFiles, statText, statusText } from '../../tools/rig/task-files.ts';
import { parseRedisAddress } from './address.ts';
import { redisProcessSearch, searchRedisProcess } from './process-search.ts';

interface Network {
  readonly sockets: readonly ListeningSocket[];
  readonly addresses: readonly string[];
}

const socket = (port: number, inode: number, uid = 999, queued = 0): ListeningSocket => ({
  port,
  inode,
  uid,
  queued,
});

function process(pid: number, network: Network, task: MadeUpTask = {}): Record<string, string> {
  return {
    ...processFiles(pid, { comm: 'redis-server', uid: 999, ...task }),
    [`${pid}/net/tcp`]: tcpText(network.sockets),
    [`${pid}/net/fib_trie`]: fibTrieText(network.addresses),
  };
}

/** Ourselves and pid 1, in the namespace of the host. */
function home(network: Network): Record<string, string> {
  return { ...process(1, network, { comm: 'systemd', uid: 0 }), ...selfIn(network) };
}

function selfIn(network: Network): Record<string, string> {
  const files = Object.entries(process(1, network));
  return Object.fromEntries(files.map(([path, text]) => [path.replace(/^1\//, 'self/'), text]));
}

function search(
  t: TestContext,
  tree: Readonly<Record<string, string>>,
  url: string,
  more: { ips?: string[]; processId?: number; fds?: Record<number, number[]> } = {},
) {
  const root = fixtureTree(t, tree);
  for (const [pid, inodes] of Object.entries(more.fds ?? {})) {
    mkdirSync(join(root, pid, 'fd'));
    inodes.forEach((inode, i) => symlinkSync(`socket:[${inode}]`, join(root, pid, 'fd', `${i}`)));
  }
  const address = parseRedisAddress(url);
  const { ips = [address.host], processId } = more;
  const result = searchRedisProcess({ procfs: createPseudoFs(root), address, ips, processId });
  return result.found?.pid ?? ('reason' in result ? result.reason : undefined);
}

const host = {
  sockets: [socket(6379, 11), socket(6390, 12)],
  addresses: ['127.0.0.1', '10.0.0.5'],
};

test('redis process: two on the host are told apart by the sockets they hold', (t) => {
  const tree = { ...home(host), ...process(300, host), ...process(301, host) };
  const fds = { 300: [11], 301: [12] };
  assert.equal(search(t, tree, 'redis://127.0.0.1:6379', { fds }), 300);
  assert.equal(search(t, tree, 'redis://10.0.0.5:6390', { fds }), 301);
});

test('redis process: only its lowest descriptors are looked at, where listening sockets are', (t) => {
  const tree = { ...home(host), ...process(300, host), ...process(301, host) };
  const files = Array.from({ length: 63 }, (_, i) => 1000 + i);
  const within = { 300: [...files, 11], 301: [12] };
  assert.equal(search(t, tree, 'redis://127.0.0.1:6379', { fds: within }), 300);
  const beyond = { 300: [...files, 999, 11], 301: [12] };
  assert.match(
    String(search(t, tree, 'redis://127.0.0.1:6379', { fds: beyond })),
    /^None of the 2/,
  );
});

test('redis process: without that right, by the uid of the socket, else by what INFO said', (t) => {
  const sockets = [socket(6379, 11, 999), socket(6390, 12, 1000)];
  const network = { ...host, sockets };
  const byUid = {
    ...home(network),
    ...process(300, network),
    ...process(301, network, { uid: 1000 }),
  };
  assert.equal(search(t, byUid, 'redis://127.0.0.1:6390'), 301);

  const alike = { ...home(host), ...process(300, host), ...process(301, host) };
  assert.match(
    String(search(t, alike, 'redis://127.0.0.1:6390')),
    /^2 processes on this machine could be the Redis at redis:\/\/127\.0\.0\.1:6390; with CAP_SYS_PTRACE/,
  );
  assert.equal(search(t, alike, 'redis://127.0.0.1:6390', { processId: 301 }), 301);
});

test('redis process: the child that saves is not taken for the server', (t) => {
  const tree = {
    ...home(host),
    ...process(300, host),
    ...process(302, host, { parentPid: 300 }),
  };
  assert.equal(search(t, tree, 'redis://localhost', { ips: ['127.0.0.1', '::1'] }), 300);
});

const container = { sockets: [socket(6379, 70)], addresses: ['127.0.0.1', '172.18.0.3'] };

test('redis process: in a container, published on another port of the host', (t) => {
  const proxied = { ...host, sockets: [socket(6379, 11), socket(6380, 13, 0)] };
  const tree = {
    ...home(proxied),
    ...process(300, proxied),
    ...process(400, container, { namespacedPids: [400, 1] }),
  };
  assert.equal(search(t, tree, 'redis://127.0.0.1:6380'), 400);
  assert.equal(search(t, tree, 'redis://127.0.0.1:6379'), 300);
});

test('redis process: in a container, reached by its own address or a name for it', (t) => {
  const other = { sockets: [socket(6379, 71)], addresses: ['127.0.0.1', '172.18.0.4'] };
  const tree = {
    ...home(host),
    ...process(400, container, { namespacedPids: [400, 1] }),
    ...process(401, other, { namespacedPids: [401, 1] }),
  };
  assert.equal(search(t, tree, 'redis://172.18.0.4'), 401);
  assert.equal(search(t, tree, 'redis://redis', { ips: ['172.18.0.3'] }), 400);
});

test('redis process: published, and reached by an address of the host', (t) => {
  const proxied = { ...host, sockets: [socket(6380, 13, 0)] };
  const tree = { ...home(proxied), ...process(400, container, { namespacedPids: [400, 1] }) };
  assert.equal(search(t, tree, 'redis://10.0.0.5:6380'), 400);
  // Ourselves in a container of our own that sees the processes of the host.
  const own = { sockets: [], addresses: ['127.0.0.1', '172.18.0.9'] };
  const fromInside = { ...tree, ...selfIn(own) };
  assert.equal(search(t, fromInside, 'redis://10.0.0.5:6380'), 400);
});

test('redis process: loopback is this machine, whatever addresses can be read', (t) => {
  const hidden = { sockets: [socket(7000, 11)], addresses: [] };
  const tree = { ...home(hidden), ...process(400, container) };
  for (const url of ['redis://127.0.0.1', 'redis://[::1]']) {
    const ips = [url.includes('::1') ? '::1' : '127.0.0.1'];
    assert.match(String(search(t, tree, url, { ips })), /^None of the 1 Redis processes/, url);
  }
});

test('redis process: one that is not ours is not taken, even when it is the only one', (t) => {
  const tree = { ...home(host), ...process(300, host), ...process(400, container) };
  for (const url of ['redis://192.0.2.7', 'redis://127.0.0.1:7000', 'redis://172.18.0.3:6380']) {
    assert.match(
      String(search(t, tree, url)),
      /^None of the 2 Redis processes on this machine serves redis:/,
    );
  }
  assert.match(
    String(search(t, home(host), 'redis://127.0.0.1')),
    /^No process called redis-server, .*\/proc:\/host\/proc:ro as a volume and STEALWATCH_PROCFS=\/host\/proc/,
  );
});

const unix = (pid: number, inode: number) => ({
  [`${pid}/net/unix`]: `Num       RefCount Protocol Flags    Type St Inode Path\n0000000000000000: 00000002 00000000 00010000 0001 01 ${inode} /run/redis.sock\n`,
});

test('redis process: by a unix socket, the only one or the one that holds the path', (t) => {
  const one = { ...home(host), ...process(300, host) };
  assert.equal(search(t, one, 'unix:///run/redis.sock', { ips: [] }), 300);
  const two = { ...one, ...unix(300, 21), ...process(301, host), ...unix(301, 21) };
  const fds = { 300: [11], 301: [12, 21] };
  assert.equal(search(t, two, 'unix:///run/redis.sock', { ips: [], fds }), 301);
});

test('redis process: each network namespace is read once, however many are called like Redis', (t) => {
  const root = fixtureTree(t, { ...home(host), ...process(300, host) });
  const namesakes = Array.from({ length: 200 }, (_, i) => 1000 + i);
  for (const pid of namesakes) {
    writeTree(root, processFiles(pid, { comm: 'redis-server', uid: 1000, startTicks: 5000 }));
    symlinkSync(join(root, '300/net'), join(root, `${pid}/net`));
  }
  mkdirSync(join(root, '300/fd'));
  symlinkSync('socket:[11]', join(root, '300/fd/3'));
  const procfs = createPseudoFs(root);
  let read = 0;
  const counting = {
    ...procfs,
    read(path: string) {
      if (path.endsWith('/net/fib_trie')) read += 1;
      return procfs.read(path);
    },
  };
  const address = parseRedisAddress('redis://10.0.0.5:6379');
  const options = { procfs: counting, address, ips: ['10.0.0.5'] };
  assert.equal(searchRedisProcess(options).found?.pid, 300);
  assert.equal(read, 2, 'of ourselves and of pid 1, whose namespace all others share');
});

test('redis process: of very many namesakes the oldest are looked at, and that is said', (t) => {
  const root = fixtureTree(t, { ...home(host), ...process(9999, host, { startTicks: 6000 }) });
  for (let pid = 1000; pid < 1100; pid += 1) {
    writeTree(root, {
      [`${pid}/comm`]: 'redis-server\n',
      [`${pid}/stat`]: statText(pid, { comm: 'redis-server', startTicks: 5000 }),
      [`${pid}/status`]: statusText(pid),
    });
  }
  const address = parseRedisAddress('redis://127.0.0.1:6379');
  const procfs = createPseudoFs(root);
  const options = { procfs, address, ips: ['127.0.0.1'] };
  const result = searchRedisProcess(options);
  assert.match(
    'reason' in result ? result.reason : '',
    /^64 processes .* told apart\. Of 101 processes called so only 64 were looked at\.$/,
  );
  // The one that INFO named is among them, however young it is.
  assert.equal(searchRedisProcess({ ...options, processId: 9999 }).found?.pid, 9999);
  writeTree(root, process(9999, host, { startTicks: 1 }));
  assert.equal(searchRedisProcess(options).found?.pid, 9999);
});

test('redis process: one that cannot be understood hides no other, and is told if none is found', (t) => {
  const broken = { ...home(host), ...process(299, host), '299/stat': 'rubbish' };
  assert.equal(search(t, { ...broken, ...process(300, host) }, 'redis://127.0.0.1:6379'), 300);
  assert.throws(() => search(t, broken, 'redis://127.0.0.1:6379'), /unexpected text "rubbish"/);
});

test('redis process: a namesake with a routing table beyond all bounds hides no other', (t) => {
  const other = { sockets: [socket(6379, 71)], addresses: ['172.18.0.4'] };
  const tree = {
    ...home(host),
    ...process(400, container),
    ...process(401, other),
    '401/net/fib_trie': 'x'.repeat(4 * 1024 * 1024 + 1),
  };
  assert.equal(search(t, tree, 'redis://172.18.0.3'), 400);
  assert.throws(() => search(t, tree, 'redis://172.18.0.4'), /fib_trie is over 4194304 bytes/);
});

test('redis process: a search stops between any two processes', (t) => {
  const root = fixtureTree(t, { ...home(host), ...process(300, host), ...process(301, container) });
  const address = parseRedisAddress('redis://127.0.0.1:6379');
  const steps = [
    ...redisProcessSearch({ procfs: createPseudoFs(root), address, ips: ['127.0.0.1'] }),
  ];
  // Three processes looked at by name, two by their sockets, two judged.
  assert.equal(steps.length, 3 + 2 + 2);
});
