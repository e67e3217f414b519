/** What the follower of the web configuration does on a disk that stands still. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import {
  closeSync,
  constants,
  mkdtempSync,
  openSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { manualClock } from '../clock.ts';
import { until } from '../testing/redis-server.ts';
import { followWebConfig } from './follow.ts';

/** Succeeds once somebody waits to read from the pipe. */
function openedForWriting(pipe: string): number | undefined {
  try {
    return openSync(pipe, constants.O_WRONLY | constants.O_NONBLOCK);
  } catch {
    return undefined;
  }
}

test('web configuration: while one look waits for the disk, none joins it', async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'stealwatch-web-'));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  const file = join(directory, 'web.yml');
  const pipe = join(directory, 'pipe');
  writeFileSync(file, '{}');
  const clock = manualClock();
  const followed = await followWebConfig(file, clock);
  let looks = 0;
  const end = followed.follow(
    () => (looks += 1),
    () => (looks += 1),
  );
  t.after(end);

  // To open a pipe that nobody writes to takes as long as it takes a dead disk.
  assert.equal(spawnSync('mkfifo', [pipe]).status, 0);
  renameSync(pipe, file);
  clock.advance(10);
  clock.advance(10);
  clock.advance(10);
  let writer: number | undefined;
  await until('a look waits', () => (writer = openedForWriting(file)) !== undefined);
  // From here on every look that waited goes on, and finds the file changed.
  renameSync(file, pipe);
  writeFileSync(file, '{bearer_tokens: {}}');
  closeSync(Number(writer));
  await until('the look has ended', () => looks > 0);
  await new Promise((resolve) => setTimeout(resolve, 50));
  assert.equal(looks, 1, 'three periods, one look');

  writeFileSync(file, '{}');
  clock.advance(10);
  await until('the next period looks again', () => looks === 2);
});
