/**
 * Every command that the doctor prints as tried: run by a shell, as it stands there, in a mount
 * namespace where the files it changes are those of a machine in a folder, or on a real redis-server.
 */
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { parseRedisAddress } from '../redis/address.ts';
import { examineOne, saidBy } from '../../tools/rig/doctor-machine.ts';
import { fixtureTree, writeTree } from '../../tools/rig/fixture-tree.ts';
import { type RedisServer, startRedis } from '../../tools/rig/redis-server.ts';
import type { Result } from './check.ts';
import { checks } from './checks.ts';

const canBind =
  process.getuid?.() === 0 &&
  spawnSync('unshare', ['-m', 'mount', '--bind', '/etc', '/mnt']).status === 0;
const skip = canBind ? false : 'mounting over files needs root';

const run = new Set<string>();

/** The commands of a result, of which each is noted. */
function triedOf(result: Result): string[] {
  const commands = result.mend.filter(({ kind }) => kind === 'tried').map(({ text }) => text);
  assert.ok(commands.length > 0, saidBy(result));
  for (const command of commands) run.add(command);
  return commands;
}

interface FileCase {
  readonly id: string;
  /** The sick machine. */
  readonly files: Readonly<Record<string, string>>;
  /** Files and folders of it that stand in for the real ones. */
  readonly binds: readonly string[];
  /** What a kernel shows of what was written to its files. */
  readonly kernelShows?: Readonly<Record<string, Readonly<Record<string, string>>>>;
  /** What the machine itself does every ten minutes. */
  readonly afterwards?: string;
}

const sysctlCase = (id: string, name: string, value: string, more = {}): FileCase => ({
  id,
  files: { [`proc/sys/${name}`]: value, ...more },
  binds: [`/proc/sys/${name}`, '/etc/sysctl.d'],
});

const hugePages = '/sys/kernel/mm/transparent_hugepage/enabled';
const sa1 = '/usr/lib/sysstat/debian-sa1';
/** Where systemd runs, it leaves the work to a timer, which heeds the same setting. */
const collectOnce = `[ ! -d /run/systemd/system ] || mount -t tmpfs none /run/systemd\n${sa1} 1 1`;

