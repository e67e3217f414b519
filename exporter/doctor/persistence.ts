/** What Redis writes to a disk that may stand still, and whether a restart changes that. */
import { parseCgroups } from '../procfs/cgroup.ts';
import { numberOf } from '../redis/info.ts';
import { cannotSee, type Check, fail, type Outcome, pass, tried, warn, advice } from './check.ts';
import { manyPageInsPerSecond, pageInsPerSecond } from './host.ts';
import type { Machine } from './machine.ts';
import { bothOf, hasFile, mendFor, settingMend } from './redis-mends.ts';
import { isTurnedAway, type RedisFacts } from './redis.ts';
import { savePointsInArguments, savePointsInFile } from './save-points.ts';

/** What rests on Redis cannot be seen without it, and the check of it says why. */
export async function redisOf(machine: Machine): Promise<RedisFacts> {
  try {
    return await machine.redis();
  } catch (error) {
    const what = isTurnedAway(error) ? 'turns us away' : 'does not answer';
    throw new Error(`Redis ${what}`, { cause: error });
  }
}

/** Of the system's systemd; undefined where it was started by something else, or by a user's. */
export function unitOf({ procfs }: Pick<Machine, 'procfs'>, pid: number): string | undefined {
  return parseCgroups(procfs.read(`${pid}/cgroup`) ?? '')
    .filter(({ path }) => !path.startsWith('/user.slice/'))
    .map(({ path }) => /\/([\w@.\\-]{1,80}\.service)$/.exec(path)?.[1])
    .find(Boolean);
}

/** The words that start it, where they stand in a file: those of the process itself may hang who reads them. */
async function startCommandOf(
  machine: Machine,
  pid: number,
): Promise<{ readonly name: string; readonly words: readonly string[] } | undefined> {
  const container = (await machine.containers())?.find((one) => one.pid === pid);
  if (container !== undefined) {
    return { name: `the command of the container ${container.name}`, words: container.command };
  }
  const unit = unitOf(machine, pid);
  const text = unit === undefined ? undefined : await unitText(machine, unit);
  const command = text?.replaceAll('\\\n', ' ').match(/^ExecStart=.*$/m)?.[0];
  return command === undefined ? undefined : { name: `${unit}`, words: [command] };
}

const unitFolders = ['/etc/systemd/system', '/usr/lib/systemd/system', '/lib/systemd/system'];

async function unitText(machine: Machine, unit: string): Promise<string | undefined> {
  for (const folder of unitFolders) {
    const text = await machine.files('settings').text(`${folder}/${unit}`);
    if (text !== undefined) return text;
  }
  return undefined;
}

interface AtStart {
  readonly where: string;
  /** Undefined where nothing is said of it: Redis has some of its own. */
  readonly points: string | undefined;
  /** The words that start it were seen as well. */
  readonly certain: boolean;
}

/** What it comes back with. Throws where that is not known. */
async function savePointsAtStart(machine: Machine, redis: RedisFacts): Promise<AtStart> {
  const process = await redis.process();
  if (typeof process === 'string') {
    throw new Error(`what a restart would bring is not known: ${process}`);
  }
  const command = await startCommandOf(machine, process.pid);
  const inCommand = command && savePointsInArguments(command.words);
  if (inCommand !== undefined)
    return { where: command?.name ?? '', points: inCommand, certain: true };
  const path = redis.info.get('config_file') ?? '';
  const certain = command !== undefined;
  if (path !== '') {
    const root = `${machine.procfs.root}/${process.pid}/root`;
    const text = await machine.files('settings', root).text(path);
    if (text === undefined) throw new Error(`${path}, which Redis names, is not there any more`);
    return { where: path, points: savePointsInFile(text), certain };
  }
  if (command !== undefined) return { where: command.name, points: undefined, certain };
  throw new Error(
    'it has no configuration file, and is neither a container of Docker nor a service whose command could be read',
  );
}

const noSaves = settingMend('save', `''`);
/** They are all that is kept: without them a reset takes every key. */
const keepOtherwise = advice(
  'first turn on the append-only file (CONFIG SET appendonly yes) or have a replica: these save points are all that is kept; then ask again',
);
const noSavesInCommand = advice(
  `set --save '' in the command of its container or unit, and start it anew`,
);
const keepLive = tried('redis-cli CONFIG REWRITE');

/** Of Redis itself, where nothing says otherwise: which ones depends on its version. */
const builtIn = 'the save points it is built with';

function driftOf(live: string, { where, points, certain }: AtStart, inFile: boolean): Outcome {
  const mend = inFile && !where.endsWith('.service') ? keepLive : noSavesInCommand;
  const unless = certain ? '' : ', unless the arguments it is started with say otherwise';
  const then = points === undefined ? builtIn : `"${points}"`;
  if (live === '' && points !== '') {
    const said = `off now; after the next restart ${then} (${where})${unless}`;
    return certain ? fail(said, mend) : warn(said, mend);
  }
  if (live !== '' && points === '') {
    return warn(`"${live}" now, and off after the next restart (${where})`, mend);
  }
  if (points !== undefined && live !== points) {
    return warn(`"${live}" now, "${points}" after the next restart (${where})`, mend);
  }
  return pass(live === '' ? `off, now and after a restart (${where})` : `"${live}", now and later`);
}

