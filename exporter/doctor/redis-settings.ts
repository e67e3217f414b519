/** Whether Redis answers, and what it would tell after a freeze. */
import { messageOf } from '../measure/errors.ts';
import { parseMeminfo } from '../procfs/meminfo.ts';
import { numberOf } from '../redis/info.ts';
import { cannotSee, type Check, fail, type Outcome, pass, warn, advice } from './check.ts';
import { redisOf } from './persistence.ts';
import type { Machine } from './machine.ts';
import { bothOf, mendFor, settingMend } from './redis-mends.ts';
import { type ConfigName, isNobody, isTurnedAway, type RedisFacts } from './redis.ts';

const frozen = advice('read docs/runbooks/RedisFrozen.md');
const login = advice(
  'put user and password into STEALWATCH_REDIS_URL, of a user who has +info and +config|get',
);
const down = advice('read docs/runbooks/RedisDown.md');

const answers: Check = {
  id: 'redis',
  title: 'Redis answers',
  why: 'If it does not, this is no time for a check: the runbook says what to look at first, and what not to do.',
  source: 'INFO and CONFIG GET at --redis-url, 1.5 s',
  mends: [frozen, down, login],
  async check(machine) {
    try {
      const { display, info } = await machine.redis();
      return pass(`${display}, version ${info.get('redis_version') ?? 'unknown'}`);
    } catch (error) {
      const reason = messageOf(error);
      if (isNobody(error)) return cannotSee(reason);
      if (isTurnedAway(error)) return cannotSee(reason, login);
      return fail(reason, /no answer/.test(reason) ? frozen : down);
    }
  },
};

/** A setting that is a whole number. */
function whole(redis: RedisFacts, name: ConfigName): number | undefined {
  const text = redis.config(name);
  if (text === undefined) return undefined;
  if (!/^-?\d{1,15}$/.test(text)) throw new Error(`${name}: expected a whole number`);
  return Number(text);
}

const noSetting = (name: string) => cannotSee(`this server has no ${name}`);

const slowerThanTenMs = settingMend('slowlog-log-slower-than', 10_000);

const keepSlow = settingMend('slowlog-max-len', 128);

const slowLog: Check = {
  id: 'slowlog',
  title: 'Slow commands are kept',
  why: 'After the fact it is the only word of Redis on which command took how long: it tells a slow command from a slow host.',
  source: 'CONFIG GET slowlog-log-slower-than, slowlog-max-len',
  mends: [...bothOf(slowerThanTenMs), ...bothOf(keepSlow)],
  async check(machine) {
    const redis = await redisOf(machine);
    const microseconds = whole(redis, 'slowlog-log-slower-than');
    if (microseconds === undefined) return noSetting('slow log');
    if (microseconds < 0) return warn('the slow log is off', mendFor(redis, slowerThanTenMs));
    if (whole(redis, 'slowlog-max-len') === 0) {
      return warn('slowlog-max-len is 0: none is kept', mendFor(redis, keepSlow));
    }
    const from = `from ${microseconds / 1000} ms`;
    return microseconds > 10_000
      ? warn(`only ${from}`, mendFor(redis, slowerThanTenMs))
      : pass(from);
  },
};

const watchLatency = settingMend('latency-monitor-threshold', 100);

const latencyMonitor: Check = {
  id: 'latency-monitor',
  title: 'Stalls of Redis are kept',
  why: 'A write that waits for the disk leaves nothing in the slow log: an 87 s stall showed in LATENCY LATEST alone.',
  source: 'CONFIG GET latency-monitor-threshold',
  mends: bothOf(watchLatency),
  async check(machine) {
    const redis = await redisOf(machine);
    const milliseconds = whole(redis, 'latency-monitor-threshold');
    if (milliseconds === undefined) return noSetting('latency monitor');
    if (milliseconds === 0) return warn('the latency monitor is off', mendFor(redis, watchLatency));
    return pass(`from ${milliseconds} ms`);
  },
};

const keepAlive = settingMend('tcp-keepalive', 60);

