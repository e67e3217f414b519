import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { type TestContext, test } from 'node:test';
import { isIncomplete } from '../core/collector.ts';
import { createPseudoFs } from '../procfs/reader.ts';
import { fixtureTree, writeTree } from '../../tools/rig/fixture-tree.ts';
import { diskCollector } from './disk.ts';

const real = readFileSync(
  new URL('../fixtures/firecracker-6.18/proc/diskstats', import.meta.url),
  'utf8',
);

/** A line of /proc/diskstats whose every count is this number. */
const line = (name: string, count: number) => `8 0 ${name}${` ${count}`.repeat(17)}\n`;

function setup(t: TestContext, diskstats: string, sysBlock: readonly string[]) {
  const entries = sysBlock.map((path) => [`sys/block/${path}`, '']);
  const root = fixtureTree(t, { 'proc/diskstats': diskstats, ...Object.fromEntries(entries) });
  const collector = diskCollector({
    procfs: createPseudoFs(`${root}/proc`),
    sysfs: createPseudoFs(`${root}/sys`),
  });
  t.after(() => collector.close?.());
  return {
    rewrite: (text: string) => writeTree(root, { 'proc/diskstats': text }),
    /** `seconds` or `operations`, device, op, value. */
    collect: async () => {
      const families = await collector.collect(AbortSignal.timeout(1000));
      return families.flatMap(({ metric, samples }) =>
        samples.map(({ labels, value }) =>
          [metric.name.split('_')[2], labels['device'], labels['op'], Number(value)].join(' '),
        ),
      );
    },
  };
}

test('disk: the one disk of a real guest among loops and zram', async (t) => {
  const sysBlock = ['loop0/size', 'zram0/size', 'vda/device/vendor', 'vda/size'];
  assert.deepEqual(await setup(t, real, sysBlock).collect(), [
    'seconds vda read 161.44',
    'seconds vda write 45.97',
    'seconds vda flush 0.523',
    'operations vda read 145793',
    'operations vda write 52265',
    'operations vda flush 6402',
  ]);
});

test('disk: no partitions, stacked, optical or floppy devices; a slash is a ! in /sys', async (t) => {
  const text = ['sda', 'sda1', 'dm-0', 'md0', 'sr0', 'fd0', 'cciss/c0d0']
    .map((name) => line(name, 1000))
    .join('');
  const sysBlock = [
    'sda/device/x',
    'sda/sda1/size',
    'dm-0/slaves/sda1',
    'md0/size',
    'sr0/device/x',
  ];
  const { collect } = setup(t, text, [...sysBlock, 'fd0/device/x', 'cciss!c0d0/device/x']);
  assert.deepEqual(
    (await collect()).filter((one) => one.startsWith('seconds')),
    ['sda', 'cciss/c0d0'].flatMap((name) =>
      ['read', 'write', 'flush'].map((op) => `seconds ${name} ${op} 1`),
    ),
  );
});

test('disk: times wrap at 32 bits, and a disk that goes keeps its last values', async (t) => {
  const { collect, rewrite } = setup(t, line('sda', 4_294_967_000), ['sda/device/x']);
  await collect();
  rewrite(line('sda', 500));
  assert.equal((await collect())[0], 'seconds sda read 4294967');
  rewrite(line('sda', 1500));
  assert.equal((await collect())[0], 'seconds sda read 4294968');
  rewrite(line('loop0', 1));
  assert.equal((await collect())[0], 'seconds sda read 4294968');
});

test('disk: at most sixteen', async (t) => {
  const names = Array.from({ length: 20 }, (_, i) => `vd${String.fromCharCode(97 + i)}`);
  const text = names.map((name) => line(name, 1)).join('');
  const { collect } = setup(
    t,
    text,
    names.map((name) => `${name}/device/x`),
  );
  const shown = await collect();
  assert.equal(shown.length, 16 * 6);
  assert.ok(shown.includes('seconds vdp read 0.001'));
});

test('disk: what is no disk is asked about once, not at every scrape', async (t) => {
  const sysfs = createPseudoFs(fixtureTree(t, { 'block/vda/device/x': '' }));
  const procfs = createPseudoFs(
    fixtureTree(t, {
      diskstats: ['vda', 'loop0', 'loop1', 'sr0'].map((name) => line(name, 1)).join(''),
    }),
  );
  const asked: string[] = [];
  const list = (path: string) => {
    asked.push(path);
    return sysfs.list(path);
  };
  const collector = diskCollector({ procfs, sysfs: { ...sysfs, list } });
  t.after(() => collector.close?.());
  for (let i = 0; i < 3; i += 1) await collector.collect(AbortSignal.timeout(1000));
  assert.deepEqual(asked, ['block/vda/device', 'block/loop0/device', 'block/loop1/device']);
});

