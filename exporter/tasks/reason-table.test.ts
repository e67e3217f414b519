/** What the table says of the functions of all subsystems. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { reasonOfTrace, reasonOfWaitChannel } from './reasons.ts';

/** Functions of real kernels in which threads were seen asleep or may sleep, by what that means. */
const sleepers: Readonly<Record<string, string>> = {
  host_page_in: 'kvm_async_pf_task_wait kvm_async_pf_task_wait_schedule',
  disk: `
    folio_wait_bit_common folio_wait_writeback __folio_lock __folio_lock_or_retry
    wait_on_page_bit_common wait_on_page_writeback __wait_on_page_locked_async wait_for_stable_page
    __lock_page __lock_page_killable lock_page_maybe_drop_mmap filemap_fault filemap_update_page
    swap_readpage swap_read_folio do_swap_page read_swap_cache_async swapin_readahead
    __wait_on_buffer __lock_buffer __bread_gfp wait_on_buffer
    blk_mq_get_tag blk_queue_enter blkdev_issue_flush __blk_throtl_bio __blkdev_direct_IO
    bio_wait submit_bio_wait rq_qos_wait wbt_wait bt_get get_request
    dio_await_one __iomap_dio_rw iomap_dio_rw do_blockdev_direct_IO
    xfs_buf_iowait zio_wait
    balance_dirty_pages balance_dirty_pages_ratelimited wb_wait_for_completion congestion_wait
    wait_iff_congested
    dm_wait_for_completion md_flush_request raid5_get_active_stripe nvme_wait_freeze
    scsi_block_when_processing_errors sd_sync_cache virtblk_done loop_handle_cmd
    io_schedule io_schedule_timeout blk_io_schedule bit_wait_io wait_for_completion_io_timeout
    sleep_on_buffer sleep_on_page`,
  filesystem: `
    __sb_start_write sb_wait_write percpu_rwsem_wait freeze_super
    vfs_write do_iter_write mnt_want_write iter_file_splice_write aio_write io_write
    jbd2_log_wait_commit jbd2_journal_commit_transaction __jbd2_log_wait_for_space kjournald2
    log_wait_commit start_this_handle wait_transaction_locked add_transaction_credits
    do_get_write_access
    ext2_sync_fs ext3_sync_file ext4_file_write_iter __ext4_journal_start_sb
    xfs_log_force _xfs_log_force __xfs_printk xlog_grant_head_wait __xlog_state_release_iclog
    btrfs_commit_transaction __btrfs_run_delayed_items f2fs_balance_fs __f2fs_commit_super
    ovl_copy_up_one
    txg_wait_synced zil_commit dmu_tx_wait zfs_write zpl_iter_write spa_sync
    nfs_wait_bit_killable nfs4_state_manager __nfs_commit_inode rpc_wait_bit_killable __rpc_execute
    fuse_dev_do_read __fuse_request_send request_wait_answer
    ceph_mdsc_do_request __ceph_open_session cifs_writepages smb2_lock p9_client_rpc v9fs_mount
    __wait_on_freeing_inode wait_on_inode d_alloc_parallel`,
  lock: `
    rtnl_lock lock_sock_nested __lock_sock __fdget_pos fdget_pos
    lock_mm_and_find_vma do_user_addr_fault exc_page_fault __do_page_fault do_page_fault
    __mutex_lock mutex_lock ww_mutex_lock __ww_mutex_lock rt_mutex_lock __rt_mutex_slowlock
    rwsem_down_write_slowpath down_read __down_common call_rwsem_down_write_failed
    rtlock_slowlock_locked rwbase_write_lock percpu_down_write __percpu_down_read
    futex_wait_queue __futex_wait do_futex`,
  other: `
    reclaim_throttle throttle_direct_reclaim mem_cgroup_handle_over_high
    schedule schedule_timeout __schedule preempt_schedule_irq __switch_to context_switch
    bit_wait __wait_on_bit out_of_line_wait_on_bit wait_for_completion wait_for_common
    __wait_for_common do_wait_for_common flush_work __flush_work cv_wait_common __cv_timedwait_sig
    kthread_worker_fn msleep poll_schedule_timeout`,
};

