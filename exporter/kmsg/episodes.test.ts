import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createEpisodes } from './episodes.ts';
import type { HungTaskReport } from './hung-task.ts';

function report(pid: number, atSeconds: number, seconds: number): HungTaskReport {
  return {
    pid,
    comm: 'redis-server',
    tgid: pid,
    seconds,
    microseconds: atSeconds * 1e6,
    inIoWait: false,
    onLock: false,
    frames: [],
    past: false,
  };
}

/** For each report, whether it opened an episode. */
function opened(reports: readonly HungTaskReport[]): boolean[] {
  const episodes = createEpisodes();
  return reports.map((one) => episodes.note(one, 'disk').isNew);
}

test('episodes: elapsed seconds rise while it is one sleep', () => {
  assert.deepEqual(opened([report(1, 500, 122), report(1, 622, 245), report(1, 745.9, 368)]), [
    true,
    false,
    false,
  ]);
});

test('episodes: a kernel that always prints the timeout, round after round', () => {
  assert.deepEqual(opened([report(1, 500, 120), report(1, 620.4, 120), report(1, 741, 120)]), [
    true,
    false,
    false,
  ]);
});

test('episodes: the same pid, blocked anew', () => {
  assert.deepEqual(opened([report(1, 500, 122), report(1, 740, 121)]), [true, true]);
  assert.deepEqual(opened([report(1, 500, 120), report(1, 980, 120)]), [true, true]);
  assert.deepEqual(opened([report(1, 500, 122), report(1, 600, 130)]), [true, true]);
  assert.deepEqual(opened([report(1, 500, 10), report(1, 520, 10)]), [true, true]);
});

test('episodes: other pids at the same time are others', () => {
  assert.deepEqual(opened([report(1, 500, 120), report(2, 500, 120)]), [true, true]);
});

test('episodes: the cause stays that of the first report', () => {
  const episodes = createEpisodes();
  episodes.note(report(1, 500, 122), 'unknown');
  const { episode } = episodes.note(report(1, 622, 244), 'disk');
  assert.equal(episode.cause, 'unknown');
  assert.deepEqual([episode.reports, episode.seconds], [2, 244]);
});

test('episodes: 6,100 tasks blocked for three rounds are 6,100 episodes', () => {
  const rounds = [0, 1, 2].flatMap((round) =>
    Array.from({ length: 6100 }, (_, pid) => report(pid, 500 + round * 120, 120 + round * 120)),
  );
  assert.equal(opened(rounds).filter(Boolean).length, 6100);
});

test('episodes: memory is bounded', () => {
  const episodes = createEpisodes();
  for (let pid = 0; pid < 20_000; pid++) episodes.note(report(pid, 500, 120), 'disk');
  episodes.note(report(11_900, 501, 121), 'disk');
  for (let pid = 20_000; pid < 28_000; pid++) episodes.note(report(pid, 501, 120), 'disk');
  assert.equal(episodes.note(report(11_900, 502, 122), 'disk').isNew, false, 'seen lately');
  assert.equal(episodes.recent().length, 64);
  assert.equal(episodes.recent().at(-1)?.pid, 27_999);
  assert.equal(episodes.note(report(0, 620, 240), 'disk').isNew, true, 'forgotten');
  assert.equal(episodes.note(report(27_999, 621, 240), 'disk').isNew, false, 'remembered');
});
