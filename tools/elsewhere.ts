/**
 * The tests as they run on other machines, one after the other or all at once: another CPU, one
 * core, another time zone and language, no IPv6, another user's shell, an older npm.
 *
 *   npm run elsewhere [-- [--together] [--only=NAME] [FILE...]]
 *
 * A line of result for each; what they said is kept in a directory that is named. Needs root for
 * namespaces. No part of the gate; what is cheap of it is in elsewhere.test.ts.
 */
import { spawn, spawnSync } from 'node:child_process';
import {
  createWriteStream,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { availableParallelism, homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { copyOfProject, olderNpm, olderNpmVersion } from './older-npm.ts';

/** How a command is run elsewhere: what stands before it, in which environment and directory. */
export interface Place {
  readonly before?: readonly string[];
  readonly env?: NodeJS.ProcessEnv;
  readonly cwd?: string;
  /** To be run there once, before the tests. */
  readonly first?: readonly string[];
}

/** `directory` is its own to write to. A string says why this machine cannot be that one. */
export type Elsewhere = (directory: string) => Place | string;

/** Why there is no namespace of this kind to be had, or undefined. */
function obstacleTo(kind: '--mount' | '--net' | '--uts'): string | undefined {
  const { status } = spawnSync('unshare', [kind, 'true']);
  return status === 0 ? undefined : `needs root, and leave to unshare ${kind}`;
}

const shell = (script: string, ...args: readonly string[]) => ['sh', '-c', script, ...args];

function anotherCpu(directory: string): Place | string {
  const obstacle = obstacleTo('--mount');
  if (obstacle !== undefined) return obstacle;
  const path = join(directory, 'cpuinfo');
  const own = readFileSync('/proc/cpuinfo', 'utf8');
  const named = own.replace(/^(model name|vendor_id|cpu MHz)(\s*): .*$/gm, '$1$2: Elsewhere');
  writeFileSync(path, named);
  const mount = 'mount --bind "$0" /proc/cpuinfo && exec "$@"';
  return { before: ['unshare', '--mount', ...shell(mount, path)] };
}

function oneCore(): Place {
  const allowed = spawnSync('taskset', ['-pc', String(process.pid)], { encoding: 'utf8' }).stdout;
  return { before: ['taskset', '-c', /(\d+)[\d,-]*$/.exec(allowed.trim())?.[1] ?? '0'] };
}

const zoneAndLanguage = (): Place => ({
  env: { TZ: 'Asia/Kathmandu', LANG: 'tr_TR.UTF-8', LC_ALL: 'tr_TR.UTF-8' },
});

function noIpv6(): Place | string {
  const obstacle = obstacleTo('--net');
  if (obstacle !== undefined) return obstacle;
  const off =
    'for f in /proc/sys/net/ipv6/conf/*/disable_ipv6; do echo 1 > "$f"; done; ip link set lo up; exec "$@"';
  return { before: ['unshare', '--net', ...shell(off, 'sh')] };
}

/** Files that only their owner reads, a narrow terminal that wants colours, another home and name. */
function anotherShell(directory: string): Place | string {
  const obstacle = obstacleTo('--uts');
  if (obstacle !== undefined) return obstacle;
  const home = join(directory, 'home');
  const temporary = join(directory, 'tmp');
  for (const path of [home, temporary]) mkdirSync(path);
  const cache = process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache');
  return {
    before: ['unshare', '--uts', ...shell('hostname elsewhere; umask 077; exec "$@"', 'sh')],
    env: {
      HOME: home,
      TMPDIR: temporary,
      XDG_CACHE_HOME: cache,
      npm_config_cache: process.env['npm_config_cache'] ?? join(homedir(), '.npm'),
      USER: 'elsewhere',
      COLUMNS: '40',
      FORCE_COLOR: '3',
    },
  };
}

/** A clean copy, with `npm ci` by the older npm under a Node as old. */
function anOlderNpm(directory: string): Place | string {
  const copy = copyOfProject(directory);
  const older = olderNpm(directory, copy);
  if (typeof older === 'string') return older;
  const env = Object.fromEntries(Object.keys(process.env).map((name) => [name, undefined]));
  const install =
    'git init -q && git add -A && npm ci --prefer-offline --no-audit --no-fund && npm run --silent build';
  return { cwd: copy.directory, env: { ...env, ...older.env }, first: shell(install) };
}

export const places: Readonly<Record<string, Elsewhere>> = {
  'another CPU': anotherCpu,
  'one core': oneCore,
  'Kathmandu, in Turkish': zoneAndLanguage,
  'no IPv6': noIpv6,
  'another shell': anotherShell,
  [`npm ${olderNpmVersion}`]: anOlderNpm,
};

export interface Result {
  readonly code: number;
  /** The last line of the run: N passed, N failed, N skipped. */
  readonly summary: string;
}

function run(command: readonly string[], place: Place, log: string): Promise<number> {
  const [program = '', ...args] = [...(place.before ?? []), ...command];
  // A test runner that finds itself in another's environment reports to that one.
  const env = { ...process.env, NODE_TEST_CONTEXT: undefined, NODE_OPTIONS: undefined };
  const child = spawn(program, args, {
    cwd: place.cwd,
    env: { ...env, ...place.env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const file = createWriteStream(log, { flags: 'a' });
  for (const stream of [child.stdout, child.stderr]) stream.pipe(file, { end: false });
  return new Promise((resolve) => {
    child.on('error', (error) => {
      file.end(`${error.message}\n`);
      resolve(127);
    });
    child.on('close', (code) => {
      file.end(() => resolve(code ?? 1));
    });
  });
}

/** The tests of these files, all without any; what they say goes to `log`. */
export async function runElsewhere(
  place: Place,
  log: string,
  files: readonly string[],
): Promise<Result> {
  const tests = ['npm', 'run', '--silent', 'test:only', '--', ...files];
  const ready = place.first === undefined ? 0 : await run(place.first, place, log);
  const code = ready === 0 ? await run(tests, place, log) : ready;
  const text = readFileSync(log, 'utf8');
  const summary = /^\d+ passed, \d+ failed, \d+ skipped$/m.exec(text)?.[0] ?? 'no tests were run';
  return { code, summary };
}

/** Tells how it went. False when a test failed; what cannot be tried here is said to be. */
async function tryPlace(root: string, name: string, files: readonly string[]): Promise<boolean> {
  const directory = join(root, name.replaceAll(/\W+/g, '-'));
  const log = `${directory}.log`;
  mkdirSync(directory);
  const place = places[name]?.(directory) ?? 'no such place';
  if (typeof place === 'string') {
    console.log(`${name}: not tried: ${place}`);
    return true;
  }
  const began = performance.now();
  const { code, summary } = await runElsewhere(place, log, files);
  rmSync(directory, { recursive: true, force: true });
  const seconds = Math.round((performance.now() - began) / 1000);
  console.log(`${name}: ${summary}, in ${seconds} s${code === 0 ? '' : `; see ${log}`}`);
  return code === 0;
}

async function main(): Promise<void> {
  const { values, positionals: files } = parseArgs({
    allowPositionals: true,
    options: { together: { type: 'boolean', default: false }, only: { type: 'string' } },
  });
  const names = Object.keys(places).filter((name) => name.includes(values.only ?? ''));
  const root = mkdtempSync(join(tmpdir(), 'stealwatch-elsewhere-'));
  console.log(`On ${availableParallelism()} CPUs; what is said goes to ${root}`);
  const results: boolean[] = [];
  if (values.together) {
    results.push(...(await Promise.all(names.map((name) => tryPlace(root, name, files)))));
  } else {
    for (const name of names) results.push(await tryPlace(root, name, files));
  }
  if (results.includes(false) || results.length === 0) process.exitCode = 1;
}

if (import.meta.main) await main();