/** Snapshots beside a host that pages are what turns slow into frozen. */
async function whilePaging(
  machine: Machine,
  redis: RedisFacts,
  outcome: Outcome,
): Promise<Outcome> {
  const live = redis.config('save')?.trim() ?? '';
  if (live === '' || outcome.state !== 'pass') return outcome;
  const rate = await pageInsPerSecond(machine);
  if (rate === undefined || rate <= manyPageInsPerSecond) return outcome;
  return warn(
    `"${live}", while the host brings back ${Math.round(rate)} pages a second`,
    redis.config('appendonly') === 'yes' ? mendFor(redis, noSaves) : keepOtherwise,
  );
}

const savePoints: Check = {
  id: 'rdb-save-points',
  title: 'Save points, now and after a restart',
  why: 'A snapshot writes all memory, on a host that has none to spare. Turned off with CONFIG SET alone they come back with the next restart: that was the second outage.',
  source:
    'CONFIG GET save; the file INFO names, in the root of the Redis process; the command of its container or unit',
  mends: [...bothOf(noSaves), keepOtherwise, keepLive, noSavesInCommand],
  async check(machine) {
    const redis = await redisOf(machine);
    const live = redis.config('save')?.trim();
    if (live === undefined) return cannotSee('this server has no save points');
    const atStart = await savePointsAtStart(machine, redis);
    return whilePaging(machine, redis, driftOf(live, atStart, hasFile(redis)));
  },
};

const everySecond = settingMend('appendfsync', 'everysec');

function fsyncOutcome(redis: RedisFacts): Outcome {
  const policy = redis.config('appendfsync') ?? 'unknown';
  const delayed = numberOf(redis.info, 'aof_delayed_fsync') ?? 0;
  if (policy === 'always') {
    return warn('appendfsync always: every write waits for the disk', mendFor(redis, everySecond));
  }
  if (delayed > 0) {
    return warn(
      `appendfsync ${policy}, and ${delayed} writes have waited for the disk since the start: the host's disk is slow`,
    );
  }
  return pass(`appendfsync ${policy}, and no write has waited for the disk`);
}

const aofPolicy: Check = {
  id: 'aof-policy',
  title: 'Writes of Redis do not wait for the disk',
  why: 'With "always", and with a write behind a sync that takes over two seconds, the event loop of Redis waits for the disk: 87 s were seen, with no entry in the slow log.',
  source: 'CONFIG GET appendonly, appendfsync; aof_delayed_fsync of INFO',
  mends: bothOf(everySecond),
  async check(machine) {
    const redis = await redisOf(machine);
    const mode = redis.config('appendonly');
    if (mode === undefined) return cannotSee('this server does not tell');
    if (mode !== 'yes') return pass('there is no append-only file');
    return fsyncOutcome(redis);
  },
};

/** Neither snapshots nor an append-only file; undefined where the server does not tell. */
export function keepsNothing({ config }: RedisFacts): boolean | undefined {
  const [save, appendOnly] = [config('save'), config('appendonly')];
  if (save === undefined || appendOnly === undefined) return undefined;
  return save.trim() === '' && appendOnly !== 'yes';
}

const appendOnly = settingMend('appendonly', 'yes');
const seeWhy = advice(
  'read the log of Redis for why: a disk that is full, a folder it may not write to, or a fork that the kernel refused',
);

/** What is set is not yet written. */
function failedWrite(redis: RedisFacts): string | undefined {
  const failed = (name: string) => redis.info.get(name) === 'err';
  if (redis.config('appendonly') === 'yes') {
    return failed('aof_last_write_status')
      ? 'its last write to the append-only file failed'
      : undefined;
  }
  return failed('rdb_last_bgsave_status') ? 'its last snapshot failed' : undefined;
}

const nothingKept: Check = {
  id: 'persistence',
  title: 'What a restart of Redis leaves',
  why: 'With neither save points nor an append-only file a reset, which is how a freeze ends, takes every key and every task with it.',
  source:
    'CONFIG GET save, appendonly; rdb_last_bgsave_status, aof_last_write_status, connected_slaves of INFO',
  mends: [...bothOf(appendOnly), seeWhy],
  async check(machine) {
    const redis = await redisOf(machine);
    const nothing = keepsNothing(redis);
    if (nothing === undefined) return cannotSee('this server does not tell');
    if (!nothing) {
      const failure = failedWrite(redis);
      if (failure !== undefined) return fail(`${failure}: only what was written before it`, seeWhy);
      return pass(redis.config('appendonly') === 'yes' ? 'an append-only file' : 'snapshots');
    }
    const replicas = numberOf(redis.info, 'connected_slaves') ?? 0;
    if (replicas > 0) return pass(`nothing on its own disk, and ${replicas} connected replica(s)`);
    return warn(
      'nothing: neither save points, nor an append-only file, nor a replica',
      mendFor(redis, appendOnly),
    );
  },
};

export const persistenceChecks: readonly Check[] = [savePoints, aofPolicy];
export const lossChecks: readonly Check[] = [nothingKept];
