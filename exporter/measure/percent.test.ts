import assert from 'node:assert/strict';
import { test } from 'node:test';
import { percentText } from './percent.ts';

test('percent: some is never called none, nor almost all called all', () => {
  const table: readonly (readonly [number, string])[] = [
    [0, '0 %'],
    [0.0001, 'under 0.1 %'],
    [0.0006, '0.1 %'],
    [0.07, '7 %'],
    [0.0256, '2.6 %'],
    [0.0996, '10 %'],
    [0.256, '26 %'],
    [0.954, '95 %'],
    [0.9896, '99 %'],
    [0.995, '99.5 %'],
    [0.9999, 'over 99.9 %'],
    [1, '100 %'],
    [5.069, '507 %'],
    [NaN, 'an unknown share'],
  ];
  for (const [share, text] of table) assert.equal(percentText(share), text);
});
