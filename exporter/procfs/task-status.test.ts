import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { recorded } from '../../tools/rig/stalled-redis.ts';
import { statusText } from '../../tools/rig/task-files.ts';
import { maySeeOtherTasks, parseTaskStatus } from './task-status.ts';

test('task status: redis-server while its host brings a page back, recorded on Linux 6.12', () => {
  const status = parseTaskStatus(recorded('stalled', '160/status'));
  assert.deepEqual(status, {
    contextSwitches: 10_781 + 1478,
    uid: 0,
    innermostPid: 160,
    capabilities: 0x1ffffffffffn,
  });
  assert.equal(maySeeOtherTasks(status), true);
});

test('task status: the innermost pid is the last, and none is none', () => {
  const text = statusText(4567, { namespacedPids: [4567, 23, 1] });
  assert.equal(parseTaskStatus(text).innermostPid, 1);
  const old = text.replace(/^NSpid:.*\n/m, '');
  assert.equal(parseTaskStatus(old).innermostPid, undefined);
});

test('task status: every number comes back', () => {
  fc.assert(
    fc.property(fc.nat(), fc.nat(), fc.nat(), fc.nat(), (voluntary, involuntary, uid, pid) => {
      const status = parseTaskStatus(
        statusText(1, { switches: [voluntary, involuntary], uid, namespacedPids: [1, pid] }),
      );
      assert.deepEqual(
        [status.contextSwitches, status.uid, status.innermostPid],
        [voluntary + involuntary, uid, pid],
      );
      assert.equal(maySeeOtherTasks(status), false);
    }),
  );
});

test('task status: what is not there is not known (gVisor has half of it)', () => {
  const text = recorded('stalled', '160/status');
  const without = (row: string) =>
    parseTaskStatus(text.replace(new RegExp(`^${row}:.*\\n`, 'm'), ''));
  const whole = parseTaskStatus(text);
  assert.deepEqual(without('Uid'), { ...whole, uid: undefined });
  for (const row of ['voluntary_ctxt_switches', 'nonvoluntary_ctxt_switches']) {
    assert.deepEqual(without(row), { ...whole, contextSwitches: undefined });
  }
  assert.deepEqual(without('CapEff'), { ...whole, capabilities: undefined });
  assert.equal(maySeeOtherTasks(without('CapEff')), false);
});

test('task status: no text makes the parser crash or invent a number', () => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      assert.deepEqual(new Set(Object.values(parseTaskStatus(text))), new Set([undefined]));
    }),
  );
});
