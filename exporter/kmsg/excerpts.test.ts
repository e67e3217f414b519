import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { collectExcerpts, type Excerpt, functionsOf } from './excerpts.ts';
import { type KmsgRecord, parseRecord } from './record.ts';
import { shownLine } from './shown-line.ts';

const folder = new URL('../fixtures/kmsg/', import.meta.url);
const recordings = readdirSync(folder).filter((name) => name.endsWith('.txt'));

function excerptsOf(records: readonly KmsgRecord[]): Excerpt[] {
  const found: Excerpt[] = [];
  const excerpts = collectExcerpts((excerpt) => found.push(excerpt));
  for (const record of records) excerpts.feed(record, false);
  excerpts.quiet();
  excerpts.quiet();
  return found;
}

const recordsOf = (name: string) =>
  readFileSync(new URL(name, folder), 'latin1')
    .split('\n')
    .flatMap((line) => parseRecord(line) ?? []);

const line = (text: string, microseconds = 1e9, caller?: string): KmsgRecord => ({
  facility: 0,
  sequence: 1,
  microseconds,
  caller,
  text,
});

test('kernel excerpts: the report of a page that the host took, whole', () => {
  const [first, second] = excerptsOf(recordsOf('6.12-redis-kvm-async-pf.txt'));
  assert.equal(first?.kind, 'hung_task');
  assert.deepEqual([first.pid, first.seconds], [160, 10]);
  assert.match(first.lines[0] ?? '', /^INFO: task redis-server:160 blocked for more than 10 s/);
  assert.ok(functionsOf(first).includes('kvm_async_pf_task_wait_schedule'));
  assert.equal(first.lines.at(-1), ' </TASK>');
  assert.equal(second?.pid, 165);
});

test('kernel excerpts: every recording has its own, and no register or address of user space', () => {
  assert.ok(recordings.length > 20);
  for (const name of recordings) {
    const found = excerptsOf(recordsOf(name));
    assert.ok(found.length > 0, name);
    for (const text of found.flatMap(({ lines }) => lines)) {
      assert.doesNotMatch(
        text,
        /\b(?:R(?!IP: 0010)[A-Z0-9]{2}|[CDEFGS]S|PKRU|EFLAGS|Code|CR\d): /,
        name,
      );
      assert.doesNotMatch(text, /0033|002b/, name);
      assert.doesNotMatch(text, /\b[0-9a-f]*[1-9a-f][0-9a-f]{8,}\b/, name);
    }
  }
});

test('kernel excerpts: what is not known to be harmless is not shown', () => {
  const kept = [
    ' schedule+0x23/0xa0',
    ' ? __wake_up+0x1/0x2',
    'RIP: 0010:check_lifetime+0x0/0x260',
    ' <TASK>',
    'Workqueue: events work_for_cpu_fn',
  ];
  for (const text of kept) assert.equal(shownLine(text), text);
  assert.equal(
    shownLine(' [<ffffffff8163bf29>] schedule+0x29/0x70'),
    ' [<0000000000000000>] schedule+0x29/0x70',
  );
  assert.equal(
    shownLine('INFO: task a\u001b[31m\nb:7 blocked for more than 120 seconds.'),
    'INFO: task a?[31m?b:7 blocked for more than 120 seconds.',
  );
  const dropped = [
    'RIP: 0033:0x7f3c2a1b',
    'RSP: 002b:00007ffdc89ca510 EFLAGS: 00000202 ORIG_RAX: 0000000000000101',
    'R10: 561d3f963056040b R11: 0000000000000202 R12: 73657373696f6e3a',
    'Code: 48 89 fa 4c',
    'x29: ffff80001234 x28: 0000000000000000',
    'pc : 0000aaaabbbbcccc',
    ' ffff880036213d50 0000000000000086 73657373696f6e3a',
    'Process redis-server (pid: 1, threadinfo 73657373696f6e3a)',
    'user alice logged in from 203.0.113.7',
    '',
  ];
  for (const text of dropped) assert.equal(shownLine(text), undefined, text);
});

test('kernel excerpts: what others print in between, and the task that holds the lock, stay out', () => {
  const [one, ...more] = excerptsOf([
    line('INFO: task a:7 blocked for more than 120 seconds.', 1e9, 'T1'),
    line(' schedule+0x23/0xa0', 1e9, 'T1'),
    line(' other_thread+0x1/0x2', 1e9, 'T2'),
    line('INFO: task a:7 is blocked on a mutex likely owned by task b:8.', 1e9, 'T1'),
    line(' of_the_owner+0x1/0x2', 1e9, 'T1'),
  ]);
  assert.deepEqual(one && functionsOf(one), ['schedule']);
  assert.deepEqual(more, []);
});

test('kernel excerpts: one that never ends ends', () => {
  const trace = Array.from({ length: 10_000 }, (_, i) => line(` function_${i}+0x1/0x2`));
  const [one] = excerptsOf([line('INFO: task a:7 blocked for more than 120 seconds.'), ...trace]);
  assert.equal(one?.lines.length, 64);
});
