/** Machines for `stealwatch doctor`: in a folder, with what Redis and the exporter would say. */
import { systemClock } from '../../exporter/measure/clock.ts';
import { createPseudoFs } from '../../exporter/procfs/reader.ts';
import { parseRedisAddress } from '../../exporter/redis/address.ts';
import { parseInfo } from '../../exporter/redis/info.ts';
import type { RedisProcess } from '../../exporter/redis/process-candidates.ts';
import type { AlertmanagerFacts } from '../../exporter/doctor/alertmanager.ts';
import type { Result } from '../../exporter/doctor/check.ts';
import { checks } from '../../exporter/doctor/checks.ts';
import { readContainers } from '../../exporter/doctor/containers.ts';
import { examine, type ExamineOptions, resultsOf } from '../../exporter/doctor/examine.ts';
import { type ExporterFacts, samplesOf, type StatusCheck } from '../../exporter/doctor/exporter.ts';
import { openDisks } from '../../exporter/doctor/files.ts';
import type { Machine } from '../../exporter/doctor/machine.ts';
import type { RedisFacts } from '../../exporter/doctor/redis.ts';
import type { ExporterPlace } from '../../exporter/http/access/way-in.ts';

/** Port 1 of loopback refuses at once, unless somebody went to lengths. */
const nobody = { redis: 'redis://127.0.0.1:1', http: 'http://127.0.0.1:1' };

export const exporterAt = (url: string, more: Partial<ExporterPlace> = {}): ExporterPlace => ({
  url: new URL(url),
  named: true,
  token: undefined,
  webConfigFile: undefined,
  ...more,
});

export function doctorOptions(root: string): ExamineOptions {
  return {
    clock: systemClock,
    root,
    procfs: `${root}/proc`,
    sysfs: `${root}/sys`,
    kmsg: `${root}/dev/kmsg`,
    redis: parseRedisAddress(nobody.redis),
    exporter: exporterAt(nobody.http),
    alertmanager: undefined,
  };
}

const checksCalled = (id: string) => checks.filter((check) => check.id === id);

function only(id: string, results: readonly Result[]): Result {
  const [result] = results;
  if (result === undefined) throw new Error(`no check ${id}`);
  return result;
}

/** What one check says, with all that asks and reads for real. */
export async function examineOne(
  id: string,
  root: string,
  options: Partial<ExamineOptions> = {},
): Promise<Result> {
  const checks = checksCalled(id);
  return only(id, await examine({ ...doctorOptions(root), ...options, checks }));
}

export interface Told {
  readonly redis?: {
    readonly info?: string;
    /** Settings by name; an Error in the place of a value refuses. */
    readonly config?: Readonly<Record<string, string | Error>>;
    readonly process?: RedisProcess | string;
  };
  readonly exporter?: {
    readonly metrics?: string;
    readonly checks?: readonly StatusCheck[];
    readonly asked?: Partial<ExporterFacts['askedSecondsAgo']>;
  };
  readonly alertmanager?: AlertmanagerFacts | Error;
  readonly now?: number;
}

function redisFacts({ info = '', config = {}, process = 'none' }: NonNullable<Told['redis']>) {
  const facts: RedisFacts = {
    display: 'redis://redis:6379',
    info: parseInfo(`# Server\r\n${info}`),
    config(name) {
      const value = config[name];
      if (value instanceof Error) throw value;
      return value;
    },
    process: () => Promise.resolve(process),
  };
  return facts;
}

function exporterFacts({ metrics = '', checks = [], asked = {} }: NonNullable<Told['exporter']>) {
  const facts: ExporterFacts = {
    samples: (name) => samplesOf(metrics, name),
    check: (name) => checks.find((one) => one.name === name),
    askedSecondsAgo: { fromElsewhere: undefined, throughGateway: undefined, ...asked },
  };
  return facts;
}

async function answer<T>(name: string, value: T | Error | undefined): Promise<T> {
  if (value === undefined) throw new Error(`${name}: no answer within 1500 ms`);
  if (value instanceof Error) throw value;
  return value;
}

/** What is not told does not answer. */
export function machineIn(root: string, told: Told = {}): Machine {
  const disks = openDisks(root);
  const { redis, exporter, alertmanager, now = Date.now() / 1000 } = told;
  return {
    procfs: createPseudoFs(`${root}/proc`),
    sysfs: createPseudoFs(`${root}/sys`),
    kmsg: `${root}/dev/kmsg`,
    now,
    files: (lane, below) => disks.files(lane, below),
    redis: () => answer('redis://redis:6379', redis && redisFacts(redis)),
    exporter: () => answer('http://127.0.0.1:10190', exporter && exporterFacts(exporter)),
    alertmanager: async () =>
      alertmanager === undefined ? undefined : answer('alertmanager', alertmanager),
    containers: () => readContainers(disks.files('containers')),
  };
}

/** What one check says of a machine of which this is told. */
export async function askOne(id: string, root: string, told: Told = {}): Promise<Result> {
  return only(id, await resultsOf(checksCalled(id), machineIn(root, told)));
}

/** State and reason, as a test compares them. */
export const saidBy = ({ state, reason }: Result): string => `${state}: ${reason}`;