test('disk: nothing without /proc/diskstats or /sys/block, loud on text that is not one', async (t) => {
  for (const tree of [{}, { diskstats: real }]) {
    const root = createPseudoFs(fixtureTree(t, tree));
    const absent = diskCollector({ procfs: root, sysfs: root });
    assert.deepEqual(await absent.collect(AbortSignal.timeout(1000)), []);
    await absent.close?.();
  }
  await assert.rejects(setup(t, 'x\n', []).collect(), /diskstats: unexpected line "x"/);
});

test('disk: of an NVMe disk and its path, both of which count since Linux 6.4, one is shown', async (t) => {
  const sysBlock = ['nvme0n1/device/x', 'nvme0c0n1/device/x', 'nvme0c1n1/device/x'];
  const names = async (text: string) => {
    const shown = await setup(t, text, sysBlock).collect();
    return [...new Set(shown.map((one) => one.split(' ')[1]))];
  };
  const paths = line('nvme0c0n1', 7) + line('nvme0c1n1', 7);
  assert.deepEqual(await names(paths + line('nvme0n1', 14)), ['nvme0n1']);
  assert.deepEqual(await names(line('nvme0n1', 14) + paths), ['nvme0n1']);
  // Before, the disk stays 0 and the paths count.
  assert.deepEqual(await names(paths + line('nvme0n1', 0)), ['nvme0c0n1', 'nvme0c1n1', 'nvme0n1']);
  // A path to a disk that is not there is all there is.
  assert.deepEqual(await names(line('nvme0c0n1', 7)), ['nvme0c0n1']);
  const disk = await setup(t, paths + line('nvme0n1', 14), [
    ...sysBlock,
    'nvme0c0n1/hidden',
  ]).collect();
  assert.equal(disk.length, 6);
});

test('disk: a line that cannot be read fails for a disk that is asked for, and keeps the rest', async (t) => {
  const text = line('sda', 1000) + line('sdb', 2000);
  const { collect, rewrite } = setup(t, text, ['sda/device/x', 'sdb/device/x']);
  await collect();
  rewrite(`8 0 sda 1 2\n8 1 sda1 35486 38030 38030 38030\n${line('sdb', 4000)}`);
  await assert.rejects(collect(), (error: Error) => {
    assert.match(error.message, /diskstats: unexpected line "8 0 sda 1 2"/);
    assert.ok(isIncomplete(error));
    const reads = error.families[0]?.samples.filter(({ labels }) => labels['op'] === 'read');
    assert.deepEqual(
      reads?.map(({ labels, value }) => [labels['device'], value]),
      [
        ['sda', 1],
        ['sdb', 4],
      ],
    );
    return true;
  });
  rewrite(`8 1 sda1 35486 38030 38030 38030\n\n${text}`);
  assert.equal((await collect()).length, 12);
});

test('disk: a count that cannot be is left out', async (t) => {
  const huge = line('sda', 1000).replace('1000', '18446744073709551615');
  await assert.rejects(setup(t, huge, ['sda/device/x']).collect(), (error: Error) => {
    assert.match(error.message, /unexpected line ".*18446744073709551615/);
    assert.ok(isIncomplete(error));
    const reads = error.families.flatMap(({ metric, samples }) =>
      samples.filter(({ labels }) => labels['op'] === 'read').map(() => metric.name),
    );
    assert.deepEqual(reads, ['stealwatch_disk_seconds_total']);
    return true;
  });
});

const refuse = () => {
  throw Object.assign(new Error('EACCES: scandir'), { code: 'EACCES' });
};

test('disk: folders of /sys that may not be listed cost nothing', async (t) => {
  const root = fixtureTree(t, { diskstats: line('sda', 1000) });
  const sysfs = { ...createPseudoFs(root), list: refuse, read: refuse };
  const collector = diskCollector({ procfs: createPseudoFs(root), sysfs });
  t.after(() => collector.close?.());
  assert.equal((await collector.collect(AbortSignal.timeout(1000))).length, 2);
});
