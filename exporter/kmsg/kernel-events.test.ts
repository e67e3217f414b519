import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  createKernelEventReader,
  type KernelEvent,
  kernelEventOf,
  kernelEvents,
} from './kernel-events.ts';

/** By what is said of them; the event they count as. */
const lines: Readonly<Record<string, readonly [KernelEvent, readonly string[]]>> = {
  soft_lockup: [
    'soft_lockup',
    [
      'BUG: soft lockup - CPU#1 stuck for 67s! [grep:136248]',
      'NMI watchdog: BUG: soft lockup - CPU#0 stuck for 22s! [systemd:1]',
      'watchdog: BUG: soft lockup - CPU#1 stuck for 2471s! [CPU 0/KVM:31664]',
    ],
  ],
  hard_lockup: [
    'hard_lockup',
    [
      'Watchdog detected hard LOCKUP on cpu 0',
      'NMI watchdog: Watchdog detected hard LOCKUP on cpu 3',
      'NMI watchdog: Watchdog detected hard LOCKUP on cpu 1',
      'watchdog: Watchdog detected hard LOCKUP on cpu 12',
      'watchdog: CPU3: Watchdog detected hard LOCKUP on cpu 4',
      'watchdog: CPU 4 self-detected hard LOCKUP @ arch_local_irq_restore+0x1c/0xa0',
      'watchdog: CPU 1 detected hard LOCKUP on other CPUs 2,3',
    ],
  ],
  workqueue_lockup: [
    'workqueue_lockup',
    [
      'BUG: workqueue lockup - pool cpus=3 node=0 flags=0x0 nice=0 stuck for 23152s!',
      'BUG: workqueue lockup - pool cpus=0-3 flags=0x4 nice=0 stuck for 34s!',
      'BUG: workqueue lockup - pool',
    ],
  ],
  rcu_stall: [
    'rcu_stall',
    [
      'INFO: RCU detected CPU 0 stall (t=4294893198/1000 jiffies)',
      'INFO: rcu_sched_state detected stall on CPU 0 (t=105060 jiffies)',
      'INFO: rcu_sched_state detected stalls on CPUs/tasks: { 2} (detected by 7, t=15002 jiffies)',
      'INFO: rcu_sched self-detected stall on CPU',
      'INFO: rcu_preempt self-detected stall on CPU { 1}  (t=5250 jiffies g=1 c=0 q=1)',
      'rcu: INFO: rcu_preempt detected stalls on CPUs/tasks:',
      'rcu: INFO: rcu_sched detected expedited stalls on CPUs/tasks: { 7-m.. } 240003 jiffies',
      'rcu: INFO: rcu_sched self-detected stall on CPU',
    ],
  ],
  rcu_tasks_stall: [
    'rcu_stall',
    [
      'INFO: rcu_tasks detected stalls on tasks:',
      'INFO: rcu_tasks_trace detected stalls on tasks:',
      'rcu: INFO: rcu_tasks_rude detected stalls on tasks:',
    ],
  ],
  clock_skew: [
    'clocksource_unstable',
    [
      'Clocksource tsc unstable (delta = -341257333 ns)',
      "timekeeping watchdog: Marking clocksource 'tsc' as unstable, because the skew is too large:",
      "clocksource: timekeeping watchdog: Marking clocksource 'tsc' as unstable, because the skew is too large:",
      "clocksource: timekeeping watchdog on CPU2: Marking clocksource 'tsc' as unstable because the skew is too large:",
      'clocksource: Marking clocksource tsc unstable due to frequency skew',
      'clocksource: Marking clocksource tsc-early unstable due to inter CPU skew',
    ],
  ],
  clock_slow_read: [
    'clocksource_unstable',
    [
      'clocksource: timekeeping watchdog on CPU6: hpet read-back delay of 525200ns, attempt 4, marking unstable',
      'clocksource: timekeeping watchdog on CPU2: wd-tsc-wd excessive read-back delay of 153560ns vs. limit of 125000ns, wd-wd read-back delay only 11440ns, attempt 3, marking tsc unstable',
    ],
  ],
  oom_somewhere: [
    'oom_kill',
    [
      'Killed process 21578, UID 503, (redis-server) total-vm:9100804kB, anon-rss:9066596kB, file-rss:64kB',
      'Killed process 13109 (redis-server) total-vm:2380956kB, anon-rss:234848kB, file-rss:124kB',
    ],
  ],
  oom_machine: [
    'oom_kill',
    [
      'Out of memory: Killed process 3496 (redis-server) total-vm:19497288kB, anon-rss:12841672kB',
      'Out of memory (oom_kill_allocating_task): Killed process 3496 (redis-server) total-vm:1kB',
    ],
  ],
  oom_cgroup: ['oom_kill', ['Memory cgroup out of memory: Killed process 7 (node) total-vm:1kB']],
};

test('kernel events: what kernels of all ages print', () => {
  for (const [kind, [event, texts]] of Object.entries(lines)) {
    for (const text of texts) assert.deepEqual(kernelEventOf(text), { event, kind }, text);
  }
  assert.deepEqual(new Set(Object.values(lines).map(([event]) => event)), new Set(kernelEvents));
});

