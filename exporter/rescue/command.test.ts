/** `stealwatch rescue` on a machine in a folder: what it says, what it writes, how it ends. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { readRescueRecord, secondsSinceBoot } from '../core/rescue-record.ts';
import { writeTree } from '../../tools/rig/fixture-tree.ts';
import {
  noMsr,
  parkedMachine,
  type ParkedMachine,
  parkedPid,
} from '../../tools/rig/parked-machine.ts';
import { freePort } from '../../tools/rig/redis-server.ts';
import { type RescueDoubles, rescueWith } from './command.ts';
import { readRescueOptions } from './options.ts';

const values = [0x1_bd21_4c09n, 0x1_bd21_4d09n] as const;
const main = { tid: parkedPid, cpu: 1 };
const other = { tid: 6110, comm: 'jemalloc_bg_thd', cpu: 0 };

async function rescue(
  machine: ParkedMachine,
  argv: readonly string[],
  doubles: RescueDoubles = {},
): Promise<{ code: number; screen: string; complaints: string; out: string; record: string }> {
  const [printed, complained]: [string[], string[]] = [[], []];
  const out = join(machine.root, 'out');
  const record = join(machine.root, 'run/record.json');
  const places = [
    ['--procfs', machine.procfs],
    ['--sysfs', machine.sysfs],
    ['--kmsg', machine.kmsg],
    ['--out', out],
    ['--redis-url', `redis://127.0.0.1:${await freePort()}`],
    ['--exporter', `http://127.0.0.1:${await freePort()}`],
  ].flat();
  const rescue = rescueWith({
    arch: 'x64',
    recordPath: record,
    sleep: async () => pause(20),
    msrs: machine.msrs(values),
    ...doubles,
  });
  const code = await rescue({
    argv: [...places, ...argv],
    env: {},
    print: (text) => void printed.push(text),
    complain: (text) => void complained.push(text),
  });
  return { code, screen: printed.join(''), complaints: complained.join(''), out, record };
}

function parked(t: TestContext): ParkedMachine {
  const machine = parkedMachine(t);
  machine.put(main, other);
  return machine;
}

/** What a host does that has lost the message: it wakes all that is parked on the vCPU. */
function hostOf(machine: ParkedMachine) {
  const counts = [1, 1];
  return (cpu: number): void => {
    counts[cpu] = (counts[cpu] ?? 0) + 1;
    machine.hyp(...counts);
    machine.wake(cpu === 1 ? main : other);
  };
}

test('rescue: looks, says who is parked where and since when, and writes nothing', async (t) => {
  const machine = parked(t);
  const msrs = machine.msrs(values);
  machine.report(parkedPid, secondsSinceBoot() - 4, 120);
  const { code, screen, out, record } = await rescue(machine, [], { msrs });
  assert.equal(code, 1);
  assert.match(screen, /^2 threads are parked until the host says/);
  assert.match(
    screen,
    new RegExp(
      `  redis-server, process ${parkedPid}, thread ${parkedPid}: on vCPU 1, for 2 min at least .seen by the kernel., kvm_async_pf`,
    ),
  );
  assert.match(screen, /thread 6110, jemalloc_bg_thd: on vCPU 0, .* \(seen by us\)/);
  assert.match(
    screen,
    /In 3 s no pages came back .*: the message was lost, or the swap of the host stands/,
  );
  assert.match(screen, /The exporter was not heard: http:\/\/127\.0\.0\.1:\d+: ECONNREFUSED/);
  assert.match(screen, /vCPU 1: 0x1bd214d09, as a kernel writes it/);
  assert.match(screen, /written back on vCPUs 0, 1, where they are parked, 2 s apart/);
  assert.match(screen, /a reset from the panel/);
  assert.deepEqual(msrs.written, []);
  assert.throws(() => readdirSync(out), /ENOENT/);
  assert.equal(readRescueRecord(record), undefined);
});

const keptKeys = 'schema time threads hyp msr exporter kernel evidence';

