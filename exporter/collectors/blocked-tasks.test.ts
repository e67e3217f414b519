import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { manualClock, systemClock } from '../measure/clock.ts';
import { type Collector, isIncomplete, type Sample } from '../core/collector.ts';
import { createPseudoFs } from '../procfs/reader.ts';
import { fixtureTree, writeTree } from '../../tools/rig/fixture-tree.ts';
import { until } from '../../tools/rig/redis-server.ts';
import { writeStalledRedis } from '../../tools/rig/stalled-redis.ts';
import {
  type MadeUpTask,
  processFiles,
  statText,
  statusText,
  threadFiles,
} from '../../tools/rig/task-files.ts';
import { blockedTasksCollector } from './blocked-tasks.ts';

const none = { host_page_in: 0, disk: 0, filesystem: 0, lock: 0, other: 0, unknown: 0 };
const blockedBy = (waitChannel: string, comm = 'worker'): MadeUpTask => ({
  comm,
  state: 'D',
  waitChannel,
});

const kernel = (task: MadeUpTask) => ({ ...task, kernelThread: true });
const load = (load1: string) => ({ loadavg: `${load1} 0.00 0.00 1/2600 4000\n` });
/** The wait channels of the exporter's own threads. */
const own = (channels: readonly string[]) =>
  Object.fromEntries(channels.map((text, i) => [`self/task/${900 + i}/wchan`, text]));

function start(t: TestContext, tree: Readonly<Record<string, string>>) {
  const root = fixtureTree(t, tree);
  const clock = manualClock();
  const collector = blockedTasksCollector({ procfs: createPseudoFs(root), clock });
  t.after(async () => collector.close?.());
  return { root, clock, collector };
}

function byReason(samples: readonly Sample[] | undefined): Record<string, unknown> {
  return Object.fromEntries((samples ?? []).map(({ labels, value }) => [labels['reason'], value]));
}

async function read(collector: Collector) {
  const families = await collector.collect(AbortSignal.timeout(5000));
  const [tasks, longest, processes] = families.map(({ samples }) => samples);
  return {
    tasks: byReason(tasks),
    longest: byReason(longest),
    processes: (processes ?? []).map(
      ({ labels, value }) => `${labels['process']} ${labels['reason']} ${Number(value)}`,
    ),
  };
}

const findings = (collector: Collector) => collector.report?.().findings ?? [];

test('blocked tasks: redis-server and its jemalloc thread wait for the host, and are free again', async (t) => {
  const { root, clock, collector } = start(t, {});
  writeStalledRedis(root, 'before');
  clock.advance(20);
  assert.deepEqual(await read(collector), { tasks: none, longest: none, processes: [] });

  writeStalledRedis(root, 'stalled');
  clock.advance(1);
  assert.deepEqual((await read(collector)).tasks, { ...none, host_page_in: 2 });
  clock.advance(41);
  assert.deepEqual(await read(collector), {
    tasks: { ...none, host_page_in: 2 },
    longest: { ...none, host_page_in: 41 },
    processes: ['redis-server host_page_in 41'],
  });
  assert.deepEqual(findings(collector), [
    {
      severity: 'bad',
      text: 'redis-server has been blocked in the kernel for 41 s (2 threads), waiting for the host to bring a page back.',
    },
  ]);
  const chart = collector.report?.().charts?.[0]?.history.points().at(-1);
  assert.equal(chart, 2);

  writeStalledRedis(root, 'healed');
  assert.deepEqual(await read(collector), { tasks: none, longest: none, processes: [] });
  assert.deepEqual(findings(collector), []);
});

test('blocked tasks: a switch between two looks is a new sleep, whatever kind of switch', async (t) => {
  const { root, clock, collector } = start(
    t,
    processFiles(300, { ...blockedBy('folio_wait_bit_common'), switches: [7, 1] }),
  );
  clock.advance(10);
  assert.equal((await read(collector)).longest['disk'], 10);
  for (const switches of [
    [8, 1],
    [8, 2],
  ] as const) {
    writeTree(root, processFiles(300, { ...blockedBy('folio_wait_bit_common'), switches }));
    clock.advance(1);
    assert.equal((await read(collector)).longest['disk'], 0);
    clock.advance(3);
    assert.equal((await read(collector)).longest['disk'], 3);
  }
});

