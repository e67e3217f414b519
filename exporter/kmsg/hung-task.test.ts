import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import fc from 'fast-check';
import { reasonOfTrace } from '../tasks/reasons.ts';
import { assembleReports, type HungTaskReport } from './hung-task.ts';
import { type KmsgRecord, parseRecord } from './record.ts';

const parsed = (raw: string): KmsgRecord => parseRecord(raw) ?? assert.fail(raw);

function recording(name: string): KmsgRecord[] {
  const url = new URL(`../fixtures/kmsg/${name}.txt`, import.meta.url);
  const lines = readFileSync(url, 'utf8').trimEnd().split('\n');
  return lines.filter((line) => !line.startsWith(' ')).map(parsed);
}

function assemble(records: readonly KmsgRecord[]): HungTaskReport[] {
  const reports: HungTaskReport[] = [];
  const assembler = assembleReports((report) => reports.push(report));
  for (const record of records) assembler.feed(record, false);
  assembler.quiet();
  assembler.quiet();
  return reports;
}

function summary(records: readonly KmsgRecord[]) {
  return assemble(records).map(({ comm, pid, tgid, seconds, frames }) => [
    comm,
    pid,
    tgid,
    seconds,
    reasonOfTrace(frames),
  ]);
}

for (const [name, expected] of [
  [
    '6.12-redis-kvm-async-pf',
    [
      ['redis-server', 160, 160, 10, 'host_page_in'],
      ['jemalloc_bg_thd', 165, 160, 10, 'host_page_in'],
      ['redis-server', 160, 160, 20, 'host_page_in'],
      ['jemalloc_bg_thd', 165, 160, 20, 'host_page_in'],
    ],
  ],
  [
    '6.18-redis-aof-frozen-fs',
    [
      ['redis-server', 6104, 6104, 10, 'filesystem'],
      ['redis-server', 6104, 6104, 20, 'filesystem'],
    ],
  ],
  [
    '6.12-cpu-offline-during-stall',
    [
      ['sh', 1, 1, 10, 'other'],
      ['kworker/0:0', 9, 9, 10, 'other'],
    ],
  ],
  ['6.12-soft-lockup-kernel-mode-pagein', []],
  [
    '6.15-lock-owner',
    [
      ['repro_20250402_', 13_229, 13_228, 64, 'lock'],
      ['repro_20250402_', 13_250, 13_228, 65, 'disk'],
    ],
  ],
  [
    '5.10-interleaved',
    [
      ['jbd2/sda3-8', 373, undefined, 120, 'filesystem'],
      ['systemd-journal', 470, undefined, 120, 'unknown'],
    ],
  ],
  ['4.18-comm-with-space', [['FwgThread OpFor', 15_341, undefined, 120, 'filesystem']]],
  ['4.14-arm-fuse', [['kworker/u8:0', 5, undefined, 120, 'filesystem']]],
  [
    '4.14-no-trace',
    [
      ['jbd2/vda2-8', 472, undefined, 120, 'unknown'],
      ['umount', 482, undefined, 120, 'unknown'],
    ],
  ],
  ['3.13-jbd2', [['jbd2/dewba1-8', 22_455, undefined, 120, 'disk']]],
  ['3.10-fsync', [['manager', 26_933, undefined, 120, 'disk']]],
  [
    '3.10-xfs-log',
    [
      ['xfsaild/dm-3', 12_083, undefined, 120, 'filesystem'],
      ['xfsaild/dm-3', 12_083, undefined, 120, 'unknown'],
    ],
  ],
] as const) {
  test(`hung task reports: ${name}`, () => assert.deepEqual(summary(recording(name)), expected));
}

let sequence = 0;
function record(text: string, caller?: string): KmsgRecord {
  return { facility: 0, sequence: sequence++, microseconds: 1e9, caller, text };
}
const asyncPageFault = ' kvm_async_pf_task_wait_schedule+0x17c/0x1b0';

test('hung task reports: a comm of any shape, and the wording of 7.x', () => {
  for (const comm of ['redis', 'a b', 'kworker/0:0', 'x:1 y:2', '', 'new\nline', 'a blocked for']) {
    const [report] = assemble([
      record(`INFO: task ${comm}:77 blocked in I/O wait for more than 122 seconds.`),
    ]);
    assert.deepEqual([report?.comm, report?.pid, report?.seconds], [comm, 77, 122]);
  }
});

test('hung task reports: one that began before the first record is not seen', () => {
  const records = recording('6.18-redis-aof-frozen-fs');
  const start = records.findIndex(({ text }) => text.startsWith('INFO: task'));
  assert.equal(summary(records.slice(start + 1)).length, 1);
});

