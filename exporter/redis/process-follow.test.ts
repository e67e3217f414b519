/** How often the whole of /proc is searched: it costs a read of every process. */
import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { manualClock } from '../measure/clock.ts';
import { createPseudoFs } from '../procfs/reader.ts';
import { fixtureTree, writeTree } from '../../tools/rig/fixture-tree.ts';
import { fibTrieText, tcpText } from '../../tools/rig/network-files.ts';
import { processFiles, threadFiles } from '../../tools/rig/task-files.ts';
import { parseRedisAddress } from './address.ts';
import { createRedisFollower } from './process-follow.ts';

function redisFiles(pid: number): Record<string, string> {
  const network = {
    'net/tcp': tcpText([{ port: 6379, queued: 0, uid: 0, inode: 11 }]),
    'net/fib_trie': fibTrieText(['127.0.0.1']),
  };
  return {
    ...processFiles(pid, { comm: 'redis-server', startTicks: pid }),
    ...Object.fromEntries(
      [String(pid), 'self'].flatMap((whose) =>
        Object.entries(network).map(([file, text]) => [`${whose}/${file}`, text]),
      ),
    ),
  };
}

function follow(t: TestContext, tree: Record<string, string>, processIdHint?: () => number) {
  const root = fixtureTree(t, tree);
  const clock = manualClock();
  const procfs = createPseudoFs(root);
  let searches = 0;
  const follower = createRedisFollower({
    procfs: {
      ...procfs,
      list(path) {
        if (path === '') searches += 1;
        return procfs.list(path);
      },
    },
    clock,
    address: parseRedisAddress('redis://127.0.0.1'),
    processIdHint,
  });
  return {
    root,
    follower,
    /** Searches in so many seconds, with a step at the end of each. */
    searchesIn: (seconds: number): number => {
      const before = searches;
      for (let second = 0; second < seconds; second += 1) {
        clock.advance(1);
        follower.step();
      }
      return searches - before;
    },
  };
}

test('redis process: found once, /proc is not searched again while it lives', (t) => {
  const { follower, searchesIn } = follow(t, redisFiles(300));
  assert.equal(searchesIn(1), 1);
  assert.equal(follower.process()?.pid, 300);
  assert.equal(searchesIn(60), 0);
});

test('redis process: a hint is worth one search when it comes and one when it changes', (t) => {
  let hint = 300;
  const { searchesIn } = follow(t, redisFiles(300), () => hint);
  assert.equal(searchesIn(1), 1);
  assert.equal(searchesIn(60), 0);
  hint = 301;
  assert.equal(searchesIn(1), 1);
  assert.equal(searchesIn(60), 0);
});

test('redis process: once gone it is searched for every 2 s for a minute, then seldom', (t) => {
  const { root, follower, searchesIn } = follow(t, redisFiles(300));
  searchesIn(1);
  rmSync(join(root, '300'), { recursive: true });
  assert.equal(searchesIn(60), 30);
  assert.equal(follower.state(), 'gone');
  assert.equal(searchesIn(60), 6);
  assert.equal(searchesIn(300), 10);
  writeTree(root, redisFiles(310));
  searchesIn(30);
  assert.equal(follower.process()?.pid, 310);
});

test('redis process: never found, it is searched for every 10 s for two minutes, then every 30 s', (t) => {
  const { follower, searchesIn } = follow(t, {});
  assert.equal(searchesIn(120), 12);
  assert.equal(searchesIn(300), 10);
  assert.match(follower.reason(), /^No process called redis-server/);
});

test('redis process: of a process with very many threads the first 64 are looked at', (t) => {
  const blocked = { comm: 'redis-server', state: 'D', waitChannel: 'folio_wait_bit_common' };
  const threads = Array.from({ length: 200 }, (_, i) => threadFiles(300, 1000 + i, blocked));
  const { follower, searchesIn } = follow(t, Object.assign(redisFiles(300), ...threads));
  searchesIn(2);
  // The first is the leader, which is not blocked.
  assert.equal(follower.spells.blocked().length, 63);
});

test('redis process: a search among very many takes as many steps as it needs, each a short one', (t) => {
  const crowd = Object.assign(
    {},
    ...Array.from({ length: 50 }, (_, i) => processFiles(1000 + i, { comm: 'redis-server' })),
  );
  const root = fixtureTree(t, { ...redisFiles(300), ...crowd });
  const clock = manualClock();
  const procfs = createPseudoFs(root);
  /** A machine on which each process takes 10 ms to be asked for its name. */
  const slow = {
    ...clock,
    monotonic: () => {
      clock.advance(0.005);
      return clock.monotonic();
    },
  };
  const address = parseRedisAddress('redis://127.0.0.1');
  const follower = createRedisFollower({ procfs, clock: slow, address });
  let steps = 0;
  let longest = 0;
  while (follower.process() === undefined && steps < 1000) {
    const before = clock.monotonic();
    follower.step();
    if (steps > 0) longest = Math.max(longest, clock.monotonic() - before);
    steps += 1;
  }
  assert.equal(follower.process()?.pid, 300);
  assert.ok(steps > 5 && longest < 0.1, `${steps} steps, the longest ${longest} s`);
});
