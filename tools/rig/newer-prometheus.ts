/**
 * Brings newer releases of Prometheus and Alertmanager beside the installed ones, so that rules
 * and configuration are tested under both. They come from Debian packages, unpacked into a cache
 * without installing anything: no root, no change to the system's own sources list.
 *
 *   node tools/rig/newer-prometheus.ts     prints where they are, or why they cannot be had
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { privateApt, unpackPackage, whyNoDebianPackages } from './debian-packages.ts';
import { messageOf } from '../../exporter/measure/errors.ts';

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

/** Everything apt reads or writes is inside `directory`. */
function unpack(suite: Release['suite'], directory: string): void {
  const apt = privateApt(directory, [suite]);
  apt.run('apt-get', ['download', ...packages]);
  for (const file of readdirSync(directory).filter((name) => name.endsWith('.deb'))) {
    unpackPackage(join(directory, file), join(directory, 'root'));
  }
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
  const obstacle = whyNoDebianPackages();
  if (obstacle !== undefined) return { skipped: `${skipped}: ${obstacle}` };
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
    return { skipped: `${skipped}: ${messageOf(error)}` };
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
