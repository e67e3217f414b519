/** Logs of Redis and Valkey: files, and what containers wrote. */
import { createHash } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Gathered, Missing, Source } from '../facts/facts.ts';
import type { ContainerLog } from './containers.ts';
import type { ReadContext } from './context.ts';
import type { Focus } from './focus.ts';
import type { GatherOptions } from './options.ts';
import { logFamily } from './log-family.ts';
import { places, refusedIn } from './permission.ts';
import { createRedisEvents } from './redis-events.ts';
import { readRedisFile, zoneOfLog } from './redis-file.ts';

interface Log {
  readonly path: string;
  readonly name: string;
  readonly files: readonly string[];
}

const directories = ['var/log/redis', 'var/log/valkey', 'var/log/keydb', 'var/log'];
const logName = /^(?:redis|valkey|keydb)[\w.-]*\.log$/;
const mostLogs = 32;

const missing: Missing = {
  what: 'the log of Redis or Valkey',
  why: 'there is none in /var/log/redis, /var/log/valkey or of a container',
  command:
    // Redis takes it at its start only.
    "sed -i 's,^logfile .*,logfile /var/log/redis/redis-server.log,' /etc/redis/redis.conf && systemctl restart redis-server",
};

function names(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch {
    return [];
  }
}

const family = (path: string, from: number): string[] =>
  logFamily(path, from).map((file) => file.path);

/** In the usual places: what is called like it, and containers whose output looks like it. */
function usualLogs(
  { options }: ReadContext,
  { from }: Focus,
  containers: readonly ContainerLog[],
): Log[] {
  const files = directories
    .map((directory) => join(options.root, directory))
    .flatMap((directory) =>
      names(directory)
        .filter((name) => logName.test(name))
        .map((name) => join(directory, name)),
    )
    .map((path): Log => ({ path, name: path, files: family(path, from) }));
  const contained = containers.map(({ container, path }): Log => ({
    path,
    name: `log of container ${container}`,
    files: family(path, from),
  }));
  return [...files, ...contained].filter((log) => log.files.length > 0).slice(0, mostLogs);
}

const unsaid =
  'it does not say of which machine it is: it was taken for one of this machine, and dates a sleep only by the pid that the kernel reported. If it is of this one, say so with --root /';

/** A copy beside what this machine keeps; whoever names more has said what belongs together. */
function ownerUnsaid({ root, rootNamed, journal, kernLog, prometheus, evidence }: GatherOptions) {
  const others = [journal, prometheus, evidence].some((one) => one !== undefined);
  return root === '/' && rootNamed !== true && kernLog.length === 0 && !others;
}

async function readOne(
  { path: log, name, files }: Log,
  context: ReadContext,
  focus: Focus,
): Promise<Gathered> {
  const id = `redis_log ${log}`;
  const events = createRedisEvents(id);
  const hash = createHash('sha256');
  // What was named and does not lie below the root's own places may be from anywhere.
  const { redisLog, root } = context.options;
  const isCopy = redisLog.includes(log) && !log.startsWith(join(root, 'var/'));
  const { zone, problem } = await zoneOfLog(log, context.zone, isCopy);
  const isUnsaid = isCopy && ownerUnsaid(context.options);
  const doubts = [context.zoneProblem, problem, isUnsaid ? unsaid : undefined].filter(
    (text) => text !== undefined,
  );
  const problems: string[] = [];
  for (const path of files) {
    const options = { path, zone, focus, hash, env: context.surroundings.env, onLine: events.line };
    const told = await readRedisFile(options);
    problems.push(...told.map((problem) => (path === log ? problem : `${path}: ${problem}`)));
  }
  const redis = events.all();
  const isRead = events.lines() > 0;
  const outside = !isRead && problems.length === 0;
  if (outside)
    problems.push(
      'no line of Redis or Valkey in it is from the time of interest, which --from and --to can say',
    );
  if (events.leftOut() > 0)
    problems.push(`${events.leftOut()} lines between the first and the last were left out`);
  const source: Source = {
    id,
    kind: 'redis_log',
    name: files.length > 1 ? `${name} and ${files.length - 1} rotated` : name,
    records: events.lines(),
    sha256: hash.digest('hex'),
    ...(problem === undefined ? { timeErrorSeconds: 0.1 } : {}),
    ...(isUnsaid && isRead ? { ownerUnsaid: true } : {}),
    ...(outside ? { outside: true } : {}),
    // Of what gave nothing neither zone nor owner matters.
    problems: [...(isRead ? doubts : []), ...problems],
  };
  return { sources: [source], redis };
}

/** Logs that were named, or those that are found. */
export async function readRedisLogs(
  context: ReadContext,
  focus: Focus,
  containers: readonly ContainerLog[],
): Promise<Gathered[]> {
  const { redisLog } = context.options;
  const logs =
    redisLog.length > 0
      ? redisLog.map((path): Log => ({ path, name: path, files: [path] }))
      : usualLogs(context, focus, containers);
  const refused = redisLog.length > 0 ? [] : refusedIn(context.options.root, places.redis);
  if (logs.length === 0) return [{ missing: refused.length > 0 ? refused : [missing] }];
  const gathered: Gathered[] = [{ missing: refused }];
  for (const log of logs) gathered.push(await readOne(log, context, focus));
  return gathered;
}
