/** What a cluster may say of itself that three real nodes on one machine never do. */
import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort, until } from '../../tools/rig/redis-server.ts';
import { array, bulk, type ScriptedRedis, startScripted } from '../../tools/rig/scripted-redis.ts';
import { parseAddressMap } from './address-settings.ts';
import { parseRedisAddress, type RedisAddress } from './address.ts';
import { createClusterClient } from './cluster.ts';
import { readSlots } from './cluster-map.ts';
import { stopwatch } from '../../tools/rig/waited.ts';

const patient = () => AbortSignal.timeout(10_000);

interface Announced {
  readonly host: string;
  readonly port: number;
  readonly id?: string;
}

/** One row that gives all slots to a node, or one half each. */
function slots(...nodes: readonly Announced[]): string {
  const share = Math.floor(16_384 / nodes.length);
  return array(
    ...nodes.map(({ host, port, id = '' }, i) =>
      array(
        `:${i * share}\r\n`,
        `:${(i + 1) * share - 1}\r\n`,
        array(bulk(host), `:${port}\r\n`, bulk(id)),
      ),
    ),
  );
}

const none = '-ERR no slots here\r\n';

interface NodeOptions {
  readonly id?: string;
  readonly map: () => string;
  readonly silent?: () => boolean;
}

function startNode(
  t: TestContext,
  { id = 'me', map, silent }: NodeOptions,
): Promise<ScriptedRedis> {
  return startScripted(t, ([name, sub]) => {
    if (silent?.() === true) return undefined;
    if (name === 'STALE') return '-MOVED 1 192.0.2.9:1\r\n';
    if (name !== 'CLUSTER') return bulk(`${name} of ${id}`);
    return sub === 'MYID' ? bulk(id) : map();
  });
}

function clientOf(t: TestContext, address: RedisAddress) {
  const client = createClusterClient(address, { timeoutMs: 900 });
  t.after(() => client.close());
  return client;
}

const urlOf = (...ports: readonly number[]) =>
  parseRedisAddress(`redis+cluster://${ports.map((port) => `127.0.0.1:${port}`).join(',')}`);

test('cluster: an endpoint that is not known is the node that was asked', async (t) => {
  for (const host of ['?', '']) {
    const node = await startNode(t, { map: () => slots({ host, port: node.port }) });
    const client = clientOf(t, urlOf(node.port));
    assert.deepEqual(await client.send([['GET', 'k']], patient()), ['GET of me']);
  }
});

const behindNat = () =>
  slots({ host: '192.0.2.1', port: 1, id: 'a' }, { host: '192.0.2.2', port: 1, id: 'b' });

test('cluster: behind NAT a node of the address is reached there, whatever it is called', async (t) => {
  const a = await startNode(t, { id: 'a', map: behindNat });
  const b = await startNode(t, { id: 'b', map: behindNat });
  const keys = [
    ['GET', 'b'],
    ['GET', 'a'],
  ] as const;
  const both = clientOf(t, urlOf(a.port, b.port));
  assert.deepEqual(await both.send(keys, patient()), ['GET of a', 'GET of b']);
  // Of one that is not in the address the map says where it is.
  const addressMap = parseAddressMap(`192.0.2.2 = 127.0.0.1:${b.port}`);
  const one = clientOf(t, { ...urlOf(a.port), addressMap });
  assert.deepEqual(await one.send(keys, patient()), ['GET of a', 'GET of b']);
  assert.throws(() => parseAddressMap('a=b=c'), /expected ANNOUNCED=REACHABLE/);
  assert.throws(() => parseAddressMap('a'), /expected ANNOUNCED=REACHABLE/);
  assert.deepEqual(
    [...parseAddressMap('[::1]:7=h,n=[fe80::1%eth0]:8')],
    [
      ['::1:7', { host: 'h' }],
      ['n', { host: 'fe80::1%eth0', port: 8 }],
    ],
  );
});

test('cluster: INFO is of the first node, also while its slots are another\u2019s', async (t) => {
  const other = await startNode(t, { id: 'other', map: () => none });
  const first = await startNode(t, {
    id: 'first',
    map: () => slots({ host: '127.0.0.1', port: other.port, id: 'other' }),
  });
  const client = clientOf(t, urlOf(first.port, other.port));
  const [info, got] = await client.send([['INFO'], ['GET', 'k']], patient());
  assert.deepEqual([info, got], ['INFO of first', 'GET of other']);
});

