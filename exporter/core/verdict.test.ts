import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Evidence } from './evidence.ts';
import { verdictOf, verdicts } from './verdict.ts';

const quiet: Evidence = {
  hostPageIns: 0,
  pageInWaitSeconds: 0,
  diskWaitSeconds: 0,
  unexplainedWaitSeconds: 0,
  stallSeconds: 0,
  softLockup: false,
  restored: false,
  stealOfDemand: 0.01,
  ownCpu: 0.2,
  diskPressure: 0,
};
const noticed: Evidence = { ...quiet, stealOfDemand: 0.4, ownCpu: 0.95, diskWaitSeconds: 30 };
const { hostPageIns: _, ...unannounced } = quiet;

/** What is known, the word for it, and what the sentence has to say. */
const cases: readonly (readonly [string, Evidence, string, RegExp])[] = [
  ['nothing', quiet, 'quiet', /quiet: .* no memory that shows\.$/],
  ['a page-in that stands still', { ...noticed, pageInWaitSeconds: 41 }, 'page_in_stuck', /41 s/],
  [
    'a canary that stands still',
    { ...unannounced, coldPageIns: 0, coldPageWaitSeconds: 300 },
    'page_in_stuck',
    /5 min/,
  ],
  [
    'one page-in stands still, others complete',
    { ...noticed, pageInWaitSeconds: 300, hostPageIns: 12 },
    'page_in_lost',
    /12 others.*lost the message/,
  ],
  [
    'one page-in is late, and it may be among those that complete',
    { ...noticed, pageInWaitSeconds: 20, hostPageIns: 12 },
    'host_paging',
    /12 of its pages.*20 s/,
  ],
  [
    'a page-in that stands still, after others came back',
    { ...noticed, pageInWaitSeconds: 41, hostPageIns: 90, sincePageInSeconds: 42 },
    'page_in_stuck',
    /41 s, and no page has come back since/,
  ],
  ['many page-ins', { ...noticed, hostPageIns: 6 }, 'host_paging', /6 of its pages/],
  [
    'a page-in now and then',
    { ...quiet, hostPageIns: 5 },
    'quiet',
    /quiet: .* next to no memory\.$/,
  ],
  [
    'the canary alone',
    { ...unannounced, coldPageIns: 7, coldPageWaitSeconds: 0 },
    'host_paging_unannounced',
    /does not tell/,
  ],
  [
    'the canary, and a few page-ins told',
    { ...quiet, coldPageIns: 7, hostPageIns: 2 },
    'host_paging',
    /idle pages first/,
  ],
  ['a standstill without steal', { ...quiet, stallSeconds: 29 }, 'kernel_page_in', /no steal/],
  ['a soft lockup without steal', { ...quiet, softLockup: true }, 'kernel_page_in', /locked up/],
  [
    'a standstill by steal',
    { ...quiet, stallSeconds: 29, stealOfDemand: 0.9 },
    'cpu_steal',
    /90 %/,
  ],
  ['a standstill by migration', { ...quiet, stallSeconds: 29, restored: true }, 'quiet', /quiet/],
  ['steal', noticed, 'cpu_steal', /takes 40 % of the CPU you ask for/],
  ['a disk that does not answer', { ...quiet, diskWaitSeconds: 30 }, 'disk', /for 30 s/],
  [
    'a file system that does not answer',
    { ...quiet, filesystemWaitSeconds: 30, diskWaitSeconds: 9 },
    'disk',
    /^A file system does not answer: .* for 30 s/,
  ],
  [
    'a page-in that stands still, others came back a while after it began',
    { ...noticed, pageInWaitSeconds: 300, hostPageIns: 0, sincePageInSeconds: 70 },
    'page_in_lost',
    /while others did, the last 70 s ago/,
  ],
  [
    'a standstill where steal is not known',
    { stallSeconds: 29 },
    'kernel_page_in',
    /how much CPU the host took is not known/,
  ],
  ['a slow disk', { ...quiet, diskPressure: 0.5, ownCpu: 0.95 }, 'disk', /50 %/],
  ['own load', { ...quiet, ownCpu: 0.96 }, 'own_load', /your own CPU up: 96 %/],
  ['no steal column', { ...quiet, blind: ['no steal column'] }, 'unknown', /no steal column/],
  [
    'a sleep that may not be explained',
    { ...quiet, unexplainedWaitSeconds: 41 },
    'unknown',
    /41 s and may not be asked why/,
  ],
  ['no evidence at all', {}, 'unknown', /not known/],
  ['the first second', { starting: true }, 'unknown', /known a second after the start/],
  ['a start in blindness', { starting: true, blind: ['no /proc'] }, 'unknown', /told: no \/proc/],
];
for (const [what, evidence, name, text] of cases) {
  test(`verdict: ${what} is ${name}`, () => {
    const verdict = verdictOf(evidence);
    assert.equal(verdict.name, name);
    assert.match(verdict.text, text);
  });
}

