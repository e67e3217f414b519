import assert from 'node:assert/strict';
import { SocketAddress } from 'node:net';
import { test } from 'node:test';
import fc from 'fast-check';
import { canonicalAddress, isLoopback, parseFibTrie, parseIfInet6 } from './local-addresses.ts';

test('local addresses: those marked LOCAL, not networks, broadcasts or gateways (Linux 6.12)', () => {
  const text = `Main:
  +-- 0.0.0.0/0 3 0 5
     |-- 0.0.0.0
        /0 universe UNICAST
     +-- 172.18.0.0/16 2 0 2
        |-- 172.18.0.0
           /16 link UNICAST
Local:
  +-- 0.0.0.0/0 3 0 5
     +-- 127.0.0.0/8 2 0 2
        +-- 127.0.0.0/31 1 0 0
           |-- 127.0.0.0
              /8 host LOCAL
           |-- 127.0.0.1
              /32 host LOCAL
        |-- 127.255.255.255
           /32 link BROADCAST
     +-- 172.18.0.0/16 2 0 2
        |-- 172.18.0.3
           /32 host LOCAL
        |-- 172.18.255.255
           /32 link BROADCAST
`;
  assert.deepEqual(parseFibTrie(text), ['127.0.0.1', '172.18.0.3']);
  assert.deepEqual(parseFibTrie('Main:\n'), []);
});

test('local addresses: IPv6 in one form, however it is written', () => {
  const text = `00000000000000000000000000000001 01 80 10 80       lo
fe800000000000000042acfffe120003 02 40 20 80     eth0
`;
  assert.deepEqual(parseIfInet6(text), [
    canonicalAddress('::1'),
    canonicalAddress('FE80::42:acff:fe12:3%eth0'),
  ]);
  assert.equal(canonicalAddress('::ffff:10.1.2.3'), '10.1.2.3');
  assert.equal(canonicalAddress('64:ff9b::10.1.2.3'), canonicalAddress('64:ff9b::a01:203'));
  assert.equal(isLoopback('127.3.2.1'), true);
  assert.equal(isLoopback('0:0:0:0:0:0:0:1'), true);
  assert.equal(isLoopback('128.0.0.1'), false);
  assert.equal(isLoopback('127.evil.example'), false);
});

test('local addresses: the short form of an IPv6 address is the same address', () => {
  fc.assert(
    fc.property(fc.ipV6(), (address) => {
      const short = new SocketAddress({ address, family: 'ipv6' }).address;
      const one = canonicalAddress(address);
      assert.equal(canonicalAddress(short), one);
      assert.match(one, /^(?:[0-9a-f]{4}:){7}[0-9a-f]{4}$|^\d+\.\d+\.\d+\.\d+$/);
    }),
  );
});
