import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  readTrace,
  reasonOfTrace,
  reasonOfWaitChannel,
  reasons,
  symbolOfFrame,
} from './reasons.ts';

/** The trace frames of the first report in a recording. */
function firstTrace(name: string): string[] {
  const text = readFileSync(new URL(`../fixtures/kmsg/${name}`, import.meta.url), 'utf8');
  const lines = text.split('\n').map((line) => line.slice(line.indexOf(';') + 1));
  const start = lines.indexOf('Call Trace:');
  return lines.slice(start + 1, lines.indexOf(' </TASK>', start));
}

test('reasons: what real hung task reports were about', () => {
  assert.equal(reasonOfTrace(firstTrace('6.12-redis-kvm-async-pf.txt')), 'host_page_in');
  assert.equal(reasonOfTrace(firstTrace('6.18-redis-aof-frozen-fs.txt')), 'filesystem');
  assert.equal(reasonOfTrace(firstTrace('6.12-cpu-offline-during-stall.txt')), 'other');
});

for (const [what, expected, frames] of [
  [
    '3.13: sleep_on_buffer',
    'disk',
    [
      ' [<ffffffff811ee000>] ? generic_block_bmap+0x50/0x50',
      ' [<ffffffff817203fd>] io_schedule+0x9d/0x140',
      ' [<ffffffff811ee00e>] sleep_on_buffer+0xe/0x20',
      ' [<ffffffff81720882>] __wait_on_bit+0x62/0x90',
      ' [<ffffffffa0000000>] jbd2_journal_commit_transaction+0x60a/0x1ad0 [jbd2]',
    ],
  ],
  [
    '5.10: the journal thread held back by writeback throttling',
    'disk',
    [
      ' __schedule+0x282/0x870',
      ' ? wbt_rqw_done+0xe0/0xe0',
      ' schedule+0x46/0xb0',
      ' io_schedule+0x42/0x70',
      ' rq_qos_wait+0x106/0x170',
      ' jbd2_journal_commit_transaction+0x60a/0x1ad0',
    ],
  ],
  [
    '4.18 RHEL 8: waiting for a journal commit',
    'filesystem',
    [
      ' __schedule+0x2a6/0x700',
      ' ? __wake_up_common_lock+0x89/0xc0',
      ' schedule+0x38/0xa0',
      ' jbd2_log_wait_commit+0xac/0x120 [jbd2]',
    ],
  ],
  [
    '5.19: a module with its build id',
    'filesystem',
    [
      ' __schedule+0x356/0x11a0',
      ' schedule+0x5e/0xd0',
      ' jbd2_journal_wait_updates+0x77/0xe0 [jbd2 ae888ef92775c4ea4c63d1cd1f51b1b9f7d9f47d]',
    ],
  ],
  [
    '5.12: a mutex outside a file system',
    'lock',
    [
      ' __schedule+0x2de/0x890',
      ' schedule+0x4f/0xc0',
      ' schedule_preempt_disabled+0xe/0x10',
      ' __mutex_lock.isra.0+0x190/0x510',
      ' __mutex_lock_slowpath+0x13/0x20',
      ' mutex_lock+0x32/0x40',
      ' some_driver_resume+0x15/0x20',
    ],
  ],
  [
    '4.14 ARM: the lock of the address space',
    'lock',
    [
      ' [<8079ef70>] (__schedule) from [<8079f5d8>] (schedule+0x50/0xa8)',
      ' [<8079f5d8>] (schedule) from [<807a26d8>] (rwsem_down_read_failed+0x10c/0x15c)',
      ' [<807a26d8>] (rwsem_down_read_failed) from [<807a1d6c>] (down_read+0x5c/0x60)',
      ' [<807a1d6c>] (down_read) from [<807a5418>] (do_page_fault+0xfc/0x3a4)',
    ],
  ],
  [
    '4.14 ARM: FUSE has no disk below it',
    'filesystem',
    [
      ' [<807762c0>] (__schedule) from [<80776938>] (schedule+0x50/0xa8)',
      ' [<80776938>] (schedule) from [<8014ac8c>] (io_schedule+0x20/0x40)',
      ' [<8014ac8c>] (io_schedule) from [<8021c4e4>] (__lock_page+0x100/0x128)',
      ' [<8021c4e4>] (__lock_page) from [<8022bb78>] (write_cache_pages+0x30c/0x4d4)',
      ' [<8022bb78>] (write_cache_pages) from [<7f4ba618>] (fuse_writepages+0x80/0xe4 [fuse])',
      ' [<7f4ba618>] (fuse_writepages [fuse]) from [<8022e284>] (do_writepages+0x30/0x8c)',
    ],
  ],
  [
    '6.12 arm64: writeback of a page',
    'disk',
    [
      ' __switch_to+0xf4/0x158',
      ' __schedule+0x27c/0x908',
      ' schedule+0x3c/0x118',
      ' io_schedule+0x44/0x68',
      ' folio_wait_bit_common+0x174/0x370',
      ' f2fs_file_write_iter+0x3e8/0xb80',
    ],
  ],
  [
    '4.15 ppc64',
    'disk',
    [
      '[c000001b9ab07500] [c000001b9ab07540] 0xc000001b9ab07540 (unreliable)',
      '[c000001b9ab076d0] [c00000000001b5d0] __switch_to+0x280/0x470',
      '[c000001b9ab07730] [c000000000b31f24] __schedule+0x384/0xa20',
      '[c000001b9ab07830] [c00000000011d5bc] io_schedule+0x2c/0x60',
      '[c000001b9ab07860] [c000000000b33448] bit_wait_io+0x28/0x80',
    ],
  ],
  [
    '4.5 Debian: no frame pointers, every frame a guess',
    'disk',
    [
      ' [<ffffffff815b6cd0>] ? bit_wait_timeout+0xa0/0xa0',
      ' [<ffffffff815b6451>] ? schedule+0x31/0x80',
      ' [<ffffffffc0598462>] ? __split_and_process_bio+0x302/0x400 [dm_mod]',
    ],
  ],
  [
    'a semaphore per CPU that no file system takes',
    'lock',
    [
      ' schedule+0x23/0xa0',
      ' percpu_rwsem_wait+0x15f/0x1d0',
      ' __percpu_down_read+0x88/0x150',
      ' cpus_read_lock+0x40/0x50',
      ' vfs_write+0x458/0x4c0',
    ],
  ],
  [
    'a lock in a driver that a file system called',
    'lock',
    [
      ' schedule+0x4f/0xc0',
      ' mutex_lock+0x32/0x40',
      ' some_driver+0x15/0x20',
      ' ext4_file_write_iter+0x10/0x20',
    ],
  ],
  [
    'a lock is only what it sleeps in, not what lies further down',
    'other',
    [' schedule+0x4f/0xc0', ' never_heard_of_it+0x15/0x20', ' mutex_lock_nested+0x32/0x40'],
  ],
  ['a trace that was cut', 'filesystem', [' schedule+0x23/0xa0', ' percpu_rwsem_wait+0x15f/0x1d0']],
  [
    'memory reclaim under a file system',
    'other',
    [
      ' schedule+0x23/0xa0',
      ' schedule_timeout+0x100/0x150',
      ' reclaim_throttle+0x10/0x20',
      ' ext4_file_write_iter+0x10/0x20',
    ],
  ],
  [
    'a wait that is in no row, inside a file system',
    'filesystem',
    [
      ' schedule+0x23/0xa0',
      ' wait_for_completion+0x10/0x20',
      ' never_heard_of_it+0x10/0x20',
      ' xfs_log_force+0x10/0x20 [xfs]',
    ],
  ],
] as const) {
  test(`reasons: ${what}`, () => assert.equal(reasonOfTrace(frames), expected));
}