test('cluster: a frozen node costs nobody else time, and gets no second connection', async (t) => {
  let frozen = false;
  const map = (): string =>
    slots(
      { host: '127.0.0.1', port: first.port, id: 'first' },
      { host: '127.0.0.1', port: second.port, id: 'second' },
    );
  const first: ScriptedRedis = await startNode(t, { id: 'first', map, silent: () => frozen });
  const second: ScriptedRedis = await startNode(t, { id: 'second', map });
  const client = clientOf(t, urlOf(first.port, second.port));
  const ask = () => client.send([['GET', 'a'], ['GET', 'b'], ['TIME']], patient());
  assert.deepEqual(await ask(), ['GET of second', 'GET of first', 'TIME of first']);
  frozen = true;
  await ask();
  const took: number[] = [];
  // Longer than a connection is kept whose server answers a probe.
  for (let i = 0; i < 40; i += 1) {
    const began = performance.now();
    const [a, b, time] = await ask();
    assert.deepEqual([a, time], ['GET of second', 'TIME of second']);
    assert.match(String(b), /no answer within/);
    took.push(performance.now() - began);
    await sleep(300);
  }
  // A busy machine may be late with one or two. Who waits for the node is late with all, or by 900 ms.
  const [median = 0, longest = 0] = [took.sort((a, b) => a - b)[20], took.at(-1)];
  assert.ok(median < 100 && longest < 850, `${median} ms, ${longest} ms at most`);
  assert.equal(first.accepted(), 1);
  frozen = false;
});

test('cluster: a node that cannot be reached costs time once', async (t) => {
  const map = (): string =>
    slots(
      { host: '127.0.0.1', port: well.port, id: 'well' },
      // No packet for it goes anywhere (RFC 5737), and no answer comes.
      { host: '192.0.2.1', port: 6379, id: 'lost' },
    );
  const well: ScriptedRedis = await startNode(t, { id: 'well', map });
  const client = clientOf(t, urlOf(well.port));
  const ask = () =>
    client.send(
      [
        ['GET', 'b'],
        ['GET', 'a'],
      ],
      patient(),
    );
  await ask();
  const took: number[] = [];
  for (let i = 0; i < 5; i += 1) {
    const began = performance.now();
    const [reply, lost] = await ask();
    assert.equal(reply, 'GET of well');
    assert.ok(lost instanceof Error);
    took.push(performance.now() - began);
    await sleep(200);
  }
  const [, , median = 0, , longest = 0] = took.sort((a, b) => a - b);
  assert.ok(median < 400 && longest < 850, `${median} ms, ${longest} ms at most`);
});

test('cluster: with the first node frozen from the start, the others tell', async (t) => {
  const second = await startNode(t, {
    id: 'second',
    map: (): string => slots({ host: '127.0.0.1', port: second.port, id: 'second' }),
  });
  const first = await startNode(t, { map: () => none, silent: () => true });
  const client = clientOf(t, urlOf(first.port, second.port));
  const watch = stopwatch();
  assert.deepEqual(await client.send([['GET', 'k']], patient()), ['GET of second']);
  watch.within(800);
});

test('cluster: who has a map does not wait for the next one', async (t) => {
  let frozen = false;
  const owner = await startNode(t, { id: 'owner', map: () => none });
  const seed = await startNode(t, {
    id: 'seed',
    map: () => slots({ host: '127.0.0.1', port: owner.port, id: 'owner' }),
    silent: () => frozen,
  });
  const client = clientOf(t, urlOf(seed.port));
  const ask = () => client.send([['GET', 'k']], patient());
  assert.deepEqual(await ask(), ['GET of owner']);
  await assert.rejects(client.send([['STALE', 'k']], patient()), /MOVED/);
  frozen = true;
  await sleep(1100);
  const before = owner.commands.length;
  const watch = stopwatch();
  assert.deepEqual(await ask(), ['GET of owner']);
  watch.within(700, 'a node says for a second where the slots are');
  assert.ok(owner.commands.slice(before).includes('CLUSTER SLOTS'), 'another map was under way');
});