test('rescue --write: evidence first, then each vCPU, and what came of it', async (t) => {
  const machine = parked(t);
  const kept: string[][] = [];
  const host = hostOf(machine);
  const msrs = machine.msrs(values, (cpu) => {
    kept.push(readdirSync(join(machine.root, 'out')));
    host(cpu);
  });
  const { code, screen, out, record } = await rescue(machine, ['--write'], { msrs });
  assert.equal(code, 0, screen);
  assert.deepEqual(msrs.written, [0, 1]);
  assert.equal(kept[0]?.length, 1, 'the evidence is kept before the first write');
  assert.match(screen, /vCPU 0: written; HYP went up by 1; 1 of 1 threads have woken\./);
  assert.match(
    screen,
    /written back on vCPUs 0, 1: 2 of 2 parked threads woke, no Redis listens\./,
  );
  const [name = ''] = readdirSync(out);
  assert.match(name, /^stealwatch-rescue-\d{8}T\d{6}Z\.json$/);
  assert.equal(statSync(join(out, name)).mode & 0o777, 0o600);
  const evidence = JSON.parse(readFileSync(join(out, name), 'utf8'));
  assert.equal(Object.keys(evidence).join(' '), keptKeys);
  assert.equal(evidence.schema, 1);
  assert.equal(evidence.msr.length, 2);
  assert.equal(evidence.hyp.seconds, 3);
  assert.equal(evidence.threads.length, 2);
  assert.equal(evidence.threads[0].wchan, 'kvm_async_pf_task_wait_schedule');
  assert.deepEqual(evidence.hyp.after, { 0: 1, 1: 1 });
  const told = readRescueRecord(record);
  assert.equal(told?.counts.released, 1);
  assert.deepEqual(
    told?.writes.map(({ cpu }) => cpu),
    [0, 1],
  );
  assert.deepEqual(told?.rescues[0]?.cpus, [0, 1]);
});

test('rescue --write: only where something is parked, and never over a file', async (t) => {
  const machine = parkedMachine(t);
  machine.put(main);
  const msrs = machine.msrs(values, hostOf(machine));
  const first = await rescue(machine, ['--write'], { msrs });
  assert.deepEqual([first.code, msrs.written], [0, [1]]);
  machine.put(main);
  await rescue(machine, ['--write'], { msrs });
  assert.equal(readdirSync(first.out).length, 2);
});

test('rescue --write: a host that wakes nobody, or whose swap stands still', async (t) => {
  const machine = parked(t);
  const silent = await rescue(machine, ['--write'], { msrs: machine.msrs(values) });
  assert.equal(silent.code, 1);
  assert.match(silent.screen, /HYP did not move: the host has not answered; 0 of 1 threads/);
  assert.match(silent.screen, /redis-server, thread 6110: sleeps as before/);
  assert.match(silent.screen, /0 of 2 parked threads woke/);
  assert.match(silent.screen, /only the host can end that/);
  assert.equal(readRescueRecord(silent.record)?.counts.not_released, 1);
  // They wake, and wait for the same page again.
  const again = machine.msrs(values, (cpu) =>
    machine.wake({
      ...(cpu === 1 ? main : other),
      state: 'D',
      wchan: 'kvm_async_pf_task_wait_schedule',
    }),
  );
  const stalled = await rescue(machine, ['--write'], { msrs: again });
  assert.equal(stalled.code, 1);
  assert.match(stalled.screen, /thread 6110: woke, and waits for a page again/);
  assert.match(stalled.screen, /2 of 2 parked threads woke, 2 of them wait for a page again, no/);
});

test('rescue --write: how long it waits for what', async (t) => {
  const pauses: number[] = [];
  // Redis is heard in time of its own.
  const sleep = async (seconds: number) => {
    pauses.push(seconds);
    await pause(20);
  };
  const helped = parked(t);
  await rescue(helped, ['--write'], { msrs: helped.msrs(values, hostOf(helped)), sleep });
  assert.deepEqual(pauses.slice(0, 6), [3, 2, 2, 1, 1, 1], 'three seconds in which all is well');
  assert.ok(pauses.length < 30, 'and no more');
  pauses.length = 0;
  const silent = parked(t);
  await rescue(silent, ['--write'], { msrs: silent.msrs(values), sleep });
  assert.deepEqual(pauses.slice(0, 3), [3, 2, 2]);
  assert.deepEqual(
    pauses.slice(3),
    Array.from({ length: 30 }, () => 1),
    'half a minute',
  );
});

test('rescue --write: the first write that does not get through is the last', async (t) => {
  const machine = parked(t);
  const msrs = machine.msrs(values, () => {
    throw new Error('/dev/cpu/0/msr is refused by the kernel (EPERM)');
  });
  const { code, screen, record } = await rescue(machine, ['--write'], { msrs });
  assert.equal(code, 2);
  assert.match(screen, /A write did not get through: \/dev\/cpu\/0\/msr is refused/);
  assert.deepEqual(msrs.written, [0]);
  assert.equal(readRescueRecord(record)?.counts.failed, 1);
});

test('rescue --write: a disk that takes no evidence keeps nobody from it', async (t) => {
  const machine = parked(t);
  writeTree(machine.root, { out: 'a file', run: 'a file' });
  const msrs = machine.msrs(values, hostOf(machine));
  const { code, screen } = await rescue(machine, ['--write'], { msrs });
  assert.equal(code, 0);
  assert.match(screen, /The evidence could not be kept: /);
  assert.match(screen, /The record for the exporter cannot be written: /);
});