const fileCases: readonly FileCase[] = [
  sysctlCase('hung-task-budget', 'kernel/hung_task_warnings', '10\n'),
  sysctlCase('hung-task-timeout', 'kernel/hung_task_timeout_secs', '240\n'),
  sysctlCase('panic-switches', 'kernel/panic', '0\n', {
    'proc/sys/kernel/hung_task_panic': '1\n',
  }),
  sysctlCase('overcommit', 'vm/overcommit_memory', '0\n'),
  sysctlCase('swap', 'vm/swappiness', '60\n', {
    'proc/meminfo':
      'MemTotal:  1000 kB\nMemAvailable: 500 kB\nSwapTotal: 1000 kB\nSwapFree: 100 kB\n',
    'proc/vmstat': 'pswpin 100\n',
    'proc/uptime': '5000.00 5000.00\n',
  }),
  {
    id: 'all-cpu-backtraces',
    files: {
      'proc/sys/kernel/panic': '0\n',
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
  {
    id: 'sysstat-interrupts',
    files: {
      'etc/sysstat/sysstat': 'HISTORY=7\nSADC_OPTIONS="-S DISK"\nSA_DIR=/var/log/sysstat\n',
    },
    binds: ['/etc/sysstat'],
  },
  {
    id: 'sysstat',
    files: {
      'etc/default/sysstat': '# yes or no\nENABLED="false"\n',
      'etc/sysstat/sysstat': 'HISTORY=7\nSADC_OPTIONS="-S DISK"\nSA_DIR=/var/log/sysstat\n',
    },
    binds: ['/etc/default', '/etc/sysstat', '/var/log/sysstat'],
    afterwards: collectOnce,
  },
];

/** Why this machine cannot show it, or false. */
function skipOf({ afterwards, binds }: FileCase): string | false {
  if (skip !== false) return skip;
  if (afterwards !== undefined && !existsSync(sa1)) return 'sysstat is not installed';
  const missing = binds.find((path) => !existsSync(path));
  return missing === undefined ? false : `this machine has no ${missing}`;
}

function runOn(root: string, binds: readonly string[], commands: readonly string[]): void {
  const mounts = binds.map((path) => `mount --bind ${join(root, path)} ${path}`);
  execFileSync('unshare', ['-m', 'sh', '-ec', [...mounts, ...commands].join('\n')], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
}

function letKernelShow(root: string, { kernelShows = {} }: FileCase): void {
  for (const [path, shows] of Object.entries(kernelShows)) {
    const written = readFileSync(join(root, path), 'utf8');
    writeFileSync(join(root, path), shows[written] ?? `not taken: ${written}`);
  }
}

for (const one of fileCases) {
  test(`doctor: what mends ${one.id}, run`, { skip: skipOf(one) }, async (t) => {
    const root = fixtureTree(t, one.files);
    for (const path of one.binds) {
      if (!existsSync(join(root, path))) mkdirSync(join(root, path), { recursive: true });
    }
    const before = await examineOne(one.id, root);
    const { afterwards = ':' } = one;
    runOn(root, one.binds, [...triedOf(before), afterwards]);
    letKernelShow(root, one);
    const after = await examineOne(one.id, root);
    assert.equal(after.state, 'pass', saidBy(after));
    assert.notEqual(after.reason, before.reason);
  });
}

test(
  'doctor: sysstat that is switched off collects nothing, so the trial above is one',
  {
    skip: skipOf({ id: '', files: {}, binds: ['/etc/default/sysstat'], afterwards: sa1 }),
  },
  (t) => {
    const root = fixtureTree(t, { 'default/sysstat': 'ENABLED="false"\n', 'log/x': '' });
    const mounts = [
      `mount --bind ${root}/default/sysstat /etc/default/sysstat`,
      `mount --bind ${root}/log /var/log/sysstat`,
    ];
    execFileSync('unshare', ['-m', 'sh', '-ec', [...mounts, collectOnce].join('\n')]);
    assert.deepEqual(execFileSync('ls', [`${root}/log`], { encoding: 'utf8' }), 'x\n');
  },
);

interface RedisCase {
  readonly id: string;
  /** Of its configuration file, if it has one; `--save ''` is among the arguments of each. */
  readonly file?: string;
  /** What somebody did to it since. */
  readonly since?: readonly string[];
  /** Files of the machine beside it. */
  readonly machine?: Readonly<Record<string, string>>;
}

const paging = {
  'proc/interrupts': '           CPU0       CPU1       \nHYP:     200000     200000   Hypervisor\n',
  'sys/devices/system/clocksource/clocksource0/available_clocksource': 'kvm-clock tsc\n',
};

const redisCases: readonly RedisCase[] = [
  { id: 'rdb-save-points', file: 'save 3600 1\n' },
  {
    id: 'rdb-save-points',
    file: 'save 3600 1\nappendonly yes\n',
    since: ["redis-cli CONFIG SET save '60 5'", 'redis-cli CONFIG REWRITE'],
    machine: paging,
  },
  { id: 'aof-policy', file: 'appendonly yes\nappendfsync always\n' },
  { id: 'persistence', file: '' },
  { id: 'latency-monitor' },
  { id: 'slowlog', file: 'slowlog-log-slower-than -1\n' },
  { id: 'slowlog', file: 'slowlog-max-len 0\n' },
  { id: 'latency-monitor', file: '' },
  { id: 'dead-clients', file: 'tcp-keepalive 0\n' },
  { id: 'memory-headroom', file: '' },
];

interface Machine {
  readonly root: string;
  readonly redis: RedisServer;
  readonly path: string;
}

/** A redis-server with a file, a `redis-cli` that finds it, and a /proc that holds its process. */
async function machineWith(t: TestContext, { file, machine = {} }: RedisCase): Promise<Machine> {
  const folder = mkdtempSync(join(tmpdir(), 'stealwatch-mend-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const script = (name: string, text: string) => {
    writeFileSync(join(folder, name), `#!/bin/sh\n${text}\n`);
    chmodSync(join(folder, name), 0o755);
  };
  if (file !== undefined) writeFileSync(join(folder, 'redis.conf'), file);
  const first = file === undefined ? '' : `${folder}/redis.conf`;
  script('server', `exec redis-server ${first} "$@"`);
  const redis = await startRedis(t, { program: join(folder, 'server') });
  const cli = execFileSync('sh', ['-c', 'command -v redis-cli'], { encoding: 'utf8' }).trim();
  script('redis-cli', `exec ${cli} -e -p ${redis.port} "$@"`);
  const root = fixtureTree(t, {
    'proc/uptime': '5000.00 5000.00\n',
    'proc/meminfo': 'MemTotal: 8000000 kB\nMemAvailable: 7000000 kB\n',
  });
  writeTree(root, machine);
  for (const name of ['self', '1', String(redis.pid)]) {
    symlinkSync(`/proc/${name}`, join(root, 'proc', name));
  }
  return { root, redis, path: folder };
}

const shell = (machine: Machine, commands: readonly string[]) =>
  execFileSync('sh', ['-ec', commands.join('\n')], {
    env: { ...process.env, PATH: `${machine.path}:${process.env['PATH']}` },
    stdio: ['ignore', 'ignore', 'pipe'],
  });

for (const one of redisCases) {
  const since = one.since === undefined ? '' : ` after ${one.since.length} commands`;
  const more = one.file === undefined ? `${since} without a file` : since;
  test(`doctor: what mends ${one.id}${more}, on a real Redis`, async (t) => {
    const machine = await machineWith(t, one);
    const options = { redis: parseRedisAddress(machine.redis.url) };
    shell(machine, one.since ?? []);
    const before = await examineOne(one.id, machine.root, options);
    assert.notEqual(before.state, 'pass', saidBy(before));
    shell(machine, triedOf(before));
    const after = await examineOne(one.id, machine.root, options);
    assert.equal(after.state, 'pass', saidBy(after));
    if (one.file === undefined) return;
    const file = readFileSync(join(machine.path, 'redis.conf'), 'utf8');
    assert.notEqual(file, one.file, 'and it stays so after a restart');
  });
}

const leftOut = fileCases.map(skipOf).find((why) => why !== false) ?? false;

test(
  'doctor: what is marked as tried was run here, and nothing else was',
  { skip: leftOut },
  () => {
    const marked = checks
      .flatMap(({ mends }) => mends.flat())
      .filter(({ kind }) => kind === 'tried')
      .map(({ text }) => text);
    assert.deepEqual([...run].toSorted(), [...new Set(marked)].toSorted());
  },
);
