import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  appendFileSync,
  chmodSync,
  mkdirSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { rfc3164 } from '../../../tools/rig/kernel-log-forms.ts';
import { placed, temporaryRoot } from '../../../tools/rig/temporary-root.ts';
import { createPseudoFs } from '../../procfs/reader.ts';
import type { Facts } from '../facts/facts.ts';
import { gather, type GatherOptions } from './index.ts';

const now = Date.UTC(2026, 10, 30, 12) / 1000;
const surroundings = {
  env: process.env,
  now: () => now,
  uid: 0,
  procfs: createPseudoFs('/nowhere'),
};

const read = (root: string, more: Partial<GatherOptions> = {}): Promise<Facts> =>
  gather({ root, lastBoot: false, kernLog: [], sysstat: [], redisLog: [], ...more }, surroundings);

/** A line as rsyslog writes it `late` seconds after the kernel did. */
const line = (boot: number, uptime: number, text: string, late = 0) =>
  `${rfc3164(boot + uptime + late)} vm kernel: [${uptime.toFixed(6).padStart(12)}] ${text}\n`;

const start = (boot: number) => line(boot, 0, 'Linux version 6.12.117 (x)');

const hung = (boot: number, uptime: number, seconds = 122) =>
  line(boot, uptime, `INFO: task redis-server:160 blocked for more than ${seconds} seconds.`) +
  line(boot, uptime, '      Not tainted 6.12.117 #1') +
  line(boot, uptime, ' </TASK>');

const problemsOf = (facts: Facts): string[] => facts.sources.flatMap(({ problems }) => problems);
const iso = (seconds: number | undefined) => new Date((seconds ?? NaN) * 1000).toISOString();

test('kernel log: rotated and packed files are one log, boots are told apart', async (t) => {
  const root = temporaryRoot(t);
  const boots = [0, 1, 2].map((day) => Date.UTC(2026, 10, 26 + day, 6) / 1000);
  const [first = 0, second = 0, third = 0] = boots;
  const old = placed(root, 'var/log/kern.log.2.gz', gzipSync(start(first) + hung(first, 500)));
  const middle = placed(root, 'var/log/kern.log.1', start(second) + hung(second, 700));
  const newest = placed(root, 'var/log/kern.log', hung(second, 820) + start(third));
  [old, middle, newest].forEach((path, index) => {
    const saved = (boots[index] ?? 0) + 7200;
    utimesSync(path, saved, saved);
  });
  const facts = await read(root);
  assert.deepEqual(
    facts.boots.map(({ id, kernelRelease, start }) => [id, kernelRelease, iso(start.earliest)]),
    [
      ['kern.log 1', '6.12.117', '2026-11-26T06:00:00.000Z'],
      ['kern.log 2', '6.12.117', '2026-11-27T06:00:00.000Z'],
      ['kern.log 3', '6.12.117', '2026-11-28T06:00:00.000Z'],
    ],
  );
  assert.deepEqual(
    facts.kernelReports.map(({ boot, report }) => [boot, report.microseconds / 1e6]),
    [
      ['kern.log 1', 500],
      ['kern.log 2', 700],
      ['kern.log 2', 820],
    ],
  );
  assert.deepEqual(
    facts.sources.map(({ name }) => name.replace(root, '')),
    ['/var/log/kern.log and 2 rotated'],
  );
});

test('kernel log: 25 minutes of records written down in one second keep their times', async (t) => {
  const root = temporaryRoot(t);
  const boot = Date.UTC(2026, 10, 29, 21) / 1000;
  const late = (uptime: number) => line(boot, uptime, `line of ${uptime}`, 1500 - uptime);
  const text =
    [...Array(50).keys()].map((index) => late(index * 20)).join('') +
    line(boot, 1000, 'INFO: task redis-server:160 blocked for more than 122 seconds.', 500) +
    late(1490) +
    line(boot, 10_000, 'in time again');
  placed(root, 'kern.log', text);
  const facts = await read(root, { kernLog: [join(root, 'kern.log')] });
  const off = (facts.kernelReports[0]?.at ?? 0) - (boot + 1000);
  assert.ok(Math.abs(off) <= 1, `${off} s off`);
  assert.deepEqual(facts.systemEvents, []);
});

