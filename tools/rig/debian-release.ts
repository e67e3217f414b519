/**
 * Programs of newer Debian releases beside the installed ones, unpacked into a cache without installing
 * anything: no root, no change to the system's own sources list.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { privateApt, unpackPackage, whyNoDebianPackages } from './debian-packages.ts';
import { messageOf } from '../../exporter/measure/errors.ts';

export interface Wanted {
  /** How the cache's folder is called. */
  readonly name: string;
  /** For people: "Prometheus of Debian sid". */
  readonly title: string;
  readonly suite: 'sid' | 'trixie';
  readonly packages: readonly string[];
  /** Each has to run here, and exits with 0 when called so. */
  readonly programs: readonly (readonly [name: string, ...args: string[]])[];
}

export interface Unavailable {
  /** A sentence for the line that says what was skipped. */
  readonly skipped: string;
}

const cache = join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'stealwatch');

/** Everything apt reads or writes is inside `directory`. */
function unpack({ suite, packages }: Wanted, directory: string): void {
  const apt = privateApt(directory, [suite]);
  apt.run('apt-get', ['download', ...packages]);
  for (const file of readdirSync(directory).filter((name) => name.endsWith('.deb'))) {
    unpackPackage(join(directory, file), join(directory, 'root'));
  }
}

/** The directory that holds the programs. */
export function debianPrograms(wanted: Wanted): { readonly bin: string } | Unavailable {
  const bin = join(cache, wanted.name, 'bin');
  if (existsSync(bin)) return { bin };
  const skipped = `${wanted.title} cannot be had here`;
  const obstacle = whyNoDebianPackages();
  if (obstacle !== undefined) return { skipped: `${skipped}: ${obstacle}` };
  mkdirSync(cache, { recursive: true });
  const directory = mkdtempSync(join(cache, `${wanted.name}-`));
  try {
    unpack(wanted, directory);
    const unpacked = join(directory, 'root', 'usr', 'bin');
    const runs = wanted.programs.every(
      ([name, ...args]) => spawnSync(join(unpacked, name), args).status === 0,
    );
    if (!runs) return { skipped: `${skipped}: the programs do not run on this system` };
    mkdirSync(join(cache, wanted.name), { recursive: true });
    // Another test process may have been faster: its copy is as good.
    if (!existsSync(bin)) renameSync(unpacked, bin);
    return { bin };
  } catch (error) {
    return { skipped: `${skipped}: ${messageOf(error)}` };
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}
