import assert from 'node:assert/strict';
import { test } from 'node:test';
import { durationText } from './duration.ts';

test('duration: rounds the way people speak, never to "60 min 60 s"', () => {
  const table: readonly (readonly [number, string])[] = [
    [0, '0 s'],
    [0.00034, '0.3 ms'],
    [0.00996, '10 ms'],
    [0.25, '250 ms'],
    [0.9994, '999 ms'],
    [0.9996, '1 s'],
    [1.54, '1.5 s'],
    [9.94, '9.9 s'],
    [9.96, '10 s'],
    [119.4, '119 s'],
    [119.6, '2 min'],
    [7199, '2 h'],
    [14_700, '4 h 5 min'],
    [172_800, '2 d'],
    [266_400, '3 d 2 h'],
    [36_525 * 86_400, '36525 d'],
    [1e300, 'over 1000 years'],
    [-1.54, '-1.5 s'],
    [-0.25, '-250 ms'],
    [-1e300, 'an unknown time'],
    [NaN, 'an unknown time'],
    [Infinity, 'an unknown time'],
  ];
  for (const [seconds, text] of table) assert.equal(durationText(seconds), text);
});
