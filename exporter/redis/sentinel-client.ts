/**
 * A client that follows the master Sentinel speaks of: after a failover the old master may answer
 * on as a replica that nobody writes to, or stay frozen.
 */
import type { RedisAddress, RedisPlace } from './address.ts';
import { createRedisClient, type RedisClient, type RedisClientOptions } from './client.ts';
import { mastersOf, samePlace } from './sentinel.ts';

export function createSentinelClient(
  address: RedisAddress,
  options: RedisClientOptions,
): RedisClient {
  const masters = mastersOf(address);
  let letGo: (() => void) | undefined;
  let current: { readonly place: RedisPlace; readonly client: RedisClient } | undefined;
  let closed = false;

  async function clientOf(place: RedisPlace): Promise<RedisClient> {
    if (current === undefined || !samePlace(current.place, place)) {
      const old = current;
      current = { place, client: createRedisClient({ ...address, ...place }, options) };
      await old?.client.close();
    }
    return current.client;
  }

  return {
    async send(commands, signal, urgency, first) {
      if (closed) throw new Error(`${address.display}: the client is closed`);
      letGo ??= masters.hold();
      const client = await clientOf(masters.place() ?? (await masters.known()));
      return client.send(commands, signal, urgency, first);
    },
    async close() {
      closed = true;
      letGo?.();
      await current?.client.close();
    },
  };
}