test('reasons: wait channels', () => {
  assert.equal(reasonOfWaitChannel(''), 'unknown');
  assert.equal(reasonOfWaitChannel('0'), 'unknown');
  assert.equal(reasonOfWaitChannel('kvm_async_pf_task_wait'), 'host_page_in');
  assert.equal(reasonOfWaitChannel('kvm_async_pf_task_wait_schedule'), 'host_page_in');
  assert.equal(reasonOfWaitChannel('folio_wait_bit_common'), 'disk');
  assert.equal(reasonOfWaitChannel('wait_on_page_bit_common'), 'disk');
  assert.equal(reasonOfWaitChannel('xfs_buf_iowait'), 'disk');
  assert.equal(reasonOfWaitChannel('percpu_rwsem_wait'), 'filesystem');
  assert.equal(reasonOfWaitChannel('jbd2_log_wait_commit'), 'filesystem');
  assert.equal(reasonOfWaitChannel('exc_page_fault'), 'lock');
  assert.equal(reasonOfWaitChannel('futex_wait_queue'), 'lock');
  assert.equal(reasonOfWaitChannel('worker_thread'), 'other');
});

test('reasons: a stack of /proc/PID/stack reads like a trace', () => {
  const stack =
    '[<0>] kvm_async_pf_task_wait_schedule+0x17c/0x1b0\n[<0>] exc_page_fault+0x9c/0x180\n';
  assert.equal(reasonOfTrace(stack.split('\n')), 'host_page_in');
  assert.equal(reasonOfTrace([]), 'unknown');
  assert.equal(reasonOfTrace(['[<0>] 0xffffffffffffffff']), 'unknown');
});

