import assert from 'node:assert/strict';
import { mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { placed, temporaryRoot } from '../../../tools/rig/temporary-root.ts';
import { utc, zoneCalled, zoneOf } from './zone.ts';

const local = (text: string) => {
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = text
    .split(/\D/)
    .map(Number);
  return { year, month, day, hour, minute, second };
};
const at = (text: string) => Date.parse(text) / 1000;

test('zone: local times around the changes of summer time', () => {
  const berlin = zoneCalled('Europe/Berlin');
  assert.equal(berlin.at(local('2026-07-01 12:00:00')), at('2026-07-01T10:00:00Z'));
  assert.equal(berlin.at(local('2026-12-31 23:59:59.5')), at('2026-12-31T22:59:59Z'));
  // 02:30 comes twice on 25 October 2026.
  const first = berlin.at(local('2026-10-25 02:30:00'));
  assert.equal(first, at('2026-10-25T00:30:00Z'));
  assert.equal(berlin.at(local('2026-10-25 02:30:00'), first + 600), at('2026-10-25T01:30:00Z'));
  // 02:30 does not come on 29 March 2026.
  assert.equal(berlin.at(local('2026-03-29 02:30:00')), at('2026-03-29T01:30:00Z'));
  const kathmandu = zoneCalled('Asia/Kathmandu');
  assert.equal(kathmandu.at(local('2026-01-01 00:00:00')), at('2025-12-31T18:15:00Z'));
});

test('zone: what a clock on the wall shows leads back to the moment, in any zone', () => {
  const zones = ['Europe/Berlin', 'America/St_Johns', 'Australia/Lord_Howe', 'Asia/Tehran', 'UTC'];
  fc.assert(
    fc.property(
      fc.constantFrom(...zones),
      fc.integer({ min: at('2001-01-01T00:00:00Z'), max: at('2037-01-01T00:00:00Z') }),
      (name, moment) => {
        const shown = new Date(moment * 1000).toLocaleString('sv', { timeZone: name });
        assert.equal(zoneCalled(name).at(local(shown), moment), moment);
      },
    ),
    { numRuns: 60 },
  );
});

test('zone: taken from the machine that is read, not from the one that reads', (t) => {
  const root = temporaryRoot(t);
  assert.equal(zoneOf(root).zone.name, 'UTC');
  placed(root, 'etc/timezone', 'Asia/Tokyo\n');
  assert.equal(zoneOf(root).zone.name, 'Asia/Tokyo');
  mkdirSync(join(root, 'etc'), { recursive: true });
  symlinkSync('/usr/share/zoneinfo/America/New_York', join(root, 'etc/localtime'));
  assert.equal(zoneOf(root).zone.name, 'America/New_York');
});

test('zone: one that nobody knows is told and taken for UTC', (t) => {
  const root = temporaryRoot(t);
  placed(root, 'etc/timezone', 'Mars/Olympus\n');
  const { zone, problem } = zoneOf(root);
  assert.equal(zone, utc);
  assert.match(problem ?? '', /"Mars\/Olympus" is not known here/);
});
