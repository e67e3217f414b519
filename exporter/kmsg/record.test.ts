import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type KmsgRecord, parseRecord, unexpected } from './record.ts';

const parsed = (raw: string): KmsgRecord => parseRecord(raw) ?? assert.fail(raw);

test('kmsg record: the fields, continuation lines and fields of later kernels', () => {
  assert.deepEqual(parsed('6,343,586937570,-;virtio: ok\n SUBSYSTEM=virtio\n DEVICE=+v:1\n'), {
    facility: 0,
    sequence: 343,
    microseconds: 586_937_570,
    caller: undefined,
    text: 'virtio: ok',
  });
  const later = parsed('12,7,1,-,caller=T140,new=1,2;user text; with a semicolon');
  assert.equal(later.facility, 1);
  assert.equal(later.caller, 'T140');
  assert.equal(later.text, 'user text; with a semicolon');
  assert.equal(parsed('6,1,1,c;').text, '');
});

test('kmsg record: escapes are bytes, and a backslash is always escaped', () => {
  assert.equal(parsed('6,1,1,-;a\\x09b\\x0ac\\x5cx41 \\xc3\\xa9').text, 'a\tb\nc\\x41 é');
});

test('kmsg record: text that is none is quoted', () => {
  for (const raw of ['', 'INFO: task', '6,343;text', '6,343,x,-;text', '-1,1,1,-;text']) {
    assert.equal(parseRecord(raw), undefined, raw);
    assert.match(unexpected(raw).message, /^kmsg: unexpected record "/);
  }
});

/** As msg_print_ext_body in kernel/printk/printk.c does it. */
function escaped(text: string): string {
  return [...Buffer.from(text)]
    .map((byte) =>
      byte < 32 || byte >= 127 || byte === 92
        ? `\\x${byte.toString(16).padStart(2, '0')}`
        : String.fromCodePoint(byte),
    )
    .join('');
}

test('kmsg record: whatever the kernel escapes comes back', () => {
  const number = fc.nat();
  fc.assert(
    fc.property(number, number, number, fc.string({ unit: 'grapheme' }), (pri, seq, us, text) => {
      const record = parsed(`${pri},${seq},${us},-,x=1;${escaped(text)}\n KEY=1\n`);
      assert.equal(record.text, text);
      assert.equal(record.facility, Math.floor(pri / 8));
      assert.deepEqual([record.sequence, record.microseconds], [seq, us]);
    }),
  );
});

test('kmsg record: any text is a record or none, and never an error', () => {
  fc.assert(
    fc.property(fc.string(), (raw) => {
      const record = parseRecord(raw);
      assert.ok(record === undefined || Number.isSafeInteger(record.facility));
    }),
  );
});
