/** The options of `stealwatch rescue`: those of the exporter that say where things are, and its own. */
import { resolve } from 'node:path';
import {
  commandHelp,
  exporterPlaceOf,
  exporterSettings,
  machineSettings,
} from '../doctor/shared-options.ts';
import { readSettings } from '../config/read.ts';
import { redisOf, redisProblems } from '../config/redis.ts';
import { setting } from '../config/settings.ts';
import { parseOptionalHttpUrl, parseSwitch } from '../config/values.ts';
import type { Answered } from '../doctor/machine-command.ts';
import type { ExporterPlace } from '../http/access/way-in.ts';
import type { RedisAddress } from '../redis/address.ts';

function parseStuckAfter(text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !(value >= 60 && value <= 86_400)) {
    throw new Error('expected a number of seconds from 60 to 86400, for example 180');
  }
  return value;
}

function parseOut(text: string): string {
  if (text === '') throw new Error('expected a folder');
  return resolve(text);
}

/** The options that the exporter does not have. */
const rescueSettings = {
  write: setting({
    flag: 'write',
    variables: [],
    fallback: 'false',
    help: 'Keep the evidence, then write back what each MSR holds, on the vCPUs where threads are parked.',
    parse: parseSwitch,
  }),
  watch: setting({
    flag: 'watch',
    variables: [],
    placeholder: 'URL',
    fallback: '',
    help: "Follow the exporter of this machine, http://127.0.0.1:10190, and do as --write does when its verdict has been page_in_lost for 60 s, or for --stuck-after page_in_stuck. With user and password in it where it asks for them, or use --exporter-token. Does not end. Where the exporter does not answer, it looks by the exporter's own rules.",
    secret: true,
    parse: parseOptionalHttpUrl,
  }),
  stuckAfter: setting({
    flag: 'stuck-after',
    variables: ['STEALWATCH_RESCUE_STUCK_AFTER'],
    placeholder: 'SECONDS',
    fallback: '180',
    help: 'With --watch: how long a page may not have come back, nor any other, before it is written all the same: lost messages look so where no other page is asked for.',
    parse: parseStuckAfter,
  }),
  out: setting({
    flag: 'out',
    variables: ['STEALWATCH_RESCUE_OUT'],
    placeholder: 'DIR',
    fallback: '.',
    help: 'Where the evidence is kept, in a new file each time. With --watch the last 20 stay.',
    parse: parseOut,
  }),
  allCpus: setting({
    flag: 'all-cpus',
    variables: [],
    fallback: 'false',
    help: 'Write on every vCPU, whether or not a thread is seen to be parked there. Not with --watch.',
    parse: parseSwitch,
  }),
  loadModule: setting({
    flag: 'load-module',
    variables: [],
    fallback: 'false',
    help: 'Load the msr module first, if it is not there (modprobe msr).',
    parse: parseSwitch,
  }),
  ...exporterSettings,
};

const table = {
  ...rescueSettings,
  ...machineSettings,
};

export interface RescueOptions {
  readonly write: boolean;
  readonly watch: boolean;
  readonly stuckAfter: number;
  readonly out: string;
  readonly allCpus: boolean;
  readonly loadModule: boolean;
  readonly exporter: ExporterPlace;
  readonly redis: RedisAddress;
  readonly procfs: string;
  readonly sysfs: string;
  readonly kmsg: string;
}

export interface RescueCommand {
  readonly kind: 'run';
  readonly options: RescueOptions;
}

const helpText = commandHelp(
  [
    'stealwatch rescue: out of a freeze without a reboot, where the host lost the message that a page is back.',
    '',
    'Usage: stealwatch rescue [options]            looks, says, and changes nothing',
    '       stealwatch rescue --write [options]    does it',
    '       stealwatch rescue --watch URL          does it when it is time, without anybody',
    '',
    'As root on the machine itself. Ends with 0 when nothing is parked, or what was is released; 1 when',
    'something is parked, or was written and is not released; 2 when it refuses, or could not write; 3 for',
    'wrong options. docs/rescue.md says what is written and what that risks.',
  ],
  table,
);

type Values = Pick<RescueOptions, 'write' | 'allCpus'> & { readonly watch: URL | undefined };

function contradictions({ write, watch, allCpus }: Partial<Values>): string[] {
  if (watch === undefined) {
    return allCpus === true && write !== true ? ['--all-cpus: expected --write with it'] : [];
  }
  return [
    ...(write === true ? ['--write, --watch: expected one of the two'] : []),
    ...(allCpus === true ? ['--all-cpus, --watch: expected one of the two'] : []),
  ];
}

/** An address that came out empty is not nobody's wish to look once. */
function emptyWatch(argv: readonly string[], watch: URL | undefined): string[] {
  const asked = argv.some((one) => one === '--watch' || one.startsWith('--watch='));
  return asked && watch === undefined
    ? ['--watch: expected a URL that starts with http:// or https://']
    : [];
}

export function readRescueOptions(
  argv: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): RescueCommand | Answered {
  const { values, problems, wants, named } = readSettings(table, { argv, env });
  if (wants.size > 0) return { kind: 'print', text: helpText };
  problems.push(...redisProblems(values, named), ...contradictions(values));
  if (problems.length === 0) problems.push(...emptyWatch(argv, values.watch));
  if (problems.length > 0) return { kind: 'invalid', problems };
  const { write, watch, stuckAfter, out, allCpus, loadModule, procfs, sysfs, kmsg } = values;
  return {
    kind: 'run',
    options: {
      write,
      watch: watch !== undefined,
      stuckAfter,
      out,
      allCpus,
      loadModule,
      procfs,
      sysfs,
      kmsg,
      redis: redisOf(values, named),
      exporter: exporterPlaceOf(values, named, watch ?? values.exporter),
    },
  };
}
