/** Around which time the large sources are read: where the incident will be looked for. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { boot, placed, recorded, time } from '../../../tools/rig/report/build.ts';
import type { GatherOptions } from './options.ts';
import { focusOf } from './focus.ts';

const options: GatherOptions = {
  root: '/',
  lastBoot: false,
  kernLog: [],
  sysstat: [],
  redisLog: [],
};
const now = time('2026-11-30 12:00:00');
const hours = (count: number) => count * 3600;
const [first] = recorded('6.12-redis-kvm-async-pf');

const asleep = time('2026-11-08 10:00:00');
const boots = [boot('boot-1', '2026-11-01 00:00:00', { at: asleep + 7200, how: 'unclean' })];

function reported() {
  if (first === undefined) throw new Error('the recording has a report');
  return [placed(first, { at: asleep, bootedAt: time('2026-11-01 00:00:00'), seconds: 122 })];
}

const page = (from: number) => ({
  name: 'RedisFrozen',
  severity: 'page',
  from,
  to: from + 600,
  source: 'prometheus',
});

test('focus: a page weeks after the last report of the kernel is what is read, one of the same day with it', () => {
  const parts = [{ boots, kernelReports: reported() }];
  const old = focusOf(options, parts, [], now);
  assert.deepEqual(old, { from: asleep - 122 - hours(25), to: asleep + 7200 + hours(1) });
  const newer = now - hours(5);
  assert.deepEqual(focusOf(options, parts, [page(newer)], now), {
    from: newer - hours(25),
    to: newer + 600 + hours(1),
  });
  const soon = asleep + hours(20);
  assert.deepEqual(focusOf(options, parts, [page(soon)], now), {
    from: old.from,
    to: soon + 600 + hours(1),
  });
});

test('focus: with nothing that dates an incident, all that was kept', () => {
  assert.deepEqual(focusOf(options, [], [], now), {
    from: now - hours(25),
    to: now,
    undated: true,
  });
});

test('focus: an incident that is asked for by its id is read around, wherever the newest lies', () => {
  const asked = { ...options, incident: '20261120T080000' };
  const at = time('2026-11-20 08:00:00');
  const parts = [{ boots, kernelReports: reported() }];
  assert.deepEqual(focusOf(asked, parts, [], now), { from: at - hours(25), to: at + hours(24) });
  const own = { ...options, incident: '20261108T095758' };
  const { from, to } = focusOf(own, parts, [], now);
  assert.ok(from <= asleep - hours(25) && to >= asleep + hours(3));
  assert.equal(focusOf({ ...options, incident: '20269999T999999' }, [], [], now).undated, true);
});