test('cluster: nodes that have left are let go', async (t) => {
  const members: ScriptedRedis[] = [];
  for (let i = 0; i < 3; i += 1) members.push(await startNode(t, { id: `n${i}`, map: () => none }));
  let turn = 0;
  const seed = await startNode(t, {
    map: () => slots({ host: '127.0.0.1', port: members[turn]?.port ?? 0, id: `n${turn}` }),
  });
  const client = clientOf(t, urlOf(seed.port));
  for (const [i, member] of members.entries()) {
    turn = i;
    await until(`node ${i} is asked`, async () => {
      const [, reply] = await client.send(
        [
          ['STALE', 'k'],
          ['GET', 'k'],
        ],
        patient(),
      );
      return reply === `GET of n${i}`;
    });
    assert.equal(member.open(), 1);
    await until('the one before is let go', () =>
      members.every((other) => other === member || other.open() === 0),
    );
  }
});

test('cluster: another cluster in the address is not asked instead of the first', async (t) => {
  let frozen = false;
  const mine = (): string => slots({ host: '127.0.0.1', port: first.port, id: 'first' });
  const first: ScriptedRedis = await startNode(t, { id: 'first', map: mine, silent: () => frozen });
  // Forgotten by the others, and sure to have every slot.
  const stranger: ScriptedRedis = await startNode(t, {
    id: 'stranger',
    map: (): string => slots({ host: '127.0.0.1', port: stranger.port, id: 'stranger' }),
  });
  const client = clientOf(t, urlOf(first.port, stranger.port));
  const ask = () =>
    client
      .send(
        [
          ['GET', 'k'],
          ['STALE', 'k'],
        ],
        patient(),
      )
      .then(([reply]) => String(reply), String);
  assert.equal(await ask(), 'GET of first');
  frozen = true;
  for (let i = 0; i < 6; i += 1) {
    assert.match(await ask(), /no answer|MOVED/, 'and not the keys of a stranger');
    await sleep(500);
  }
});

test('cluster: who answers at a place now is not who answered there before', async (t) => {
  let id = 'a';
  const place = await startScripted(t, ([name, sub], socket) => {
    if (name === 'STALE') socket.destroy();
    if (name !== 'CLUSTER') return bulk(`${name} of ${id}`);
    return sub === 'MYID'
      ? bulk(id)
      : slots(
          { host: '127.0.0.1', port: a.port, id: 'a' },
          { host: '192.0.2.2', port: 1, id: 'b' },
        );
  });
  const a = await startNode(t, { id: 'a where it announces', map: () => none });
  const client = clientOf(t, urlOf(place.port));
  const ask = async () => {
    const [of] = await client.send([['GET', 'b']], patient());
    return of;
  };
  assert.equal(await ask(), 'GET of a');
  // The name leads to another node from now on, as a service's does.
  id = 'b';
  await client.send([['STALE', 'b']], patient()).catch(() => undefined);
  await until('the slots of the first are asked of it', async () => {
    const reply = await ask().catch(String);
    return reply === 'GET of a where it announces';
  });
});

test('cluster: a map that is none is an error, and costs no time', () => {
  const context = { asked: { host: 'h', port: 1 }, places: new Map(), addressMap: undefined };
  const cases: [unknown, RegExp][] = [
    [new Error('ERR This instance has cluster support disabled'), /support disabled/],
    ['text', /no reply/],
    [[[0, 16_384, ['h', 1]]], /unexpected reply/],
    [[[5, 4, ['h', 1]]], /unexpected reply/],
    [[[0, 1, ['h', 'x']]], /unexpected reply/],
    [[[0, 1, ['a b', 1]]], /a host that is none/],
    [Array.from({ length: 16_384 }, () => [0, 16_383, ['h', 1]]), /slots that overlap/],
  ];
  for (const [reply, message] of cases) {
    assert.throws(() => readSlots(reply, context), { message });
  }
  assert.equal(readSlots([[0, 1, ['::1', 7]]], context)[1], '::1:7');
});

test('cluster: nobody there is said at once the second time', async (t) => {
  const client = clientOf(t, urlOf(await freePort()));
  await assert.rejects(client.send([['GET', 'k']], patient()), /ECONNREFUSED/);
  const watch = stopwatch();
  await assert.rejects(client.send([['GET', 'k']], patient()), /ECONNREFUSED/);
  watch.within(100);
});
