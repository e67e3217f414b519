/**
 * What kernel functions, and the modules they are in, say of a sleep: the table behind reasons.ts.
 *
 * Names are as reasons.ts makes them: without underscores in front (`__mmc_claim_host` and
 * `mmc_claim_host` wait for the same) and without what a compiler appends. An entry is the
 * beginning of a name, or with `$` at its end the whole of it.
 */

export const reasons = ['host_page_in', 'disk', 'filesystem', 'lock', 'other', 'unknown'] as const;
/**
 * `other`: the kernel named a function that is in no row. `unknown`: the kernel did not name
 * one (wchan reads 0 without CAP_SYS_PTRACE, and on x86 between 4.14 and 5.15).
 */
export type Reason = (typeof reasons)[number];

export interface Row {
  /** Beginnings of names, separated by blanks. */
  readonly names: string;
  readonly reason: Reason;
  /**
   * Counts only for the frame in which the thread sleeps. Further down the function is on the
   * way of too many other waits to say anything.
   */
  readonly onTopOnly?: true;
  /** Takes the freeze semaphore, inlined; below a mutex or rwsem it waits for that instead. */
  readonly freeze?: true;
  /** A file system without a disk of this machine below it. */
  readonly remote?: true;
}

/** In order: the first row with a fitting name decides. */
export const rows: readonly Row[] = [
  // KVM parks a thread here until the host has read its page back from the host's swap.
  // `_schedule` was appended in 5.8 (arch/x86/kernel/kvm.c).
  { names: 'kvm_async_pf_task_wait', reason: 'host_page_in' },
  // A page that is being moved in memory, not read.
  { names: 'migration_entry_wait softleaf_entry_wait', reason: 'other' },
  // A page of the page cache (or of this machine's own swap) that is being read or written. The
  // page is locked until the block device answers. Called page up to 5.15, folio since.
  { names: 'folio_wait_ folio_lock wait_on_page wait_for_stable', reason: 'disk' },
  { names: 'lock_page filemap_ mpage_ write_cache_pages wait_sb_inodes', reason: 'disk' },
  { names: 'inode_wait_for_writeback inode_sleep_on_writeback', reason: 'disk' },
  {
    names: 'swap_read swap_write do_swap_page read_swap_cache swapin_ shmem_swapin',
    reason: 'disk',
  },
  // A block of a file system's metadata, read or written through a buffer head.
  {
    names: 'wait_on_buffer lock_buffer bread bh_read sync_dirty_buffer ll_rw_block',
    reason: 'disk',
  },
  // The block layer: no free request, a throttled or a frozen queue, or a request under way.
  { names: 'blk bio_ submit_bio rq_qos_ wbt_ bt_get get_request elevator_ elv_', reason: 'disk' },
  { names: 'ioc_rqos iocg_ iolatency_ throtl_', reason: 'disk' },
  // Direct I/O, which waits for the device itself.
  { names: 'dio_ iomap_dio do_blockdev_direct', reason: 'disk' },
  // Asynchronous I/O of a process that ends, or gives it up.
  { names: 'exit_aio kill_ioctx io_destroy', reason: 'disk' },
  // Buffers of XFS and ZFS that wait for the device: before the rows of their file systems.
  { names: 'xfs_buf_iowait zio_ vdev_ zvol_', reason: 'disk' },
  // Writers held back, and sync(2), until enough dirty pages have reached the disk.
  { names: 'balance_dirty_pages wb_wait congestion_wait wait_iff_congested', reason: 'disk' },
  { names: 'throttle_vm_writeout', reason: 'disk' },
  // Drivers below the block layer: device mapper, software RAID, bcache, DRBD.
  { names: 'dm_ dmcrypt_ crypt_convert kcryptd thin_ multipath_ snapshot_map', reason: 'disk' },
  { names: 'md_ mddev_ raid r5_ r5c_ r5l_ wait_barrier freeze_array', reason: 'disk' },
  { names: 'get_active_stripe make_stripe_request raid5_ bitmap_startwrite', reason: 'disk' },
  { names: 'bch_ bcache_ cached_dev_ drbd_ inc_ap_bio', reason: 'disk' },
  // NVMe, SCSI, ATA, USB sticks and what guests have.
  { names: 'nvme_ nvmf_ nvmet_ scsi_ sd_ sr_ sg_ ses_ bsg_ cdrom_', reason: 'disk' },
  {
    names: 'ata_ ahci_ iscsi_ mpt3sas_ mpi3mr_ megasas_ hpsa_ pqi_ aac_ lpfc_ qla2x00_',
    reason: 'disk',
  },
  {
    names: 'usb_stor_ uas_ ufshcd_ virtblk_ virtscsi_ storvsc_ pvscsi_ ibmvscsi_ ibmvfc_',
    reason: 'disk',
  },
  { names: 'blkfront_ xen_blkif_ loop_ lo_ nbd_ rbd_ ublk_ dasd_ zfcp_', reason: 'disk' },
  // SD cards, eMMC and bare flash.
  { names: 'mmc_ sdhci_ mtd_ nand_ ubi_ spi_nor_', reason: 'disk' },
  // A frozen file system (fsfreeze: how hypervisors snapshot a disk consistently). Up to 5.x a
  // function of its own; since then inlined, so the per-CPU semaphore's wait is what shows.
  // Others wait on such semaphores too (CPU hot-plug, moves between cgroups), but not for long.
  { names: 'sb_start_write sb_wait_write percpu_rwsem_wait freeze_super', reason: 'filesystem' },
  // The lock of a directory, of its entries' names or of the list of mounts, which another
  // thread holds. None of these takes the freeze semaphore: their callers do.
  {
    names: 'vfs_rmdir vfs_mkdir vfs_unlink vfs_rename vfs_create vfs_link',
    reason: 'lock',
    onTopOnly: true,
  },
  { names: 'vfs_symlink vfs_mknod vfs_setxattr vfs_removexattr', reason: 'lock', onTopOnly: true },
  { names: 'do_rmdir do_unlinkat do_renameat filename_rmdir', reason: 'lock', onTopOnly: true },
  { names: 'filename_unlink filename_create', reason: 'lock', onTopOnly: true },
  {
    names: 'start_dirop start_creating lookup_slow open_last_lookups',
    reason: 'lock',
    onTopOnly: true,
  },
  { names: 'path_openat walk_component iterate_dir lock_rename', reason: 'lock', onTopOnly: true },
  { names: 'chown_common chmod_common lock_mount do_lock_mount', reason: 'lock', onTopOnly: true },
  { names: 'namespace_lock', reason: 'lock', onTopOnly: true },
  // Those that take the freeze semaphore themselves, inlined.
  {
    names: 'vfs_ do_iter_ mnt_want_write iter_file_splice',
    reason: 'filesystem',
    onTopOnly: true,
    freeze: true,
  },
  { names: 'aio_write io_write', reason: 'filesystem', onTopOnly: true, freeze: true },
  // The journal of ext3 and ext4: commits, and handles that wait for one.
  { names: 'jbd2_ kjournald log_wait_commit start_this_handle', reason: 'filesystem' },
  { names: 'wait_transaction add_transaction_credits do_get_write_access', reason: 'filesystem' },
  { names: 'ext2_ ext3_ ext4_ f2fs_ ovl_ jfs_ reiserfs_ nilfs_', reason: 'filesystem' },
  { names: 'xfs_ xlog_ xfsaild', reason: 'filesystem' },
  { names: 'btrfs_ wait_current_trans start_transaction wait_for_commit', reason: 'filesystem' },
  {
    names: 'wait_extent_bit lock_extent wait_on_extent_buffer read_extent_buffer',
    reason: 'filesystem',
  },
  { names: 'wait_reserve_ticket handle_reserve_ticket wait_log_commit', reason: 'filesystem' },
  { names: 'bch2_ journal_quiesce bcachefs_', reason: 'filesystem' },
  {
    names: 'txg_ zil_ dmu_ zfs_ zpl_ spa_ arc_ dbuf_ dsl_ metaslab_ rrw_ taskq_wait',
    reason: 'filesystem',
  },
  { names: 'ntfs_ ni_ exfat_ fat_ udf_ isofs_ squashfs_ erofs_ hfsplus_', reason: 'filesystem' },
  { names: 'ubifs_ jffs2_ ecryptfs_ fscrypt_ fsverity_', reason: 'filesystem' },
  { names: 'dquot_ dqget dqput quota_ wait_on_dquot', reason: 'filesystem' },
  { names: 'super_lock grab_super sync_filesystem sync_inodes_sb', reason: 'filesystem' },
  // Cluster file systems: locks that another node holds, or that no node grants any more.
  { names: 'gfs2_ glock_ gdlm_ inode_go_ freeze_go_ ocfs2_ o2net_ o2hb_', reason: 'filesystem' },
  { names: 'dlm_ dlmlock dlmunlock cluster_lock lock_resource', reason: 'filesystem' },
  // A server or a daemon that does not answer: network file systems, FUSE and automounts.
  {
    names: 'nfs_ nfs2_ nfs3_ nfs4_ nfs40_ nfs41_ nfs42_ pnfs_ nfsiod',
    reason: 'filesystem',
    remote: true,
  },
  {
    names: 'rpc_ rpcb_ rpcauth_ xprt_ xs_tcp_ xs_local_ xs_connect nlmclnt_ gss_ ff_layout_',
    reason: 'filesystem',
    remote: true,
  },
  {
    names: 'fuse_ cuse_ request_wait_answer virtio_fs_ virtiofs_',
    reason: 'filesystem',
    remote: true,
  },
  {
    names: 'ceph_ p9_ v9fs_ afs_ rxrpc_ netfs_ fscache_ cachefiles_',
    reason: 'filesystem',
    remote: true,
  },
  {
    names: 'cifs_ smb_ smb2_ smb3_ SMB2_ CIFSSMB smbd_ SendReceive',
    reason: 'filesystem',
    remote: true,
  },
  {
    names: 'wait_for_response$ wait_for_free_credits wait_for_free_request',
    reason: 'filesystem',
    remote: true,
  },
  { names: 'wait_for_compound_request compound_send_recv', reason: 'filesystem', remote: true },
  {
    names: 'autofs_ autofs4_ orangefs_ wait_for_matching_downcall',
    reason: 'filesystem',
    remote: true,
  },
  {
    names: 'ptlrpc_ ldlm_ osc_ lov_ mdc_ ll_ cxiWait coda_ vboxsf_',
    reason: 'filesystem',
    remote: true,
  },
  // A server of ours. What it waits for below is said by the rows above; what it waits for by
  // itself is its own affair.
  { names: 'nfsd ksmbd_ nlmsvc_', reason: 'filesystem' },
  // An inode or a directory entry that another thread is reading in or throwing away.
  {
    names: 'wait_on_freeing wait_on_inode wait_on_new_inode d_alloc_parallel',
    reason: 'filesystem',
  },
  { names: 'find_inode iget_locked ilookup', reason: 'filesystem', onTopOnly: true },
  // Reclaiming memory: neither of the above, though a file system is often further down.
  { names: 'reclaim_throttle throttle_direct_reclaim mem_cgroup_ try_charge', reason: 'other' },
  { names: 'shrink_ try_to_free_ out_of_memory', reason: 'other' },
  // A grace period, a frozen cgroup, a hung GPU, a cancelled io_uring: nothing of the above.
  { names: 'synchronize_ wait_rcu_gp rcu_barrier exp_funnel rcu_exp_', reason: 'other' },
  { names: 'refrigerator do_freezer_trap io_uring_ io_wq_ io_ring_ io_sq_', reason: 'other' },
  { names: 'dma_fence_ dma_resv_ drm_ i915_ amdgpu_ radeon_ nouveau_ ttm_', reason: 'other' },
  { names: 'crypto_ netdev_wait_allrefs netdev_run_todo', reason: 'other' },
  // Locks by their own functions. /proc/PID/wchan skips most of these and shows the caller.
  { names: 'rtnl_ rtnetlink_ lock_sock fdget_pos ldsem_ tty_lock', reason: 'lock' },
  { names: 'console_lock cpus_read_lock cpus_write_lock cpu_hotplug_begin', reason: 'lock' },
  { names: 'cgroup_kn_lock cgroup_lock cgroup_attach_lock device_lock', reason: 'lock' },
  { names: 'cgroup_threadgroup_change cgroup_procs_write', reason: 'lock', onTopOnly: true },
  // A pipe's other waits can be interrupted, so in D state it is the lock.
  {
    names: 'pipe_lock pipe_double_lock pipe_read pipe_write pipe_release',
    reason: 'lock',
    onTopOnly: true,
  },
  // The lock of the address space: nothing else makes a thread sleep in these themselves.
  {
    names: 'lock_mm_and_find mmap_read_lock mmap_write_lock do_user_addr_fault',
    reason: 'lock',
    onTopOnly: true,
  },
  {
    names: 'exc_page_fault do_page_fault do_translation_fault do_mem_abort',
    reason: 'lock',
    onTopOnly: true,
  },
  {
    names: 'vm_mmap_pgoff vm_munmap do_mprotect_pkey do_madvise madvise_lock',
    reason: 'lock',
    onTopOnly: true,
  },
  { names: 'exit_mmap exit_mm dup_mmap dup_mm access_remote_vm', reason: 'lock', onTopOnly: true },
  { names: 'get_user_pages_unlocked vma_start_write', reason: 'lock', onTopOnly: true },
  // Of bcache and bcachefs alike; in a trace what called it says more.
  { names: 'closure_sync', reason: 'disk', onTopOnly: true },
];

