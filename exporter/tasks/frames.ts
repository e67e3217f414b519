/**
 * The functions of a call trace, for people: what each does there. What a sleep in it proves is in
 * reason-table.ts and said by reasons.ts; here is only what that table has no room for.
 */
import { frameOf, readTrace, reasonInWords, reasonOfWaitChannel, type Reason } from './reasons.ts';

/** Names as reasons.ts makes them; an entry is the beginning of a name. */
const meanings: readonly (readonly [names: string, meaning: string])[] = [
  [
    'kvm_async_pf_task_wait',
    'sleeps until the host says that the page is back; no signal reaches it',
  ],
  [
    'kvm_handle_async_pf kvm_async_pf',
    "the hypervisor's event: this page of guest memory is not present",
  ],
  ['asm_exc_page_fault', 'code of the program touched its own memory'],
  ['exc_page_fault do_page_fault do_user_addr_fault', 'entry of an ordinary page fault'],
  ['async_page_fault', "entry of the hypervisor's page fault"],
  ['io_schedule blk_io_schedule bit_wait_io', 'gives up the CPU until a device answers'],
  ['schedule preempt_schedule', 'gives up the CPU'],
  ['percpu_rwsem_wait percpu_down', 'waits for the semaphore by which file systems are frozen'],
  ['sb_start_write sb_wait_write', 'waits until the file system is thawed'],
  [
    'folio_wait wait_on_page lock_page folio_lock',
    'waits for a page of a file to be read or written',
  ],
  ['wait_on_buffer bh_read bread', 'waits for a block of a file system'],
  [
    'jbd2_log_wait_commit log_wait_commit',
    'waits for the journal of the file system to be written',
  ],
  ['jbd2_ start_this_handle wait_transaction', 'the journal of the file system'],
  ['blk_mq_get_tag bt_get', 'waits for room in the queue of the disk'],
  ['submit_bio blk_ rq_qos', 'the block layer, on the way to the disk'],
  ['balance_dirty_pages', 'held back until enough has been written to the disk'],
  ['do_swap_page swap_read', "reads a page from the guest's own swap"],
  ['mutex_lock rwsem_down down_read down_write', 'waits for a lock that another thread holds'],
  ['vfs_write ksys_write new_sync_write', 'writes to a file'],
  ['vfs_read ksys_read', 'reads from a file'],
  ['vfs_fsync do_fsync ext4_sync_file', 'waits for a file to be on the disk'],
  ['do_syscall_64 entry_SYSCALL_64', 'entry of a system call'],
  ['ret_from_fork kthread', 'beginning of a kernel thread'],
];

export interface FrameMeaning {
  /** As the kernel writes it. */
  readonly symbol: string;
  /** Empty where it is not in the table. */
  readonly meaning: string;
  /** What the sleep is for, at the frame that decides it. */
  readonly proves: Reason | undefined;
}

function meaningOf(name: string): string {
  return (
    meanings.find(([names]) => names.split(' ').some((start) => name.startsWith(start)))?.[1] ?? ''
  );
}

const symbolPattern = /([A-Za-z_][\w.]*)\+0x/;
const unnamed: ReadonlySet<Reason> = new Set(['other', 'unknown']);

/** The frames that a trace names for certain, from the innermost; the scheduler's two are one. */
export function explainTrace(lines: readonly string[]): FrameMeaning[] {
  const { reason, sure } = readTrace(lines);
  let decided = !sure || unnamed.has(reason);
  let before = '';
  return lines.flatMap((line) => {
    const frame = frameOf(line);
    if (frame?.sure !== true || frame.name === before) return [];
    before = frame.name;
    const proves = !decided && reasonOfWaitChannel(frame.name) === reason ? reason : undefined;
    if (proves !== undefined) decided = true;
    const meaning = meaningOf(frame.name) || (proves === undefined ? '' : reasonInWords[proves]);
    return [{ symbol: symbolPattern.exec(line)?.[1] ?? frame.name, meaning, proves }];
  });
}
