/** The command as it ships, on trees as machines leave them behind. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { kernelEntry, makeJournal, whyNoJournal } from '../../tools/rig/journal.ts';
import { lineForms, type LoggedRecord, recordsOf } from '../../tools/rig/kernel-log-forms.ts';
import { placed, temporaryRoot } from '../../tools/rig/temporary-root.ts';

const launcher = fileURLToPath(new URL('../stealwatch', import.meta.url));
const bootedAt = Date.UTC(2026, 9, 14, 20, 39, 49) / 1000;

interface Run {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
  /** A document, or undefined where it was not written. */
  readonly read: (name: string) => string | undefined;
}

function report(t: TestContext, root: string, argv: readonly string[] = [], env = {}): Run {
  const out = join(temporaryRoot(t), 'out');
  const { status, stdout, stderr } = spawnSync(
    launcher,
    ['report', '--root', root, '--out', out, ...argv],
    { encoding: 'utf8', timeout: 60_000, env: { PATH: process.env['PATH'] ?? '', ...env } },
  );
  const read = (name: string) => {
    const path = join(out, name);
    return existsSync(path) ? readFileSync(path, 'utf8') : undefined;
  };
  return { code: status, stdout, stderr, read };
}

const bootLine = (record: LoggedRecord): LoggedRecord => ({
  ...record,
  microseconds: 0,
  text: 'Linux version 6.12.117+deb13-cloud-amd64 (debian-kernel@lists.debian.org)',
});

/** A root with /var/log/kern.log of a recording, as rsyslog of Debian writes it. */
function withKernLog(t: TestContext, recording: string): string {
  const root = temporaryRoot(t);
  const records = recordsOf(recording);
  const form = lineForms['rsyslog, ISO'];
  const [first] = records;
  if (form === undefined || first === undefined) throw new Error('no such form or recording');
  const lines = [bootLine(first), ...records].map((record) => form(record, bootedAt));
  const next = form(bootLine(first), bootedAt + 40_000);
  placed(root, 'var/log/kern.log', `${[...lines, next].join('\n')}\n`);
  return root;
}

const title = (text: string | undefined) => text?.split('\n', 1)[0];

test('bundle: a kernel log as text is enough for a ticket, and the same in every zone', (t) => {
  const root = withKernLog(t, '6.12-redis-kvm-async-pf');
  const here = report(t, root);
  assert.equal(here.code, 0, here.stderr);
  assert.match(
    title(here.read('ticket.md')) ?? '',
    /^# Host paged out memory of a running VM: service frozen/,
  );
  assert.match(
    here.read('ticket.md') ?? '',
    /fell asleep in the kernel between 2026-10-14 21:03:\d\d and 21:03:\d\d/,
  );
  assert.doesNotMatch(here.read('ticket.md') ?? '', /RIP: 0033|R12: |5615c7364fa3/);
  assert.doesNotMatch(here.read('report.json') ?? '', /RIP: 0033|R12: |5615c7364fa3/);
  const there = report(t, root, [], { TZ: 'Asia/Kathmandu', LC_ALL: 'tr_TR.UTF-8' });
  assert.equal(there.read('ticket.md'), here.read('ticket.md'));
  assert.equal(there.read('report.json'), here.read('report.json'));
});

