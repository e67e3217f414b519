import assert from 'node:assert/strict';
import { test } from 'node:test';
import { placed, temporaryRoot } from '../../../tools/rig/temporary-root.ts';
import { createPseudoFs } from '../../procfs/reader.ts';
import { gather } from './index.ts';

const read = (root: string, uid: number) =>
  gather(
    { root, lastBoot: false, kernLog: [], sysstat: [], redisLog: [] },
    { env: {}, now: () => 1.8e9, uid, procfs: createPseudoFs('/nowhere') },
  );

const trie = `Local:
  +-- 0.0.0.0/0 3 0 5
     |-- 127.0.0.1
        /32 host LOCAL
     |-- 169.254.1.1
        /32 host LOCAL
     |-- 192.0.2.10
        /32 host LOCAL
`;

test('machine: what its files say of it, and nothing that they do not', async (t) => {
  const root = temporaryRoot(t);
  placed(root, 'etc/hostname', 'shop-db-1\n');
  const bare = await read(root, 0);
  assert.deepEqual(bare.machine, { addresses: [], hostname: 'shop-db-1' });
  placed(
    root,
    'proc/stat',
    'cpu  1 2 3 4 5 6 7 8 9 10\ncpu0 1 2 3 4 5 6 7 8 9 10\ncpu1 1 2 3 4 5 6 7 8 9 10\nbtime 1700000000\nprocs_blocked 0\n',
  );
  placed(root, 'proc/meminfo', 'MemTotal:        8000000 kB\nMemFree: 1 kB\n');
  placed(root, 'proc/sys/kernel/osrelease', '6.12.117+deb13-cloud-amd64\n');
  placed(root, 'proc/sys/kernel/hostname', 'shop-db-1.example.com\n');
  placed(root, 'proc/1/net/fib_trie', trie);
  placed(
    root,
    'proc/1/net/if_inet6',
    '20010db8000000000000000000000010 02 40 00 80 eth0\nfe800000000000000000000000000001 02 40 20 80 eth0\n',
  );
  placed(root, 'sys/class/dmi/id/sys_vendor', 'QEMU\n');
  placed(root, 'sys/class/dmi/id/product_name', 'Standard PC\n');
  placed(
    root,
    'sys/devices/system/clocksource/clocksource0/available_clocksource',
    'kvm-clock tsc\n',
  );
  const known = {
    addresses: ['192.0.2.10', '2001:db8::10'],
    // By its own file: the kernel's name of a root that is mounted is that of whoever looks.
    hostname: 'shop-db-1',
    vendor: 'QEMU',
    product: 'Standard PC',
    hypervisor: 'kvm',
    cpus: 2,
    memoryBytes: 8_192_000_000,
    kernelRelease: '6.12.117+deb13-cloud-amd64',
  };
  const stranger = await read(root, 1000);
  assert.deepEqual(stranger.machine, known);
  assert.match(JSON.stringify(stranger.missing), /sudo cat \/sys\/class\/dmi\/id\/product_uuid/);
  placed(root, 'sys/class/dmi/id/product_uuid', '00000000-0000-4000-8000-00000000000A\n');
  const { machine } = await read(root, 0);
  assert.deepEqual(machine, { ...known, instanceUuid: '00000000-0000-4000-8000-00000000000a' });
});
