/** Names (comm) under which Redis and the servers that speak its protocol run. */
const processNames = new Set(['redis-server', 'valkey-server', 'keydb-server', 'dragonfly']);

export function isRedisProcess(comm: string): boolean {
  return processNames.has(comm);
}
