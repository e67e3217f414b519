import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  fakeServerInfo,
  message,
  never,
  schedulerEntry,
  timestamp,
  varint,
} from '../../tools/rig/asynq-encode.ts';
import {
  decodeSchedulerEntry,
  decodeServerInfo,
  decodeWorkerInfo,
  legacyServerQueues,
} from './messages.ts';
import { fieldsOf, integerAt } from './protobuf.ts';

test('protobuf: what a v0.26.0 server wrote', () => {
  const captured =
    'CgJ2bRCPUhokNmFkMjc5OTAtZDRmZS00NGRiLThhZjgtZTgwMDFkOTU4NzlhIAQqCgoGZnJvemVuEAEqDAoIY3JpdGljYWwQBioLCgdkZWZhdWx0EAMqBwoDbG93EAE6BmFjdGl2ZUILCPrxldgGEJaRiX1IAw==';
  assert.deepEqual(decodeServerInfo(Buffer.from(captured, 'base64')), {
    host: 'vm',
    pid: 10_511,
    concurrency: 4,
    queues: ['frozen', 'critical', 'default', 'low'],
    status: 'active',
    activeWorkers: 3,
  });
});

test('protobuf: never, 64-bit numbers, unknown fields, the last of a repeated scalar', () => {
  const entry = {
    id: '1',
    spec: '@daily',
    taskType: 't',
    options: ['MaxRetry(3)', 'Queue("nightly \\u00e9")'],
    nextSeconds: 1.5,
  };
  assert.deepEqual(decodeSchedulerEntry(schedulerEntry(entry)), {
    spec: '@daily',
    taskType: 't',
    queue: 'nightly é',
    nextSeconds: 1.5,
    previousSeconds: undefined,
  });
  assert.equal(decodeSchedulerEntry(message({ 6: never })).queue, 'default');
  const odd = message({ 1: 'queue', 5: ['Queue("\\x07")'].map((text) => Buffer.from(text)) });
  assert.equal(decodeSchedulerEntry(odd).queue, '\\x07', 'Go escapes that JSON does not know');
  fc.assert(
    fc.property(fc.bigInt({ min: -(2n ** 53n), max: 2n ** 53n }), (value) => {
      assert.equal(integerAt(fieldsOf(message({ 1: value })), 1), Number(value));
    }),
  );
  const fixed = Buffer.concat([
    varint(20 * 8 + 1),
    Buffer.alloc(8),
    varint(21 * 8 + 5),
    Buffer.alloc(4),
    fakeServerInfo,
    message({ 4: 9 }),
  ]);
  assert.equal(decodeServerInfo(fixed).concurrency, 9);
});

test('protobuf: what is cut off or garbage is refused with its bytes, nothing hangs', () => {
  for (let length = 1; length < fakeServerInfo.length; length += 1) {
    const cut = fakeServerInfo.subarray(0, length);
    try {
      assert.equal(decodeServerInfo(cut).host.length <= 2, true);
    } catch (error) {
      assert.match(String(error), /protobuf: .* at byte \d+ of \d+: /);
    }
  }
  assert.throws(
    () => decodeServerInfo(fakeServerInfo.subarray(0, 3)),
    /protobuf: 2 bytes are announced and missing at byte 2 of 3: 0a0276/,
  );
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
      for (const decode of [decodeServerInfo, decodeWorkerInfo, decodeSchedulerEntry]) {
        try {
          decode(Buffer.from(bytes));
        } catch (error) {
          assert.match(String(error), /protobuf: |worker info without a start time/);
        }
      }
    }),
  );
  assert.throws(() => decodeWorkerInfo(message({ 7: 'q', 5: 't' })), /without a start time/);
  assert.deepEqual(decodeWorkerInfo(message({ 7: 'q', 5: 't', 8: timestamp(2.25) })), {
    queue: 'q',
    taskType: 't',
    startSeconds: 2.25,
  });
});

test('a server older than v0.18 wrote JSON', () => {
  const json = Buffer.from('{"Host":"h","PID":1,"Queues":{"default":1,"low":2}}');
  assert.deepEqual(legacyServerQueues(json), ['default', 'low']);
  assert.equal(legacyServerQueues(fakeServerInfo), undefined);
});
