/**
 * Every collector of the exporter, in one explicit array: the order is the order of `/metrics`.
 * CONTRIBUTING.md says how one is added.
 */
import type { Collector } from '../core/collector.ts';
import type { Config } from '../config/read.ts';
import { keepingSeries } from '../core/kept.ts';
import type { RedisClient } from '../redis/client.ts';
import { type Answers, watchAnswers } from '../redis/answers.ts';
import { openRedis } from '../redis/open.ts';
import { createRedisProbe, type RedisProbe } from '../redis/probe.ts';
import { appHealthCollector } from './app-health.ts';
import { blockedTasksCollector } from './blocked-tasks.ts';
import { asyncPageFaultsCollector } from './async-page-faults.ts';
import { cpuCollector } from './cpu.ts';
import type { Dependencies } from './dependencies.ts';
import { diskCollector } from './disk.ts';
import { asynqCollector } from './asynq.ts';
import { coldPageCollector } from './cold-page.ts';
import { evidenceCollector } from './evidence.ts';
import { exporterCollector } from './exporter.ts';
import { heartbeatCollector } from './heartbeat.ts';
import { hostInfoCollector } from './host-info.ts';
import { hungTaskDetectorCollector } from './hung-task-detector.ts';
import { hungTasksCollector } from './hung-tasks.ts';
import { loadCollector } from './load.ts';
import { memoryCollector } from './memory.ts';
import { pressureCollector } from './pressure.ts';
import { redisInfoCollector } from './redis-info.ts';
import { redisProbeCollector } from './redis-probe.ts';
import { redisProcessCollector } from './redis-process.ts';
import { rescueCollector } from './rescue.ts';
import { stallCollector } from './stall.ts';
import { stealCollector } from './steal.ts';

/** What every factory is given: the probe of Redis is one, for all that ask Redis. */
interface Shared extends Dependencies {
  readonly redis: RedisProbe;
  /** One connection for all that ask Redis more than a PING. Gives Buffers. */
  readonly client: RedisClient & Answers;
  /** Redis's pid as INFO has it: in Redis's own pid namespace. */
  readonly processIdHint: () => number | undefined;
  readonly noteProcessId: (pid: number | undefined) => void;
}

type Factory = (shared: Shared) => Collector;

/** Keeps the probe running for as long as the collector is open. */
function watchingRedis(factory: Factory): Factory {
  return (shared) => {
    const collector = factory(shared);
    if (shared.config.redis.absent !== undefined) return collector;
    const letGo = shared.redis.hold();
    return {
      ...collector,
      async close() {
        letGo();
        await collector.close?.();
      },
    };
  };
}

/** No series of a source on this machine goes away once it was there. */
const kept =
  (factory: Factory): Factory =>
  (shared) =>
    keepingSeries(factory(shared));

/** What they read is Redis. */
const ofRedis = ['redis-probe', 'redis-info', 'redis-process', 'asynq'];

/** Collectors that have nothing to do unless they are configured. */
function isIdle(name: string, { apps, canary, evidenceDir, heartbeatUrl, redis }: Config): boolean {
  return (
    (name === 'no-redis' && redis.absent === undefined) ||
    (redis.absent !== undefined && ofRedis.includes(name)) ||
    (name === 'app-health' && apps.length === 0) ||
    (name === 'cold-page' && canary === 0) ||
    (name === 'evidence' && evidenceDir === undefined) ||
    (name === 'heartbeat' && heartbeatUrl === undefined)
  );
}

const factories: Readonly<Record<string, Factory>> = {
  cpu: kept(cpuCollector),
  steal: kept(stealCollector),
  stall: kept(stallCollector),
  'async-page-faults': kept(asyncPageFaultsCollector),
  'cold-page': kept(coldPageCollector),
  'blocked-tasks': blockedTasksCollector,
  'hung-tasks': kept(hungTasksCollector),
  'hung-task-detector': kept(hungTaskDetectorCollector),
  pressure: kept(pressureCollector),
  memory: kept(memoryCollector),
  disk: kept(diskCollector),
  load: kept(loadCollector),
  rescue: kept(rescueCollector),
  'host-info': hostInfoCollector,
  'redis-probe': watchingRedis(redisProbeCollector),
  'redis-info': watchingRedis(redisInfoCollector),
  'redis-process': redisProcessCollector,
  asynq: watchingRedis(asynqCollector),
  'app-health': watchingRedis(appHealthCollector),
  heartbeat: heartbeatCollector,
  evidence: evidenceCollector,
  exporter: exporterCollector,
};

/** Connecting and the answers to one pipeline, of which 150 Asynq queues are the longest: 10 ms. */
const redisTimeoutMs = 2000;

/** The words that `--without` takes. */
export const collectorNames: readonly string[] = Object.keys(factories);

/** Make every collector that the configuration does not leave out. */
export function createCollectors(dependencies: Dependencies): Collector[] {
  const { config, clock } = dependencies;
  let processId: number | undefined;
  const shared: Shared = {
    ...dependencies,
    redis: createRedisProbe(config.redis, clock),
    client: watchAnswers(
      openRedis(config.redis, { buffers: true, timeoutMs: redisTimeoutMs }),
      clock,
    ),
    processIdHint: () => processId,
    noteProcessId: (pid) => {
      processId = pid;
    },
  };
  return Object.entries(factories)
    .filter(([name]) => !config.without.includes(name) && !isIdle(name, config))
    .map(([, factory]) => factory(shared));
}
