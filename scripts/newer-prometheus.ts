/**
 * Brings newer releases of Prometheus and Alertmanager beside the installed ones, so that rules
 * and configuration are tested under both. They come from Debian packages, unpacked into a cache
 * without installing anything: no root, no change to the system's own sources list.
 *
 *   node scripts/newer-prometheus.ts     prints where they are, or why they cannot be had
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

export interface Release {
  /** `sid`: Prometheus 3.5, Alertmanager 0.33 at the time of writing. `trixie`: 2.53 and 0.28. */
  readonly suite: 'sid' | 'trixie';
  /** The directory that holds prometheus, promtool, prometheus-alertmanager and amtool. */
  readonly bin: string;
}

export interface Unavailable {
  /** A sentence for the line that says what was skipped. */
  readonly skipped: string;
}

const cache = join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'stealwatch');
const packages = ['prometheus', 'promtool', 'prometheus-alertmanager'];
const keyring = '/usr/share/keyrings/debian-archive-keyring.gpg';

function run(program: string, args: readonly string[], cwd: string): void {
  const { status, stderr, error } = spawnSync(program, args, {
    cwd,
    encoding: 'utf8',
    timeout: 240_000,
  });
  if (status !== 0) {
    const why = error?.message ?? stderr.trim().split('\n').at(-1) ?? `exit code ${status}`;
    throw new Error(`${program} ${args.at(-1)}: ${why}`);
  }
}

/** Everything apt reads or writes is inside `directory`. */
function unpack(suite: string, directory: string): void {
  mkdirSync(join(directory, 'lists', 'partial'), { recursive: true });
  mkdirSync(join(directory, 'archives', 'partial'), { recursive: true });
  writeFileSync(
    join(directory, 'sources.list'),
    `deb [signed-by=${keyring}] http://deb.debian.org/debian ${suite} main\n`,
  );
  const options = [
    `Dir::Etc::sourcelist=${join(directory, 'sources.list')}`,
    'Dir::Etc::sourceparts=-',
    `Dir::State::lists=${join(directory, 'lists')}`,
    `Dir::Cache=${directory}`,
    'APT::Sandbox::User=',
    'Acquire::Languages=none',
    'Acquire::IndexTargets::deb::DEP-11::DefaultEnabled=false',
    'Debug::NoLocking=1',
  ].flatMap((option) => ['-o', option]);
  run('apt-get', [...options, '-qq', 'update'], directory);
  for (const name of packages) run('apt-get', [...options, '-qq', 'download', name], directory);
  run('sh', ['-c', 'for deb in *.deb; do dpkg-deb -x "$deb" root || exit 1; done'], directory);
}

function works(bin: string): boolean {
  return ['prometheus', 'promtool', 'prometheus-alertmanager', 'amtool'].every(
    (program) => spawnSync(join(bin, program), ['--version']).status === 0,
  );
}

export function newerPrometheus(suite: Release['suite'] = 'sid'): Release | Unavailable {
  const bin = join(cache, suite, 'bin');
  if (existsSync(bin)) return { suite, bin };
  const skipped = `Prometheus of Debian ${suite} cannot be had here`;
  if (!existsSync('/usr/bin/apt-get') || !existsSync(keyring)) {
    return { skipped: `${skipped}: no apt-get, or no Debian keyring at ${keyring}` };
  }
  mkdirSync(cache, { recursive: true });
  const directory = mkdtempSync(join(cache, `${suite}-`));
  try {
    unpack(suite, directory);
    if (!works(join(directory, 'root', 'usr', 'bin'))) {
      return { skipped: `${skipped}: the programs do not run on this system` };
    }
    mkdirSync(join(cache, suite), { recursive: true });
    // Another test process may have been faster: its copy is as good.
    if (!existsSync(bin)) renameSync(join(directory, 'root', 'usr', 'bin'), bin);
    return { suite, bin };
  } catch (error) {
    return { skipped: `${skipped}: ${error instanceof Error ? error.message : String(error)}` };
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

if (import.meta.main) {
  for (const suite of ['sid', 'trixie'] as const) {
    const found = newerPrometheus(suite);
    console.log('bin' in found ? `${suite}: ${found.bin}` : found.skipped);
  }
}
