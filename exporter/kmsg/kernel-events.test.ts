import assert from 'node:assert/strict';
import { test } from 'node:test';
import { kernelEventOf } from './kernel-events.ts';

test('kernel events: what kernels of all ages print', () => {
  const lines = {
    soft_lockup: [
      'BUG: soft lockup - CPU#1 stuck for 67s! [grep:136248]',
      'NMI watchdog: BUG: soft lockup - CPU#0 stuck for 22s! [systemd:1]',
      'watchdog: BUG: soft lockup - CPU#1 stuck for 2471s! [CPU 0/KVM:31664]',
    ],
    rcu_stall: [
      'INFO: rcu_sched_state detected stall on CPU 0 (t=105060 jiffies)',
      'INFO: rcu_sched_state detected stalls on CPUs/tasks: { 2} (detected by 7, t=15002 jiffies)',
      'INFO: rcu_sched self-detected stall on CPU',
      'rcu: INFO: rcu_preempt detected stalls on CPUs/tasks:',
      'rcu: INFO: rcu_sched detected expedited stalls on CPUs/tasks: { 7-m.. } 240003 jiffies',
      'rcu: INFO: rcu_sched self-detected stall on CPU',
    ],
    clocksource_unstable: [
      'Clocksource tsc unstable (delta = -341257333 ns)',
      "clocksource: timekeeping watchdog on CPU2: Marking clocksource 'tsc' as unstable because the skew is too large:",
    ],
    oom_kill: [
      'Killed process 21578, UID 503, (redis-server) total-vm:9100804kB, anon-rss:9066596kB, file-rss:64kB',
      'Killed process 13109 (redis-server) total-vm:2380956kB, anon-rss:234848kB, file-rss:124kB',
      'Out of memory: Killed process 3496 (redis-server) total-vm:19497288kB, anon-rss:12841672kB',
      'Memory cgroup out of memory: Killed process 7 (node) total-vm:1kB',
    ],
  };
  for (const [event, texts] of Object.entries(lines)) {
    for (const text of texts) assert.equal(kernelEventOf(text), event, text);
  }
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
    '',
  ]) {
    assert.equal(kernelEventOf(text), undefined, text);
  }
});
