/** What the last run of the lab recorded, and what we claim from it. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import type { Outcome } from './figures.ts';
import { proofOf, readRecorded, unmoved } from './proof.ts';

const outcomes = readRecorded();

function outcomeOf(name: string): Outcome {
  const outcome = outcomes.find((one) => one.name === name);
  assert.ok(outcome !== undefined, `no recording of ${name}`);
  return outcome;
}

function during({ rows }: Outcome, title: string): number | null {
  const row = rows.find((one) => one.title.includes(title));
  assert.ok(row !== undefined, `no row ${title}`);
  return row.during;
}

/** Seconds from the beginning to the first note that holds this text. */
function noted({ notes, event }: Outcome, text: string): number {
  const note = notes.find((one) => one.text.includes(text));
  assert.ok(note !== undefined, `nothing was noted about ${text}`);
  return note.at - event;
}

const words = (verdicts: Outcome['verdicts']) => verdicts.map(({ name }) => name);
const blind = ['iowait', 'procs_blocked', 'major faults', 'memory pressure', 'I/O pressure'];

test('proof: docs/proof.md is what the recordings say', () => {
  const document = readFileSync(new URL('../../docs/proof.md', import.meta.url), 'utf8');
  assert.equal(document, proofOf(outcomes));
});

for (const { name, rows } of outcomes) {
  test(`proof: ${name}: no generic signal of memory or disk moves`, () => {
    assert.deepEqual(
      blind.filter((signal) => !unmoved(rows).includes(signal)),
      [],
    );
  });
}

test('proof: a page-in that stands still is seen while it lasts, paged for, and called so', () => {
  const stall = outcomeOf('stall');
  assert.ok(Number(during(stall, 'blocked for the host')) > 60);
  assert.ok(words(stall.verdicts).includes('page_in_stuck'));
  assert.ok(words(stall.dashboardVerdicts).includes('memory'));
  const fired = stall.alerts.map(({ name }) => name);
  for (const alert of ['RedisFrozen', 'PageInStuck', 'HungTaskDetected']) {
    assert.ok(fired.includes(alert), `${alert} did not fire: ${fired.join(' ')}`);
  }
  assert.ok(stall.client.during.longestSilenceSeconds > 60);
});

test('proof: a lost message is told from a host that stands still once others come back', () => {
  const lost = outcomeOf('lost');
  const told = words(lost.verdicts);
  assert.ok(told.indexOf('page_in_stuck') < told.indexOf('page_in_lost'), told.join(' '));
  assert.ok(Number(during(lost, 'page-ins by the host')) > 60);
});

test('proof: Redis slept until the MSR was written, long after the host could read again', () => {
  const lost = outcomeOf('lost');
  noted(lost, 'the host forgot the message: KVM_SET_MSRS returned 1');
  const released = noted(lost, 'still in state D; the MSR is written again');
  assert.ok(released - noted(lost, 'swap reads come back') > 60);
  assert.ok(noted(lost, 'redis-server answers again') - released < 15);
  const ends = lost.verdicts.findLast(({ name }) => name !== 'page_in_lost')?.afterSeconds;
  assert.ok(Number(ends) > released, 'page_in_lost outlasts the release');
});

test('proof: a host that swaps to a slow disk is counted', (t) => {
  const slow = outcomes.find(({ name }) => name === 'slow-disk');
  if (slow === undefined) {
    t.skip('not in this recording: npm run lab -- slow-disk');
    return;
  }
  assert.ok(Number(during(slow, 'page-ins by the host')) > 60);
  assert.ok(words(slow.verdicts).includes('host_paging'));
});

test('proof: without async page faults the canary alone sees it', (t) => {
  const silent = outcomes.find(({ name }) => name === 'no-async-page-faults');
  if (silent === undefined) {
    t.skip('not in this recording: npm run lab -- no-async-page-faults');
    return;
  }
  assert.equal(during(silent, 'page-ins by the host'), null);
  assert.ok(Number(during(silent, 'idle pages found paged out')) > 10);
  assert.ok(words(silent.verdicts).includes('host_paging_unannounced'));
});

test('proof: neighbours that take the CPU double the share of demand that is denied', () => {
  const steal = outcomeOf('steal');
  const row = steal.rows.find(({ title }) => title.includes('share of demand stolen'));
  assert.ok(Number(row?.during) > 2 * Number(row?.before));
  assert.equal(during(steal, 'page-ins by the host'), 0);
  assert.ok(words(steal.verdicts).every((word) => word === 'cpu_steal'));
});

test('proof: a quiet host is not accused of paging', () => {
  const quiet = outcomeOf('quiet');
  assert.equal(during(quiet, 'page-ins by the host'), 0);
  assert.equal(during(quiet, 'blocked for the host'), 0);
  assert.ok(words(quiet.verdicts).every((word) => ['quiet', 'cpu_steal'].includes(word)));
  assert.deepEqual(quiet.alerts, []);
});
