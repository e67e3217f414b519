/** Rows of settings of the kernel, swap and time. */
import { type Files, type Row, uptime, meminfo } from './row.ts';

const sysctl = (name: string, value: string): Files => ({ [`proc/sys/${name}`]: `${value}\n` });

export const kernelRows: readonly Row[] = [
  {
    id: 'hung-task-budget',
    state: 'pass',
    said: /no limit/,
    files: sysctl('kernel/hung_task_warnings', '-1'),
  },
  {
    id: 'hung-task-budget',
    state: 'pass',
    said: /1000 are left/,
    files: sysctl('kernel/hung_task_warnings', '1000'),
  },
  {
    id: 'hung-task-budget',
    state: 'warn',
    said: /10 are left/,
    files: sysctl('kernel/hung_task_warnings', '10'),
  },
  {
    id: 'hung-task-budget',
    state: 'fail',
    said: /used up/,
    files: sysctl('kernel/hung_task_warnings', '0'),
  },
  { id: 'hung-task-budget', state: 'cannot_see', said: /no hung task detector/ },
  {
    id: 'hung-task-budget',
    state: 'cannot_see',
    said: /unexpected text "many/,
    files: sysctl('kernel/hung_task_warnings', 'many'),
  },

  {
    id: 'hung-task-timeout',
    state: 'pass',
    said: /after 120 s/,
    files: sysctl('kernel/hung_task_timeout_secs', '120'),
  },
  {
    id: 'hung-task-timeout',
    state: 'warn',
    said: /only after 121 s/,
    files: sysctl('kernel/hung_task_timeout_secs', '121'),
  },
  {
    id: 'hung-task-timeout',
    state: 'fail',
    said: /detector is off/,
    files: sysctl('kernel/hung_task_timeout_secs', '0'),
  },
  { id: 'hung-task-timeout', state: 'cannot_see', said: /no hung task detector/ },

  {
    id: 'panic-switches',
    state: 'pass',
    said: /goes on when the stall ends/,
    files: sysctl('kernel/panic', '0'),
  },
  { id: 'panic-switches', state: 'cannot_see', said: /kernel\/panic is not there/ },
  ...['hardlockup_panic', 'panic_on_rcu_stall'].map((name): Row => ({
    id: 'panic-switches',
    state: 'fail',
    said: new RegExp(`^kernel.${name} makes it panic, and kernel.panic = 0`),
    files: { ...sysctl(`kernel/${name}`, '1'), ...sysctl('kernel/panic', '0') },
  })),
  {
    id: 'panic-switches',
    state: 'pass',
    said: /softlockup_panic makes it panic, and it starts again after 60 s/,
    files: { ...sysctl('kernel/softlockup_panic', '1'), ...sysctl('kernel/panic', '60') },
  },
  {
    id: 'panic-switches',
    state: 'fail',
    said: /hung_task_panic makes it panic, and kernel\.panic = 0/,
    files: { ...sysctl('kernel/hung_task_panic', '1'), ...sysctl('kernel/panic', '0') },
  },
  {
    id: 'panic-switches',
    state: 'cannot_see',
    said: /unexpected text/,
    files: sysctl('kernel/hung_task_panic', 'x'),
  },

  {
    id: 'kernel-log',
    state: 'pass',
    said: /exporter reads it/,
    told: { exporter: { metrics: 'stealwatch_signal_supported{signal="hung_task_log"} 1\n' } },
  },
  { id: 'kernel-log', state: 'pass', said: /this user may read it/, files: { 'dev/kmsg': '' } },
  { id: 'kernel-log', state: 'warn', said: /cannot be opened \(ENOENT\)/ },
  {
    id: 'kernel-log',
    state: 'fail',
    said: /exporter cannot read it/,
    files: { 'dev/kmsg': '' },
    told: { exporter: { metrics: 'stealwatch_signal_supported{signal="hung_task_log"} 0\n' } },
  },

  {
    id: 'huge-pages',
    state: 'pass',
    said: /^madvise$/,
    files: { 'sys/kernel/mm/transparent_hugepage/enabled': 'always [madvise] never\n' },
  },
  {
    id: 'huge-pages',
    state: 'pass',
    said: /has none/,
    files: { 'sys/kernel/mm/ksm/run': '0\n' },
  },
  { id: 'huge-pages', state: 'cannot_see', said: /kernel\/mm is not there/ },
  {
    id: 'huge-pages',
    state: 'warn',
    said: /^always$/,
    files: { 'sys/kernel/mm/transparent_hugepage/enabled': '[always] madvise never\n' },
  },
  {
    id: 'huge-pages',
    state: 'cannot_see',
    said: /nothing is chosen/,
    files: { 'sys/kernel/mm/transparent_hugepage/enabled': '\n' },
  },

  { id: 'overcommit', state: 'pass', said: /= 1$/, files: sysctl('vm/overcommit_memory', '1') },
  {
    id: 'overcommit',
    state: 'warn',
    said: /= 2: a fork/,
    files: sysctl('vm/overcommit_memory', '2'),
  },
  { id: 'overcommit', state: 'cannot_see', said: /has no vm\.overcommit_memory/ },

  { id: 'swap', state: 'pass', said: /no swap/, files: meminfo(1000, 500, 0, 0) },
  {
    id: 'swap',
    state: 'pass',
    said: /in use$/,
    files: { ...meminfo(1e6, 5e5, 1e6, 1e6), ...uptime(1000), 'proc/vmstat': 'pswpin 10\n' },
  },
  {
    id: 'swap',
    state: 'warn',
    said: /^5 pages a second/,
    files: { ...meminfo(1e6, 5e5, 1e6, 1e6), ...uptime(1000), 'proc/vmstat': 'pswpin 5000\n' },
  },
  {
    id: 'swap',
    state: 'warn',
    said: /MiB are swapped out/,
    files: { ...meminfo(1e6, 5e5, 1e6, 5e5), ...uptime(1000), 'proc/vmstat': 'pswpin 1\n' },
  },
  {
    id: 'swap',
    state: 'cannot_see',
    said: /no MemTotal line/,
    files: { 'proc/meminfo': 'Nothing: 1 kB\n' },
  },

  {
    id: 'time-sync',
    state: 'pass',
    said: /by systemd-timesyncd, 60 s ago/,
    files: { 'run/systemd/timesync/synchronized': '' },
    ages: { 'run/systemd/timesync/synchronized': 60 },
  },
  { id: 'time-sync', state: 'pass', said: /by chrony/, files: { 'var/lib/chrony/drift': '1 2\n' } },
  {
    id: 'time-sync',
    state: 'warn',
    said: /chrony has not noted anything for 9 d/,
    files: { 'var/lib/chrony/drift': '1 2\n' },
    ages: { 'var/lib/chrony/drift': 9 * 86_400 },
  },
  {
    id: 'time-sync',
    state: 'warn',
    said: /what chrony has noted is dated 2 h 1 min ahead/,
    files: { 'var/lib/chrony/drift': '1 2\n' },
    ages: { 'var/lib/chrony/drift': -7260 },
  },
  { id: 'time-sync', state: 'warn', said: /neither systemd-timesyncd/ },

  {
    id: 'all-cpu-backtraces',
    state: 'pass',
    said: /^off, as usual/,
    files: sysctl('kernel/panic', '0'),
  },
  { id: 'all-cpu-backtraces', state: 'cannot_see', said: /proc\/sys\/kernel is not there/ },
  {
    id: 'all-cpu-backtraces',
    state: 'pass',
    said: /^on: kernel\.hung_task_all_cpu_backtrace$/,
    files: sysctl('kernel/hung_task_all_cpu_backtrace', '1'),
  },
];
