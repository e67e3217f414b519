import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { recorded } from '../../tools/rig/stalled-redis.ts';
import { statText } from '../../tools/rig/task-files.ts';
import { cpuOfTask, parseTaskStat } from './task-stat.ts';

test('task stat: redis-server while its host brings a page back, recorded on Linux 6.12', () => {
  assert.deepEqual(parseTaskStat(recorded('stalled', '160/stat')), {
    comm: 'redis-server',
    state: 'D',
    parentPid: 1,
    kernelThread: false,
    threads: 5,
    startTicks: 3560,
  });
});

test('task stat: the CPU a thread is parked on, whatever stands in its name', () => {
  const text = recorded('stalled', '160/stat');
  assert.equal(cpuOfTask(text), 1);
  const fields = text
    .slice(text.lastIndexOf(') ') + 2)
    .trim()
    .split(' ');
  fields[36] = '127';
  assert.equal(cpuOfTask(`160 (a) b) ${fields.join(' ')}\n`), 127);
  for (const broken of ['', '160 (x) D 1 2 3\n', `160 (x) ${fields.with(36, '-1').join(' ')}`]) {
    assert.equal(cpuOfTask(broken), undefined);
  }
});

test('task stat: a kernel thread is told by its flags', () => {
  const { kernelThread, comm } = parseTaskStat(
    '10 (kworker/0:0H-kblockd) I 2 0 0 0 -1 69238880 0 0 0 0 0 4 0 0 0 -20 1 0 5 0 0 18446744073709551615 0 0 0 0 0 0 0 2147483647 0 0 0 0 17 0 0 0 0 0 0\n',
  );
  assert.deepEqual({ kernelThread, comm }, { kernelThread: true, comm: 'kworker/0:0H-kblockd' });
});

test('task stat: whatever stands in a name, the fields after it are the right ones', () => {
  const names = fc.oneof(
    fc.string({ maxLength: 15 }),
    fc.constantFrom(') R 1 (', 'a) D 1 2 3', '\n1 (x) D 1', '((((', '))))', '', ' '),
  );
  fc.assert(
    fc.property(
      names,
      fc.constantFrom('R', 'S', 'D', 'T', 't', 'Z', 'X', 'I'),
      fc.nat(),
      (comm, state, startTicks) => {
        const parsed = parseTaskStat(statText(42, { comm, state, startTicks, parentPid: 7 }));
        assert.deepEqual(
          [parsed.comm, parsed.state, parsed.startTicks, parsed.parentPid],
          [comm, state, startTicks, 7],
        );
      },
    ),
  );
});

test('task stat: text that is cut short or is none is quoted in an error, never half believed', () => {
  const whole = recorded('stalled', '160/stat');
  const enough = whole.indexOf(' 3560 ') + 2;
  fc.assert(
    fc.property(fc.nat(enough - 1), (length) => {
      assert.throws(() => parseTaskStat(whole.slice(0, length)), /stat of a task: unexpected text/);
    }),
  );
  fc.assert(
    fc.property(fc.string(), (text) => {
      assert.throws(() => parseTaskStat(text), /stat of a task: unexpected text/);
    }),
  );
});
