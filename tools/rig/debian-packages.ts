/**
 * Debian's signed packages of other releases than the machine's, without installing anything: a
 * private apt whose lists, state and downloads are inside one directory, from the mirror that the
 * machine's own apt uses. Needs apt-get, dpkg-deb and Debian's keyring.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { messageOf } from '../../exporter/measure/errors.ts';

const keyring = '/usr/share/keyrings/debian-archive-keyring.gpg';
const timeout = 240_000;

/** Why there can be no private apt here, or undefined when there can. */
export function whyNoDebianPackages(): string | undefined {
  return existsSync('/usr/bin/apt-get') && existsSync(keyring)
    ? undefined
    : `no apt-get, or no Debian keyring at ${keyring}`;
}

/** Standard output. An error ends with the last line of what the program said. */
function run(program: string, args: readonly string[], cwd: string): string {
  try {
    return execFileSync(program, args, {
      cwd,
      timeout,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
    });
  } catch (error) {
    const said = error instanceof Error && 'stderr' in error ? String(error.stderr).trim() : '';
    const why = said.split('\n').at(-1) || messageOf(error);
    throw new Error(`${program} ${args.at(-1)}: ${why}`, { cause: error });
  }
}

function mirror(): string {
  const format = '$(ORIGIN) $(REPO_URI)';
  const targets = run('apt-get', ['indextargets', '--format', format, 'Created-By: Packages'], '/');
  const uri = /^Debian (\S+)$/m.exec(targets)?.[1];
  if (uri === undefined) throw new Error("apt's configuration names no mirror of Debian");
  return uri;
}

export interface PrivateApt {
  /** apt-get or apt-cache with these arguments, in `cwd`. Standard output. */
  run(program: 'apt-get' | 'apt-cache', args: readonly string[], cwd?: string): string;
}

/** Lists of the given releases are up to date when this returns. */
export function privateApt(
  directory: string,
  suites: readonly ('sid' | 'trixie' | 'bookworm')[],
): PrivateApt {
  for (const name of ['lists/partial', 'archives/partial']) {
    mkdirSync(join(directory, name), { recursive: true });
  }
  const uri = mirror();
  writeFileSync(
    join(directory, 'sources.list'),
    suites.map((suite) => `deb [signed-by=${keyring}] ${uri} ${suite} main\n`).join(''),
  );
  writeFileSync(join(directory, 'status'), '');
  const options = [
    `Dir::Etc::sourcelist=${join(directory, 'sources.list')}`,
    'Dir::Etc::sourceparts=-',
    `Dir::State::lists=${join(directory, 'lists')}`,
    `Dir::State::status=${join(directory, 'status')}`,
    `Dir::Cache=${directory}`,
    'APT::Sandbox::User=',
    'APT::Install-Recommends=false',
    'Acquire::Languages=none',
    'Acquire::IndexTargets::deb::DEP-11::DefaultEnabled=false',
    'Debug::NoLocking=1',
  ].flatMap((option) => ['-o', option]);
  const apt: PrivateApt = {
    run: (program, args, cwd = directory) => run(program, [...options, '-qq', ...args], cwd),
  };
  apt.run('apt-get', ['update']);
  return apt;
}

export function unpackPackage(file: string, target: string): void {
  run('dpkg-deb', ['-x', file, target], '/');
}
