/** The blocks of the runbooks, and how their lines are typed beside a Redis of a test. */
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { launcher } from '../rig/exporter-process.ts';
import type { RedisServer } from '../rig/redis-server.ts';
import { type Block, blocksOf } from './blocks.ts';

export const runbooks = join(import.meta.dirname, '../../docs/runbooks');

export const blocks = readdirSync(runbooks)
  .filter((name) => name.endsWith('.md'))
  .flatMap((name) => blocksOf(name, readFileSync(join(runbooks, name), 'utf8')));

export const nameOf = ({ document }: Block) => document.replace('.md', '');
export const firstOf = (name: string) => blocks.find((block) => nameOf(block) === name);
/** What is typed first, of each. */
export const firsts = [...new Set(blocks.map(nameOf))].flatMap((name) => firstOf(name) ?? []);

export interface Places {
  readonly redis: RedisServer;
  readonly exporter: number;
  readonly prometheus: string;
  readonly alertmanager: string;
  readonly application: string;
}

/** What stands in a runbook for what its reader has. */
export function filledIn(text: string, { redis, exporter, ...places }: Places): string {
  const { host: prometheus } = new URL(places.prometheus);
  const { host: alertmanager } = new URL(places.alertmanager);
  return text
    .replaceAll('-h HOST -p PORT', `-h 127.0.0.1 -p ${redis.port}`)
    .replaceAll(/(?:HOST|127\.0\.0\.1):10190/g, `127.0.0.1:${exporter}`)
    .replaceAll('/opt/stealwatch/exporter/stealwatch', launcher)
    .replaceAll('localhost:9090', prometheus)
    .replaceAll('localhost:9093', alertmanager)
    .replaceAll(/\b(?:APP_HEALTH_URL|URL_OF_THE_PROBE)\b/g, places.application)
    .replaceAll(/\b(?:MONITORING-)?HOST\b/g, '127.0.0.1')
    .replaceAll('QUEUE', 'default')
    .replaceAll(/\bPID\b/g, String(redis.pid));
}

/** As on a machine whose Redis is at the usual port, and whose login by ssh works. */
export const programsBeside = ({ port }: RedisServer) => ({
  'redis-cli': `exec ${execFileSync('which', ['redis-cli'], { encoding: 'utf8' }).trim()} -p ${port} "$@"`,
  sudo: 'exec "$@"',
  ssh: 'shift; exec sh -c "$*"',
  stealwatch: `exec ${launcher} "$@"`,
});
