/**
 * Why a thread sleeps in D state, from the kernel function it sleeps in. One table serves the
 * wait channel of /proc/PID/wchan and the frames of a hung task's call trace, so both say the
 * same.
 *
 * A wait channel is the first frame that is not one of the scheduler's own functions. A trace is
 * read the same way, from the top, where the thread sleeps: what only says *how* it sleeps is
 * stepped over, and the first frame in the table decides. A trace can say more than a wait
 * channel in two cases: `io_schedule` on top means I/O whatever called it, and a frame further
 * down can name the file system that waits.
 */

export const reasons = ['host_page_in', 'disk', 'filesystem', 'lock', 'other', 'unknown'] as const;

/**
 * `other`: the kernel named a function that is in no row. `unknown`: the kernel did not name
 * one (wchan reads 0 without CAP_SYS_PTRACE, and on x86 between 4.14 and 5.15).
 */
export type Reason = (typeof reasons)[number];

/** What a blocked thread is doing, as the end of a sentence. */
export const reasonInWords: Readonly<Record<Reason, string>> = {
  host_page_in: 'waiting for the host to bring a page back',
  disk: 'waiting for the disk',
  filesystem: 'waiting for a file system (frozen, or its journal or server does not answer)',
  lock: 'waiting for a lock that another thread holds',
  other: 'waiting for something else in the kernel',
  unknown: 'and does not say what it waits for',
};

interface Row {
  /** Prefixes, because compilers append `.isra.0`, `.part.3`, `.constprop.0`. */
  readonly prefixes: readonly string[];
  readonly reason: Reason;
  /**
   * Counts only for the frame in which the thread sleeps. Further down the function is on the
   * way of too many other waits to say anything.
   */
  readonly onTopOnly?: true;
}

