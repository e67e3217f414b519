/** The servers a test is run against: the one on the PATH, and those of tools/fetch-servers.ts. */
import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

export const serverNames = ['redis-server', 'redis-8', 'valkey-8', 'valkey-9'] as const;
export type ServerName = (typeof serverNames)[number];

/** Where fetched servers are kept, outside the repository. */
export function serverDirectory(): string {
  const cache = process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache');
  return process.env['STEALWATCH_TEST_SERVERS'] ?? join(cache, 'stealwatch', 'servers');
}

/** The program to start, or undefined where it was not fetched. */
export function serverProgram(name: ServerName): string | undefined {
  if (name === 'redis-server') return name;
  const program = join(serverDirectory(), name);
  return existsSync(program) ? program : undefined;
}

export const fetchServersAdvice = 'npm run fetch-servers brings it';
