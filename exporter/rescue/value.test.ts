import assert from 'node:assert/strict';
import { test } from 'node:test';
import { addressOf, problemOfValue } from './value.ts';

test('rescue value: what kernels write is taken, whichever of their flags are set', () => {
  // As read in a guest of Linux 6.12; with bit 1 as a preemptible kernel writes it, with bit 2 nested.
  for (const value of [0x1_bd21_4c09n, 0x1_bd21_4c0bn, 0x1_bd21_4c0fn, 0x4_9n]) {
    assert.equal(problemOfValue(value), undefined, value.toString(16));
  }
  assert.equal(addressOf(0x1_bd21_4c0bn), 0x1_bd21_4c00n);
});

test('rescue value: anything else is refused, with what it is', () => {
  const wrong: readonly (readonly [bigint, RegExp])[] = [
    [0n, /holds 0: async page faults are off there \(no-kvmapf/],
    [0x1_bd21_4c08n, /0x1bd214c08, in which they are not enabled \(bit 0\)/],
    [0x1_bd21_4c01n, /no interrupt \(bit 3\), as kernels before 5\.9 did/],
    [0x1_bd21_4c19n, /bits 4 and 5 are set, expected an address aligned to 64 bytes/],
    [0x1_bd21_4c29n, /bits 4 and 5/],
    [0x9n, /in no memory/],
    [(1n << 52n) | 9n, /in no memory/],
    [0xffff_ffff_ffff_ffcfn, /in no memory/],
  ];
  for (const [value, problem] of wrong) assert.match(problemOfValue(value) ?? '', problem);
});