test('bundle: the journal of the boot before tells the same', { skip: whyNoJournal() }, (t) => {
  const root = temporaryRoot(t);
  const boot = { boot: '1'.repeat(32), start: bootedAt };
  const entries = recordsOf('6.12-redis-kvm-async-pf').map(({ microseconds, text, facility }) =>
    kernelEntry(boot, microseconds / 1e6, text, { facility }),
  );
  makeJournal(join(root, 'var/log/journal', 'b'.repeat(32)), entries);
  const { code, stderr, read } = report(t, root);
  assert.equal(code, 0, stderr);
  assert.match(title(read('ticket.md')) ?? '', /^# Host paged out memory of a running VM/);
});

test('bundle: a frozen file system is no matter for the provider', (t) => {
  const { code, read, stdout } = report(t, withKernLog(t, '6.18-redis-aof-frozen-fs'));
  assert.equal(code, 0);
  assert.equal(read('ticket.md'), undefined);
  assert.match(
    title(read('report.md')) ?? '',
    /^# Post-mortem draft: A file system of this machine was frozen/,
  );
  assert.doesNotMatch(`${read('report.md')}${stdout}`, /paged out|withheld/);
});

const later = (record: LoggedRecord, round: number): LoggedRecord => ({
  ...record,
  microseconds: record.microseconds + (round - 1) * 10.24e6,
  text: record.text.replace('more than 10 seconds', `more than ${round * 10} seconds`),
});

/** The first round of the recording in five, which is all that a kernel says of it. */
function tenReports(): LoggedRecord[] {
  const all = recordsOf('6.12-redis-kvm-async-pf').filter(
    ({ microseconds }) => microseconds < 1430e6,
  );
  return [1, 2, 3, 4, 5].flatMap((round) => all.map((record) => later(record, round)));
}

/** What sysstat kept of a day and a half: idle all the time, and load of two more than usual from the freeze on. */
function sadfRows(from: number, to: number, froze: number): string {
  const times = Array.from(
    { length: Math.floor((to - from) / 600) },
    (_, i) => from + (i + 1) * 600,
  );
  const block = (header: string, row: (at: number) => string) => [
    `# hostname;interval;timestamp;${header}`,
    ...times.map((at) => `vm;600;${at};${row(at)}`),
  ];
  const load = (at: number) => (at > froze ? '2.20' : '0.20');
  const hyp = (at: number) => (at > froze ? '0.41' : at > froze - 3600 ? '3.25' : '0.02');
  return [
    ...block(
      'CPU;%usr;%nice;%sys;%iowait;%steal;%irq;%soft;%guest;%gnice;%idle',
      () => '-1;5.00;0.00;2.00;0.10;2.00;0.00;0.00;0.00;0.00;90.90',
    ),
    ...block('INTR;CPU*', (at) => `HYP;${hyp(at)};0.10;0.10`),
    ...block(
      'kbmemfree;kbavail;kbmemused;%memused;kbbuffers;kbcached',
      () => '100000;750000;400000;40.00;1000;200000',
    ),
    ...block(
      'runq-sz;plist-sz;ldavg-1;ldavg-5;ldavg-15;blocked',
      (at) => `1;300;${load(at)};2.00;1.00;0`,
    ),
    ...block(
      'DEV;tps;rkB/s;wkB/s;dkB/s;areq-sz;aqu-sz;await;%util',
      () => 'vda;2.50;0;0;0;0;0;1.00;0.50',
    ),
    '',
  ].join('\n');
}

/** It saves each hour, so that nine hours of silence say something. */
const saves = Array.from({ length: 36 }, (_, i) => {
  const [, day, month, year, clock] = new Date(Date.UTC(2026, 9, 13, 10 + i))
    .toUTCString()
    .split(' ');
  return `160:M ${day} ${month} ${year} ${clock}.100 * Background saving terminated with success`;
});
const redisLog = `160:M 13 Oct 2026 09:00:00.100 # oO0OoO0OoO0Oo Redis is starting oO0OoO0OoO0Oo
160:M 13 Oct 2026 09:00:01.100 * Ready to accept connections tcp
${saves.join('\n')}
160:M 14 Oct 2026 21:03:17.100 * Background saving terminated with success
812:C 15 Oct 2026 06:42:25.000 # oO0OoO0OoO0Oo Redis is starting oO0OoO0OoO0Oo
812:M 15 Oct 2026 06:42:26.000 * Loading RDB produced by version 7.0.15
812:M 15 Oct 2026 06:42:26.000 * RDB age 34749 seconds
812:M 15 Oct 2026 06:42:28.000 * Done loading RDB, keys loaded: 1764, keys expired: 0.
812:M 15 Oct 2026 06:42:29.000 * Ready to accept connections tcp
`;

test('bundle: kernel log, sysstat and Redis log together give the whole ticket', (t) => {
  const root = temporaryRoot(t);
  const form = lineForms['rsyslog, ISO'];
  const records = tenReports();
  const [first] = records;
  if (form === undefined || first === undefined) throw new Error('no such form or recording');
  const rebooted = Date.UTC(2026, 9, 15, 6, 42, 7) / 1000;
  const recovered = { ...first, microseconds: 3e6, text: 'EXT4-fs (vda1): recovery complete' };
  const lines = [bootLine(first), ...records].map((record) => form(record, bootedAt));
  const next = [bootLine(first), recovered].map((record) => form(record, rebooted));
  placed(root, 'var/log/kern.log', `${[...lines, ...next].join('\n')}\n`);
  placed(root, 'var/log/redis/redis-server.log', redisLog);
  const froze = Date.UTC(2026, 9, 14, 21, 3, 22) / 1000;
  const sadf = placed(root, 'day.sadf', sadfRows(froze - 36 * 3600, rebooted - 72, froze));
  const { code, stderr, read } = report(t, root, ['--sysstat', sadf]);
  assert.equal(code, 0, stderr);
  const ticket = read('ticket.md') ?? '';
  assert.match(
    title(ticket) ?? '',
    /service frozen 9 h 3\d min \(2026-10-14 21:03 to 2026-10-15 06:\d\d UTC\)$/,
  );
  for (const said of [
    /gave no sign of life until the VM was reset/,
    /10 kernel traces in `kvm_async_pf_task_wait_schedule`/,
    /\| Our own CPU load \| 91 % idle, min 91 % \| 91 % idle, min 91 % \| ruled out/,
    /Load rose by \*\*2\.0\*\* while the CPU was 91 % idle/,
    /0\.02\/s on the day before, 3\.25\/s in the last hour before it, \*\*0\.41\/s\*\* during it/,
    /It came back with data of 2026-10-14 21:03:17/,
    /with 1764 keys/,
  ]) {
    assert.match(ticket, said);
  }
});

/** What was recorded, and whether a provider has a part in it. */
const recordings: readonly (readonly [name: string, ticket: boolean])[] = [
  ['3.10-fsync', false],
  ['3.10-xfs-log', false],
  ['3.13-jbd2', false],
  ['4.14-arm-fuse', false],
  ['4.14-no-trace', false],
  ['4.19-autofs', false],
  ['5.15-nfsd-local-disk', false],
  ['5.x-oom-memcg', false],
  ['6.12-lost-notification', true],
  ['6.15-lock-owner', false],
  ['6.9-rmdir-directory-lock', false],
];

test('bundle: every recorded kernel log gets a report, and only page-ins of the host a ticket', (t) => {
  for (const [name, ticket] of recordings) {
    const { code, read, stderr } = report(t, withKernLog(t, name));
    assert.equal(code, 0, `${name}: ${stderr}`);
    assert.equal(read('ticket.md') !== undefined, ticket, name);
  }
});

test('bundle: nothing there is said, with what would have been kept', (t) => {
  const { code, read, stdout } = report(t, temporaryRoot(t));
  assert.equal(code, 3);
  assert.match(stdout, /No source could be read/);
  assert.match(read('report.md') ?? '', /journalctl --flush/);
  assert.equal(read('ticket.md'), undefined);
});

test('bundle: garbage in the place of logs costs nothing but itself', (t) => {
  const root = withKernLog(t, '6.12-redis-kvm-async-pf');
  const garbage = Buffer.from(Array.from({ length: 5000 }, (_, i) => (i * 7919) % 256));
  placed(root, 'var/log/syslog', garbage);
  placed(root, 'var/log/messages', '');
  placed(root, 'var/log/redis/redis-server.log', garbage);
  placed(root, 'var/log/sysstat/sa14', garbage);
  mkdirSync(join(root, 'var/log/journal', 'c'.repeat(32)), { recursive: true });
  writeFileSync(join(root, 'var/log/journal', 'c'.repeat(32), 'system.journal'), garbage);
  const { code, read, stderr } = report(t, root);
  assert.equal(code, 0, stderr);
  assert.match(title(read('ticket.md')) ?? '', /^# Host paged out memory/);
});

test('bundle: what a prober kept is enough for a ticket, and dates it to seconds', (t) => {
  const kept = fileURLToPath(
    new URL('../../tools/lab/recorded/remains/lost-reset/evidence', import.meta.url),
  );
  const { code, stderr, read } = report(t, temporaryRoot(t), ['--evidence', kept]);
  assert.equal(code, 0, stderr);
  const ticket = read('ticket.md') ?? '';
  assert.match(title(ticket) ?? '', /^# Host paged out memory of a running VM/);
  assert.match(ticket, /fell asleep in the kernel between 2026-11-30 20:48:32 and 20:48:35/);
  assert.match(ticket, /The kernel reported the same sleep again/);
  const none = report(t, temporaryRoot(t), ['--evidence', join(kept, 'vps', 'none')]);
  assert.deepEqual([none.code, none.read('ticket.md')], [3, undefined]);
  assert.match(none.read('report.md') ?? '', /the flight recorder.*it is not there/);
});

test('bundle: exit codes and what stderr says', (t) => {
  const root = withKernLog(t, '6.12-redis-kvm-async-pf');
  const wrong = report(t, root, ['--from', 'noon']);
  assert.equal(wrong.code, 2);
  assert.match(wrong.stderr, /^stealwatch report: --from: expected a time such as/);
  const unknown = report(t, root, ['--incident', '20200101T000000']);
  assert.equal(unknown.code, 3);
  assert.match(unknown.stderr, /there is no 20200101T000000; there are 20261014T2103\d\d/);
  const blocked = report(t, root, ['--out', join(root, 'var/log/kern.log')]);
  assert.equal(blocked.code, 2);
  const out = join(temporaryRoot(t), 'twice');
  const run = () =>
    spawnSync(launcher, ['report', '--root', root, '--out', out], { encoding: 'utf8' });
  assert.equal(run().status, 0);
  const again = run();
  assert.equal(again.status, 1);
  assert.match(again.stderr, /".*twice" holds .*report\.md, report\.json already: .* --force/);
});

test('bundle: --json prints what it wrote, --raw is for its owner alone', (t) => {
  const { code, stdout, read } = report(t, withKernLog(t, '6.12-redis-kvm-async-pf'), [
    '--json',
    '--raw',
  ]);
  assert.equal(code, 0);
  assert.equal(stdout, read('report.json'));
  assert.match(read('facts.json') ?? '', /"kernelReports"/);
  assert.doesNotMatch(read('facts.json') ?? '', /RIP: 0033|R12: /);
});
