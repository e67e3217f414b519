/** What the follower of the web configuration does on a disk that stands still. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { manualClock } from '../../measure/clock.ts';
import { until } from '../../../tools/rig/redis-server.ts';
import { followWebConfig } from './follow.ts';

const configured = (digit: string) => Buffer.from(`bearer_tokens: {w: "${digit.repeat(64)}"}`);

test('web configuration: while one look waits for the disk none joins it, and it is told', async () => {
  const clock = manualClock();
  let content = configured('a');
  let reads = 0;
  let disk = Promise.resolve();
  const followed = await followWebConfig('/web.yml', clock, async () => {
    reads++;
    await disk;
    return content;
  });
  let changes = 0;
  const failures: string[] = [];
  const following = followed.follow(
    () => changes++,
    ({ message }) => failures.push(message),
  );
  const standing = Promise.withResolvers<void>();
  disk = standing.promise;
  reads = 0;
  for (let i = 0; i < 6; i++) clock.advance(10);
  await new Promise((resolve) => setTimeout(resolve, 10));
  assert.equal(reads, 1, 'six periods, one read');
  assert.deepEqual(failures, ['/web.yml: cannot be read, a read does not end'], 'told once');

  standing.resolve();
  await until('what was said is taken back', () => changes === 1);
  clock.advance(10);
  await until('the next period reads again', () => reads > 2);
  await new Promise((resolve) => setTimeout(resolve, 10));
  assert.equal(changes, 1, 'nothing is new');
  content = configured('b');
  clock.advance(10);
  await until('what is new is read', () => changes === 2);
  following.stop();
  content = configured('c');
  clock.advance(30);
  await new Promise((resolve) => setTimeout(resolve, 10));
  assert.deepEqual([changes, failures.length], [2, 1]);
});