/** In order: the first row with a fitting prefix decides. */
const rows: readonly Row[] = [
  // KVM parks a thread here until the host has read its page back from the host's swap.
  // `_schedule` was appended in 5.8 (arch/x86/kernel/kvm.c).
  { prefixes: ['kvm_async_pf_task_wait'], reason: 'host_page_in' },

  // A page of the page cache (or of this machine's own swap) that is being read or written. The
  // page is locked until the block device answers. Called page up to 5.15, folio since.
  {
    prefixes: ['folio_wait_', '__folio_lock', 'wait_on_page', '__wait_on_page', 'wait_for_stable'],
    reason: 'disk',
  },
  { prefixes: ['__lock_page', 'lock_page', 'filemap_'], reason: 'disk' },
  { prefixes: ['swap_read', 'do_swap_page', 'read_swap_cache', 'swapin_'], reason: 'disk' },
  // A block of a file system's metadata, read or written through a buffer head.
  { prefixes: ['__wait_on_buffer', '__lock_buffer', '__bread', 'wait_on_buffer'], reason: 'disk' },
  // The block layer: no free request, a throttled or a frozen queue, or a request under way.
  {
    prefixes: ['blk', '__blk', 'bio_', 'submit_bio', 'rq_qos_', 'wbt_', 'bt_get', 'get_request'],
    reason: 'disk',
  },
  // Direct I/O, which waits for the device itself.
  { prefixes: ['dio_', '__iomap_dio', 'iomap_dio', 'do_blockdev_direct'], reason: 'disk' },
  // Buffers of XFS and ZFS that wait for the device: before the rows of their file systems.
  { prefixes: ['xfs_buf_iowait', 'zio_wait'], reason: 'disk' },
  // Writers held back, and sync(2), until enough dirty pages have reached the disk.
  {
    prefixes: ['balance_dirty_pages', 'wb_wait', 'congestion_wait', 'wait_iff_congested'],
    reason: 'disk',
  },
  // Drivers below the block layer: device mapper, software RAID, NVMe, SCSI, virtio.
  {
    prefixes: ['dm_', 'md_', 'raid', 'nvme_', 'scsi_', 'sd_', 'virtblk_', 'loop_'],
    reason: 'disk',
  },

  // A frozen file system (fsfreeze: how hypervisors snapshot a disk consistently). Up to 5.x a
  // function of its own; since then inlined, so the per-CPU semaphore's wait is what shows.
  // Others wait on such semaphores too (CPU hot-plug, moves between cgroups), but not for long.
  {
    prefixes: ['__sb_start_write', 'sb_wait_write', 'percpu_rwsem_wait', 'freeze_super'],
    reason: 'filesystem',
  },
  // Those that take the freeze semaphore themselves, inlined.
  {
    prefixes: ['vfs_', 'do_iter_', 'mnt_want_write', 'iter_file_splice', 'aio_write', 'io_write'],
    reason: 'filesystem',
    onTopOnly: true,
  },
  // The journal of ext3 and ext4: commits, and handles that wait for one.
  {
    prefixes: ['jbd2_', '__jbd2', 'kjournald', 'log_wait_commit', 'start_this_handle'],
    reason: 'filesystem',
  },
  {
    prefixes: ['wait_transaction', 'add_transaction_credits', 'do_get_write_access'],
    reason: 'filesystem',
  },
  { prefixes: ['ext2_', 'ext3_', 'ext4_', '__ext4'], reason: 'filesystem' },
  { prefixes: ['xfs_', '_xfs', '__xfs', 'xlog_', '__xlog'], reason: 'filesystem' },
  { prefixes: ['btrfs_', '__btrfs', 'f2fs_', '__f2fs', 'ovl_'], reason: 'filesystem' },
  { prefixes: ['txg_', 'zil_', 'dmu_', 'zfs_', 'zpl_', 'spa_'], reason: 'filesystem' },
  // A server or a daemon that does not answer: network file systems and FUSE.
  { prefixes: ['nfs', '__nfs', 'rpc_', '__rpc'], reason: 'filesystem' },
  { prefixes: ['fuse_', '__fuse', 'request_wait_answer'], reason: 'filesystem' },
  { prefixes: ['ceph_', '__ceph', 'cifs_', 'smb2_', 'p9_', 'v9fs_'], reason: 'filesystem' },
  // An inode or a directory entry that another thread is reading in or throwing away.
  { prefixes: ['__wait_on_freeing', 'wait_on_inode', 'd_alloc_parallel'], reason: 'filesystem' },

  // Reclaiming memory: neither of the above, though a file system is often further down.
  { prefixes: ['reclaim_throttle', 'throttle_direct_reclaim', 'mem_cgroup_'], reason: 'other' },

  // Locks by their own functions. /proc/PID/wchan skips most of these and shows the caller.
  {
    prefixes: ['rtnl_lock', 'lock_sock', '__lock_sock', '__fdget_pos', 'fdget_pos'],
    reason: 'lock',
  },
  // The lock of the address space: nothing else makes a thread sleep in these themselves.
  {
    prefixes: [
      'lock_mm_and_find',
      'do_user_addr_fault',
      'exc_page_fault',
      '__do_page_fault',
      'do_page_fault',
    ],
    reason: 'lock',
    onTopOnly: true,
  },
];

interface Primitive {
  readonly prefixes: readonly string[];
  /** What the sleep is for when the function that called the primitive is in no row. */
  readonly reason?: Reason;
}