export interface Primitive {
  readonly names: string;
  /** What the sleep is for when the function that called the primitive is in no row. */
  readonly reason?: Reason;
  /** A semaphore per CPU, by which file systems are frozen. */
  readonly perCpu?: true;
}

/** Functions that say how a thread sleeps, not what for. Their caller says that. */
export const primitives: readonly Primitive[] = [
  // The scheduler was told that the thread waits for I/O.
  { names: 'io_schedule blk_io_schedule bit_wait_io wait_for_completion_io', reason: 'disk' },
  { names: 'sleep_on_buffer sleep_on_page sync_buffer sync_page', reason: 'disk' },
  // Sleeping locks. One that a file system takes itself is its own affair (`filesystem`), which
  // is also what the wait channel says of it.
  { names: 'mutex_ ww_mutex rt_mutex rt_spin_lock', reason: 'lock' },
  { names: 'rwsem_ down$ down_ call_rwsem rtlock rwbase', reason: 'lock' },
  { names: 'percpu_rwsem percpu_down', reason: 'lock', perCpu: true },
  { names: 'futex_ do_futex', reason: 'lock' },
  // The scheduler, timeouts, bit waits, completions, work queues.
  { names: 'schedule preempt_schedule switch_to context_switch msleep usleep_range' },
  { names: 'bit_wait wait_on_bit out_of_line_wait wait_woken' },
  { names: 'wait_for_completion wait_for_common do_wait_for_common' },
  { names: 'flush_work flush_delayed_work cv_ closure_sync cond_resched' },
];