/** The kinds that a reader tells of these lines, a millisecond apart unless a number says more. */
function kindsOf(texts: readonly (string | number)[]): string[] {
  const read = createKernelEventReader();
  let at = 51_000_100_000;
  return texts.flatMap((text) => {
    if (typeof text === 'number') at += text * 1e6;
    at += 1000;
    const line = typeof text === 'number' ? undefined : read(text, at);
    return line === undefined ? [] : [line.kind];
  });
}

test('kernel events: up to 5.0 the line before a kill says whose memory ran out', () => {
  const group =
    'Memory cgroup out of memory: Kill process 24984 (palo_be) score 968 or sacrifice child';
  const kill = 'Killed process 18177 (palo_be), UID 0, total-vm:70347780kB, anon-rss:1kB';
  assert.deepEqual(kindsOf([group, kill]), ['oom_cgroup']);
  assert.deepEqual(kindsOf([group, kill, kill]), ['oom_cgroup', 'oom_cgroup']);
  assert.deepEqual(kindsOf([group, 60, kill]), ['oom_somewhere'], 'of another time');
  const machine = 'Out of memory: Kill process 6895 (redis-server) score 295 or sacrifice child';
  assert.deepEqual(kindsOf([group, kill, machine, kill]), ['oom_cgroup', 'oom_machine']);
  assert.deepEqual(kindsOf([machine, kill, group, kill]), ['oom_machine', 'oom_cgroup']);
  const task = 'Task in /docker/3f2a killed as a result of limit of /docker/3f2a';
  assert.deepEqual(kindsOf([task, kill]), ['oom_cgroup']);
  assert.deepEqual(kindsOf([kill]), ['oom_somewhere']);
});

const constraint = (name: string) =>
  `oom-kill:constraint=CONSTRAINT_${name},nodemask=0,cpuset=db,mems_allowed=0,global_oom,task=x`;

test('kernel events: a cpuset that is full is not the machine', () => {
  const killed = 'Out of memory: Killed process 3496 (redis-server) total-vm:19497288kB';
  assert.deepEqual(kindsOf([constraint('CPUSET'), killed]), ['oom_nodes']);
  assert.deepEqual(kindsOf([constraint('MEMORY_POLICY'), killed]), ['oom_nodes']);
  assert.deepEqual(kindsOf([constraint('NONE'), killed]), ['oom_machine']);
  assert.deepEqual(kindsOf([constraint('CPUSET'), killed, constraint('NONE'), killed]), [
    'oom_nodes',
    'oom_machine',
  ]);
  // 5.0 has both lines.
  const announced = 'Out of memory: Kill process 3496 (redis-server) score 295 or sacrifice child';
  assert.deepEqual(
    kindsOf([constraint('CPUSET'), announced, 'Killed process 3496 (redis-server) total-vm:1kB']),
    ['oom_nodes'],
  );
});

test('kernel events: lines that only announce or follow one do not count again', () => {
  for (const text of [
    'Out of memory: Kill process 6895 (redis-server) score 295 or sacrifice child',
    'oom_reaper: reaped process 3496 (redis-server), now anon-rss:0kB',
    'redis-server invoked oom-killer: gfp_mask=0x24201ca',
    'rcu: \t1-...0: (3 ticks this GP) idle=cdcc/1/0x4000000000000000 softirq=1602/1604 fqs=207',
    'rcu: rcu_sched kthread starved for 1519 jiffies!',
    'Kernel panic - not syncing: softlockup: hung tasks',
    'my app says: BUG: soft lockup - CPU#1 stuck for 67s!',
    'rcu_sched detected stalls on CPUs/tasks: said by a driver',
    'INFO: task redis-server:1 blocked for more than 120 seconds.',
    'tsc: Marking TSC unstable due to clocksource watchdog',
    'TSC found unstable after boot, most likely due to broken BIOS. Use tsc=unstable.',
    'sched_clock: Marking unstable (215589163972, -47156905)<-(216119104390, -577097322)',
    'clocksource: timekeeping watchdog on CPU1: wd-tsc-wd read-back delay of 75426ns, clock-skew test skipped!',
    'clocksource: Long readout interval, skipping watchdog check: cs_nsec: 1505',
    'clocksource: Checking clocksource tsc synchronization from CPU 0 to CPUs 1-3,7.',
    'clocksource: Switched to clocksource hpet',
    'Kernel panic - not syncing: Hard LOCKUP',
    'watchdog: CPU 2 Hard LOCKUP',
    'watchdog: CPU 2 became unstuck TB:14',
    'Showing busy workqueues and worker pools:',
    'rcu_tasks_wait_gp: rcu_tasks grace period number 85 (since boot) is 402058 jiffies old.',
    '',
  ]) {
    assert.equal(kernelEventOf(text), undefined, text);
  }
});

test('kernel events: a line that only quotes one, in its middle, is none', () => {
  for (const text of Object.values(lines).flatMap(([, texts]) => texts)) {
    assert.equal(kernelEventOf(`a driver says: ${text}`), undefined, text);
    assert.equal(kernelEventOf(` ${text}`), undefined, text);
  }
});