const deadClients: Check = {
  id: 'dead-clients',
  title: 'Connections of dead clients end',
  why: 'Clients that were reset with their machine, or cut off by a firewall, leave their connections behind; with neither setting they stay until maxclients is reached.',
  source: 'CONFIG GET timeout, tcp-keepalive',
  mends: bothOf(keepAlive),
  async check(machine) {
    const redis = await redisOf(machine);
    const [idle, keep] = [whole(redis, 'timeout'), whole(redis, 'tcp-keepalive')];
    if (idle === undefined || keep === undefined) return noSetting('timeout and tcp-keepalive');
    if (idle === 0 && keep === 0)
      return warn('timeout and tcp-keepalive are both 0', mendFor(redis, keepAlive));
    return pass(keep > 0 ? `tcp-keepalive ${keep} s` : `timeout ${idle} s`);
  },
};

const boundMemory = settingMend('maxmemory', '512mb');
/** Below what Redis has, it is a way to lose writes or keys. */
const roomyBytes = { used: 256 * 1024 ** 2, machine: 1024 ** 3 };
const chooseBound = advice(
  'choose a maxmemory above what Redis has and below half of the memory of the machine, or get a larger one: with a lower one Redis refuses writes or drops keys',
);
const moreMemory = advice(
  'get a larger machine, or let keys expire: a maxmemory below what Redis has makes it refuse writes or drop keys',
);

interface Memory {
  readonly total: number;
  readonly available: number;
}

function memoryOf({ procfs }: Machine): Memory {
  const text = procfs.read('meminfo');
  if (text === undefined) throw new Error(`${procfs.root}/meminfo is not there`);
  const { values, problem } = parseMeminfo(text, ['MemTotal', 'MemAvailable']);
  const [total, available] = [values.get('MemTotal'), values.get('MemAvailable')];
  if (total === undefined || available === undefined) {
    throw new Error(problem ?? 'meminfo: no line of MemTotal and MemAvailable');
  }
  return { total, available };
}

const mib = (bytes: number) => `${Math.round(bytes / (1024 * 1024))} MiB`;

function headroomOutcome(redis: RedisFacts, { total, available }: Memory): Outcome {
  const used = numberOf(redis.info, 'used_memory');
  if (used === undefined) return cannotSee('INFO has no used_memory');
  const forks = (redis.config('save') ?? '').trim() !== '' || redis.config('appendonly') === 'yes';
  if (forks && available < used) {
    return warn(
      `Redis has ${mib(used)}, ${mib(available)} are available: a snapshot may need as much again`,
      moreMemory,
    );
  }
  const most = whole(redis, 'maxmemory') ?? 0;
  const fits = used <= roomyBytes.used && total >= roomyBytes.machine;
  const bound = fits ? mendFor(redis, boundMemory) : chooseBound;
  if (most === 0) {
    return warn(`maxmemory is 0: Redis (${mib(used)} now) takes all there is`, bound);
  }
  if (most > total) {
    return warn(`maxmemory is ${mib(most)}, and the machine has ${mib(total)}`, bound);
  }
  return pass(`Redis has ${mib(used)}, ${mib(available)} are available`);
}

const headroom: Check = {
  id: 'memory-headroom',
  title: 'Memory that is left',
  why: 'A fork for a snapshot may copy all that Redis has. Where that does not fit the kernel kills the largest process, which is Redis. Choose maxmemory for your machine: half of it, with a policy that fits (Asynq needs noeviction).',
  source: 'used_memory of INFO, CONFIG GET maxmemory, /proc/meminfo',
  mends: [...bothOf(boundMemory), chooseBound, moreMemory],
  async check(machine) {
    const redis = await redisOf(machine);
    const process = await redis.process();
    if (typeof process === 'string')
      return cannotSee(`whether Redis is on this machine: ${process}`);
    return headroomOutcome(redis, memoryOf(machine));
  },
};

export const redisAnswers: Check = answers;
export const redisTraces: readonly Check[] = [slowLog, latencyMonitor];
export const redisLimits: readonly Check[] = [deadClients, headroom];
