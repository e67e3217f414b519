/** A copy of the project, and in its PATH an npm that Node 18 and 20 bring, under a Node as old. */
import { spawnSync, type SpawnSyncReturns } from 'node:child_process';
import { cpSync, mkdirSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';

/** The last of Node 20. It does not put the Node that a package brings into the PATH of scripts. */
export const olderNpmVersion = '10.8.2';
const project = join(import.meta.dirname, '..');
const system = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/**
 * Says that it is Node 20, and refuses what Node 20 cannot do: to run TypeScript, by itself or as
 * tests. So the machine needs no Node 20.
 */
const oldNode = `#!/bin/sh
case $1 in
  --version) echo v20.20.2 ;;
  *.ts | --test) echo 'ERR_UNKNOWN_FILE_EXTENSION: Unknown file extension ".ts"' >&2; exit 1 ;;
  *) exec '${process.execPath}' "$@" ;;
esac
`;

/** Where npm finds packages is the machine's; nothing else of npm's and Node's is handed on. */
function inherited(): NodeJS.ProcessEnv {
  const kept = /^(npm_config_(registry|cache)$|(?!npm_|NODE_))/i;
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => kept.test(name)));
}

export type Run = (program: string, ...args: readonly string[]) => SpawnSyncReturns<string>;

function runner(cwd: string, env: NodeJS.ProcessEnv): Run {
  const options = { cwd, encoding: 'utf8', env, timeout: 120_000 } as const;
  return (program, ...args) => spawnSync(program, args, options);
}

export interface Copy {
  readonly directory: string;
  /** In the copy, with the PATH of this process: to see what is missing without packages. */
  readonly run: Run;
}

/** What is to be tried, nothing installed and nothing built. */
export function copyOfProject(root: string): Copy {
  const directory = join(root, 'copy');
  const left = new Set(['node_modules', '.git', 'dist']);
  cpSync(project, directory, {
    recursive: true,
    filter: (from) => !left.has(relative(project, from)),
  });
  return { directory, run: runner(directory, inherited()) };
}

export interface OlderNpm {
  readonly env: NodeJS.ProcessEnv;
  readonly run: Run;
}

/** What runs in the copy under the older npm, or a sentence where there is neither registry nor cache. */
export function olderNpm(root: string, { directory, run: runHere }: Copy): OlderNpm | string {
  const pack = ['pack', '--silent', '--prefer-offline', '--fetch-retries=0'];
  const packed = runHere('npm', ...pack, `--pack-destination=${root}`, `npm@${olderNpmVersion}`);
  if (packed.status !== 0) {
    const why = packed.error?.message ?? packed.stderr.trim().split('\n').at(-1);
    return `npm ${olderNpmVersion} cannot be had: ${why}`;
  }
  const unpacked = runHere('tar', '-xzf', join(root, packed.stdout.trim()), '-C', root);
  if (unpacked.status !== 0) return `npm ${olderNpmVersion}: ${unpacked.stderr}`;
  const bin = join(root, 'bin');
  mkdirSync(bin);
  writeFileSync(join(bin, 'node'), oldNode, { mode: 0o755 });
  const npm = `#!/bin/sh\nexec node '${join(root, 'package/bin/npm-cli.js')}' "$@"\n`;
  writeFileSync(join(bin, 'npm'), npm, { mode: 0o755 });
  const env = { ...inherited(), PATH: `${bin}:${system}` };
  return { env, run: runner(directory, env) };
}
