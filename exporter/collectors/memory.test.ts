import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { type TestContext, test } from 'node:test';
import { type Family, isIncomplete } from '../core/collector.ts';
import { createPseudoFs } from '../procfs/reader.ts';
import { fixtureTree, writeTree } from '../../tools/rig/fixture-tree.ts';
import { memoryCollector } from './memory.ts';

const old = 'MemTotal: 1000000 kB\nMemFree: 4 kB\nSwapTotal: 0 kB\nSwapFree: 0 kB\n';
const fixture = (path: string) => new URL(`../fixtures/${path}`, import.meta.url).pathname;

function plain(families: readonly Family[]): Record<string, unknown> {
  return Object.fromEntries(
    families.flatMap(({ samples }) =>
      samples.map(({ labels, value }) => [Object.values(labels).join(), value]),
    ),
  );
}

function collectorOn(
  t: TestContext,
  tree: Readonly<Record<string, string>>,
  pageBytes?: number | 'unknown',
) {
  const collector = memoryCollector({
    procfs: createPseudoFs(fixtureTree(t, tree)),
    ...(pageBytes === undefined ? {} : { pageBytes }),
  });
  t.after(() => collector.close?.());
  return collector;
}

test('memory: every kind and event of a real machine', async () => {
  const collector = memoryCollector({ procfs: createPseudoFs(fixture('firecracker-6.18/proc')) });
  const families = await collector.collect(AbortSignal.timeout(1000));
  assert.deepEqual(
    families.map(({ metric }) => metric.name),
    ['stealwatch_memory_bytes', 'stealwatch_memory_events_total'],
  );
  assert.deepEqual(plain(families), {
    total: 24_682_416 * 1024,
    available: 23_701_560 * 1024,
    free: 22_865_144 * 1024,
    swap_total: 0,
    swap_free: 0,
    balloon: 0,
    major_fault: 4400,
    oom_kill: 0,
    swap_in: 0,
    swap_out: 0,
    balloon_inflate: 0,
    balloon_deflate: 0,
  });
  assert.equal(collector.report?.().signals?.[0]?.supported, true);
  assert.deepEqual(collector.report?.().findings, []);
  await collector.close?.();
});

test('memory: a balloon from the counters of a kernel that prints no Balloon row', async (t) => {
  const vmstat = readFileSync(fixture('kvm-async-pf/stalled/proc/vmstat'), 'utf8')
    .replace('balloon_inflate 0', 'balloon_inflate 100000')
    .replace('balloon_deflate 0', 'balloon_deflate 25000');
  const collector = collectorOn(t, { meminfo: old, vmstat }, 4096);
  const values = plain(await collector.collect(AbortSignal.timeout(1000)));
  assert.equal(values['balloon'], 75_000 * 4096);
  assert.equal(values['available'], undefined);
  assert.deepEqual(collector.report?.().findings, [
    {
      severity: 'warning',
      text: 'Your host has taken 293 MiB of memory back from this machine through the balloon.',
    },
  ]);
});

test('memory: the Balloon row wins over the counters', async (t) => {
  const tree = {
    meminfo: `${old}Balloon: 8 kB\n`,
    vmstat: 'balloon_inflate 9\nballoon_deflate 0\n',
  };
  const values = plain(await collectorOn(t, tree, 4096).collect(AbortSignal.timeout(1000)));
  assert.equal(values['balloon'], 8192);
});

test('memory: no balloon where its pages have no known size or it is not there', async (t) => {
  const trees = [
    { meminfo: old, vmstat: 'balloon_inflate 9\nballoon_deflate 0\n' },
    { meminfo: old, vmstat: 'pgmajfault 9\n' },
  ];
  for (const tree of trees) {
    const collector = collectorOn(t, tree, 'unknown');
    const values = plain(await collector.collect(AbortSignal.timeout(1000)));
    assert.equal('balloon' in values, false);
    assert.equal(collector.report?.().signals?.[0]?.supported, false);
    assert.match(collector.report?.().signals?.[0]?.reason ?? '', /CONFIG_MEMORY_BALLOON/);
  }
});

