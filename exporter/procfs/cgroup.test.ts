import assert from 'node:assert/strict';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import fc from 'fast-check';
import { manualClock } from '../measure/clock.ts';
import { fixtureTree } from '../../tools/rig/fixture-tree.ts';
import { cgroupTasksReader, parseCgroups } from './cgroup.ts';
import { createPseudoFs } from './reader.ts';

function tasksOf(t: TestContext, cgroup: string, sys: Readonly<Record<string, string>>) {
  const procfs = createPseudoFs(fixtureTree(t, { '160/cgroup': cgroup }));
  const sysfs = createPseudoFs(fixtureTree(t, sys));
  return cgroupTasksReader({ procfs, sysfs }, manualClock(), 160)();
}

test('cgroup tasks: version 2, version 1, and both side by side', (t) => {
  const service = '0::/system.slice/redis-server.service\n';
  assert.equal(
    tasksOf(t, service, { 'fs/cgroup/system.slice/redis-server.service/pids.current': '5\n' }),
    5,
  );
  const container = '9:name=systemd:/docker/3f2a\n8:pids:/docker/3f2a\n4:memory:/docker/3f2a\n';
  assert.equal(
    tasksOf(t, container, {
      'fs/cgroup/pids/docker/3f2a/pids.current': '6100\n',
      'fs/cgroup/memory/docker/3f2a/pids.current': '1\n',
    }),
    6100,
  );
  const hybrid = '8:cpu,pids:/a\n0::/b\n';
  assert.equal(tasksOf(t, hybrid, { 'fs/cgroup/unified/b/pids.current': '7\n' }), 7);
});

test('cgroup tasks: a group beside our own container is found where Docker puts it', (t) => {
  const beside = '0::/../docker-3f2a.scope\n';
  assert.equal(
    tasksOf(t, beside, { 'fs/cgroup/system.slice/docker-3f2a.scope/pids.current': '9\n' }),
    9,
  );
  assert.equal(tasksOf(t, '0::/../3f2a\n', { 'fs/cgroup/docker/3f2a/pids.current': '9\n' }), 9);
  // Not by walking out of the hierarchy.
  assert.equal(tasksOf(t, '0::/../up\n', { 'fs/up/pids.current': '9\n' }), undefined);
});

test('cgroup tasks: absent in the root group and for a process that is gone, loud on nonsense', (t) => {
  assert.equal(tasksOf(t, '8:pids:/\n0::/\n', {}), undefined);
  assert.equal(tasksOf(t, '', {}), undefined);
  assert.throws(
    () => tasksOf(t, '0::/a\n', { 'fs/cgroup/a/pids.current': 'max\n' }),
    /pids\.current: unexpected text "max\\n"/,
  );
  assert.throws(() => parseCgroups('rubbish'), /cgroup: unexpected line "rubbish"/);
  assert.deepEqual(parseCgroups('rubbish\n0::/a\n\n'), [{ controllers: [], path: '/a' }]);
});

test('cgroup tasks: a group that goes away is not counted, a move is seen within a minute', (t) => {
  const root = fixtureTree(t, {
    '160/cgroup': '0::/a\n',
    'fs/cgroup/a/pids.current': '5\n',
    'fs/cgroup/b/pids.current': '7\n',
  });
  const fs = createPseudoFs(root);
  const clock = manualClock();
  const read = cgroupTasksReader({ procfs: fs, sysfs: fs }, clock, 160);
  assert.equal(read(), 5);
  rmSync(join(root, 'fs/cgroup/a'), { recursive: true });
  writeFileSync(join(root, '160/cgroup'), '0::/b\n');
  assert.equal(read(), undefined);
  clock.advance(60);
  assert.equal(read(), 7);
});

test('cgroup: every path comes back, also one with colons', () => {
  const path = fc
    .string({ unit: fc.constantFrom('a', ':', '/', ' ', '-', '\\', 'x2d') })
    .map((text) => `/${text}`);
  fc.assert(
    fc.property(path, fc.array(fc.constantFrom('pids', 'cpu', 'name=systemd')), (path, list) => {
      assert.deepEqual(parseCgroups(`3:${list.join(',')}:${path}\n`), [
        { controllers: list, path },
      ]);
    }),
  );
});