test('kernel log: a clock that is set moves what comes after it, and is told', async (t) => {
  const root = temporaryRoot(t);
  const boot = Date.UTC(2026, 10, 29, 21) / 1000;
  const every = (from: number, to: number, shift: number) =>
    [...Array((to - from) / 10).keys()]
      .map((index) => line(boot + shift, from + index * 10, 'tick'))
      .join('');
  const text =
    every(0, 200, -3600) +
    hung(boot - 3600, 200) +
    every(210, 400, 0) +
    hung(boot, 400) +
    every(410, 500, -120);
  placed(root, 'kern.log', text);
  const facts = await read(root, { kernLog: [join(root, 'kern.log')] });
  const offs = facts.kernelReports.map(({ at, report }) =>
    Math.floor(at - boot - report.microseconds / 1e6),
  );
  assert.deepEqual(offs, [-3600, 0]);
  assert.deepEqual(
    facts.systemEvents.map(({ kind, text }) => [kind, text]),
    [
      ['clock_stepped', 'the clock was set forward by 60 min'],
      ['clock_stepped', 'the clock was set back by 2 min'],
    ],
  );
});

test('kernel log: a clock that is set back by less than the log was silent is told as well, and when', async (t) => {
  const root = temporaryRoot(t);
  const boot = Date.UTC(2026, 10, 29, 21) / 1000;
  const rounds = [500, 623, 746, 869, 992];
  const text = rounds.map((at) => hung(boot - (at > 700 ? 60 : 0), at)).join('');
  placed(root, 'kern.log', text);
  const facts = await read(root, { kernLog: [join(root, 'kern.log')] });
  assert.deepEqual(
    facts.systemEvents.map(({ kind, step }) => [kind, step]),
    [['clock_stepped', { seconds: -60, microseconds: 746e6, vagueSeconds: 123 }]],
  );
  // What was late at the start of the machine is no clock.
  const early = line(boot, 1, 'a', 30) + line(boot, 9, 'b', 22) + line(boot, 30, 'c', 2);
  placed(root, 'kern.log', early + line(boot, 60, 'd'));
  assert.deepEqual((await read(root, { kernLog: [join(root, 'kern.log')] })).systemEvents, []);
});

test('kernel log: stamps without a year over New Year', async (t) => {
  const root = temporaryRoot(t);
  const boot = Date.UTC(2025, 11, 31, 23, 50) / 1000;
  const path = placed(root, 'kern.log', hung(boot, 300) + hung(boot, 900) + hung(boot, 86_400));
  utimesSync(path, boot + 90_000, boot + 90_000);
  const facts = await read(root, { kernLog: [path] });
  assert.deepEqual(
    facts.kernelReports.map(({ at }) => iso(at).slice(0, 16)),
    ['2025-12-31T23:55', '2026-01-01T00:05', '2026-01-01T23:50'],
  );
});

const sinceOf = ({ sources }: Facts) => sources[0]?.since;

test('kernel log: one that was rotated in the middle of a boot begins with its first line', async (t) => {
  const root = temporaryRoot(t);
  const boot = Date.UTC(2026, 9, 12, 6) / 1000;
  const path = placed(root, 'kern.log', line(boot, 7200, 'x') + line(boot, 7300, 'y'));
  assert.equal(sinceOf(await read(root, { kernLog: [path] })), boot + 7200);
  // Of a part of it nobody knows.
  assert.equal(sinceOf(await read(root, { kernLog: [path], from: boot + 7250 })), undefined);
});

test('kernel log: how a boot ended', async (t) => {
  const root = temporaryRoot(t);
  const boot = Date.UTC(2026, 10, 29, 6) / 1000;
  const program = (uptime: number, text: string) => `${rfc3164(boot + uptime)} vm ${text}\n`;
  const began = start(boot) + program(10, 'sshd[1]: Server listening on :: port 22.');
  const bye = program(900, 'rsyslogd: [origin software="rsyslogd"] exiting on signal 15.');
  const ask = program(500, 'systemd-logind[7]: System is rebooting.');
  for (const [text, more, how] of [
    [began + hung(boot, 800) + start(boot + 9000), {}, 'unclean'],
    [began + ask + hung(boot, 9000) + start(boot + 90_000), {}, 'unclean'],
    [began + hung(boot, 800), {}, 'unknown'],
    [began + hung(boot, 800) + bye, {}, 'clean'],
    [start(boot) + hung(boot, 800), {}, 'unknown'],
    [began + hung(boot, 80_000) + bye, { from: boot, to: boot + 1000 }, 'unknown'],
  ] as const) {
    const facts = await read(root, { kernLog: [placed(root, 'messages', text)], ...more });
    assert.equal(facts.boots[0]?.end?.how, how, text);
  }
});

