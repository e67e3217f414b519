/** What the last runs of the lab recorded, and what we claim from it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Outcome } from './figures.ts';
import { readRecorded, unmoved } from './proof.ts';
import { scenarios } from './scenarios.ts';

const outcomes = readRecorded();

function outcomeOf(name: string): Outcome {
  const outcome = outcomes.find((one) => one.name === name);
  assert.ok(outcome !== undefined, `no recording of ${name}`);
  return outcome;
}

function valueOf({ rows }: Outcome, title: string, when: 'before' | 'during' = 'during') {
  const row = rows.find((one) => one.title.includes(title));
  assert.ok(row !== undefined, `no row ${title}`);
  return row[when];
}

/** Seconds from the beginning to the first note that holds this text. */
function noted({ notes, event }: Outcome, text: string): number {
  const note = notes.find((one) => one.text.includes(text));
  assert.ok(note !== undefined, `nothing was noted about ${text}`);
  return note.at - event;
}

/** The answers in the order they came, from the one that held at the beginning on. */
function sequence(verdicts: Outcome['verdicts']): string[] {
  const already = verdicts.findLastIndex(({ afterSeconds }) => afterSeconds <= 0);
  return verdicts.slice(Math.max(0, already)).map(({ name }) => name);
}

function fired({ alerts }: Outcome, ...names: readonly string[]): void {
  const all = alerts.map(({ name }) => name);
  for (const name of names) assert.ok(all.includes(name), `${name} did not fire: ${all.join(' ')}`);
}

/** What the dashboards' rule has to say, and within how many seconds. */
const rightAnswers: Readonly<Record<string, { readonly is: RegExp; readonly within: number }>> = {
  stall: { is: /^memory$/, within: 60 },
  'stall-reset': { is: /^memory$/, within: 60 },
  'stall-rescue': { is: /^memory$/, within: 60 },
  lost: { is: /^memory$/, within: 60 },
  'lost-reset': { is: /^memory$/, within: 60 },
  'slow-disk': { is: /^memory$/, within: 60 },
  shutdown: { is: /^memory$/, within: 60 },
  // Three of the canary's pages have to be found first.
  'no-async-page-faults': { is: /^memory$/, within: 120 },
  steal: { is: /^CPU$/, within: 60 },
  quiet: { is: /^(?:quiet|CPU)$/, within: 60 },
};

const blind = ['iowait', 'procs_blocked', 'major faults', 'memory pressure', 'I/O pressure'];
const quietHere = ['quiet', 'cpu_steal'];

test('proof: every scenario is recorded, and nothing else', () => {
  assert.deepEqual(
    outcomes.map(({ name }) => name).sort(),
    scenarios.map(({ name }) => name).sort(),
  );
});

for (const { name, rows } of outcomes) {
  test(`proof: ${name}: no generic signal of memory or disk moves`, () => {
    assert.deepEqual(
      blind.filter((signal) => !unmoved(rows).includes(signal)),
      [],
    );
  });
}

for (const outcome of outcomes) {
  test(`proof: ${outcome.name}: the dashboards' rule says who it was, and nothing else after that`, () => {
    const right = rightAnswers[outcome.name];
    assert.ok(right !== undefined);
    const { dashboardVerdicts: all } = outcome;
    const already = all.findLastIndex(({ afterSeconds }) => afterSeconds <= 0);
    // Unknown is right while no scrape comes through.
    const said = all.slice(Math.max(0, already)).filter(({ name }) => name !== 'unknown');
    const first = said.findIndex(({ name }) => right.is.test(name));
    assert.ok(Number(said[first]?.afterSeconds) <= right.within, JSON.stringify(all));
    for (const { name } of said.slice(first)) assert.match(name, right.is);
  });
}

test('proof: a page-in that stands still is seen while it lasts, paged for, and called so', () => {
  const stall = outcomeOf('stall');
  assert.ok(Number(valueOf(stall, 'blocked for the host')) > 60);
  const told = stall.verdicts.find(({ name }) => name === 'page_in_stuck')?.afterSeconds ?? NaN;
  assert.ok(told < noted(stall, 'swap reads come back'), 'page_in_stuck was said too late');
  assert.ok(sequence(stall.verdicts).every((one) => /^(host_paging|page_in_stuck)$/.test(one)));
  assert.ok(sequence(stall.dashboardVerdicts).includes('memory'));
  fired(stall, 'RedisFrozen', 'PageInStuck', 'HungTaskDetected');
  assert.ok(stall.client.during.longestSilenceSeconds > 60);
});