/** Functions that say how a thread sleeps, not what for. Their caller says that. */
const primitives: readonly Primitive[] = [
  // The scheduler was told that the thread waits for I/O.
  { prefixes: ['io_schedule', 'blk_io_schedule', 'bit_wait_io'], reason: 'disk' },
  { prefixes: ['wait_for_completion_io'], reason: 'disk' },
  { prefixes: ['sleep_on_buffer', 'sleep_on_page'], reason: 'disk' },
  // Sleeping locks. One that a file system takes itself is its own affair (`filesystem`), which
  // is also what the wait channel says of it.
  {
    prefixes: ['__mutex', 'mutex_', 'ww_mutex', '__ww_mutex', 'rt_mutex', '__rt_mutex'],
    reason: 'lock',
  },
  { prefixes: ['rwsem_', 'down_', '__down', 'call_rwsem', 'rtlock', 'rwbase'], reason: 'lock' },
  { prefixes: ['percpu_rwsem', 'percpu_down', '__percpu_down'], reason: 'lock' },
  { prefixes: ['futex_', '__futex', 'do_futex'], reason: 'lock' },
  // The scheduler, timeouts, bit waits, completions, work queues.
  { prefixes: ['schedule', '__schedule', 'preempt_schedule', '__switch_to', 'context_switch'] },
  { prefixes: ['bit_wait', '__wait_on_bit', 'out_of_line_wait'] },
  {
    prefixes: ['wait_for_completion', 'wait_for_common', '__wait_for_common', 'do_wait_for_common'],
  },
  { prefixes: ['flush_work', '__flush_work', 'cv_wait_common', '__cv_'] },
];

/** File systems without a disk of this machine below them. */
const remote = /^_*(?:nfs|rpc_|fuse_|ceph_|cifs_|smb2_|p9_|v9fs_)/;

function find<T extends { readonly prefixes: readonly string[] }>(
  table: readonly T[],
  symbol: string,
): T | undefined {
  return table.find(({ prefixes }) => prefixes.some((prefix) => symbol.startsWith(prefix)));
}

/** From /proc/PID/wchan. Empty and `0` mean that the kernel did not name a function. */
export function reasonOfWaitChannel(symbol: string): Reason {
  if (symbol === '' || symbol === '0') return 'unknown';
  return find(rows, symbol)?.reason ?? find(primitives, symbol)?.reason ?? 'other';
}

/**
 * ` schedule+0x23/0xa0`, ` [<ffffffff817203fd>] io_schedule+0x9d/0x140`, `[<0>] vfs_write+...`;
 * a module may follow in brackets. On 32-bit ARM ` (__schedule) from [<80776938>] (schedule+...)`
 * and, since 5.18, ` __schedule from schedule+0x20/0xac`.
 */
const framePattern =
  /^\s*\(?(?:\[[^\]]*\]\s*)*(?:\(?([A-Za-z_][\w.$]*)(?: \[\w+\])?\)? from (?=\[<|\w+\+0x)|([A-Za-z_][\w.$]*)\+0x)/;

/**
 * The function of a trace line, or undefined when the line names none. `? name` and
 * `(unreliable)` mark words that the unwinder found on the stack and could not account for:
 * leftovers of earlier calls, often. They would accuse whatever ran before.
 */
export function symbolOfFrame(line: string): string | undefined {
  if (line.endsWith('(unreliable)')) return undefined;
  const match = framePattern.exec(line);
  return match?.[1] ?? match?.[2];
}

/** From the lines of a call trace or of /proc/PID/stack, the innermost frame first. */
export function reasonOfTrace(frames: readonly string[]): Reason {
  const symbols = frames.map(symbolOfFrame).filter((symbol) => symbol !== undefined);
  if (symbols.length === 0) return 'unknown';
  const reason = firstReason(symbols);
  return reason === 'disk' && symbols.some((symbol) => remote.test(symbol)) ? 'filesystem' : reason;
}

function firstReason(symbols: readonly string[]): Reason {
  let how: Reason | undefined;
  let onTop = true;
  for (const symbol of symbols) {
    const primitive = onTop ? find(primitives, symbol) : undefined;
    if (primitive !== undefined) {
      how ??= primitive.reason;
      if (how === 'disk') return how;
      continue;
    }
    const row = find(rows, symbol);
    if (row !== undefined && (onTop || row.onTopOnly === undefined)) return row.reason;
    if (how !== undefined) return how;
    onTop = false;
  }
  // The trace was cut before it named a caller: say what the wait channel would.
  const cut = onTop ? symbols.map((symbol) => find(rows, symbol)).find(Boolean) : undefined;
  return cut?.reason ?? how ?? 'other';
}
