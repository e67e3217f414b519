import assert from 'node:assert/strict';
import { test } from 'node:test';
import { manualClock } from '../measure/clock.ts';
import { createDue } from './due.ts';

function watch(stuckAfter = 180) {
  const clock = manualClock();
  const due = createDue({ clock, stuckAfter });
  /** The same verdict for so long, looked at every 5 s; seconds until it was due, and why. */
  function hold(name: string, seconds: number) {
    for (let second = 0; second <= seconds; second += 5) {
      const why = due.verdict(name);
      if (why !== undefined) return [why, second];
      clock.advance(5);
    }
    return undefined;
  }
  return { due, clock, hold };
}

test('rescue due: a lost message after 60 s, a page that does not come after 180 s', () => {
  assert.deepEqual(watch().hold('page_in_lost', 600), ['page_in_lost', 60]);
  assert.deepEqual(watch().hold('page_in_stuck', 600), ['page_in_stuck', 180]);
  assert.deepEqual(watch(60).hold('page_in_stuck', 600), ['page_in_stuck', 60]);
  for (const name of ['host_paging', 'quiet', 'unknown', 'disk', 'kernel_page_in', 'cpu_steal']) {
    assert.equal(watch().hold(name, 1000), undefined, name);
  }
});

test('rescue due: what was not looked at has not held', () => {
  for (const name of ['page_in_lost', 'page_in_stuck']) {
    const { due, clock, hold } = watch(60);
    assert.equal(due.verdict(name), undefined);
    clock.stall(600);
    assert.deepEqual(hold(name, 600), [name, 60], 'a minute that was looked at');
  }
});

test('rescue due: a restart is no new incident, and another one may have written', () => {
  const clock = manualClock();
  const due = createDue({ clock, stuckAfter: 180, before: { written: 3, missingAgo: 10 } });
  for (let second = 0; second < 3600; second += 5) {
    assert.equal(due.verdict('page_in_lost'), undefined);
    clock.advance(5);
  }
  assert.deepEqual(due.incident(), { written: 3, missingAgo: 5 });
  const other = watch().due;
  other.verdict('page_in_lost', 100);
  assert.equal(other.incident(), undefined);
  const { clock: time, due: beside } = watch();
  for (let second = 0; second <= 100; second += 5) {
    assert.equal(beside.verdict('page_in_lost', 100 + second), undefined);
    time.advance(5);
  }
  assert.equal(beside.verdict('page_in_lost', 301), 'page_in_lost');
});

test('rescue due: what was another verdict meanwhile begins anew', () => {
  const { hold } = watch();
  assert.equal(hold('page_in_lost', 50), undefined);
  assert.equal(hold('host_paging', 0), undefined);
  assert.deepEqual(hold('page_in_lost', 600), ['page_in_lost', 60]);
});

test('rescue due: a page that is called stuck and then lost has been missing all the time', () => {
  const { hold } = watch();
  assert.equal(hold('page_in_stuck', 150), undefined);
  assert.deepEqual(hold('page_in_lost', 600), ['page_in_stuck', 25]);
});

test('rescue due: once in five minutes, three times an incident, and anew in the next', () => {
  const { due, hold } = watch();
  for (const seconds of [60, 300, 300]) {
    assert.deepEqual(hold('page_in_lost', 1000), ['page_in_lost', seconds]);
    due.wrote();
  }
  assert.equal(hold('page_in_lost', 10_000), undefined);
  // Not five minutes of peace: the same incident.
  assert.equal(hold('quiet', 200), undefined);
  assert.equal(hold('page_in_lost', 1000), undefined);
  assert.equal(hold('quiet', 300), undefined);
  assert.deepEqual(hold('page_in_lost', 1000), ['page_in_lost', 60]);
});

test('rescue due: what was refused is tried again a minute later, and is none of the three', () => {
  const { due, hold } = watch();
  hold('page_in_lost', 60);
  for (let time = 0; time < 10; time += 1) {
    due.refused();
    assert.deepEqual(hold('page_in_lost', 1000), ['page_in_lost', 60]);
  }
});

test('rescue due: a refusal after a write shortens no pause', () => {
  const { due, hold } = watch();
  hold('page_in_lost', 60);
  due.wrote();
  due.refused();
  assert.deepEqual(hold('page_in_lost', 1000), ['page_in_lost', 300]);
});

test('rescue due: what is looked at less than a minute apart has held', () => {
  const { due, clock } = watch();
  due.verdict('page_in_lost');
  clock.stall(59);
  assert.equal(due.verdict('page_in_lost'), undefined);
  clock.advance(1);
  assert.equal(due.verdict('page_in_lost'), 'page_in_lost');
});