test('reasons: every kernel function that the table is there for', () => {
  for (const [reason, symbols] of Object.entries(sleepers)) {
    for (const symbol of symbols.trim().split(/\s+/)) {
      assert.equal(reasonOfWaitChannel(symbol), reason, symbol);
    }
  }
});

/** These say how a thread sleeps: in a trace the caller decides, if a row knows it. */
const primitives = `
  schedule_timeout __schedule preempt_schedule_irq __switch_to context_switch bit_wait __wait_on_bit
  out_of_line_wait_on_bit wait_for_completion wait_for_common __wait_for_common do_wait_for_common
  flush_work __flush_work cv_wait_common __cv_timedwait_sig percpu_down_write __percpu_down_read`;
/** A freeze is not waited for by these, so what they wait for is the lock of a file. */
const lockPrimitives = `
  __mutex_lock mutex_lock ww_mutex_lock __ww_mutex_lock rt_mutex_lock __rt_mutex_slowlock
  rwsem_down_write_slowpath down_read __down_common call_rwsem_down_write_failed
  rtlock_slowlock_locked rwbase_write_lock futex_wait_queue __futex_wait do_futex`;

/** vfs_write says something only where a thread sleeps, or right below a way to sleep. */
const belowVfsWrite = (symbol: string) =>
  reasonOfTrace([`${symbol}+0x10/0x20`, 'vfs_write+0x10/0x20']);

test('reasons: below each way to sleep the caller says what for', () => {
  for (const symbol of primitives.trim().split(/\s+/)) {
    assert.equal(belowVfsWrite(symbol), 'filesystem', symbol);
  }
  for (const symbol of lockPrimitives.trim().split(/\s+/)) {
    assert.equal(belowVfsWrite(symbol), 'lock', symbol);
  }
  for (const symbol of [
    'io_schedule',
    'bit_wait_io',
    'wait_for_completion_io',
    'sleep_on_buffer',
  ]) {
    const frames = [`${symbol}+0x10/0x20`, 'xfs_log_force+0x10/0x20'];
    assert.equal(reasonOfTrace(frames), 'disk', `${symbol} is I/O whatever called it`);
  }
});

test('reasons: what compilers append, and underscores in front, change nothing', () => {
  const suffixes = [
    '',
    '.isra.12',
    '.constprop.0',
    '.part.3',
    '.cold',
    '.isra.0.cold',
    '.llvm.1234',
  ];
  for (const suffix of suffixes) {
    assert.equal(reasonOfWaitChannel(`wait_for_response${suffix}`), 'filesystem');
    assert.equal(reasonOfWaitChannel(`__mmc_claim_host${suffix}`), 'disk');
    assert.equal(reasonOfTrace([` __mutex_lock${suffix}+0x190/0x510`]), 'lock');
  }
  assert.equal(reasonOfWaitChannel('wait_for_response_of_a_stranger'), 'other');
  assert.equal(
    reasonOfTrace(['[c0000000f8c3b6d0] [c000000000015d5c] .jbd2_log_wait_commit+0x2c/0x60']),
    'filesystem',
  );
});