test("kernel log: lines that claim to be the kernel's are not believed", async (t) => {
  const root = temporaryRoot(t);
  const boot = Date.UTC(2026, 10, 29, 21) / 1000;
  const forged = `${rfc3164(boot + 800)} vm kernel: INFO: task redis-server:31337 blocked for more than 999 seconds.\n`;
  const path = placed(root, 'syslog', hung(boot, 500) + forged + forged);
  const raw = placed(
    root,
    'dmesg',
    '<3>[  500.000000] INFO: task redis-server:160 blocked for more than 122 seconds.\n' +
      '<11>[  600.000000] INFO: task redis-server:31337 blocked for more than 999 seconds.\n',
  );
  const facts = await read(root, { kernLog: [path, raw] });
  assert.deepEqual([...new Set(facts.kernelReports.map(({ report }) => report.pid))], [160]);
  assert.match(problemsOf(facts).join('\n'), /^2 lines that call themselves the kernel's lack/m);
  assert.match(
    problemsOf(facts).join('\n'),
    /^1 lines look like the kernel's and were written by/m,
  );
});

const secondsOf = (facts: Facts) => facts.kernelReports.map(({ report }) => report.seconds);

test('kernel log: of a log that collects those of several machines one is used', async (t) => {
  const root = temporaryRoot(t);
  const boot = Date.UTC(2026, 10, 29, 21) / 1000;
  const other = hung(boot + 50, 600, 240).replaceAll(' vm kernel', ' web-2 kernel');
  const path = placed(root, 'var/log/syslog', other + hung(boot, 500) + other);
  placed(root, 'etc/hostname', 'vm.example.com\n');
  const own = await read(root, { kernLog: [path] });
  assert.deepEqual(secondsOf(own), [122]);
  assert.match(problemsOf(own).join(), /lines of several machines: only those of vm were used/);
  assert.deepEqual(secondsOf(await read(root, { kernLog: [path], host: 'web-2' })), [240, 240]);
  const alone = placed(root, 'copied', other);
  assert.deepEqual(secondsOf(await read(root, { kernLog: [alone] })), [240]);
});

test('kernel log: whatever stands there costs itself and a sentence', async (t) => {
  const root = temporaryRoot(t);
  const boot = Date.UTC(2026, 10, 29, 21) / 1000;
  const good = placed(root, 'good', hung(boot, 500));
  const packed = gzipSync(hung(boot, 700).repeat(2000), { level: 0 });
  const fifo = join(root, 'fifo');
  execFileSync('mkfifo', [fifo]);
  mkdirSync(join(root, 'directory'));
  const cases: readonly (readonly [path: string, said: RegExp])[] = [
    [join(root, 'nothing'), /it is not there/],
    [fifo, /no regular file: a pipe or a device may never end/],
    ['/dev/zero', /no regular file/],
    [join(root, 'directory'), /it is a directory/],
    [placed(root, 'empty', ''), /it is empty/],
    [placed(root, 'torn.gz', packed.subarray(0, packed.length / 2)), /torn or no gzip file/],
    [
      placed(root, 'garbage', Buffer.from('0badc0de00ff'.repeat(5000), 'hex')),
      /none of its \d+ lines looks like/,
    ],
    [placed(root, 'zeros', Buffer.alloc(3_000_000)), /lines of over 1 MB|looks like/],
    [
      placed(root, 'not.xz', Buffer.from('fd377a585a000000', 'hex')),
      /torn or no xz file|xz is not installed/,
    ],
  ];
  for (const [path, said] of cases) {
    const facts = await read(root, { kernLog: [path, good] });
    assert.match(problemsOf(facts).join('\n'), said, path);
    assert.ok(
      facts.kernelReports.some(({ report }) => report.microseconds === 500e6),
      path,
    );
  }
  const torn = await read(root, { kernLog: [join(root, 'torn.gz')] });
  assert.ok(torn.kernelReports.length > 0, 'what came before the tear is used');
});

test('kernel log: no permission is told with what to do', async (t) => {
  if (process.getuid?.() === 0) return t.skip('root may read everything');
  const root = temporaryRoot(t);
  const path = placed(root, 'kern.log', hung(now - 9000, 500));
  chmodSync(path, 0);
  const facts = await read(root, { kernLog: [path] });
  assert.match(problemsOf(facts).join('\n'), /no permission to read it: run the report as root/);
});

test('kernel log: of a file too large its end is read, and a file that grows has an end', async (t) => {
  const root = temporaryRoot(t);
  const boot = Date.UTC(2026, 10, 1) / 1000;
  const path = join(root, 'kern.log');
  writeFileSync(path, hung(boot, 10));
  const filler = line(boot, 20, 'x'.repeat(2000)).repeat(600);
  for (let written = 0; written < 110e6; written += filler.length) appendFileSync(path, filler);
  appendFileSync(path, hung(boot, 900_000));
  const reading = read(root, { kernLog: [path] });
  const growing = setInterval(() => appendFileSync(path, line(boot, 900_001, 'more')), 1);
  const facts = await reading.finally(() => clearInterval(growing));
  assert.match(problemsOf(facts).join('\n'), /only its last 96 MB were read/);
  assert.deepEqual(
    facts.kernelReports.map(({ report }) => report.microseconds),
    [900_000e6],
  );
});

function placedFolder(root: string, path: string): string {
  mkdirSync(join(root, path), { recursive: true });
  return join(root, path);
}

const errorsOf = (facts: Facts) => facts.sources.map(({ timeErrorSeconds }) => timeErrorSeconds);

test('kernel log: times since boot alone are as exact as what dates them, and that is told', async (t) => {
  const raw = `[    0.000000] Linux version 6.12.117 (x)\n[  500.000001] INFO: task redis-server:160 blocked for more than 122 seconds.\n[  500.000002]  </TASK>\n`;
  for (const text of [
    raw,
    raw.replaceAll('[ ', 'kern  :err   : [ '),
    raw.replaceAll('[ ', '<3>[ '),
  ]) {
    const root = temporaryRoot(t);
    const path = placed(root, 'copied', text);
    const saved = Date.UTC(2026, 5, 1) / 1000;
    utimesSync(path, saved, saved);
    const facts = await read(root, { kernLog: [path] });
    assert.deepEqual(errorsOf(facts), [undefined]);
    assert.match(facts.sources[0]?.timeDoubt ?? '', /when the file was, 2026-06-01 00:00 UTC$/);
    assert.match(problemsOf(facts).join(), /when the file was, 2026-06-01 00:00 UTC\. Of a copy/);
  }
});

test('kernel log: the zone of stamps that name none is told, and of a copy nobody knows it', async (t) => {
  const root = temporaryRoot(t);
  symlinkSync('/usr/share/zoneinfo/Europe/Berlin', join(placedFolder(root, 'etc'), 'localtime'));
  const forms = [
    '[Sat Nov 28 06:00:00 2026] Linux version 6.12.117 (x)\n',
    'Nov 28 06:00:00 vm kernel: [    0.000000] Linux version 6.12.117 (x)\n',
    '2026-11-28T06:00:00.000 vm kernel: [    0.000000] Linux version 6.12.117 (x)\n',
  ];
  for (const text of forms) {
    const own = await read(root, { kernLog: [placed(root, 'var/log/kern.log', text)] });
    assert.match(
      problemsOf(own).join(),
      /no zone: they were taken for Europe\/Berlin, that of the machine$/m,
    );
    assert.deepEqual(errorsOf(own), [1]);
    const copy = await read(root, { kernLog: [placed(root, 'copy', text)] });
    assert.match(problemsOf(copy).join(), /taken for Europe\/Berlin.*off by hours/);
    assert.deepEqual(errorsOf(copy), [undefined]);
  }
  const zoned =
    '2026-11-28T06:00:00.000+01:00 vm kernel: [    0.000000] Linux version 6.12.117 (x)\n';
  const exact = await read(root, { kernLog: [placed(root, 'copy', zoned)] });
  assert.deepEqual([errorsOf(exact), /zone/.test(problemsOf(exact).join())], [[1], false]);
});

test('kernel log: where a program can call itself the kernel it is told', async (t) => {
  const root = temporaryRoot(t);
  const text = start(now - 86_400) + hung(now - 86_400, 500);
  for (const [name, forgeable] of [
    ['syslog', true],
    ['messages', true],
    ['kern.log', undefined],
  ] as const) {
    const facts = await read(root, { kernLog: [placed(root, `var/log/${name}`, text)] });
    assert.equal(facts.sources[0]?.forgeable, forgeable, name);
    assert.equal(/logger -t kernel/.test(problemsOf(facts).join()), forgeable === true, name);
  }
});

test('kernel log: one that holds nothing from the times that were asked for was read all the same', async (t) => {
  const root = temporaryRoot(t);
  placed(root, 'var/log/kern.log', start(now - 86_400) + hung(now - 86_400, 500));
  // Its time stamp is the one of this test.
  const later = await read(root, { from: Date.now() / 1000 + 10 * 86_400 });
  assert.deepEqual(
    later.sources.map(({ outside, records }) => [outside, records]),
    [[true, 0]],
  );
  const named = { kernLog: [join(root, 'var/log/kern.log')] };
  const asked = await read(root, { ...named, from: now + 10 * 86_400 });
  assert.deepEqual(
    asked.sources.map(({ outside, records }) => [outside, records]),
    [[true, 0]],
  );
  assert.equal((await read(root, named)).sources[0]?.outside, undefined);
  const none = { kernLog: [placed(root, 'none', 'no kernel log\n')] };
  assert.equal((await read(root, none)).sources[0]?.outside, undefined);
});

/** Half an hour of ticks, a second apart, with lines of somebody else in the middle. */
function withInserted(boot: number, inserted: string): string {
  const ticks = (from: number, to: number) =>
    Array.from({ length: to - from }, (_, i) => line(boot, from + i, 'tick')).join('');
  return start(boot) + ticks(1, 900) + inserted + hung(boot, 905) + ticks(906, 1800);
}

/** As `logger` would write it now, with another time in the bracket. */
const forged = (boot: number, now: number, bracket: string) =>
  `${rfc3164(boot + now)} vm kernel: [${bracket}] INFO: task mysqld:99 blocked for more than 900 seconds.\n` +
  `${rfc3164(boot + now)} vm kernel: [${bracket}]       Not tainted 6.12.117 #1\n` +
  `${rfc3164(boot + now)} vm kernel: [${bracket}]  kvm_async_pf_task_wait_schedule+0x17c/0x1b0\n`;

test('kernel log: lines that do not stand in the kernel’s time are not its own, and date nothing', async (t) => {
  const root = temporaryRoot(t);
  const boot = Date.UTC(2026, 10, 29, 21) / 1000;
  // Of long ago, of the future, and by a kernel that cannot count.
  for (const bracket of ['  300.000000', '99999.000000', '  3500.0', '902', '  902.5']) {
    placed(root, 'var/log/kern.log', withInserted(boot, forged(boot, 901, bracket)));
    const facts = await read(root);
    assert.deepEqual(
      facts.kernelReports.map(({ at, report }) => [report.comm, Math.abs(at - boot - 905) < 2]),
      [['redis-server', true]],
      bracket,
    );
    assert.equal(facts.boots.length, 1, bracket);
    assert.match(problemsOf(facts).join('\n'), /3 lines that call themselves the kernel's/);
  }
});

test('kernel log: a new boot and a clock that was set stay, whatever the lines around them', async (t) => {
  const root = temporaryRoot(t);
  const boot = Date.UTC(2026, 10, 29, 21) / 1000;
  // A log that lost the beginning of its second boot; the last lines of all are undecided.
  const lost = start(boot) + line(boot, 500, 'a') + hung(boot + 600, 3) + line(boot + 600, 40, 'b');
  placed(root, 'var/log/kern.log', lost + hung(boot + 900, 2));
  const facts = await read(root);
  assert.deepEqual([facts.boots.length, facts.kernelReports.length], [3, 2]);
  assert.ok(!/do not stand in its time/.test(problemsOf(facts).join('\n')));
});

test('kernel log: that a copy is called kern.log proves nothing of who wrote into it', async (t) => {
  const root = temporaryRoot(t);
  const boot = Date.UTC(2026, 10, 29, 21) / 1000;
  const text = start(boot) + hung(boot, 900);
  const copy = placed(root, 'home/kern.log', text);
  assert.equal((await read(root, { kernLog: [copy] })).sources[0]?.forgeable, true);
  const own = placed(root, 'var/log/kern.log', text);
  assert.equal((await read(root, { kernLog: [own] })).sources[0]?.forgeable, undefined);
  assert.equal((await read(root)).sources[0]?.forgeable, undefined);
});