/** Names of modules, for their functions that are in no row. */
export const modules: readonly Pick<Row, 'names' | 'reason' | 'remote'>[] = [
  {
    names:
      'ext4$ jbd2$ xfs$ btrfs$ bcachefs$ f2fs$ zfs$ spl$ overlay$ ntfs$ ntfs3$ exfat$ fat$ vfat$ udf$ isofs$ squashfs$ erofs$ reiserfs$ jfs$ nilfs2$ hfs$ hfsplus$ ubifs$ jffs2$ ecryptfs$ gfs2$ ocfs2 dlm$ nfsd$ ksmbd$',
    reason: 'filesystem',
  },
  {
    names:
      'nfs$ nfsv2$ nfsv3$ nfsv4$ lockd$ fuse$ virtiofs$ cifs$ ceph$ 9p$ 9pnet afs$ netfs$ fscache$ cachefiles$ autofs orangefs$ lustre$ ptlrpc$ osc$ lov$ mdc$ beegfs$ coda$ vboxsf$ mmfs',
    reason: 'filesystem',
    remote: true,
  },
  {
    names:
      'dm_ md_mod$ raid1$ raid10$ raid456$ bcache$ drbd$ nbd$ rbd$ loop$ ublk_drv$ nvme scsi_ sd_mod$ sr_mod$ sg$ libata$ libiscsi iscsi_tcp$ usb_storage$ uas$ virtio_blk$ virtio_scsi$ xen_blkfront$ hv_storvsc$ mmc_ mpt3sas$ megaraid_sas$ qla2xxx$ lpfc$ hpsa$ smartpqi$ aacraid$',
    reason: 'disk',
  },
];
