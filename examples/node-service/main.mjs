/**
 * A shop that keeps carts in Redis and hands orders to a worker by BullMQ, and stays on its feet while
 * Redis stands still: short time-outs, a circuit breaker, a health endpoint that says what is true.
 *
 *   node main.mjs [--redis HOST:PORT] [--listen PORT] [--defaults]
 *
 * With --defaults it is the same shop as most are written: what ioredis and BullMQ do by themselves, no
 * breaker, and a health endpoint that does not look at Redis.
 */
import { createServer } from 'node:http';
import { parseArgs } from 'node:util';
import { Queue, Worker } from 'bullmq';
import { Redis } from 'ioredis';
import CircuitBreaker from 'opossum';

const { values } = parseArgs({
  options: {
    redis: { type: 'string', default: '127.0.0.1:6379' },
    listen: { type: 'string', default: '8080' },
    defaults: { type: 'boolean', default: false },
  },
});
const [host, port] = values.redis.split(':');
const place = { host, port: Number(port) };

/** A call that takes longer than this is no use to whoever waits for the page. */
const callMs = 1000;
/** How often Redis is asked whether it is there; also what closes the breaker again. */
const pingMs = 500;
const openForMs = 2000;

const careful = {
  ...place,
  connectTimeout: callMs,
  // Without it a command waits for its answer for ever.
  commandTimeout: callMs,
  maxRetriesPerRequest: 0,
  // Without it what is asked while there is no connection waits in memory until there is one.
  enableOfflineQueue: false,
  retryStrategy: (times) => Math.min(times * 100, callMs),
};

const redis = new Redis(values.defaults ? place : careful);
const orders = new Queue('orders', { connection: values.defaults ? place : careful });
/** The worker may wait as long as it likes: nobody waits for it. BullMQ asks for the null. */
const worker = new Worker('orders', async () => undefined, {
  connection: { ...place, maxRetriesPerRequest: null },
});
for (const emitter of [redis, orders, worker]) {
  emitter.on('error', (error) => console.error(`redis: ${error.message}`));
}

/** One for all calls to one Redis: it is the same Redis for each of them. */
const breaker = new CircuitBreaker((call) => call(), {
  timeout: callMs,
  resetTimeout: openForMs,
  errorThresholdPercentage: 50,
  volumeThreshold: 3,
  rollingCountTimeout: 5000,
  // A key of another type is wrong with that key; Redis has answered.
  errorFilter: (error) => error.message.startsWith('WRONGTYPE'),
});
const guarded = values.defaults ? (call) => call() : (call) => breaker.fire(call);

/** Never yet: not even while this process is younger than a call may take. */
let lastAnswer = -Infinity;
async function watch() {
  try {
    await guarded(() => redis.ping());
    lastAnswer = performance.now();
  } catch {
    // The breaker has counted it, and health says it.
  }
}
/** One that is not back yet is not asked again: the breaker gives each of them its second. */
let asking;
if (!values.defaults) {
  setInterval(() => {
    asking ??= watch().finally(() => {
      asking = undefined;
    });
  }, pingMs);
}

/** From memory: a check that waits for Redis piles up beside it. */
function isHealthy() {
  if (values.defaults) return true;
  return !breaker.opened && performance.now() - lastAnswer < callMs + pingMs;
}

const routes = {
  'GET /health': async () => (isHealthy() ? [200, 'ok'] : [503, 'Redis does not answer']),
  'GET /cart': async () => [200, (await guarded(() => redis.get('cart:1'))) ?? '[]'],
  // Where this fails, a real shop writes the order into an outbox table of its database.
  'POST /orders': async () => [202, (await guarded(() => orders.add('send', {}))).id],
};

async function answer({ method, url }) {
  const route = routes[`${method} ${url}`];
  if (route === undefined) return [404, 'no such page'];
  try {
    return await route();
  } catch (error) {
    return [503, error.message];
  }
}

const server = createServer((request, response) => {
  void answer(request).then(([status, text]) => {
    response.writeHead(status, status === 503 ? { 'Retry-After': '5' } : {}).end(`${text}\n`);
  });
});
server.listen(Number(values.listen), '127.0.0.1', () => console.log('listening'));