test('proof: a lost message is told from a host that stands still once others come back', () => {
  const lost = outcomeOf('lost');
  const told = sequence(lost.verdicts);
  assert.ok(told.indexOf('page_in_stuck') < told.indexOf('page_in_lost'), told.join(' '));
  assert.ok(sequence(lost.dashboardVerdicts).includes('memory'));
  assert.ok(Number(valueOf(lost, 'page-ins by the host')) > 60);
  fired(lost, 'RedisFrozen', 'PageInStuck');
});

test('proof: Redis slept until the watcher wrote, with nobody there, long after the host could read again', () => {
  const lost = outcomeOf('lost');
  noted(lost, 'the host forgot the message: KVM_SET_MSRS returned 1');
  noted(lost, 'still in state D; nobody touches it');
  const released = noted(lost, 'the watcher writes the MSR back; redis-server is in state D');
  assert.ok(released - noted(lost, 'swap reads come back') > 60);
  assert.ok(noted(lost, 'redis-server answers again') - released < 30);
  noted(lost, 'parked threads woke, Redis answers.');
  const ends = lost.verdicts.findLast(({ name }) => name !== 'page_in_lost')?.afterSeconds;
  assert.ok(Number(ends) > released, 'page_in_lost outlasts the release');
});

test('proof: a write while the swap stands still makes nothing worse, and is told as it is', () => {
  const [rescued, stall] = [outcomeOf('stall-rescue'), outcomeOf('stall')];
  noted(rescued, 'the watcher writes the MSR back; redis-server is in state D');
  noted(rescued, 'the watcher says: "The async page fault MSR was written back on vCPU');
  const delay = (one: Outcome) =>
    noted(one, 'redis-server answers again') - noted(one, 'swap reads come back');
  assert.ok(delay(rescued) <= delay(stall) + 5, `${delay(rescued)} s, and ${delay(stall)} s`);
  assert.equal(valueOf(rescued, 'soft lockups'), 0);
  // What the host answers to the write is no page that came back: no message was lost.
  assert.ok(!sequence(rescued.verdicts).includes('page_in_lost'));
});

test('proof: a host that swaps to a slow disk is counted, ticketed and called so', () => {
  const slow = outcomeOf('slow-disk');
  assert.ok(Number(valueOf(slow, 'page-ins by the host')) > 60);
  assert.ok(sequence(slow.verdicts).includes('host_paging'));
  assert.ok(sequence(slow.verdicts).every((one) => one !== 'page_in_lost'));
  assert.ok(sequence(slow.dashboardVerdicts).includes('memory'));
  fired(slow, 'HostPageInThrash');
});

test('proof: without async page faults the canary alone sees it', () => {
  const silent = outcomeOf('no-async-page-faults');
  assert.equal(valueOf(silent, 'page-ins by the host'), null);
  assert.equal(valueOf(silent, 'idle pages found paged out', 'before'), 0);
  assert.ok(Number(valueOf(silent, 'idle pages found paged out')) > 10);
  assert.ok(sequence(silent.verdicts).includes('host_paging_unannounced'));
});

test('proof: an exporter whose canary is stuck ends within seconds, all but that thread', () => {
  const shutdown = outcomeOf('shutdown');
  assert.ok(Number(valueOf(shutdown, 'touch of an idle page waiting')) > 25);
  assert.ok(sequence(shutdown.verdicts).includes('page_in_stuck'));
  const note = shutdown.notes.find(({ text }) => text.includes('the main thread has ended'));
  const [, seconds, left = ''] = /within (\d+) s; left: (.*)/.exec(note?.text ?? '') ?? [];
  assert.ok(Number(seconds) <= 10, note?.text);
  assert.match(left, /\(cold-page\) D/);
  noted(shutdown, 'there is left: nothing');
});

test('proof: neighbours that take the CPU double the share of demand that is denied', () => {
  const steal = outcomeOf('steal');
  const title = 'share of demand stolen';
  assert.ok(Number(valueOf(steal, title)) > 2 * Number(valueOf(steal, title, 'before')));
  assert.equal(valueOf(steal, 'page-ins by the host'), 0);
  assert.ok(sequence(steal.verdicts).every((one) => one === 'cpu_steal'));
  assert.ok(sequence(steal.dashboardVerdicts).includes('CPU'));
});

test('proof: a quiet host is not accused of paging', () => {
  const quiet = outcomeOf('quiet');
  assert.equal(valueOf(quiet, 'page-ins by the host'), 0);
  assert.equal(valueOf(quiet, 'idle pages found paged out'), 0);
  assert.equal(valueOf(quiet, 'blocked for the host'), 0);
  assert.ok(sequence(quiet.verdicts).every((one) => quietHere.includes(one)));
  assert.ok(!sequence(quiet.dashboardVerdicts).includes('memory'));
  assert.deepEqual(quiet.alerts, []);
});
