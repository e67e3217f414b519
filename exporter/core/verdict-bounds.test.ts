/** Each question of the verdict on both sides of its bound. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Evidence } from './evidence.ts';
import { verdictOf } from './verdict.ts';

/** All that is asked for is known, and nothing is wrong. */
const known: Evidence = { stealOfDemand: 0, ownCpu: 0, stallSeconds: 0 };

const bounds: readonly (readonly [
  what: string,
  below: Evidence,
  above: Evidence,
  verdict: string,
])[] = [
  ['a page awaited', { pageInWaitSeconds: 5 }, { pageInWaitSeconds: 5.1 }, 'page_in_stuck'],
  ['a cold page', { coldPageWaitSeconds: 5 }, { coldPageWaitSeconds: 5.1 }, 'page_in_stuck'],
  ['pages fetched back', { hostPageIns: 5 }, { hostPageIns: 6 }, 'host_paging'],
  ['cold pages', { coldPageIns: 0 }, { coldPageIns: 1 }, 'host_paging_unannounced'],
  ['standing still', { stallSeconds: 5 }, { stallSeconds: 5.1 }, 'kernel_page_in'],
  ['steal', { stealOfDemand: 0.05 }, { stealOfDemand: 0.051 }, 'cpu_steal'],
  ['own load', { ownCpu: 0.9 }, { ownCpu: 0.91 }, 'own_load'],
  ['a wait for the disk', { diskWaitSeconds: 5 }, { diskWaitSeconds: 5.1 }, 'disk'],
  ['pressure of the disk', { diskPressure: 0.2 }, { diskPressure: 0.21 }, 'disk'],
  [
    'a wait that nobody explains',
    { unexplainedWaitSeconds: 5 },
    { unexplainedWaitSeconds: 5.1 },
    'unknown',
  ],
];

for (const [what, below, above, verdict] of bounds) {
  test(`verdict: ${what}, just below and just above its bound`, () => {
    assert.equal(verdictOf({ ...known, ...below }).name, 'quiet');
    assert.equal(verdictOf({ ...known, ...above }).name, verdict);
  });
}

const text = (evidence: Evidence) => verdictOf(evidence).text;
const textOf = (evidence: Evidence) => text({ ...known, ...evidence });

const nameOf = (pageInWaitSeconds: number, sincePageInSeconds: number) =>
  verdictOf({ ...known, hostPageIns: 3, pageInWaitSeconds, sincePageInSeconds }).name;

test('verdict: a page is lost once others came back for a minute after it was asked for', () => {
  assert.equal(nameOf(60, 1), 'page_in_lost');
  assert.equal(nameOf(59.9, 1), 'host_paging');
  // A sleep is seen a second late, and pages are counted once a second.
  assert.equal(nameOf(60, 57), 'page_in_stuck');
  assert.equal(nameOf(60, 56.9), 'page_in_lost');
});

test('verdict: a machine that stood still by steal or a migration is not paged for it', () => {
  const still = { ...known, stallSeconds: 30 };
  assert.equal(verdictOf(still).name, 'kernel_page_in');
  assert.equal(verdictOf({ ...still, stealOfDemand: 0.5 }).name, 'cpu_steal');
  assert.equal(verdictOf({ ...still, restored: true }).name, 'quiet');
  assert.equal(verdictOf({ ...still, restored: false }).name, 'kernel_page_in');
  assert.match(verdictOf({ ...known, softLockup: true }).text, /a CPU was locked up over it\.$/);
  assert.doesNotMatch(verdictOf(still).text, /locked up/);
});

test('verdict: what is not known is said, once, and only where nothing else is wrong', () => {
  assert.equal(verdictOf({}).name, 'unknown');
  assert.match(text({}), /^Whether .*: how much CPU the host takes is not known\.$/);
  assert.match(text({ blind: ['no steal column'] }), /^Whether .*: no steal column\.$/);
  assert.match(
    text({ ...known, blind: ['a', 'b'], unexplainedWaitSeconds: 60 }),
    /: a; b; something has been blocked in the kernel for 60 s and may not be asked why\.$/,
  );
  assert.equal(verdictOf({ blind: ['a'], diskWaitSeconds: 60 }).name, 'disk');
});

test('verdict: numbers in its sentences are those of the evidence', () => {
  assert.match(textOf({ stealOfDemand: 0.256 }), / 26 % of the CPU you ask for/);
  assert.match(
    textOf({ ownCpu: 0.954, stealOfDemand: 0.04 }),
    /: 95 % of it, and the host takes 4 %/,
  );
  assert.match(textOf({ diskPressure: 0.5 }), /for 50 % of the last minute/);
  assert.match(textOf({ hostPageIns: 12 }), /fetched 12 of its pages back in the last minute\.$/);
  assert.match(
    textOf({ hostPageIns: 12, pageInWaitSeconds: 20, sincePageInSeconds: 1 }),
    /fetched 12 of .*, and one has been awaited for 20 s\.$/,
  );
  assert.match(
    textOf({ hostPageIns: 7, pageInWaitSeconds: 120, sincePageInSeconds: 1 }),
    /has not come back for 2 min while 7 others did/,
  );
});
