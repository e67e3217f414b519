/**
 * Sees to the programs the tests run for real: redis-server, Prometheus, Alertmanager, openssl.
 * As root on Debian or Ubuntu missing ones are installed; elsewhere they are asked for by name.
 */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { serverNames, serverProgram } from './rig/servers.ts';
import { whyNoDebianPackages } from './rig/debian-packages.ts';

const packages: Readonly<Record<string, string>> = {
  'redis-server': 'redis-server',
  openssl: 'openssl',
  prometheus: 'prometheus',
  promtool: 'prometheus',
  'prometheus-alertmanager': 'prometheus-alertmanager',
  amtool: 'prometheus-alertmanager',
};

function installed(program: string): boolean {
  const path = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin', '/usr/local/bin'];
  const names = program === 'prometheus-alertmanager' ? [program, 'alertmanager'] : [program];
  return path.some((directory) => names.some((name) => existsSync(join(directory, name))));
}

const missing = () => Object.keys(packages).filter((program) => !installed(program));

/** Nothing of them runs, now or after a boot: the tests start their own, on ports of their own. */
function install(names: readonly string[]): void {
  console.log(`Installing for the tests: ${names.join(' ')}`);
  const script = join(import.meta.dirname, 'install-packages.sh');
  spawnSync('sh', [script, ...names], { stdio: 'inherit' });
}

/** Wished for, not needed: tests that want one are skipped without it, and say so. */
const wished: readonly (readonly [packageName: string, programs: readonly string[]])[] = [
  [
    'systemd-journal-remote',
    ['/usr/lib/systemd/systemd-journal-remote', '/lib/systemd/systemd-journal-remote'],
  ],
  ['sysstat', ['/usr/bin/sadf']],
];
const unfulfilled = wished
  .filter(([, programs]) => !programs.some(existsSync))
  .map(([name]) => name);

/** Compilers and linters are optional packages, one for each kind of machine. */
if (!existsSync(join(import.meta.dirname, '..', 'node_modules', '@typescript'))) {
  console.error('The tests need all packages: run npm ci --include=dev --include=optional.');
  process.exit(1);
}

const wanted = [...new Set(missing().map((program) => packages[program] ?? program))];
if (process.getuid?.() === 0 && existsSync('/usr/bin/apt-get')) {
  // Apart: a release that has no such package refuses the whole list.
  for (const names of [wanted, unfulfilled]) if (names.length > 0) install(names);
}
const still = missing();
if (still.length > 0) {
  console.error(
    `The tests need ${still.join(', ')}. On Debian or Ubuntu:\n` +
      `  sudo apt-get install ${[...new Set(still.map((program) => packages[program] ?? program))].join(' ')}\n` +
      'Elsewhere, put them on the PATH.',
  );
  process.exit(1);
}

/** Wished for, not needed: where they cannot be had, their tests are skipped and say so. */
function fetchServers(): void {
  const absent = serverNames.filter((name) => serverProgram(name) === undefined);
  if (absent.length === 0) return;
  console.log(`Fetching for the tests: ${absent.join(' ')}`);
  const script = join(import.meta.dirname, 'fetch-servers.ts');
  const { status } = spawnSync(process.execPath, [script], { stdio: 'inherit', timeout: 180_000 });
  if (status !== 0) console.log(`Not to be had: ${absent.join(' ')}; their tests are skipped.`);
}

if (process.getuid?.() === 0 && whyNoDebianPackages() === undefined) fetchServers();
