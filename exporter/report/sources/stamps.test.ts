import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isoStamp, localTime, yearOfLast } from './stamps.ts';
import { zoneOf } from './zone.ts';

const { zone } = zoneOf('/nowhere');
const at = (line: string) => isoStamp(line, zone)?.at;

test('stamps: a day that no calendar has is no time, and none of the month after', () => {
  for (const day of ['2026-02-29', '2026-02-30', '2026-04-31', '2026-13-01', '2026-00-10'])
    assert.equal(at(`${day}T21:00:00Z`), undefined, day);
  assert.equal(at('2028-02-29T00:00:00Z'), Date.UTC(2028, 1, 29) / 1000);
  assert.equal(localTime(2026, 6, [31, 0, 0, 0]), undefined);
  assert.equal(localTime(2026, 12, [31, 23, 59, 60])?.second, 60);
});

test('stamps: a leap second is the first of the next day, as every clock without it has it', () => {
  assert.equal(at('2016-12-31T23:59:60.25Z'), Date.UTC(2017) / 1000 + 0.25);
});

test('stamps: a zone that is nowhere is none', () => {
  assert.equal(at('2026-10-14T21:00:00+14:00'), Date.UTC(2026, 9, 14, 7) / 1000);
  assert.equal(at('2026-10-14T21:00:00+99:00'), undefined);
  assert.equal(at('2026-10-14T21:00:00-05:99'), undefined);
});

test('stamps: the 29th of February is of a year that had one', () => {
  const written = Date.UTC(2026, 9, 1) / 1000;
  assert.equal(yearOfLast(2, 29, written), 2024);
  assert.equal(yearOfLast(2, 28, written), 2026);
  assert.equal(yearOfLast(12, 24, written), 2025);
});