test('hung task reports: records of another thread or CPU are left out by their caller', () => {
  const [report] = assemble([
    record('INFO: task redis-server:1 blocked for more than 120 seconds.', 'T33'),
    record(' io_schedule+0x1/0x2', 'C1'),
    record(' </TASK>', 'C1'),
    record(asyncPageFault, 'T33'),
  ]);
  assert.deepEqual(report?.frames, [asyncPageFault]);
});

test('hung task reports: lost records end one, and its cause is what was seen', () => {
  const reports: HungTaskReport[] = [];
  const assembler = assembleReports((report) => reports.push(report));
  assembler.feed(record('INFO: task redis-server:1 blocked for more than 120 seconds.'), true);
  assembler.interrupt();
  assembler.feed(record(asyncPageFault), false);
  assert.deepEqual(
    reports.map(({ frames, past }) => [frames, past]),
    [[[], true]],
  );
});

test('hung task reports: without an end mark it ends when the log is quiet, not before', () => {
  const reports: HungTaskReport[] = [];
  const assembler = assembleReports((report) => reports.push(report));
  assembler.feed(record('INFO: task redis-server:1 blocked for more than 120 seconds.'), false);
  assembler.quiet();
  assembler.feed(record(asyncPageFault), false);
  assembler.quiet();
  assert.equal(reports.length, 0);
  assembler.quiet();
  assert.deepEqual(reports[0]?.frames, [asyncPageFault]);
  assembler.quiet();
  assert.equal(reports.length, 1);
});

test('hung task reports: a soft lockup in the middle does not lend its frames', () => {
  const [report] = assemble([
    record('INFO: task redis-server:1 blocked for more than 120 seconds.'),
    record('watchdog: BUG: soft lockup - CPU#0 stuck for 26s! [sh:1]'),
    record(asyncPageFault),
  ]);
  assert.deepEqual(report?.frames, []);
});

test('hung task reports: the trace of the lock owner is not that of the blocked task', () => {
  // On arm64 there is no end mark, and a task can wait for a lock that it holds itself.
  const head = [
    record('INFO: task zsh:470 blocked for more than 61 seconds.'),
    record(' __mutex_lock+0x698/0x1200'),
  ];
  const owner = [
    record('INFO: task zsh:470 is blocked on a mutex likely owned by task zsh:470.'),
    record(asyncPageFault),
  ];
  const other = [
    record(
      'task:cat             state:S stack:13432 pid:114   tgid:114   ppid:106    task_flags:0x400100',
    ),
    record(asyncPageFault),
  ];
  for (const rest of [owner, other]) {
    assert.deepEqual(assemble([...head, ...rest])[0]?.frames, [' __mutex_lock+0x698/0x1200']);
  }
});

test('hung task reports: memory is bounded whatever comes', () => {
  const flood = Array.from({ length: 10_000 }, () => record(asyncPageFault));
  const [report] = assemble([record('INFO: task a:1 blocked for more than 9 seconds.'), ...flood]);
  assert.equal(report?.frames.length, 128);
});

test('hung task reports: every headline gives one report, whatever lies between', () => {
  fc.assert(
    fc.property(
      fc.array(fc.record({ comm: fc.string(), pid: fc.nat(), noise: fc.array(fc.string()) })),
      (tasks) => {
        const records = tasks.flatMap(({ comm, pid, noise }) => [
          record(`INFO: task ${comm}:${pid} blocked for more than 120 seconds.`),
          ...noise.map((text) => record(text)),
        ]);
        assert.deepEqual(
          assemble(records).map(({ comm, pid }) => [comm, pid]),
          tasks.map(({ comm, pid }) => [comm, pid]),
        );
      },
    ),
  );
});

test('hung task reports: a line that quotes one begins none, and ends none', () => {
  const texts = [
    'a driver says: INFO: task fake:7 blocked for more than 10 seconds.',
    'INFO: task redis-server:160 blocked for more than 10 seconds.',
    'task:redis-server    state:D stack:0     pid:160  tgid:161  ppid:1 flags:0x0',
    'Call Trace:',
    'a driver says: task:other    state:D stack:0     pid:9  tgid:9  ppid:1 flags:0x0',
    'a driver says: CPU: 1 PID: 9 Comm: other',
    'a driver says: INFO: task redis-server:160 blocked on a mutex',
    ' kvm_async_pf_task_wait_schedule+0x17c/0x1b0',
    ' </TASK>',
    ' jbd2_log_wait_commit+0xac/0x120',
  ];
  const records = texts.map((text, i) => parsed(`6,${i},${i},-;${text}`));
  const [report, ...others] = assemble(records);
  assert.deepEqual(others, []);
  assert.equal(report?.tgid, 161);
  assert.deepEqual(report.frames, [' kvm_async_pf_task_wait_schedule+0x17c/0x1b0']);
});
