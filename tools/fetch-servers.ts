/**
 * Brings the servers that Debian stable does not have side by side, for the tests that try each:
 * Redis 8, Valkey 8 and Valkey 9, from Debian's own signed packages, unpacked into a cache
 * directory with the C library they were built for. Nothing is installed. Needs apt-get and
 * dpkg-deb; the tests that miss a server say so and pass.
 *
 *   npm run fetch-servers [-- DIRECTORY]
 */
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type ServerName, serverDirectory } from './rig/servers.ts';
import { privateApt, unpackPackage } from './rig/debian-packages.ts';

/** Debian's `redis-tools` holds the server's binary; `redis-server` only a link to it. */
const servers: readonly { name: ServerName; package: string; binary: string }[] = [
  { name: 'redis-8', package: 'redis-tools/trixie', binary: 'redis-check-rdb' },
  { name: 'valkey-8', package: 'valkey-tools/trixie', binary: 'valkey-check-rdb' },
  { name: 'valkey-9', package: 'valkey-tools/sid', binary: 'valkey-check-rdb' },
];

const libraries = [
  'libc6',
  'libssl3t64',
  'libjemalloc2',
  'liblzf1',
  'libatomic1',
  'libstdc++6',
  'libgcc-s1',
  'libsystemd0',
  'libcap2',
  'libzstd1',
  'zlib1g',
].map((name) => `${name}/trixie`);

const root = process.argv[2] ?? serverDirectory();
const state = join(root, 'apt');
const apt = privateApt(state, ['trixie', 'sid']);

/** Download packages, which apt checks against the signed list, and unpack them into one place. */
function unpack(name: string, packages: readonly string[]): string {
  const downloads = join(state, 'packages', name);
  const target = join(root, name);
  for (const directory of [downloads, target]) {
    rmSync(directory, { recursive: true, force: true });
    mkdirSync(directory, { recursive: true });
  }
  apt.run('apt-get', ['download', ...packages], downloads);
  for (const file of readdirSync(downloads)) unpackPackage(join(downloads, file), target);
  return target;
}

const runtime = join(unpack('runtime', libraries), 'usr/lib');
const triplet = readdirSync(runtime).find((name) => name.endsWith('-linux-gnu'));
const loader = readdirSync(join(runtime, triplet ?? '')).find((name) =>
  name.startsWith('ld-linux'),
);
if (triplet === undefined || loader === undefined) throw new Error(`no C library in ${runtime}`);
const path = join(runtime, triplet);
for (const { name, package: source, binary } of servers) {
  const program = join(unpack(`${name}.d`, [source]), 'usr/bin', binary);
  // The binary is whatever its name says it is: a server, or the checker of dump files.
  const command = `exec ${path}/${loader} --argv0 redis-server --library-path ${path} ${program} "$@"`;
  writeFileSync(join(root, name), `#!/bin/sh\n${command}\n`);
  chmodSync(join(root, name), 0o755);
  const version = execFileSync(join(root, name), ['--version'], { encoding: 'utf8' });
  process.stdout.write(`${join(root, name)}: ${version}`);
}
