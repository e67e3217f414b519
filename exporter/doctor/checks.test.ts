/** Each check passing, warning, failing and blind, and that there is no check without a row. */
import assert from 'node:assert/strict';
import { utimesSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { askOne } from '../../tools/rig/doctor-machine.ts';
import { containersRows } from '../../tools/rig/doctor-rows/containers.ts';
import { hostRows } from '../../tools/rig/doctor-rows/host.ts';
import { kernelRows } from '../../tools/rig/doctor-rows/kernel.ts';
import { proofRows } from '../../tools/rig/doctor-rows/proof.ts';
import { redisRows } from '../../tools/rig/doctor-rows/redis.ts';
import { meminfo, rdbProcess } from '../../tools/rig/doctor-rows/row.ts';
import { watchingRows } from '../../tools/rig/doctor-rows/watching.ts';
import type { Row } from '../../tools/rig/doctor-rows/row.ts';
import { fixtureTree } from '../../tools/rig/fixture-tree.ts';
import { checks } from './checks.ts';

const rows = [
  ...watchingRows,
  ...hostRows,
  ...redisRows,
  ...proofRows,
  ...kernelRows,
  ...containersRows,
];

function age(root: string, { ages = {} }: Row): void {
  const now = Date.now() / 1000;
  for (const [path, seconds] of Object.entries(ages)) {
    utimesSync(join(root, path), now - seconds, now - seconds);
  }
}

for (const [i, row] of rows.entries()) {
  test(`doctor: ${row.id} is ${row.state} (${i})`, async (t: TestContext) => {
    const root = fixtureTree(t, { 'etc/hostname': 'vps\n', ...row.files });
    age(root, row);
    const result = await askOne(row.id, root, row.told);
    assert.equal(result.state, row.state, result.reason);
    assert.match(result.reason, row.said);
    const check = checks.find((one) => one.id === row.id);
    if (result.mend.length > 0) assert.ok(check?.mends.includes(result.mend), 'not in its table');
  });
}

test('doctor: save points that are all that is kept are not taken away', async (t) => {
  const root = fixtureTree(t, {
    'proc/interrupts': 'CPU0 CPU1\nHYP: 200000 200000 Hypervisor\n',
    'proc/uptime': '5000.00 1.00\n',
    'sys/devices/system/clocksource/clocksource0/available_clocksource': 'kvm-clock tsc\n',
    'proc/42/root/etc/redis.conf': 'save 60 5\n',
  });
  const mendOf = async (appendonly: string) => {
    const config = { save: '60 5', appendonly };
    const redis = { info: 'config_file:/etc/redis.conf', process: rdbProcess, config };
    const { state, mend } = await askOne('rdb-save-points', root, { redis });
    assert.equal(state, 'warn');
    return mend.map(({ text }) => text).join('\n');
  };
  assert.match(await mendOf('yes'), /^redis-cli CONFIG SET save ''/);
  assert.match(await mendOf('no'), /^first turn on the append-only file/);
});

test('doctor: no maxmemory is named that is below what Redis has, nor on a small machine', async (t) => {
  const mendOf = async (used: number, total: number) => {
    const info = `used_memory:${used}`;
    const redis = { info, process: rdbProcess, config: { save: '', maxmemory: '0' } };
    const root = fixtureTree(t, meminfo(total, total, 0, 0));
    const { state, mend } = await askOne('memory-headroom', root, { redis });
    assert.equal(state, 'warn');
    return mend.map(({ text }) => text).join('\n');
  };
  assert.match(await mendOf(2 ** 28, 2 ** 20), /CONFIG SET maxmemory 512mb/);
  for (const [used, total] of [
    [2 ** 28 + 1, 2 ** 23],
    [735_000_000, 2 ** 23],
    [1000, 2 ** 20 - 1],
  ] as const) {
    assert.match(await mendOf(used, total), /^choose a maxmemory above what Redis has/);
  }
});

test('doctor: every check has its rows, and ids and titles of their own', () => {
  const tested = new Set(rows.map((row) => row.id));
  assert.deepEqual(
    checks.map((check) => check.id).filter((id) => !tested.has(id)),
    [],
  );
  for (const { id, why, source } of checks) {
    assert.match(why, /^.{30,}\.$/, id);
    assert.match(source, /^.{10,}$/, id);
  }
  for (const key of ['id', 'title'] as const) {
    assert.equal(new Set(checks.map((check) => check[key])).size, checks.length, key);
  }
});
