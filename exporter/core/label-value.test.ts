import assert from 'node:assert/strict';
import { test } from 'node:test';
import { labelValue, longestLabelValue, shownLabelValue } from './label-value.ts';

test('label value: text that fits is itself, whatever is in it', () => {
  for (const name of ['default', '', 'a\nb\0c\u001b[31m', '\u202egnp', '__proto__', 'ключ 🦊']) {
    assert.equal(labelValue(name), name);
    assert.equal(labelValue(Buffer.from(name)), name);
  }
  assert.equal(labelValue('n'.repeat(longestLabelValue)), 'n'.repeat(longestLabelValue));
});

test('label value: long names end, stay apart, and never in the middle of a character', () => {
  for (const filler of ['n', 'é', '🦊', '\0', '€']) {
    const long = filler.repeat(70_000);
    const [one, other] = [labelValue(`${long}a`), labelValue(`${long}b`)];
    assert.notEqual(one, other);
    assert.equal(one, labelValue(`${long}a`));
    assert.ok(Buffer.byteLength(one) <= longestLabelValue, `${Buffer.byteLength(one)} bytes`);
    assert.ok(Buffer.byteLength(one) > longestLabelValue - 4);
    assert.match(one, new RegExp(`^${filler}+~[0-9a-f]{12}$`, 'u'));
  }
});

const named = (...bytes: number[]) => labelValue(Buffer.from(bytes));

test('label value: bytes that are no text are shown, and different ones stay apart', () => {
  assert.match(named(0x61, 0xff, 0xfe, 0x62), /^a\\xff\\xfeb~[0-9a-f]{12}$/);
  assert.notEqual(named(0xff), named(0xfe));
  assert.notEqual(named(0xff), labelValue('\\xff'));
  assert.match(labelValue(Buffer.alloc(100_000, 0xff)), /^(?:\\xf?f?)+~[0-9a-f]{12}$/);
  assert.match(named(0xc3, 0xa9, 0xc3), /^é\\xc3~/);
});

test('label value: control characters are shown on demand, and stay apart from their codes', () => {
  assert.equal(shownLabelValue('ключ 🦊'), 'ключ 🦊');
  assert.match(shownLabelValue('a\nb\u009b'), /^a\\x0ab\\x9b~[0-9a-f]{12}$/);
  assert.notEqual(shownLabelValue('a\nb'), shownLabelValue('a\\x0ab'));
  assert.notEqual(shownLabelValue('\0'), shownLabelValue('\\x00~'));
  for (const filler of ['\0', 'é', '🦊']) {
    const [one, other] = ['a', 'b'].map((end) => shownLabelValue(`${filler.repeat(70_000)}${end}`));
    assert.notEqual(one, other);
    assert.ok(Buffer.byteLength(one ?? '') <= longestLabelValue);
    assert.doesNotMatch(one ?? '', /\p{Cc}|\uFFFD/u);
  }
});