test('blocked tasks: a reused number is another thread', async (t) => {
  const { root, clock, collector } = start(t, processFiles(300, blockedBy('jbd2_log_wait_commit')));
  clock.advance(9);
  writeTree(root, processFiles(300, { ...blockedBy('jbd2_log_wait_commit'), startTicks: 999 }));
  clock.advance(2);
  assert.equal((await read(collector)).longest['filesystem'], 1);
});

test('blocked tasks: a thread in D below a zombie leader is found, under the name of its process', async (t) => {
  const leader = { comm: 'asynq-worker', state: 'Z', threads: 2 };
  const { clock, collector } = start(t, {
    ...processFiles(500, leader),
    ...threadFiles(500, 507, blockedBy('kvm_async_pf_task_wait_schedule', 'go-thread')),
  });
  clock.advance(6);
  assert.deepEqual(await read(collector), {
    tasks: { ...none, host_page_in: 1 },
    longest: { ...none, host_page_in: 6 },
    processes: ['asynq-worker host_page_in 6'],
  });
});

test('blocked tasks: a blocked process that vanishes is gone at the next scrape', async (t) => {
  const { root, clock, collector } = start(
    t,
    processFiles(300, blockedBy('nfs_wait_bit_killable')),
  );
  clock.advance(2);
  assert.equal((await read(collector)).tasks['filesystem'], 1);
  rmSync(join(root, '300'), { recursive: true });
  assert.deepEqual((await read(collector)).tasks, none);
});

test('blocked tasks: a thread caught falling asleep learns its reason later and keeps its age', async (t) => {
  const { root, clock, collector } = start(t, processFiles(300, blockedBy('0')));
  clock.advance(6);
  assert.equal((await read(collector)).longest['unknown'], 6);
  assert.match(findings(collector)[0]?.text ?? '', /does not say what it waits for\.$/);
  writeTree(root, processFiles(300, blockedBy('rwsem_down_write_slowpath')));
  clock.advance(1);
  const { tasks, longest } = await read(collector);
  assert.deepEqual([tasks['unknown'], tasks['lock'], longest['lock']], [0, 1, 7]);
});

test('blocked tasks: names with newlines, spaces and parentheses; no control character in a label', async (t) => {
  const { clock, collector } = start(t, {
    ...processFiles(300, blockedBy('blk_mq_get_tag', 'a) R 1 (\n b\u0007')),
  });
  clock.advance(2);
  assert.deepEqual((await read(collector)).processes, ['a) R 1 (? b? disk 2']);
});

test('blocked tasks: at most ten processes, the longest first, each name once', async (t) => {
  const { root, clock, collector } = start(t, {});
  for (let i = 0; i < 14; i += 1) {
    writeTree(root, processFiles(300 + i, blockedBy('folio_wait_bit_common', `p${i % 12}`)));
    clock.advance(15);
  }
  const { processes, tasks, longest } = await read(collector);
  assert.equal(tasks['disk'], 14);
  assert.equal(processes.length, 10);
  const seconds = processes.map((text) => Number(text.split(' ')[2]));
  assert.deepEqual(
    seconds,
    seconds.toSorted((a, b) => b - a),
  );
  assert.equal(seconds[0], longest['disk']);
  assert.equal(new Set(processes.map((text) => text.split(' ')[0])).size, 10);
  assert.equal(findings(collector).length, 5);
});

test('blocked tasks: of over ten processes the longest-blocked are kept, whatever their pids', async (t) => {
  const { root, clock, collector } = start(t, {});
  for (let i = 0; i < 12; i += 1) {
    writeTree(root, processFiles(300 - i, blockedBy('folio_wait_bit_common', `p${i}`)));
    clock.advance(15);
  }
  const { processes } = await read(collector);
  assert.deepEqual(
    processes.map((text) => text.split(' ')[0]),
    Array.from({ length: 10 }, (_, i) => `p${i}`),
  );
});

