import assert from 'node:assert/strict';
import { test } from 'node:test';
import { boundText } from './bucket-bound.ts';

test('bounds are written as Prometheus 3 keeps them', () => {
  const written: readonly (readonly [bound: number, text: string])[] = [
    [0, '0.0'],
    [0.000_000_1, '1e-07'],
    [0.000_001, '1e-06'],
    [0.000_012_5, '1.25e-05'],
    [0.0001, '0.0001'],
    [0.000_25, '0.00025'],
    [0.05, '0.05'],
    [1, '1.0'],
    [2.5, '2.5'],
    [10, '10.0'],
    [100_000, '100000.0'],
    [1_000_000, '1e+06'],
    [1.5e21, '1.5e+21'],
    [Number.POSITIVE_INFINITY, '+Inf'],
  ];
  for (const [bound, text] of written) assert.equal(boundText(bound), text);
});