/** Functions that threads were or may be found in, by reason; each as wait channel and in a trace. */
const known: Readonly<Record<string, readonly string[]>> = {
  disk: [
    '__mmc_claim_host mmc_wait_for_req_done mmc_blk_mq_rw_recovery',
    'closure_sync __closure_sync bch_btree_node_read cached_dev_detach_finish',
    'md_super_wait md_write_start raid5_get_active_stripe wait_barrier.part.0 mddev_suspend',
    'dm_wait_for_completion dm_bufio_read thin_map kcryptd_crypt_read_convert',
    'loop_process_work nbd_send_cmd rbd_dev_wait drbd_al_begin_io inc_ap_bio ublk_ctrl_stop_dev',
    'nvme_wait_reset nvme_wait_freeze nvmf_connect_io_queue scsi_block_when_processing_errors',
    'sd_sync_cache sg_common_write ata_eh_recover iscsi_eh_abort usb_stor_probe2 uas_wait_for_pending_cmnds',
    'blk_mq_freeze_queue_wait blk_mq_get_tag __bio_queue_enter blk_mq_submit_bio elevator_switch',
    'rq_qos_wait wbt_wait ioc_rqos_throttle get_request_wait bt_get.isra.4',
    'iomap_dio_rw __iomap_dio_rw do_blockdev_direct_IO.isra.1 swap_readpage read_swap_cache_async',
    'folio_wait_writeback __folio_lock_or_retry wait_on_page_bit_common write_cache_pages',
    'zio_wait vdev_queue_io zvol_write xfs_buf_iowait balance_dirty_pages_ratelimited wb_wait_for_completion',
    'exit_aio kill_ioctx dasd_sleep_on ibmvfc_wait_for_ops lpfc_reset_flush_io_context',
    '__wait_on_buffer sync_dirty_buffer __bread_gfp inode_wait_for_writeback wait_sb_inodes',
  ],
  filesystem: [
    'autofs_wait autofs4_wait autofs_mount_wait bch2_journal_res_get_slowpath journal_quiesce',
    'gfs2_glock_wait gfs2_log_reserve glock_wait_internal gdlm_mount ocfs2_cluster_lock o2net_send_message_vec',
    'dlm_lock_sync dlmlock_master wait_for_response.isra.12 cifs_wait_for_response compound_send_recv',
    'smb2_reconnect SMB2_negotiate wait_for_free_credits SendReceive2',
    'nfs_wait_bit_killable nfs4_run_open_task __nfs_lookup_revalidate pnfs_update_layout',
    'rpc_wait_bit_killable xprt_alloc_slot nlmclnt_block afs_wait_for_call_to_complete netfs_wait_for_read',
    'request_wait_answer fuse_dev_write virtio_fs_enqueue_req ceph_mdsc_do_request p9_client_rpc v9fs_file_read',
    'orangefs_clean_up ptlrpc_set_wait ldlm_completion_ast cxiWaitEventWait',
    'jbd2_log_wait_commit start_this_handle ext4_sync_file wait_transaction_locked add_transaction_credits',
    'btrfs_commit_transaction wait_current_trans.isra.0 start_transaction wait_extent_bit lock_extent_bits',
    'xfs_log_force xlog_grant_head_wait f2fs_issue_checkpoint txg_wait_synced dmu_tx_wait zil_commit arc_read',
    'percpu_rwsem_wait __sb_start_write freeze_super super_lock dquot_commit dqget __wait_on_freeing_inode',
    'ubifs_garbage_collect jffs2_reserve_space nilfs_transaction_lock ntfs_read_folio',
  ],
  lock: [
    'vfs_rmdir vfs_unlink vfs_rename do_unlinkat lookup_slow path_openat iterate_dir lock_rename',
    'rtnl_lock rtnl_lock_killable rtnetlink_rcv_msg lock_sock_nested __fdget_pos ldsem_down_read tty_lock',
    'console_lock cpus_read_lock cgroup_kn_lock_live cgroup_attach_lock cgroup_procs_write',
    'pipe_write pipe_read mmap_read_lock lock_mm_and_find_vma do_user_addr_fault vm_mmap_pgoff exit_mm',
    '__access_remote_vm mutex_lock_killable down_read down_write_killable __down futex_wait_queue',
  ],
  other: [
    'synchronize_rcu synchronize_srcu __wait_rcu_gp rcu_barrier exp_funnel_lock io_ring_exit_work',
    'io_uring_cancel_generic dma_fence_default_wait drm_atomic_helper_commit i915_gem_fault amdgpu_device_reset',
    'crypto_wait_req reclaim_throttle mem_cgroup_handle_over_high __refrigerator migration_entry_wait_on_locked',
    'msleep schedule_timeout kthread_stop downgrade_write usb_start_wait_urb virtqueue_get_buf',
  ],
  host_page_in: ['kvm_async_pf_task_wait kvm_async_pf_task_wait_schedule'],
};

test('reasons: functions of all subsystems, as wait channel and below the scheduler', () => {
  for (const [reason, lines] of Object.entries(known)) {
    for (const name of lines.flatMap((line) => line.split(' '))) {
      assert.equal(reasonOfWaitChannel(name), reason, name);
      const trace = [' __schedule+0x2cd/0x890', ' schedule+0x4e/0xb0', ` ${name}+0x10/0x20`];
      assert.equal(reasonOfTrace(trace), reason, `trace of ${name}`);
    }
  }
});