/** As people have reported them, with the values that can be read in kB; all else is not there. */
const reported: readonly [string, string, Readonly<Record<string, number>>][] = [
  [
    'lxcfs 115 and 695: swap limit below use',
    'MemTotal: 20971520 kB\nMemFree: 8615216 kB\nMemAvailable: 8615216 kB\nSwapTotal: 0 kB\nSwapFree:       18446744073709551488 kB\n',
    { total: 20_971_520, available: 8_615_216, free: 8_615_216, swap_total: 0 },
  ],
  [
    'WSL 1 (4829)',
    'MemTotal: 8263132 kB\nMemFree: 2011236 kB\nSwapTotal: 25165824 kB\nSwapFree:18014396678257232 kB\n',
    { total: 8_263_132, free: 2_011_236, swap_total: 25_165_824 },
  ],
  [
    'SmartOS',
    'MemTotal: 1000 kB\nMemFree:   18446744073709099244 kB\nSwapTotal: 0 kB\nSwapFree: 0 kB\n',
    { total: 1000, swap_total: 0, swap_free: 0 },
  ],
  [
    'a container that shows the memory of its host as available',
    'MemTotal: 1000 kB\nMemFree: 500 kB\nMemAvailable: 5000 kB\nSwapTotal: 0 kB\nSwapFree: 7 kB\n',
    { total: 1000, free: 500, swap_total: 0 },
  ],
  [
    'arm64: no blank after a name (psutil 2810)',
    'MemTotal:       131593908 kB\nMemFree:        40211232 kB\nShadowCallStack:10373888 kB\n',
    { total: 131_593_908, free: 40_211_232 },
  ],
  [
    'DD-WRT (gopsutil 1002): the table of 2.4 kernels stands above',
    '        total:    used:    free:\nMem:  260579328 136073216 124506112\nMemTotal:         254472 kB\nMemFree:          121588 kB\n',
    { total: 254_472, free: 121_588 },
  ],
  [
    'an empty line at the end',
    `${old}\n`,
    { total: 1_000_000, free: 4, swap_total: 0, swap_free: 0 },
  ],
  ['NULs at the end', `${old}\0\0\0`, { total: 1_000_000, free: 4, swap_total: 0, swap_free: 0 }],
];
for (const [what, meminfo, kilobytes] of reported) {
  test(`memory: ${what}`, async (t) => {
    const vmstat = 'pgmajfault 9\n';
    const collector = collectorOn(t, { meminfo, vmstat }, 'unknown');
    const values = plain(await collector.collect(AbortSignal.timeout(1000)));
    const bytes = Object.entries(kilobytes).map(([kind, kB]) => [kind, kB * 1024]);
    assert.deepEqual(values, { ...Object.fromEntries(bytes), major_fault: 9 });
  });
}

test('memory: what cannot be is said, and NaN where it was known before', async (t) => {
  const root = fixtureTree(t, { meminfo: old });
  const collector = memoryCollector({ procfs: createPseudoFs(root) });
  t.after(() => collector.close?.());
  await collector.collect(AbortSignal.timeout(1000));
  writeTree(root, { meminfo: old.replace('SwapFree: 0', 'SwapFree:   18446744073709551488') });
  const values = plain(await collector.collect(AbortSignal.timeout(1000)));
  assert.deepEqual([values['swap_free'], values['free']], [NaN, 4096]);
  writeTree(root, {
    meminfo: old
      .replace('SwapFree: 0', 'SwapFree:   18446744073709551488')
      .replace('MemFree: 4', 'MemFree: 1000001'),
  });
  await collector.collect(AbortSignal.timeout(1000));
  assert.deepEqual(collector.report?.().findings, [
    {
      severity: 'warning',
      text: '/proc/meminfo says what cannot be (MemFree is more than there is, "SwapFree: 18446744073709551488 kB"), so free and swap_free are not known.',
    },
  ]);
});

test('memory: more than any machine has is not taken for true', async (t) => {
  const collector = collectorOn(t, {
    meminfo: 'MemTotal: 976562500000 kB\nMemAvailable: 976562500000 kB\nMemFree: 4 kB\n',
  });
  assert.deepEqual(plain(await collector.collect(AbortSignal.timeout(1000))), { free: 4096 });
  assert.match(collector.report?.().findings?.[0]?.text ?? '', /MemAvailable is more than/);
});

test('memory: nothing without the files; one that is broken takes only its own values', async (t) => {
  const absent = collectorOn(t, {});
  assert.deepEqual(await absent.collect(AbortSignal.timeout(1000)), []);
  for (const [tree, message, count] of [
    [{ meminfo: old, vmstat: 'pgmajfault x\npswpin 3\n' }, /"pgmajfault x"/, 5],
    [{ meminfo: old.replace('4 kB', '4'), vmstat: 'pgmajfault 3\n' }, /"MemFree: 4"/, 4],
    [{ meminfo: '', vmstat: 'pgmajfault 3\n' }, /no MemTotal line/, 1],
  ] as const) {
    const collector = collectorOn(t, tree, 'unknown');
    assert.match(collector.report?.().signals?.[0]?.reason ?? '', /^it cannot be read \(/);
    await assert.rejects(collector.collect(AbortSignal.timeout(1000)), (error: Error) => {
      assert.match(error.message, message);
      assert.ok(isIncomplete(error));
      assert.equal(Object.keys(plain(error.families)).length, count);
      return true;
    });
  }
});