test('blocked tasks: an idle kernel thread is counted and has no age; one that waits for a disk has', async (t) => {
  const { clock, collector } = start(t, {
    ...processFiles(60, kernel(blockedBy('msleep', 'vmmemctl'))),
    ...processFiles(61, kernel(blockedBy('0', 'w1_bus_master1'))),
    ...processFiles(62, kernel(blockedBy('folio_wait_bit_common', 'kworker/u8:2+flush-8:0'))),
  });
  clock.advance(30);
  assert.deepEqual(await read(collector), {
    tasks: { ...none, other: 1, unknown: 1, disk: 1 },
    longest: { ...none, disk: 30 },
    processes: ['kworker disk 30'],
  });
  assert.deepEqual(
    findings(collector).map(({ text }) => text),
    ['kworker has been blocked in the kernel for 30 s, waiting for the disk.'],
  );
});

/** Single-threaded processes asleep, numbered from 1,000. */
function sleepers(count: number): Record<string, string> {
  return Object.fromEntries(
    Array.from({ length: count }, (_, i) => [`${1000 + i}/stat`, statText(1000 + i)]),
  );
}

test('blocked tasks: a large machine is looked at in portions, and quickly once the load rises', async (t) => {
  const { root, clock, collector } = start(t, { ...sleepers(2500), ...load('0.00') });
  const blocked = async () => Number((await read(collector)).tasks['host_page_in']);
  // The first round goes at 1,000 a second, and what it has passed is not looked at again at once.
  clock.advance(2);
  const late = processFiles(3400, blockedBy('kvm_async_pf_task_wait_schedule'));
  writeTree(root, late);
  clock.advance(10);
  assert.equal(await blocked(), 0);
  // One more active thread: 0.08 after 5 s. The next round is due by then, and fast.
  writeTree(root, load('0.08'));
  clock.advance(7);
  assert.equal(await blocked(), 1);
});

test('blocked tasks: after a hint that led to something the next one is followed as fast', async (t) => {
  const { root, clock, collector } = start(t, { ...sleepers(2500), ...load('0.00') });
  const blocked = async () => Number((await read(collector)).tasks['host_page_in']);
  clock.advance(10);
  // One more active thread in each of the kernel's steps of 5 s: 0.08, then a second one.
  writeTree(root, processFiles(3400, blockedBy('kvm_async_pf_task_wait_schedule')));
  writeTree(root, load('0.08'));
  clock.advance(8);
  assert.equal(await blocked(), 1);
  writeTree(root, processFiles(3401, blockedBy('kvm_async_pf_task_wait_schedule')));
  writeTree(root, load('0.31'));
  clock.advance(8);
  assert.equal(await blocked(), 2, 'seen within 8 s, not when the quiet round comes');
});

test('blocked tasks: without any hint everything is seen in the end', async (t) => {
  const { root, clock, collector } = start(t, sleepers(2500));
  clock.advance(4);
  writeTree(root, processFiles(3400, blockedBy('kvm_async_pf_task_wait_schedule')));
  clock.advance(20);
  assert.equal((await read(collector)).tasks['host_page_in'], 0);
  clock.advance(40);
  assert.equal((await read(collector)).tasks['host_page_in'], 1);
});

/** With 71 threads, all in this state. */
const crowdedRedis = (pid: number, state: string) => {
  const task = { comm: 'redis-server', threads: 71, state, waitChannel: 'folio_wait_bit_common' };
  const threads = Array.from({ length: 70 }, (_, i) => threadFiles(pid, 1000 * pid + i, task));
  return Object.assign(processFiles(pid, task), ...threads) as Record<string, string>;
};
const tenRedis = (state: string) =>
  Object.assign({}, ...Array.from({ length: 10 }, (_, i) => crowdedRedis(301 + i, state)));

