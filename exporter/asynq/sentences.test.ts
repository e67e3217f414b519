/** What a person reads of the queues, word by word, from a real Redis. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fillArchive } from '../../tools/rig/asynq-faults.ts';
import { asynqRig, type Rig } from '../../tools/rig/asynq-rig.ts';
import { asynqSimulator, fakeServer } from '../../tools/rig/asynq-simulator.ts';

/** An application whose tasks were enqueued so long ago. */
const earlier = ({ redis }: Rig, seconds: number) =>
  asynqSimulator(redis, { now: () => Date.now() / 1000 - seconds });

async function sentences({ scrape, collector }: Rig): Promise<string[]> {
  await scrape();
  return (collector.report?.().findings ?? []).map(({ severity, text }) => `${severity}: ${text}`);
}

async function checked({ scrape, collector }: Rig): Promise<string> {
  await scrape();
  const [check] = collector.report?.().checks ?? [];
  return `${check?.ok} ${check?.state}: ${check?.reason}`;
}

test('sentences: no Asynq', async (t) => {
  const rig = await asynqRig(t);
  assert.equal(await checked(rig), 'true none: there is no Asynq in this Redis');
  assert.deepEqual(await sentences(rig), []);
});

test('sentences: one queue, two, one that nobody serves, and another', async (t) => {
  const rig = await asynqRig(t);
  const app = asynqSimulator(rig.redis);
  await app.heartbeat(fakeServer(['a', 'b']));
  await app.enqueue('a');
  assert.equal(await checked(rig), 'true up: 1 queue read');
  assert.deepEqual(await sentences(rig), ['good: 1 Asynq queue, 1 task waiting.']);
  await app.enqueue('b');
  assert.equal(await checked(rig), 'true up: 2 queues read');
  assert.deepEqual(await sentences(rig), ['good: 2 Asynq queues, 2 tasks waiting.']);
  await app.enqueue('c');
  assert.equal(
    await checked(rig),
    'false unserved: tasks wait in 1 queue that no live server serves',
  );
  await app.enqueue('d');
  assert.equal(
    await checked(rig),
    'false unserved: tasks wait in 2 queues that no live server serves',
  );
});

test('sentences: how long a task has waited, in the unit of people', async (t) => {
  const rig = await asynqRig(t);
  for (const [queue, seconds] of [
    ['seconds', 90],
    ['minutes', 300],
    ['hours', 3 * 3600],
    ['days', 4 * 86_400],
  ] as const) {
    await earlier(rig, seconds).enqueue(queue);
  }
  const because = 'no server is running.';
  assert.deepEqual(
    (await sentences(rig)).map((text) => text.replace(/9\d s/, '90 s')),
    [
      `bad: days: 1 task waiting, the oldest for 4 d; ${because}`,
      `bad: hours: 1 task waiting, the oldest for 3 h; ${because}`,
      `bad: minutes: 1 task waiting, the oldest for 5 min; ${because}`,
      `bad: seconds: 1 task waiting, the oldest for 90 s; ${because}`,
    ],
  );
});

test('sentences: why it waits: paused, busy, served by others', async (t) => {
  const rig = await asynqRig(t);
  const app = earlier(rig, 600);
  for (const queue of ['paused', 'busy', 'other']) await app.enqueue(queue);
  await app.pause('paused');
  await asynqSimulator(rig.redis).heartbeat(fakeServer(['busy'], { concurrency: 1 }));
  assert.deepEqual((await sentences(rig)).sort(), [
    'bad: busy: 1 task waiting, the oldest for 10 min; 0 of 1 worker at work on it.',
    'bad: other: 1 task waiting, the oldest for 10 min; no running server takes tasks from this queue.',
    'warning: paused: 1 task waiting, the oldest for 10 min; the queue is paused.',
  ]);
});

test('sentences: the worst five, then how many more, and names that are no words', async (t) => {
  const rig = await asynqRig(t);
  for (let i = 1; i <= 7; i += 1) await earlier(rig, i * 600).enqueue(`q${i}`);
  const all = await sentences(rig);
  assert.deepEqual(
    all.slice(0, 5).map((text) => text.slice(0, 8)),
    ['bad: q7:', 'bad: q6:', 'bad: q5:', 'bad: q4:', 'bad: q3:'],
  );
  assert.deepEqual(all.slice(5), ['bad: 2 more problems with Asynq queues.']);
  await earlier(rig, 86_400 * 3).enqueue('two words');
  assert.match((await sentences(rig))[0] ?? '', /^bad: "two words": /);
  await earlier(rig, 86_400 * 4).enqueue('x'.repeat(61));
  assert.match((await sentences(rig))[0] ?? '', new RegExp(`^bad: "${'x'.repeat(60)}…": `));
});

test('sentences: an archive that is nearly full is told, one below is not', async (t) => {
  const rig = await asynqRig(t);
  const app = asynqSimulator(rig.redis);
  await app.heartbeat(fakeServer(['a']));
  await app.enqueue('a');
  await fillArchive(rig.redis, 'a', 9899);
  assert.deepEqual(await sentences(rig), ['good: 1 Asynq queue, 1 task waiting.']);
  await fillArchive(rig.redis, 'a', 1);
  assert.deepEqual(await sentences(rig), [
    'warning: a: the archive is full at 9,900 tasks; older ones are being thrown away.',
  ]);
});

test('sentences: tasks late by a minute are told, and by how much', async (t) => {
  const rig = await asynqRig(t);
  const app = asynqSimulator(rig.redis);
  await app.heartbeat(fakeServer(['a']));
  await app.schedule('a', -50);
  assert.deepEqual(await sentences(rig), ['good: 1 Asynq queue, 0 tasks waiting.']);
  await app.schedule('a', -600);
  assert.deepEqual(await sentences(rig), [
    'warning: a: scheduled or to-be-retried tasks are 10 min late; no running server forwards them.',
  ]);
});