test('rescue: parked by its stack, where this kernel names no function', async (t) => {
  const machine = parkedMachine(t);
  machine.put({ ...main, wchan: '0', stack: '[<0>] kvm_async_pf_task_wait_schedule+0x1/0x2\n' });
  assert.match((await rescue(machine, [])).screen, /^One thread is parked.*\n.*by its stack/);
  machine.put({ ...main, wchan: 'io_schedule' });
  const disk = await rescue(machine, []);
  assert.match(disk.screen, /^No thread is parked/);
  assert.equal(disk.code, 0);
});

const clocksource = 'sys/devices/system/clocksource/clocksource0/available_clocksource';

const refusals: Readonly<
  Record<string, readonly [tree: Record<string, string>, doubles: RescueDoubles, words: RegExp]>
> = {
  'another processor': [
    {},
    { arch: 'arm64' },
    /this is arm64: KVM offers async page faults on x86/,
  ],
  'no KVM': [{ [clocksource]: 'tsc hpet\n' }, {}, /this is no guest of KVM: MSR 0x4b564d02 is/],
  'no async page faults': [
    { 'proc/interrupts': '  CPU0 CPU1\nNMI: 0 0 x\n' },
    {},
    /offered no async page faults: .* no HYP row/,
  ],
  lockdown: [
    { 'sys/kernel/security/lockdown': 'none [integrity] confidentiality\n' },
    {},
    /locked down \(integrity/,
  ],
  'the stricter lockdown': [
    { 'sys/kernel/security/lockdown': 'none integrity [confidentiality]\n' },
    {},
    /locked down \(confidentiality/,
  ],
  'a kernel told to refuse': [
    { 'sys/module/msr/parameters/allow_writes': 'off\n' },
    {},
    /msr\.allow_writes=off/,
  ],
  'garbage where counts stand': [{ 'proc/interrupts': 'garbage\n' }, {}, /interrupts: unexpected/],
};

for (const [name, [tree, doubles, words]] of Object.entries(refusals)) {
  test(`rescue: refuses on ${name}, and writes nothing`, async (t) => {
    const machine = parked(t);
    writeTree(machine.root, tree);
    const msrs = machine.msrs(values);
    const { code, screen, complaints } = await rescue(machine, ['--write'], { msrs, ...doubles });
    assert.equal(code, 2);
    assert.match(screen + complaints, words);
    assert.deepEqual(msrs.written, []);
  });
}

const missing = () => noMsr(0);

test('rescue: what came from elsewhere moves no cursor', async (t) => {
  const machine = parkedMachine(t);
  machine.put({ ...main, comm: 'a\x1b[2Jb' });
  const device = [values[0], new Error('no \x07 device')];
  const { screen } = await rescue(machine, ['--write'], { msrs: machine.msrs(device) });
  assert.match(screen, /vCPU 1: no \? device/);
  assert.doesNotMatch(screen, /(?!\n)\p{Cc}/u);
  const failing = machine.msrs(values, () => {
    throw new Error('no \x07 write');
  });
  const written = await rescue(machine, ['--write'], { msrs: failing });
  assert.match(written.screen, /did not get through: no \? write/);
  assert.doesNotMatch(written.screen, /(?!\n)\p{Cc}/u);
});

test('rescue: refuses where the devices do not do', async (t) => {
  const devices: readonly (readonly [readonly (bigint | Error)[], RegExp])[] = [
    [[missing(), missing()], /nothing below \/dev\/cpu: the msr module is not loaded/],
    [[0n, values[1]], /vCPU 0 holds 0: async page faults are off there/],
    [[values[0], 0x1_bd21_4d01n], /vCPU 1 holds 0x1bd214d01, which asks for no interrupt/],
    [[values[0], values[0]], /vCPU 0 and 1 hold the same address/],
    [[values[0], missing()], /is not there/],
  ];
  for (const [some, words] of devices) {
    const machine = parked(t);
    const msrs = machine.msrs(some);
    const { code, screen } = await rescue(machine, ['--write'], { msrs });
    assert.equal(code, 2);
    assert.match(screen, words);
    assert.deepEqual(msrs.written, []);
  }
  const contained = parked(t);
  writeTree(contained.root, { 'sys/module/msr/parameters/allow_writes': 'default\n' });
  const { screen } = await rescue(contained, [], { msrs: contained.msrs([missing(), missing()]) });
  assert.match(screen, /the msr module is loaded: this is a container without its devices/);
});

test('rescue: nothing parked is nothing to write, unless on all vCPUs', async (t) => {
  const machine = parkedMachine(t);
  assert.equal((await rescue(machine, [])).code, 0);
  const missingToo = { msrs: machine.msrs([missing(), missing()]) };
  const noon = await rescue(machine, [], missingToo);
  assert.equal(noon.code, 0);
  assert.match(noon.screen, /Were one parked, it could not be written: there is nothing below/);
  const none = await rescue(machine, ['--write']);
  assert.equal(none.code, 2);
  assert.match(none.screen, /Nothing can be written: no thread is parked .*--all-cpus/);
  const msrs = machine.msrs(values);
  const all = await rescue(machine, ['--write', '--all-cpus'], { msrs });
  assert.deepEqual([all.code, msrs.written], [0, [0, 1]]);
  assert.match(all.screen, /nothing was parked, no Redis listens/);
});

test('rescue: one who may not see what threads wait for is told so', async (t) => {
  const machine = parkedMachine(t);
  writeTree(machine.root, { 'proc/2/wchan': '0' });
  const { screen, code } = await rescue(machine, ['--write']);
  assert.equal(code, 2);
  const look = await rescue(machine, []);
  assert.equal(look.code, 2, 'not seen is not: nothing is parked');
  assert.match(
    look.screen,
    /^Whether a thread is parked .* may not be told: Without CAP_SYS_PTRACE/,
  );
  assert.match(
    screen,
    /no thread is seen to be parked, and it may not be told: Without CAP_SYS_PTRACE/,
  );
});

test('rescue: a container, which sees its own processes, does not say that nothing is parked', async (t) => {
  for (const other of ['sh', undefined]) {
    const machine = parkedMachine(t);
    const stat = readFileSync(join(machine.procfs, '2/stat'), 'utf8');
    if (other === undefined) rmSync(join(machine.procfs, '2'), { recursive: true });
    else writeTree(machine.root, { 'proc/2/stat': stat.replace('kthreadd', other) });
    const { code, screen } = await rescue(machine, []);
    assert.equal(code, 2, screen);
    assert.match(screen, /^Whether a thread is parked .* may not be told: Only some of this/);
  }
  const machine = parkedMachine(t);
  rmSync(join(machine.procfs, 'interrupts'));
  assert.match((await rescue(machine, [])).screen, /interrupts is not there: whether this VM is/);
});

test('rescue --write: what woke by itself meanwhile is neither written nor credited', async (t) => {
  const machine = parked(t);
  const msrs = machine.msrs(values, hostOf(machine));
  // The vCPU is read, and then they wake.
  const read = async (cpu: number) => {
    const value = await msrs.read(cpu);
    setTimeout(() => machine.wake(cpu === 1 ? main : other), 0);
    return value;
  };
  const all = await rescue(machine, ['--write'], { msrs: { ...msrs, read } });
  assert.equal(all.code, 0);
  assert.deepEqual(msrs.written, []);
  assert.match(all.screen, /vCPU 1: not written, what was parked there has woken by itself\./);
  assert.match(all.screen, /^Nothing was written: what was parked had woken by itself\.$/m);
  assert.equal(readRescueRecord(all.record)?.counts.refused, 1);
  assert.deepEqual(readRescueRecord(all.record)?.writes, []);
});

function outOf(...argv: readonly string[]) {
  const command = readRescueOptions(argv, {});
  return command.kind === 'run' ? command.options.out : command;
}

test('rescue: the evidence goes where one stands, unless one says where', () => {
  assert.equal(outOf(), process.cwd());
  assert.equal(outOf('--out', 'kept'), join(process.cwd(), 'kept'));
  assert.equal(outOf('--out', '/kept'), '/kept');
});

test('rescue: options that cannot be, and help', async (t) => {
  const machine = parkedMachine(t);
  const wrong: readonly (readonly [readonly string[], RegExp])[] = [
    [['--write', '--watch', 'http://h'], /--write, --watch: expected one of the two/],
    [['--all-cpus'], /--all-cpus: expected --write with it/],
    [['--all-cpus', '--watch', 'http://h'], /--all-cpus, --watch: expected one/],
    [['--stuck-after', '59'], /--stuck-after: expected a number of seconds from 60/],
    [['--watch', 'ftp://h'], /--watch: expected a URL/],
    [['--watch'], /--watch: expected URL after it/],
    [['--watch', ''], /--watch: expected a URL that starts/],
    [['--watch='], /--watch: expected a URL that starts/],
    [['--force'], /no such option/],
  ];
  for (const [argv, words] of wrong) {
    const { code, complaints } = await rescue(machine, argv);
    assert.equal(code, 3);
    assert.match(complaints, words);
  }
  const { code, screen } = await rescue(machine, ['--help']);
  assert.equal(code, 0);
  assert.match(screen, /--stuck-after SECONDS/);
  for (const form of ['[options] ', '--write [options] ', '--watch URL ']) {
    assert.ok(screen.includes(`stealwatch rescue ${form}`), form);
  }
  assert.match(screen, /Ends with 0 when [^;]+; 1 when\n[^;]+; 2 when [^;]+; 3 for\n/);
});