const trace = (...names: readonly string[]) =>
  names.map((name) => ` ${name.replace(/ |$/, '+0x1/0x20 ').trimEnd()}`);

test('reasons: client and server of one protocol are told apart', () => {
  const disk = ['io_schedule', 'submit_bio_wait', 'xfs_file_buffered_write'];
  assert.equal(
    reasonOfTrace(trace(...disk, 'nfsd_vfs_write [nfsd]', 'nfsd4_write [nfsd]')),
    'disk',
  );
  assert.equal(reasonOfTrace(trace(...disk, 'nfsd_vfs_write', 'nfsd', 'kthread')), 'disk');
  assert.equal(
    reasonOfTrace(trace(...disk, 'smb2_write [ksmbd]', 'handle_ksmbd_work [ksmbd]')),
    'disk',
  );
  assert.equal(reasonOfTrace(trace(...disk, 'smb2_write', 'handle_ksmbd_work')), 'disk');
  for (const client of [
    'nfs_file_write [nfs]',
    'nfs4_file_flush',
    '__nfs3_x',
    'cifs_writepages',
    'smb2_writev [cifs]',
    'fuse_writepages',
    'ceph_writepages_start',
    'v9fs_vfs_writepage',
    'unheard_of [nfsv4]',
  ]) {
    assert.equal(
      reasonOfTrace(trace('io_schedule', 'folio_wait_bit_common', client)),
      'filesystem',
      client,
    );
  }
  assert.equal(
    reasonOfTrace(trace(...disk, 'nfsd_vfs_write', 'nfs4_get_vfs_file', 'nfsd4_proc_compound')),
    'disk',
  );
  // A server that hands on what another server gave it.
  assert.equal(
    reasonOfTrace(trace('io_schedule', 'nfs_wait_on_request', 'nfsd_vfs_write')),
    'filesystem',
  );
});

test('reasons: the lock of a directory is no freeze, and a freeze is no lock', () => {
  const write = ['rwsem_down_write_slowpath', 'down_write'];
  for (const owner of ['vfs_rmdir', 'vfs_write', 'do_iter_write', 'aio_write', 'vfs_fallocate']) {
    assert.equal(reasonOfTrace(trace('schedule', ...write, owner)), 'lock', owner);
    assert.equal(
      reasonOfTrace(trace('schedule', '__mutex_lock.constprop.0', owner)),
      'lock',
      owner,
    );
  }
  for (const owner of [
    'vfs_write',
    'do_iter_write',
    'vfs_fallocate',
    'mnt_want_write',
    'io_write',
  ]) {
    assert.equal(
      reasonOfTrace(trace('schedule', 'percpu_rwsem_wait', '__percpu_down_read', owner)),
      'filesystem',
      owner,
    );
    // Up to 4.19 a semaphore per CPU slept in an rwsem of its own.
    assert.equal(
      reasonOfTrace(
        trace(
          'schedule',
          'rwsem_down_read_failed',
          'call_rwsem_down_read_failed',
          'percpu_down_read',
          owner,
        ),
      ),
      'filesystem',
      owner,
    );
  }
});

test("reasons: a function in no row is its module's", () => {
  assert.equal(reasonOfTrace(trace('schedule', 'unheard_of [bcachefs]')), 'filesystem');
  assert.equal(reasonOfTrace(trace('schedule', 'unheard_of [dm_thin_pool]')), 'disk');
  assert.equal(reasonOfTrace([' unheard_of+0x10/0x20 [mmc_core 0123456789abcdef]']), 'disk');
  assert.equal(reasonOfTrace(trace('mutex_lock', 'unheard_of [bcachefs]')), 'filesystem');
  assert.equal(
    reasonOfTrace(trace('mutex_lock', 'unheard_of [snd_hda_intel]', 'foo [ext4]')),
    'lock',
  );
  assert.equal(reasonOfTrace(trace('mutex_lock', 'i915_gem_shrink [i915]', 'shrink_slab')), 'lock');
});
