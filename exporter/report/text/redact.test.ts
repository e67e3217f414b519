import assert from 'node:assert/strict';
import { test } from 'node:test';
import { redactor } from './redact.ts';

const machine = { hostname: 'db-1.example.com', addresses: ['192.0.2.10'] };
const container = '3f2a'.repeat(16);

const made: readonly (readonly [kind: 'prose' | 'name', value: string, shown: string])[] = [
  ['prose', 'db-1 and DB-1.example.com', 'host-1 and host-2'],
  ['prose', 'mydb-1 is another', 'mydb-1 is another'],
  ['prose', 'dial tcp 192.0.2.10:6379: i/o timeout', 'dial tcp ip-1:6379: i/o timeout'],
  ['prose', 'at 21:03:12 for 9:37', 'at 21:03:12 for 9:37'],
  ['prose', 'kernel 6.12.117', 'kernel 6.12.117'],
  ['prose', 'from 2001:db8::10 and ::1', 'from ip-2 and ip-3'],
  ['prose', '[2001:db8:0:0:0:0:0:10]:6379', '[ip-4]:6379'],
  [
    'name',
    `/var/lib/docker/containers/${container}/${container}-json.log`,
    '/var/lib/docker/containers/container-1/container-1-json.log',
  ],
  ['prose', 'container 3f2a1b9c0d7e stopped', 'container container-2 stopped'],
  ['name', '/home/alice/redis.log', '/home/user-1/redis.log'],
  ['name', 'http://watch.example.net:9090/x', 'http://host-3:9090/x'],
  ['name', '/srv/acme/logs/redis.log', 'dir-1/redis.log'],
  ['name', '/var/log/kern.log and 2 rotated', '/var/log/kern.log and 2 rotated'],
  ['name', '/mnt/var/log/kern.log', 'dir-2/kern.log'],
  ['prose', '2/3 of it, and/or', '2/3 of it, and/or'],
  ['prose', 'vps-7', 'host-4'],
  ['prose', 'log of container 123412341234', 'log of container container-3'],
  ['prose', 'log of container abcdefabcdef', 'log of container container-4'],
  ['prose', '123412341234 bytes', '123412341234 bytes'],
  [
    'name',
    `sed -i 's/^ENABLED=.*/ENABLED="true"/' /etc/default/sysstat`,
    `sed -i 's/^ENABLED=.*/ENABLED="true"/' /etc/default/sysstat`,
  ],
];

test('redact: names and addresses become tags, the same each time', () => {
  const { replace, replaced } = redactor(machine, ['vps-7']);
  for (const [kind, value, shown] of made) assert.equal(replace(value, kind), shown);
  for (const [kind, value, shown] of made) assert.equal(replace(value, kind), shown);
  assert.deepEqual(
    replaced().map(({ tag }) => tag),
    [
      'host-1',
      'host-2',
      'ip-1',
      'ip-2',
      'ip-3',
      'ip-4',
      'container-1',
      'container-2',
      'user-1',
      'host-3',
      'dir-1',
      'dir-2',
      'host-4',
      'container-3',
      'container-4',
    ],
  );
  assert.equal(replaced()[0]?.original, 'db-1');
});

test('redact: processes that everybody has keep their names, others do not', () => {
  const { replace } = redactor(machine);
  for (const known of [
    'redis-server',
    'valkey-server',
    'jemalloc_bg_thd',
    'kworker/u8:4-events',
    'jbd2/vda1-8',
  ]) {
    assert.equal(replace(known, 'process'), known);
  }
  assert.equal(replace('acme-billing', 'process'), 'proc-1');
  assert.equal(replace('Acme-billing', 'process'), 'proc-2');
  assert.equal(replace('acme-billing', 'process'), 'proc-1');
  assert.equal(replace('jbd2-of-acme', 'process'), 'proc-3');
});

test('redact: what the provider knows the machine by stays', () => {
  const { replace } = redactor({ addresses: [] });
  assert.equal(
    replace('00000000-0000-4000-8000-0123456789ab', 'fixed'),
    '00000000-0000-4000-8000-0123456789ab',
  );
  assert.equal(
    replace('id 00000000-0000-4000-8000-0123456789ab', 'prose'),
    'id 00000000-0000-4000-8000-0123456789ab',
  );
  assert.equal(replace('plain text', 'prose'), 'plain text');
});
