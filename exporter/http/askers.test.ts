import assert from 'node:assert/strict';
import { networkInterfaces, type NetworkInterfaceInfo } from 'node:os';
import { test } from 'node:test';
import { type Askers, originOf, watchAskers } from './askers.ts';
import { healthy, serve } from '../../tools/rig/app-server.ts';

function interfaceOf(cidr: string): NetworkInterfaceInfo {
  const [address = ''] = cidr.split('/');
  const rest = { address, cidr, netmask: '', mac: '', internal: false };
  return address.includes(':')
    ? { ...rest, family: 'IPv6', scopeid: 0 }
    : { ...rest, family: 'IPv4' };
}

const vps = {
  lo: [interfaceOf('127.0.0.1/8'), interfaceOf('::1/128')],
  eth0: [interfaceOf('203.0.113.7/24'), interfaceOf('2001:db8::7/64')],
  wg0: [interfaceOf('10.8.0.2/24')],
  docker0: [interfaceOf('172.17.0.1/16')],
  'br-3f2a': [interfaceOf('172.18.0.1/16'), interfaceOf('fd00:18::1/64')],
};
const container = {
  lo: [interfaceOf('127.0.0.1/8')],
  eth0: [interfaceOf('172.18.0.5/16'), interfaceOf('fd00:18::5/64')],
};

test('askers: another machine is another one, also in the same network', () => {
  for (const [address, origin] of [
    ['127.0.0.1', 'here'],
    ['::ffff:127.9.9.9', 'here'],
    ['::1', 'here'],
    ['203.0.113.7', 'here'],
    ['::ffff:203.0.113.7', 'here'],
    ['2001:db8:0::7', 'here'],
    ['203.0.113.8', 'elsewhere'],
    ['::ffff:198.51.100.1', 'elsewhere'],
    ['2001:db8::8', 'elsewhere'],
    ['10.8.0.1', 'elsewhere'],
    ['172.18.0.9', 'here'],
    ['172.17.0.3', 'here'],
    ['fd00:18::9', 'here'],
    ['172.19.0.9', 'elsewhere'],
  ] as const) {
    assert.equal(originOf(address, vps, false), origin, address);
  }
});

test('askers: in a container its neighbours are here, and its gateway hides who asks', () => {
  for (const [address, origin] of [
    ['127.0.0.1', 'here'],
    ['172.18.0.5', 'here'],
    ['172.18.0.9', 'here'],
    ['172.18.0.1', 'hidden'],
    ['::ffff:172.18.0.1', 'hidden'],
    ['fd00:18::1', 'hidden'],
    ['203.0.113.9', 'elsewhere'],
  ] as const) {
    assert.equal(originOf(address, container, true), origin, address);
  }
});

test('askers: since when, on a clock; an address that we are given anew is ours', () => {
  let now = 100;
  let interfaces: ReturnType<typeof networkInterfaces> = container;
  const askers = watchAskers(
    { monotonic: () => now },
    () => interfaces,
    () => true,
  );
  assert.equal(askers.secondsAgo('elsewhere'), undefined);
  askers.answered(undefined);
  askers.answered('172.18.0.9');
  assert.equal(askers.secondsAgo('elsewhere'), undefined);
  assert.equal(askers.secondsAgo('hidden'), undefined);
  askers.answered('203.0.113.9');
  now = 107;
  assert.equal(askers.secondsAgo('elsewhere'), 7);
  interfaces = { eth1: [interfaceOf('203.0.113.9/32')] };
  now = 200;
  askers.answered('203.0.113.9');
  assert.equal(askers.secondsAgo('elsewhere'), 100, 'it is an address of this machine by now');
});

test('askers: a system that does not name its addresses ends nothing, and tells nobody from nobody', () => {
  const askers = watchAskers(
    { monotonic: () => 7 },
    () => {
      throw new Error('Unknown system error 97: uv_interface_addresses');
    },
    () => false,
  );
  askers.answered('127.0.0.1');
  assert.equal(askers.secondsAgo('hidden'), undefined);
  askers.answered('203.0.113.9');
  assert.equal(askers.secondsAgo('hidden'), 0);
  assert.equal(askers.secondsAgo('elsewhere'), undefined);
});

interface Asked {
  readonly askedSecondsAgo: Readonly<Record<string, number>>;
}

test('askers: /status says how long ago who was told something, and nothing of those here', async (t) => {
  const alone = await serve(t, [healthy]);
  await alone.get('/metrics');
  const answer = JSON.parse((await alone.get('/status')).body.toString()) as Asked;
  assert.deepEqual(answer.askedSecondsAgo, {});
  const told: (string | undefined)[] = [];
  const askers: Askers = {
    answered: (address) => void told.push(address),
    secondsAgo: (origin) => (origin === 'elsewhere' ? 3 : undefined),
  };
  const { get } = await serve(t, [healthy], { askers });
  for (const path of ['/', '/livez', '/probe?target=no', '/nothing', '/metrics', '/status']) {
    await get(path);
  }
  const { askedSecondsAgo } = JSON.parse((await get('/status')).body.toString()) as Asked;
  assert.deepEqual(askedSecondsAgo, { fromElsewhere: 3 });
  assert.deepEqual(new Set(told), new Set(['127.0.0.1']));
  assert.ok(
    told.length === 2 || told.length === 3,
    `${told.length}: only what a monitor comes for`,
  );
});
