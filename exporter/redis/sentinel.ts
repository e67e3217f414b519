/**
 * Finds the master that Sentinel speaks of, and a client that follows it: after a failover the
 * old master may answer on as a replica that nobody writes to, or stay frozen.
 */
import type { RedisAddress, RedisPlace } from './address.ts';
import { createRedisClient, type RedisClient, type RedisClientOptions } from './client.ts';

const sentinelTimeoutMs = 500;
/** How often it is asked whether the master is still the master. */
export const followMs = 5000;

/** Asks each Sentinel in turn. Passwords are Redis's, not theirs: Sentinels are asked without. */
export async function findMaster(address: RedisAddress, signal: AbortSignal): Promise<RedisPlace> {
  const { places, master } = address.sentinel ?? { places: [], master: '' };
  let failure: unknown = new Error(`${address.display}: no Sentinel to ask`);
  for (const place of places) {
    const { tls } = address;
    const display = `sentinel ${place.host}:${place.port}`;
    const client = createRedisClient(
      { tls, ...place, db: 0, display },
      { timeoutMs: sentinelTimeoutMs },
    );
    try {
      const [reply] = await client.send([['SENTINEL', 'GET-MASTER-ADDR-BY-NAME', master]], signal);
      const [host, port]: unknown[] = Array.isArray(reply) ? reply : [];
      if (typeof host === 'string' && typeof port === 'string') return { host, port: Number(port) };
      failure = reply instanceof Error ? reply : new Error(`${display}: knows no master ${master}`);
    } catch (error) {
      failure = error;
    } finally {
      await client.close();
    }
  }
  throw failure;
}

export function createSentinelClient(
  address: RedisAddress,
  options: RedisClientOptions,
): RedisClient {
  let current: { readonly place: RedisPlace; readonly client: RedisClient } | undefined;
  let askedAt = -Infinity;
  let asking: Promise<void> | undefined;
  let closed = false;

  async function follow(signal: AbortSignal): Promise<void> {
    try {
      const place = await findMaster(address, signal);
      askedAt = performance.now();
      if (current?.place.host === place.host && current.place.port === place.port) return;
      await current?.client.close();
      current = { place, client: createRedisClient({ ...address, ...place }, options) };
    } finally {
      asking = undefined;
    }
  }

  return {
    async send(commands, signal) {
      if (closed) throw new Error(`${address.display}: the client is closed`);
      if (performance.now() - askedAt > followMs) {
        asking ??= follow(signal);
        try {
          await asking;
        } catch (error) {
          // With the Sentinels gone the master of before is still the best guess.
          if (current === undefined) throw error;
        }
      }
      if (current === undefined) throw new Error(`${address.display}: no master is known`);
      try {
        return await current.client.send(commands, signal);
      } catch (error) {
        askedAt = -Infinity;
        throw error;
      }
    },
    async close() {
      closed = true;
      await current?.client.close();
    },
  };
}