/** Word for word: none may say more than was read. */
const sentences: readonly (readonly [Evidence, string])[] = [
  [
    { ...unannounced, coldPageWaitSeconds: 300 },
    'Your host has paged out memory of this machine and does not bring it back: waiting for 5 min.',
  ],
  [
    { ...quiet, pageInWaitSeconds: 41, sincePageInSeconds: Infinity },
    'Your host has paged out memory of this machine and does not bring it back: waiting for 41 s, and no page has come back since.',
  ],
  [
    { ...quiet, pageInWaitSeconds: 300, hostPageIns: 1, sincePageInSeconds: 8 },
    "Your host pages this machine's memory, and one page has not come back for 5 min while 1 other did in the last minute: the host has probably lost the message that it is there.",
  ],
  [
    { ...quiet, pageInWaitSeconds: 300, hostPageIns: 0, sincePageInSeconds: 70 },
    "Your host pages this machine's memory, and one page has not come back for 5 min while others did, the last 70 s ago: the host has probably lost the message that it is there.",
  ],
  [
    { ...quiet, pageInWaitSeconds: 20, hostPageIns: 12 },
    "Your host pages this machine's memory: it fetched 12 of its pages back in the last minute, and one has been awaited for 20 s.",
  ],
  [
    { ...quiet, stallSeconds: 29 },
    'This machine stood still and the host booked next to no steal: it probably paged out memory that the kernel needed.',
  ],
  [
    { softLockup: true },
    'This machine stood still and how much CPU the host took is not known: it probably paged out memory that the kernel needed, and a CPU was locked up over it.',
  ],
  [noticed, 'Your host takes 40 % of the CPU you ask for.'],
  [
    { ...quiet, diskWaitSeconds: 30 },
    'The disk is the bottleneck: something has been waiting for it for 30 s.',
  ],
  [
    { ...quiet, diskWaitSeconds: 30, filesystemWaitSeconds: 32 },
    'The disk is the bottleneck: something has been waiting for it for 30 s.',
  ],
  [
    { ...quiet, filesystemWaitSeconds: 30 },
    'A file system does not answer: something has been waiting for it for 30 s. It is frozen, or its disk, its journal or its server is slow.',
  ],
  [
    { ...quiet, diskPressure: 0.5 },
    'The disk is the bottleneck: for 50 % of the last minute everything waited for it.',
  ],
  [
    { ...quiet, ownCpu: 0.96 },
    'You are using your own CPU up: 96 % of it, and the host takes 1 % of what you ask for.',
  ],
  [{ ownCpu: 0.96 }, 'You are using your own CPU up: 96 % of it.'],
  [
    { ...quiet, blind: ['/proc/stat is not there'], unexplainedWaitSeconds: 41 },
    'Whether your host is to blame cannot be told: /proc/stat is not there; something has been blocked in the kernel for 41 s and may not be asked why.',
  ],
  [{}, 'Whether your host is to blame cannot be told: how much CPU the host takes is not known.'],
  [quiet, 'Your host is quiet: it takes no CPU to speak of, and no memory that shows.'],
];

test('verdict: word for word', () => {
  for (const [evidence, text] of sentences) assert.equal(verdictOf(evidence).text, text);
});

test('verdict: every word has a case, and every sentence is one', () => {
  assert.deepEqual(new Set(cases.map(([, , name]) => name)), new Set(verdicts));
  for (const [, evidence] of cases) assert.match(verdictOf(evidence).text, /^[A-Z].*[a-z0-9%]\.$/);
});

test('verdict: blaming the host for its memory never depends on own load or disk', () => {
  const ratio = fc.double({ min: 0, max: 1, noNaN: true });
  fc.assert(
    fc.property(ratio, ratio, fc.nat({ max: 1000 }), (ownCpu, diskPressure, diskWaitSeconds) => {
      const noise = { ownCpu, diskPressure, diskWaitSeconds };
      assert.equal(verdictOf({ ...quiet, ...noise, pageInWaitSeconds: 41 }).name, 'page_in_stuck');
      assert.equal(verdictOf({ ...quiet, ...noise, stealOfDemand: 0.3 }).name, 'cpu_steal');
    }),
  );
});
