/** The client that fits the address: one server, the master Sentinel names, or a cluster. */
import type { RedisAddress } from './address.ts';
import { createRedisClient, type RedisClient, type RedisClientOptions } from './client.ts';
import { createClusterClient } from './cluster.ts';
import { createSentinelClient } from './sentinel-client.ts';

export function openRedis(address: RedisAddress, options: RedisClientOptions = {}): RedisClient {
  if (address.cluster !== undefined) return createClusterClient(address, options);
  if (address.sentinel !== undefined) return createSentinelClient(address, options);
  return createRedisClient(address, options);
}
