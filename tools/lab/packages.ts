/**
 * What the lab is made of, from Debian's signed packages, unpacked into a cache directory without
 * installing anything: QEMU and Redis from sid, the kernel of the stable release, and of sysstat the
 * oldest that knows interrupts by name, since no older `sadf` reads what a newer one has written.
 */
import { execFileSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  writeFileSync,
} from 'node:fs';
import { homedir } from 'node:os';
import { basename, join } from 'node:path';
import { type PrivateApt, privateApt, unpackPackage } from '../rig/debian-packages.ts';

const cache = process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache');
export const labDirectory = join(cache, 'stealwatch', 'lab');
const apt = join(labDirectory, 'packages');

const programs = ['qemu-system-x86', 'busybox-static', 'cpio', 'redis-server'];
const oldPrograms = ['sysstat/bookworm', 'libsensors5/bookworm'];

export interface Unpacked {
  /** Root of the unpacked programs. */
  readonly root: string;
  readonly libraries: string;
  readonly kernel: string;
  /** Directory of the kernel's modules. */
  readonly modules: string;
  /** Package names with versions, for the report. */
  readonly versions: readonly string[];
}

/** The kernel that the stable release's metapackage stands for today. */
function kernelPackage(from: PrivateApt): string {
  const depends = from.run('apt-cache', ['depends', 'linux-image-cloud-amd64/trixie']);
  const name = /Depends: (linux-image-[0-9]\S*)/.exec(depends)?.[1];
  if (name === undefined) throw new Error(`no kernel in ${JSON.stringify(depends)}`);
  return name;
}

function download(): void {
  const from = privateApt(apt, ['bookworm', 'trixie', 'sid']);
  from.run('apt-get', ['-y', '--download-only', '-t', 'sid', 'install', ...programs]);
  from.run('apt-get', ['download', kernelPackage(from), ...oldPrograms], join(apt, 'archives'));
}

function only(directory: string, pattern: RegExp): string {
  const name = readdirSync(directory).find((entry) => pattern.test(entry));
  if (name === undefined) throw new Error(`nothing like ${String(pattern)} in ${directory}`);
  return join(directory, name);
}

/** Downloads 90 MB the first time; afterwards uses what is there. */
export function unpackPackages(): Unpacked {
  const root = join(labDirectory, 'root');
  const done = join(labDirectory, 'unpacked');
  const wanted = [...programs, ...oldPrograms].join('\n');
  if (!existsSync(done) || readFileSync(done, 'utf8') !== wanted) {
    download();
    mkdirSync(root, { recursive: true });
    for (const file of readdirSync(join(apt, 'archives'))) {
      if (file.endsWith('.deb')) unpackPackage(join(apt, 'archives', file), root);
    }
    writeFileSync(done, wanted);
  }
  const versions = readdirSync(join(apt, 'archives'))
    .filter((file) =>
      /^(qemu-system-x86|redis-server|busybox-static|linux-image|sysstat)/.test(file),
    )
    .map((file) => file.split('_').slice(0, 2).join(' ').replaceAll('%3a', ':'));
  return {
    root,
    libraries: join(root, 'usr/lib/x86_64-linux-gnu'),
    kernel: only(join(root, 'boot'), /^vmlinuz-/),
    modules: join(only(join(root, 'usr/lib/modules'), /cloud/), 'kernel'),
    versions,
  };
}

/** The libraries that a program needs, by the name it asks for. */
export function librariesOf(program: string, { libraries, root }: Unpacked): Map<string, string> {
  const found = new Map<string, string>();
  const places = [libraries, join(libraries, 'systemd'), join(root, 'usr/lib')];
  const todo = [program];
  for (let file = todo.pop(); file !== undefined; file = todo.pop()) {
    const dynamic = execFileSync('readelf', ['-d', file], { cwd: root, encoding: 'utf8' });
    for (const [, name = ''] of dynamic.matchAll(/\(NEEDED\).*\[(.+)\]/g)) {
      if (found.has(name)) continue;
      const place = places.find((directory) => existsSync(join(directory, name)));
      if (place === undefined)
        throw new Error(`${basename(file)} needs ${name}: not in the packages`);
      const path = realpathSync(join(place, name));
      found.set(name, path);
      todo.push(path);
    }
  }
  return found;
}