test('blocked tasks: eight Redis processes are looked at every second, 64 threads of each', async (t) => {
  const { root, clock, collector } = start(t, tenRedis('S'));
  const blocked = async () => Number((await read(collector)).tasks['disk']);
  // The first round is over, the next one is not due before 15 s have passed.
  clock.advance(5);
  assert.equal(await blocked(), 0);
  writeTree(root, tenRedis('D'));
  clock.advance(1);
  assert.equal(await blocked(), 8 * 64);
  clock.advance(40);
  assert.equal(await blocked(), 10 * 71, 'the round over all threads finds the rest');
});

test('blocked tasks: no /proc is absence, a stat that is none is a failure that quotes it', async (t) => {
  const absent = start(t, {});
  rmSync(absent.root, { recursive: true });
  const gone = blockedTasksCollector({
    procfs: createPseudoFs(absent.root),
    clock: absent.clock,
  });
  t.after(async () => gone.close?.());
  assert.deepEqual(await gone.collect(AbortSignal.timeout(1000)), []);

  const broken = start(t, {
    '200/stat': 'rubbish',
    ...processFiles(300, blockedBy('folio_wait_bit_common')),
  });
  broken.clock.advance(3);
  await assert.rejects(read(broken.collector), (error: Error) => {
    assert.match(error.message, /stat of a task: unexpected text "rubbish"/);
    assert.ok(isIncomplete(error), 'what was understood is published');
    assert.equal(byReason(error.families[1]?.samples)['disk'], 3);
    return true;
  });
  writeTree(broken.root, { '200/stat': statText(200) });
  broken.clock.advance(13);
  const { longest } = await read(broken.collector);
  assert.equal(longest['disk'], 16, 'the process after the broken one was seen all along');
});

test('blocked tasks: says what hides the wait channel and how to see it', (t) => {
  const signalsOf = (tree: Readonly<Record<string, string>>) =>
    Object.fromEntries(
      (start(t, tree).collector.report?.().signals ?? []).map(({ name, supported, reason }) => [
        name,
        supported ? true : reason,
      ]),
    );
  const kthreadd = processFiles(2, { comm: 'kthreadd', kernelThread: true });

  assert.deepEqual(
    signalsOf({ ...kthreadd, '2/wchan': 'kthreadd', ...own(['0', 'ep_poll', 'futex_wait']) }),
    { wait_channel: true, host_processes: true },
  );
  const hidden = signalsOf({ ...kthreadd, '2/wchan': '0', ...own(['0', 'futex_wait']) });
  assert.match(String(hidden['wait_channel']), /CAP_SYS_PTRACE/);
  const broken = signalsOf({ ...kthreadd, '2/wchan': '0', ...own(['0', '0', '0']) });
  assert.match(String(broken['wait_channel']), /x86 kernels from 4\.14 to 5\.15/);
  const container = signalsOf(processFiles(2, { comm: 'redis-server' }));
  assert.match(
    String(container['host_processes']),
    /\/proc:\/host\/proc:ro as a volume and STEALWATCH_PROCFS=\/host\/proc/,
  );
  assert.match(String(container['wait_channel']), /CAP_SYS_PTRACE/);
});

test('blocked tasks: the last second for the flight recorder; a 0 of what is hidden is none', (t) => {
  const kthreadd = processFiles(2, { comm: 'kthreadd', kernelThread: true });
  const seen = { ...kthreadd, '2/wchan': 'kthreadd', ...load('0.50') };
  const quiet = start(t, seen);
  assert.deepEqual(quiet.collector.report?.().second, {
    load_1m: 0.5,
    threads_in_d: 0,
    oldest_wait_seconds: 0,
    threads_waiting_for_page: 0,
    page_wait_seconds: 0,
  });
  writeTree(quiet.root, {
    ...processFiles(200, blockedBy('kvm_async_pf_task_wait_schedule', 'redis-server')),
    ...processFiles(201, blockedBy('io_schedule')),
    ...processFiles(3, kernel(blockedBy('some_idle_driver'))),
  });
  quiet.clock.advance(20);
  const { second, blockedThreads } = quiet.collector.report?.() ?? {};
  assert.deepEqual([second?.threads_in_d, second?.threads_waiting_for_page], [2, 1]);
  assert.equal(second?.oldest_wait_seconds, second?.page_wait_seconds);
  assert.ok((second?.page_wait_seconds ?? 0) > 0);
  assert.deepEqual(
    new Set(blockedThreads?.(10).map(({ tid, process, reason }) => `${tid} ${process} ${reason}`)),
    new Set(['200 redis-server host_page_in', '201 worker disk']),
  );
  assert.equal(blockedThreads?.(1).length, 1);

  const noReasons = start(t, { ...kthreadd, '2/wchan': '0', ...own(['0', 'futex_wait']) });
  assert.deepEqual(noReasons.collector.report?.().second, {
    threads_in_d: 0,
    oldest_wait_seconds: 0,
  });
  const container = start(t, processFiles(2, { comm: 'redis-server' }));
  assert.deepEqual(container.collector.report?.().second, {});
});

