/** What a person reads of each recorded kernel log, word for word. */
import assert from 'node:assert/strict';
import { appendFileSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { manualClock } from '../measure/clock.ts';
import { createPseudoFs } from '../procfs/reader.ts';
import { fixtureTree } from '../../tools/rig/fixture-tree.ts';
import { hungTasksCollector } from '../collectors/hung-tasks.ts';

/** A report without an end mark is whole after two quiet seconds, so it is younger. */
const hung = (who: string, seconds: number, why: string, ago: number) =>
  `The kernel reported ${who} blocked for more than ${seconds} s, ${why}, ${ago} s ago.`;
const disk = 'waiting for the disk';
const filesystem = 'waiting for a file system (frozen, or its journal or server does not answer)';
const unsaid = 'and the kernel does not say what it waits for';
const page = 'waiting for the host to bring a page back';
const lock = 'waiting for a lock that another thread holds';

const expected: Readonly<Record<string, readonly string[]>> = {
  '3.10-fsync': [hung('manager (pid 26933)', 120, disk, 2)],
  '3.10-xfs-log': [hung('xfsaild/dm-3 (pid 12083)', 120, unsaid, 2)],
  '3.13-jbd2': [hung('jbd2/dewba1-8 (pid 22455)', 120, disk, 2)],
  '4.14-arm-fuse': [hung('kworker/u8:0 (pid 5)', 120, filesystem, 2)],
  '4.14-arm-mmc': [hung('kworker/0:3 (pid 10949)', 120, disk, 2)],
  '4.14-no-trace': [
    hung('jbd2/vda2-8 (pid 472)', 120, unsaid, 3),
    hung('umount (pid 482)', 120, unsaid, 2),
  ],
  '4.18-comm-with-space': [hung('FwgThread OpFor (pid 15341)', 120, filesystem, 2)],
  '4.19-autofs': [hung('sbatchd (pid 47537)', 120, filesystem, 2)],
  '5.10-interleaved': [
    hung('jbd2/sda3-8 (pid 373)', 120, filesystem, 3),
    hung('systemd-journal (pid 470)', 120, unsaid, 2),
  ],
  '5.15-nfsd-local-disk': [hung('nfsd (pid 1414)', 120, disk, 3)],
  '5.7-bcachefs': [
    hung('bch_gc (pid 1941)', 122, filesystem, 3),
    hung('bch_copygc[dm-7 (pid 1942)', 122, disk, 2),
  ],
  '6.12-lost-notification': [hung('toucher1 (pid 155)', 40, page, 3)],
  '6.12-redis-kvm-async-pf': [
    hung('redis-server (pid 160)', 20, page, 3),
    hung('jemalloc_bg_thd (pid 165)', 20, page, 3),
  ],
  '6.15-lock-owner': [
    hung('repro_20250402_ (pid 13229)', 64, lock, 3),
    hung('repro_20250402_ (pid 13250)', 65, disk, 3),
  ],
  '6.18-redis-aof-frozen-fs': [hung('redis-server (pid 6104)', 20, filesystem, 2)],
  '6.9-rmdir-directory-lock': [hung('syz-executor (pid 5934)', 143, lock, 3)],
  '6.12-cpu-offline-during-stall': [
    hung('sh (pid 1)', 10, 'waiting for something else in the kernel', 3),
    hung('kworker/0:0 (pid 9)', 10, 'waiting for something else in the kernel', 3),
    'The kernel reported an RCU stall: a CPU did not answer for many seconds. On a KVM guest this often means that the host did not run it ("rcu: INFO: rcu_preempt detected stalls on CPUs/tasks:"), 3 s ago.',
  ],
  '6.12-soft-lockup-kernel-mode-pagein': [
    'The kernel reported a soft lockup: a CPU stood still. On a KVM guest this accuses the host, which did not run the CPU or had swapped out a page the kernel needed ("watchdog: BUG: soft lockup - CPU#1 stuck for 26s! [kworker/1:0:380]"), 3 s ago.',
  ],
  '5.10-hard-lockup': [
    'The kernel reported a hard lockup: a CPU did not even take its timer interrupts for seconds. On a KVM guest the host may not have run it ("NMI watchdog: Watchdog detected hard LOCKUP on cpu 1"), 3 s ago.',
  ],
  '6.x-rcu-tasks': [
    'The kernel reported an RCU-tasks stall: a thread has not given up the CPU by itself for minutes. CPUs answered meanwhile, so it says nothing of the host ("INFO: rcu_tasks detected stalls on tasks:"), 3 s ago.',
  ],
  '5.14-clock-read-delay': [
    'The kernel gave up on a clock source because it took too long to read it, which happens when a host stops its guests ("clocksource: timekeeping watchdog on CPU6: hpet read-back delay of 525200ns, attempt 4, marking unstable"), 3 s ago.',
  ],
  '7.x-clock-frequency-skew': [
    'The kernel gave up on a clock source because it differed from another clock: time jumped, which happens when a host stops its guests ("clocksource: Marking clocksource tsc unstable due to frequency skew"), 3 s ago.',
  ],
  '5.x-oom-memcg': [
    'A container or service reached its own memory limit, and the kernel killed a process in it ("Memory cgroup out of memory: Killed process 4971 (netdata) total-vm:47820kB, anon-rss:7560kB, file-rss:0kB, shmem-rss:0kB, UID:201 pgtables:100kB oom_score_adj:"), 3 s ago.',
  ],
};

test('kernel log in words: every recording has its sentences', () => {
  const folder = readdirSync(new URL('../fixtures/kmsg', import.meta.url));
  const recordings = folder.filter((name) => name.endsWith('.txt'));
  assert.deepEqual(
    recordings.map((name) => name.slice(0, -4)).sort(),
    Object.keys(expected).sort(),
  );
});

for (const [name, sentences] of Object.entries(expected)) {
  test(`kernel log in words: ${name}`, async (t) => {
    const root = fixtureTree(t, {
      uptime: '0.00 0.00\n',
      'sys/devices/system/clocksource/clocksource0/available_clocksource': 'kvm-clock tsc\n',
      kmsg: '',
    });
    const clock = manualClock();
    const collector = hungTasksCollector({
      config: { kmsg: join(root, 'kmsg'), kmsgUserspace: false },
      clock,
      procfs: createPseudoFs(root),
      sysfs: createPseudoFs(join(root, 'sys')),
    });
    t.after(() => collector.close?.());
    const url = new URL(`../fixtures/kmsg/${name}.txt`, import.meta.url);
    appendFileSync(join(root, 'kmsg'), readFileSync(url));
    clock.advance(1);
    clock.advance(3);
    assert.deepEqual(
      collector.report?.().findings?.map(({ text }) => text),
      sentences,
    );
  });
}
