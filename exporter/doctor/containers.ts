/**
 * The containers of Docker, from the files the daemon keeps of each (config.v2.json,
 * hostconfig.json), and never from the daemon, which hangs with what it has started.
 */
import { isRedisProcess } from '../tasks/redis-names.ts';
import type { Files } from './files.ts';
import { isMapping, type Mapping } from '../measure/mapping.ts';

export interface Container {
  /** As Docker has it, which may be anything. */
  readonly name: string;
  readonly pid: number;
  /** It runs a Redis, by its program, its arguments or its image. */
  readonly redis: boolean;
  /** Program and arguments. */
  readonly command: readonly string[];
  /** `CMD`, `CMD-SHELL` and what follows; empty where there is none, or it was switched off. */
  readonly healthCheck: readonly string[];
  readonly healthIntervalSeconds: number;
  readonly restartPolicy: string;
  /** 0 for none. */
  readonly pidsLimit: number;
}

const mostContainers = 200;
const longestName = 80;
/** Docker's, for a check that names none. */
const defaultIntervalSeconds = 30;

const mapping = (value: unknown): Mapping => (isMapping(value) ? value : {});
const text = (value: unknown): string => (typeof value === 'string' ? value : '');
const number = (value: unknown): number =>
  typeof value === 'number' && Number.isFinite(value) ? value : 0;
const texts = (value: unknown): string[] =>
  Array.isArray(value) ? value.filter((one) => typeof one === 'string') : [];

function runsRedis(command: readonly string[], image: string): boolean {
  const programs = command.map((word) => word.split('/').at(-1) ?? '');
  return (
    programs.some(isRedisProcess) || /(?:^|[/_-])(?:redis|valkey|keydb|dragonfly)\b/.test(image)
  );
}

/** Of a container that runs; undefined for one that does not. */
function containerOf(config: Mapping, host: Mapping): Container | undefined {
  const state = mapping(config['State']);
  if (state['Running'] !== true) return undefined;
  const settings = mapping(config['Config']);
  const health = mapping(settings['Healthcheck']);
  const test = texts(health['Test']);
  const command = [text(config['Path']), ...texts(config['Args'])];
  const interval = number(health['Interval']) / 1e9;
  return {
    name: text(config['Name']).replace(/^\//, '').slice(0, longestName),
    pid: number(state['Pid']),
    redis: runsRedis(command, text(settings['Image'])),
    command,
    healthCheck: test[0] === 'NONE' ? [] : test,
    healthIntervalSeconds: interval > 0 ? interval : defaultIntervalSeconds,
    restartPolicy: text(mapping(host['RestartPolicy'])['Name']) || 'no',
    pidsLimit: Math.max(0, number(host['PidsLimit'])),
  };
}

async function jsonIn(files: Files, path: string): Promise<Mapping | undefined> {
  const content = await files.text(path);
  if (content === undefined) return undefined;
  let value: unknown;
  try {
    value = JSON.parse(content);
  } catch (error) {
    throw new Error(`${path}: not JSON, it may be cut off`, { cause: error });
  }
  if (!isMapping(value)) throw new Error(`${path}: expected a mapping`);
  return value;
}

/** Where Docker keeps what it keeps, unless its settings say otherwise. */
async function dataRoot(files: Files): Promise<string> {
  const daemon = await jsonIn(files, '/etc/docker/daemon.json');
  const root = text(daemon?.['data-root']);
  return root.startsWith('/') ? root : '/var/lib/docker';
}

/** Undefined where there is no Docker. One that cannot be read keeps us from saying anything of all. */
export async function readContainers(files: Files): Promise<readonly Container[] | undefined> {
  const folder = `${await dataRoot(files)}/containers`;
  const ids = await files.names(folder);
  if (ids === undefined) return undefined;
  if (ids.length > mostContainers) {
    throw new Error(`${folder}: over ${mostContainers} containers are more than is looked at`);
  }
  const found: Container[] = [];
  for (const id of ids) {
    const config = await jsonIn(files, `${folder}/${id}/config.v2.json`);
    if (config === undefined) continue;
    const host = (await jsonIn(files, `${folder}/${id}/hostconfig.json`)) ?? {};
    const container = containerOf(config, host);
    if (container !== undefined) found.push(container);
  }
  return found;
}