/** /proc as gVisor makes it (6374, 13018): no kthreadd, and half of a status. */
const gvisor = {
  'self/status':
    'Name:\tnode\nState:\tR (running)\nTgid:\t12\nCapEff:\t00000000a80425fb\nSeccomp:\t0\n',
  'self/task/12/wchan': '',
  '1/stat': '1 (sh) S 0 1 1 0 0 0 0 0 0 0 0 0 0 0 20 0 1 0 0 0 0 0 0 0\n',
};

test('blocked tasks: a sandbox with half of /proc is no failure', async (t) => {
  const { clock, collector } = start(t, gvisor);
  clock.advance(20);
  assert.deepEqual(await read(collector), { tasks: none, longest: none, processes: [] });
});

test('blocked tasks: what is wrong with one thread, or with the load, hides no other', async (t) => {
  const { clock, collector } = start(t, {
    loadavg: 'garbage\n',
    ...processFiles(200, {
      ...blockedBy('folio_wait_bit_common'),
      threads: 2,
      comm: 'redis-server',
    }),
    '200/task/200/status': 'Name:\tx\n',
    '200/status': 'Name:\tx\n',
    '200/task/201/stat': statText(201, { state: 'D' }),
    '200/task/201/status': statusText(201),
    '200/task/201/wchan': 'rtnl_lock',
    ...processFiles(300, blockedBy('folio_wait_bit_common')),
  });
  clock.advance(20);
  await assert.rejects(read(collector), (error: Error) => {
    assert.match(error.message, /status of a task: unexpected text "Name:\\tx\\n"/);
    assert.ok(isIncomplete(error));
    assert.deepEqual(byReason(error.families[1]?.samples), { ...none, disk: 20, lock: 20 });
    return true;
  });
});

/** vfork() by number, because libc's own cannot be called from Perl; ARM64 has only clone(). */
const vforkByArchitecture: Readonly<Record<string, string>> = {
  x64: 'syscall(58)',
  arm64: 'syscall(220, 0x4111, 0, 0, 0, 0)',
};

test('blocked tasks: a real parent blocked in vfork(), found on this machine', async (t) => {
  const vfork = vforkByArchitecture[process.arch];
  if (vfork === undefined || spawnSync('perl', ['-e', '1']).status !== 0) {
    t.skip('needs perl on x86-64 or ARM64');
    return;
  }
  // The child sleeps without ever calling exec(), so its parent waits in D for as long.
  const script = `my $p = $$; if (${vfork} == 0) { alarm 30; print getppid() == $p ? "$$\\n" : ""; sleep 60 }`;
  const parent = spawn('perl', ['-e', `$| = 1; ${script}`], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let output = '';
  parent.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text;
  });
  t.after(() => {
    const child = Number(output.trim());
    if (child > 1) process.kill(child, 'SIGKILL');
    parent.kill('SIGKILL');
  });
  const collector = blockedTasksCollector({ procfs: createPseudoFs('/proc'), clock: systemClock });
  t.after(async () => collector.close?.());
  await until('the child runs', () => output.includes('\n'));
  await until(
    'the parent is seen blocked for over a second',
    async () => {
      const { processes, tasks } = await read(collector);
      return (
        processes.some((text) => text.startsWith('perl ')) &&
        Number(tasks['other']) + Number(tasks['unknown']) >= 1
      );
    },
    40,
  );
});
