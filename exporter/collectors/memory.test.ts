import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { type TestContext, test } from 'node:test';
import type { Family } from '../collector.ts';
import { createPseudoFs } from '../procfs/reader.ts';
import { fixtureTree } from '../testing/fixture-tree.ts';
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

test('memory: nothing without the files, loud when one is broken', async (t) => {
  const absent = collectorOn(t, {});
  assert.deepEqual(await absent.collect(AbortSignal.timeout(1000)), []);
  const broken = collectorOn(t, { meminfo: old, vmstat: 'pgmajfault x\n' });
  await assert.rejects(broken.collect(AbortSignal.timeout(1000)), /"pgmajfault x"/);
});
