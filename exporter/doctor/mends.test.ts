/**
 * Every command that the doctor prints as tried: run by a shell, as it stands there, in a mount
 * namespace where the files it changes are those of a machine in a folder.
 */
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { examineOne, saidBy } from '../../tools/rig/doctor-machine.ts';
import { fixtureTree } from '../../tools/rig/fixture-tree.ts';
import { checks } from './checks.ts';

const canBind =
  process.getuid?.() === 0 &&
  spawnSync('unshare', ['-m', 'mount', '--bind', '/etc', '/mnt']).status === 0;
const skip = canBind ? false : 'mounting over files needs root';

/** Runs the commands where these files and folders of `root` are the machine's. */
function runOn(root: string, binds: readonly string[], commands: readonly string[]): void {
  const mounts = binds.map((path) => `mount --bind ${join(root, path)} ${path}`);
  execFileSync('unshare', ['-m', 'sh', '-ec', [...mounts, ...commands].join('\n')], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
}

interface Case {
  readonly id: string;
  /** The sick machine. */
  readonly files: Readonly<Record<string, string>>;
  /** Files and folders of it that stand in for the real ones. */
  readonly binds: readonly string[];
  /** What a kernel shows of what was written to its files. */
  readonly kernelShows?: Readonly<Record<string, Readonly<Record<string, string>>>>;
}

const sysctlCase = (id: string, name: string, value: string, more = {}): Case => ({
  id,
  files: { [`proc/sys/${name}`]: value, ...more },
  binds: [`/proc/sys/${name}`, '/etc/sysctl.d'],
});

const hugePages = '/sys/kernel/mm/transparent_hugepage/enabled';

const cases: readonly Case[] = [
  sysctlCase('hung-task-budget', 'kernel/hung_task_warnings', '10\n'),
  sysctlCase('hung-task-timeout', 'kernel/hung_task_timeout_secs', '240\n'),
  sysctlCase('panic-switches', 'kernel/panic', '0\n', {
    'proc/sys/kernel/hung_task_panic': '1\n',
  }),
  sysctlCase('overcommit', 'vm/overcommit_memory', '0\n'),
  {
    id: 'all-cpu-backtraces',
    files: {
      'proc/sys/kernel/hung_task_all_cpu_backtrace': '0\n',
      'proc/sys/kernel/softlockup_all_cpu_backtrace': '0\n',
    },
    binds: [
      '/proc/sys/kernel/hung_task_all_cpu_backtrace',
      '/proc/sys/kernel/softlockup_all_cpu_backtrace',
    ],
  },
  {
    id: 'huge-pages',
    files: { [hugePages.slice(1)]: '[always] madvise never\n' },
    binds: [hugePages, '/etc/tmpfiles.d'],
    kernelShows: { [hugePages]: { 'madvise\n': 'always [madvise] never\n' } },
  },
];

const run = new Set<string>();

function letKernelShow(root: string, { kernelShows = {} }: Case): void {
  for (const [path, shows] of Object.entries(kernelShows)) {
    const written = readFileSync(join(root, path), 'utf8');
    writeFileSync(join(root, path), shows[written] ?? `not taken: ${written}`);
  }
}

for (const one of cases) {
  test(`doctor: what mends ${one.id}, run`, { skip }, async (t) => {
    const root = fixtureTree(t, one.files);
    for (const path of one.binds) {
      if (!existsSync(join(root, path))) mkdirSync(join(root, path), { recursive: true });
    }
    const before = await examineOne(one.id, root);
    const commands = before.mend.map(({ command }) => command);
    assert.ok(commands.length > 0, saidBy(before));
    runOn(root, one.binds, commands);
    for (const command of commands) run.add(command);
    letKernelShow(root, one);
    const after = await examineOne(one.id, root);
    assert.equal(after.state, 'pass', saidBy(after));
    assert.notEqual(after.reason, before.reason);
  });
}

test('doctor: what is marked as tried was run here, and nothing else was', { skip }, () => {
  const marked = checks
    .flatMap(({ mends }) => mends.flat())
    .filter(({ tried }) => tried)
    .map(({ command }) => command);
  assert.deepEqual([...run].toSorted(), [...new Set(marked)].toSorted());
});
