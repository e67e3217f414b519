import assert from 'node:assert/strict';
import { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import { test } from 'node:test';
import { until } from './testing/redis-server.ts';
import { createTurns } from './turns.ts';

function ask(turn: ReturnType<typeof createTurns>) {
  const response = new ServerResponse(new IncomingMessage(new Socket()));
  const client = { response, given: false };
  void turn(response).then(() => (client.given = true));
  return client;
}

const turnOfTheLoop = () => new Promise((resolve) => setImmediate(resolve));

test('turns: so many at once, the others in the order in which they came, and who has gone not at all', async () => {
  const turn = createTurns({ atOnce: 2, seconds: 60 });
  const clients = Array.from({ length: 5 }, () => ask(turn));
  await turnOfTheLoop();
  const given = () => clients.map((client) => client.given);
  assert.deepEqual(given(), [true, true, false, false, false]);
  clients[2]?.response.destroy();
  clients[0]?.response.destroy();
  await turnOfTheLoop();
  assert.deepEqual(
    given(),
    [true, true, true, true, false],
    'the third is let go, the fourth has a turn',
  );
  clients[1]?.response.destroy();
  await turnOfTheLoop();
  assert.equal(clients[4]?.given, true);
  clients[3]?.response.destroy();
  clients[4]?.response.destroy();
});

test('turns: a client that does not read loses its turn once others wait', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const turn = createTurns({ atOnce: 1, seconds: 5 });
  const deaf = ask(turn);
  await turnOfTheLoop();
  t.mock.timers.tick(5000);
  assert.equal(deaf.response.destroyed, false, 'nobody waits');
  const next = ask(turn);
  t.mock.timers.tick(5000);
  assert.equal(deaf.response.destroyed, true);
  t.mock.timers.reset();
  await until('the next has its turn', () => next.given);
  next.response.destroy();
});