test('reasons: what is no frame names no function', () => {
  for (const line of [
    'Call Trace:',
    ' <TASK>',
    'RIP: 0033:0x401877',
    ' [c7363c70] [c0631338] schedule+0x30/0xbc (unreliable)',
    '',
    '? a+0x1/0x2',
  ]) {
    assert.equal(symbolOfFrame(line), undefined, line);
  }
});

test('reasons: any text gives a reason, and guesses never change one that is certain', () => {
  fc.assert(
    fc.property(fc.array(fc.string()), fc.string(), (frames, noise) => {
      assert.ok(reasons.includes(reasonOfTrace(frames)));
      const certain = [...frames, ' never_heard_of_it+0x1/0x2'];
      const guess = ` ? kvm_async_pf_task_wait${noise.replaceAll(/[^a-z]/g, '')}+0x1/0x2`;
      assert.equal(reasonOfTrace([guess, ...certain, guess]), reasonOfTrace(certain));
    }),
  );
});

test('reasons: guesses are read where there is nothing else, and told as what they are', () => {
  const guesses = [' ? __schedule+0x2a2/0x870', ' ? jbd2_log_wait_commit+0xac/0x120 [jbd2]'];
  assert.deepEqual(readTrace(guesses), { reason: 'filesystem', sure: false });
  // Only the scheduler's own functions survived: they are on top of every trace.
  assert.deepEqual(readTrace([' schedule+0x28/0x80', ...guesses]), {
    reason: 'filesystem',
    sure: false,
  });
  assert.deepEqual(readTrace([' io_schedule+0x28/0x80', ...guesses]), {
    reason: 'disk',
    sure: true,
  });
  assert.deepEqual(readTrace(['[c7363c70] [c0631338] bch2_gc+0x30/0xbc (unreliable)']), {
    reason: 'filesystem',
    sure: false,
  });
  assert.deepEqual(readTrace([]), { reason: 'unknown', sure: true });
  // Neither is an address that a call returns to.
  for (const word of ['__pfx_jbd2_log_wait_commit+0x10/0x10', 'jbd2_log_wait_commit+0x50/0x50']) {
    assert.deepEqual(readTrace([` ? ${word}`]), { reason: 'unknown', sure: true });
  }
});
