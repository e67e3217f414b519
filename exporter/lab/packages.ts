/**
 * What the lab is made of, from Debian's signed packages, unpacked into a cache directory without
 * installing anything: QEMU and Redis from sid, the kernel of the stable release.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, realpathSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { basename, join } from 'node:path';

const cache = process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache');
export const labDirectory = join(cache, 'stealwatch', 'lab');
const apt = join(labDirectory, 'packages');
const keyring = '/usr/share/keyrings/debian-archive-keyring.gpg';

const programs = ['qemu-system-x86', 'busybox-static', 'cpio', 'redis-server'];

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

function options(): string[] {
  return [
    `Dir::Etc::sourcelist=${join(apt, 'sources.list')}`,
    'Dir::Etc::sourceparts=-',
    `Dir::State::lists=${join(apt, 'lists')}`,
    `Dir::State::status=${join(apt, 'status')}`,
    `Dir::Cache=${apt}`,
    'APT::Sandbox::User=',
    'APT::Install-Recommends=false',
    'Acquire::Languages=none',
    'Debug::NoLocking=1',
  ].flatMap((option) => ['-o', option]);
}

function run(program: string, args: readonly string[], cwd = apt): string {
  return execFileSync(program, args, { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
}

/** The kernel that the stable release's metapackage stands for today. */
function kernelPackage(): string {
  const depends = run('apt-cache', [...options(), 'depends', 'linux-image-cloud-amd64/trixie']);
  const name = /Depends: (linux-image-[0-9]\S*)/.exec(depends)?.[1];
  if (name === undefined) throw new Error(`no kernel in ${JSON.stringify(depends)}`);
  return name;
}

const source = (suite: string) =>
  `deb [signed-by=${keyring}] http://deb.debian.org/debian ${suite} main\n`;

function download(): void {
  for (const directory of ['lists/partial', 'archives/partial']) {
    mkdirSync(join(apt, directory), { recursive: true });
  }
  writeFileSync(join(apt, 'sources.list'), source('trixie') + source('sid'));
  writeFileSync(join(apt, 'status'), '');
  run('apt-get', [...options(), '-qq', 'update']);
  const install = ['-qq', '-y', '--download-only', '-t', 'sid', 'install'];
  run('apt-get', [...options(), ...install, ...programs]);
  run('apt-get', [...options(), '-qq', 'download', kernelPackage()], join(apt, 'archives'));
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
  if (!existsSync(done)) {
    download();
    mkdirSync(root, { recursive: true });
    for (const file of readdirSync(join(apt, 'archives'))) {
      if (file.endsWith('.deb')) run('dpkg-deb', ['-x', join(apt, 'archives', file), root]);
    }
    writeFileSync(done, '');
  }
  const versions = readdirSync(join(apt, 'archives'))
    .filter((file) => /^(qemu-system-x86|redis-server|busybox-static|linux-image)/.test(file))
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
    const dynamic = run('readelf', ['-d', file], root);
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
