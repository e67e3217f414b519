import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { gunzipSync, gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { placed, temporaryRoot } from '../../../tools/rig/temporary-root.ts';
import { createPseudoFs } from '../../procfs/reader.ts';
import type { Facts, Measure } from '../facts/facts.ts';
import { gather, type GatherOptions } from './index.ts';
import { createSadfReader } from './sadf-rows.ts';

const reader = /sysstat version ([\d.]+)/.exec(
  spawnSync('sadf', ['-V'], { encoding: 'utf8' }).stdout ?? '',
)?.[1];
const skip = reader === undefined ? 'no sadf' : false;

const fixture = (version: string): Buffer =>
  readFileSync(new URL(`../../fixtures/sysstat/${version}.gz`, import.meta.url));
/** When the recordings were made. */
const recorded = Date.UTC(2026, 10, 30, 20, 8) / 1000;

function read(
  root: string,
  more: Partial<GatherOptions> = {},
  env = process.env,
  now = recorded + 600,
) {
  return gather(
    { root, lastBoot: false, kernLog: [], sysstat: [], redisLog: [], ...more },
    { env, now: () => now, uid: 0, procfs: createPseudoFs('/nowhere') },
  );
}

const seriesOf = (facts: Facts, measure: Measure, of?: string) =>
  facts.series.find((series) => series.measure === measure && series.of === of);
const problemsOf = (facts: Facts): string =>
  facts.sources.flatMap(({ problems }) => problems).join('\n');

/** Rows a 10 minutes apart, `HYP` and all, as sadf 12.6.1 writes them. */
function rows(from: number, count: number, { steal = 2, hyp = '3.25' } = {}): string {
  const at = [...Array(count).keys()].map((index) => from + index * 600);
  const block = (header: string, row: (at: number) => string) =>
    `# hostname;interval;timestamp;${header}\n${at.map((time) => `vm;600;${time};${row(time)}\n`).join('')}`;
  return [
    block(
      'CPU;%usr;%nice;%sys;%iowait;%steal;%irq;%soft;%guest;%gnice;%idle',
      () => `-1;5.00;0.00;2.00;1.00;${steal}.00;0.00;0.00;0.00;0.00;${92 - steal}.00`,
    ),
    block(
      'CPU;%usr;%nice;%sys;%iowait;%steal;%irq;%soft;%guest;%gnice;%idle',
      () => '1;5.00;0.00;5.00;0.00;10.00;0.00;0.00;0.00;0.00;80.00',
    ),
    block('INTR;CPU*', () => `HYP;${hyp};1.00;2.25`),
    block(
      'kbmemfree;kbavail;kbmemused;%memused;kbbuffers;kbcached',
      () => '100000;750000;400000;40.00;1000;200000',
    ),
    block('runq-sz;plist-sz;ldavg-1;ldavg-5;ldavg-15;blocked', () => '1;300;2.50;2.00;1.00;0'),
    block(
      'DEV;tps;rkB/s;wkB/s;dkB/s;areq-sz;aqu-sz;await;%util',
      () => 'vda;12.50;0;0;0;0;0;4.00;0.50',
    ),
    block('DEV;tps;rkB/s;wkB/s;dkB/s;areq-sz;aqu-sz;await;%util', () => 'loop0;1;0;0;0;0;0;0;0'),
    block('%scpu-10;%scpu-60;%scpu-300;%scpu', () => '1.00;1.00;1.00;25.00'),
    block('pgpgin/s;pgpgout/s;fault/s;majflt/s', () => '1.00;1.00;1.00;0.25'),
  ].join('');
}

test('sysstat: what sadf prints becomes series in our units', async (t) => {
  const root = temporaryRoot(t);
  const path = placed(root, 'week.sadf', rows(recorded - 6000, 10));
  const packed = placed(root, 'week.sadf.gz', gzipSync(rows(recorded - 6000, 10)));
  const same = await read(root, { sysstat: [packed] });
  assert.equal(seriesOf(same, 'cpu_idle')?.points.length, 10);
  const facts = await read(root, { sysstat: [path] });
  const last = (measure: Measure, of?: string) =>
    seriesOf(facts, measure, of)?.points.at(-1)?.value;
  assert.equal(last('cpu_idle'), 0.9);
  assert.equal(last('cpu_steal'), 0.02);
  assert.equal(last('cpu_own'), 0.07);
  assert.equal(last('cpu_steal', 'cpu1'), 0.1);
  assert.equal(last('host_page_ins'), 3.25);
  assert.equal(last('memory_used'), 0.25);
  assert.equal(last('load_1m'), 2.5);
  assert.equal(last('tasks_in_io_wait'), 0);
  assert.deepEqual([last('disk_operations', 'vda'), last('disk_busy', 'vda')], [12.5, 0.005]);
  assert.equal(last('disk_await_seconds', 'vda'), 0.004);
  assert.equal(last('disk_operations', 'loop0'), undefined);
  assert.equal(last('pressure_cpu'), 0.25);
  assert.equal(last('major_faults'), 0.25);
  assert.equal(seriesOf(facts, 'cpu_idle')?.stepSeconds, 600);
  assert.equal(seriesOf(facts, 'cpu_idle')?.points.length, 10);
  assert.deepEqual(facts.gaps, []);
});

test('sysstat: a time without samples is a gap, and nothing is put into it', async (t) => {
  const root = temporaryRoot(t);
  const from = recorded - 60_000;
  const text = rows(from, 5) + rows(from + 5 * 600 + 3600, 5);
  const facts = await read(root, { sysstat: [placed(root, 'a.sadf', text)] });
  assert.deepEqual(facts.gaps, [
    { from: from + 4 * 600, to: from + 5 * 600 + 3600, source: 'sysstat' },
  ]);
  assert.equal(seriesOf(facts, 'cpu_idle')?.points.length, 10);
});

for (const version of ['12.6.1', '12.7.5']) {
  test(`sysstat: files of ${version}, plain and packed`, { skip }, async (t) => {
    const root = temporaryRoot(t);
    const packed = placed(root, 'var/log/sysstat/sa30.gz', fixture(version));
    const plain = placed(root, 'plain', gunzipSync(fixture(version)));
    utimesSync(packed, recorded, recorded);
    const readable = reader !== undefined && parts(version) <= parts(reader);
    for (const options of [{}, { sysstat: [plain] }]) {
      const facts = await read(root, options);
      if (readable) {
        assert.equal(seriesOf(facts, 'cpu_idle')?.points.length, 5);
        assert.equal(seriesOf(facts, 'host_page_ins')?.points.length, 5);
        assert.equal(facts.boots.length, 2);
        assert.equal(problemsOf(facts), '');
      } else {
        assert.deepEqual(facts.series, []);
        assert.match(problemsOf(facts), /written by sysstat 12\.7\.5, and sadf is of/);
        assert.deepEqual(
          facts.sources.map(({ records }) => records),
          [0],
          'none to take for used',
        );
      }
    }
  });
}

function parts(version: string): number {
  const [major = 0, minor = 0, patch = 0] = version.split('.').map(Number);
  return major * 1e6 + minor * 1e3 + patch;
}

test(
  'sysstat: torn, empty and foreign files cost themselves and a sentence',
  { skip },
  async (t) => {
    const root = temporaryRoot(t);
    const whole = gunzipSync(fixture('12.6.1'));
    const good = placed(root, 'good.sadf', rows(recorded - 6000, 3));
    const fifo = join(root, 'fifo');
    execFileSync('mkfifo', [fifo]);
    for (const [path, said] of [
      [
        placed(root, 'torn', whole.subarray(0, 12_000)),
        /End of system activity file unexpected: what came before is used/,
      ],
      [placed(root, 'short', whole.subarray(0, 100)), /sadf says: /],
      [placed(root, 'empty', ''), /it is empty|sadf says: /],
      [
        placed(root, 'garbage', Buffer.from('fe0badc0de00'.repeat(900), 'hex')),
        /Invalid system activity file/,
      ],
      [placed(root, 'torn.gz', fixture('12.6.1').subarray(0, 1500)), /torn or no gzip file/],
      [placed(root, 'text', '# a comment\nnothing of sadf\n'), /no line of it is a row of sadf -d/],
      [fifo, /no regular file/],
      [join(root, 'nowhere'), /it is not there/],
    ] as const) {
      const facts = await read(root, { sysstat: [path, good] });
      assert.match(problemsOf(facts), said, path);
      assert.ok((seriesOf(facts, 'cpu_idle')?.points.length ?? 0) >= 3, path);
    }
  },
);

test('sysstat: a sadf that calls a newer file invalid is told to be older, and the header has whose it is', async (t) => {
  const root = temporaryRoot(t);
  const path = placed(root, 'sa30', gunzipSync(fixture('12.7.5')));
  const old = `#!/bin/sh
case "$1" in
-V) echo "sysstat version 12.5.2" ;;
-H) echo "File created by sar/sadc from sysstat version 12.7.5"; echo "Host: Linux 6.18.44 (shop-db) 	12/01/26 	_x86_64_	(2 CPU)" ;;
*) echo "Invalid system activity file: $3" >&2; exit 1 ;;
esac
`;
  execFileSync('chmod', ['755', placed(root, 'bin/sadf', old)]);
  placed(root, 'etc/hostname', 'other\n');
  const env = { PATH: `${join(root, 'bin')}:/usr/bin:/bin` };
  const facts = await read(root, { sysstat: [path] }, env);
  assert.match(
    problemsOf(facts),
    /^unreadable here: it was written by sysstat 12\.7\.5, and sadf is of 12\.5\.2\./,
  );
  assert.match(JSON.stringify(facts.missing), /of shop-db, which is not this machine/);
});

test('sysstat: without sadf, and without files, it says what to do', async (t) => {
  const root = temporaryRoot(t);
  const none = await read(root);
  assert.match(JSON.stringify(none.missing), /ENABLED=.*systemctl enable --now sysstat/);
  const path = placed(root, 'var/log/sa/sa30', gunzipSync(fixture('12.6.1')));
  utimesSync(path, recorded, recorded);
  const stub = placed(root, 'bin/sadf', '#!/bin/sh\necho "Usage: sadf" >&2\nexit 1\n');
  execFileSync('chmod', ['755', stub]);
  const old = await read(root, {}, { PATH: join(root, 'bin') });
  assert.match(problemsOf(old), /sadf says: Usage: sadf/);
});

test('sysstat: a reader that does not end is ended, and told', { timeout: 30_000 }, async (t) => {
  const root = temporaryRoot(t);
  const path = placed(root, 'sa30', gunzipSync(fixture('12.6.1')));
  const stub = placed(
    root,
    'bin/sadf',
    '#!/bin/sh\necho "# hostname;interval;timestamp;CPU;%idle;%iowait;%steal"\necho "vm;600;1796069000;-1;90.00;0.00;1.00"\nexec sleep 60\n',
  );
  execFileSync('chmod', ['755', stub]);
  const before = Date.now();
  const facts = await read(root, { sysstat: [path] }, { PATH: join(root, 'bin') });
  assert.ok(Date.now() - before < 20_000);
  assert.match(problemsOf(facts), /sadf did not end within 10 s: what came before is used/);
  assert.equal(seriesOf(facts, 'cpu_idle')?.points.length, 1);
});

test('sysstat: no text makes the reader of rows throw, or give a number that was not there', () => {
  const cell = fc.oneof(fc.constantFrom('-1', '0', '', 'NaN', '1e3', '12,50', 'HYP'), fc.string());
  const header = fc.constantFrom(
    'CPU;%idle;%iowait;%steal',
    'INTR;CPU*',
    'DEV;tps;await;%util',
    'x',
  );
  fc.assert(
    fc.property(header, fc.array(cell, { maxLength: 6 }), (names, cells) => {
      const parse = createSadfReader();
      assert.equal(parse(`# hostname;interval;timestamp;${names}`), undefined);
      const row = parse(`vm;600;1796069000;${cells.join(';')}`);
      for (const { value } of row?.points ?? []) assert.ok(Number.isFinite(value) && value >= 0);
    }),
  );
});

test('sysstat: where nothing else dates an incident, all that was kept is read', async (t) => {
  const root = temporaryRoot(t);
  const monthAgo = recorded - 30 * 86_400;
  const sysstat = [placed(root, 'kept', rows(monthAgo, 12))];
  const first = async (more: Partial<GatherOptions>) =>
    seriesOf(await read(root, { sysstat, ...more }), 'cpu_steal')?.points[0]?.at;
  assert.equal(await first({}), monthAgo);
  assert.equal(await first({ lastBoot: true }), monthAgo);
  assert.equal(await first({ from: recorded - 3600 }), undefined);
});

test('sysstat: of a folder that was named without files it is said, with no advice to install anything', async (t) => {
  const root = temporaryRoot(t);
  const { missing } = await read(root, { sysstat: [root] });
  const told = missing.filter(({ what }) => what.startsWith('sysstat'));
  assert.deepEqual(told, [
    { what: 'sysstat', why: `there are no files of the time of interest in ${root}` },
  ]);
});

const cpuRow = (at: number, shares: string, host = 'vm') => `${host};600;${at};-1;${shares}\n`;
const cpuHeader =
  '# hostname;interval;timestamp;CPU;%usr;%nice;%sys;%iowait;%steal;%irq;%soft;%guest;%gnice;%idle\n';
const stolen = '10.00;0.00;0.00;0.00;30.00;0.00;0.00;0.00;0.00;60.00';

test('sysstat: shares that cannot be accuse nobody, and a file of nothing else is of no use', async (t) => {
  const root = temporaryRoot(t);
  const impossible = [
    stolen.replace('30.00', '300.00'),
    stolen.replace('30.00', '55.00'),
    stolen.replace('30.00', 'NaN'),
    stolen.replace('30.00', '-30.00'),
  ];
  for (const shares of impossible) {
    const path = placed(root, 'x', cpuHeader + cpuRow(recorded - 600, shares));
    const facts = await read(root, { sysstat: [path] });
    assert.deepEqual(facts.series, [], shares);
    assert.match(problemsOf(facts), /none of its rows has figures that can be/);
    assert.equal(facts.sources[0]?.records, 0);
  }
});

test('sysstat: samples among others whose shares cannot be are left out, and that is told', async (t) => {
  const root = temporaryRoot(t);
  const told = async (shares: string) => {
    const torn = [1, 2].map((i) => cpuRow(recorded - 600 * i, shares)).join('');
    const path = placed(root, 'x', cpuHeader + rowsAt(recorded - 6000) + torn);
    const { missing } = await read(root, { sysstat: [path] });
    return missing.find(({ what }) => what === 'some records')?.why;
  };
  for (const share of ['300.00', 'NaN', '-30.00', ''])
    assert.match(
      (await told(stolen.replace('30.00', share))) ?? '',
      /^the shares of the CPUs in 2 samples of sysstat are missing or cannot be/,
      share,
    );
  assert.equal(await told(stolen), undefined);
});

test('sysstat: one sample speaks of its interval', async (t) => {
  const root = temporaryRoot(t);
  const path = placed(root, 'x', cpuHeader + cpuRow(recorded - 600, stolen));
  const facts = await read(root, { sysstat: [path] });
  assert.equal(seriesOf(facts, 'cpu_steal')?.stepSeconds, 600);
});

const rowsAt = (from: number) =>
  [0, 600, 1200].map((after) => cpuRow(from + after, stolen)).join('');

test('sysstat: samples of a time to come are left out, and that is told', async (t) => {
  const root = temporaryRoot(t);
  const ahead = placed(root, 'x', cpuHeader + rowsAt(recorded + 9 * 86_400));
  const none = await read(root, { sysstat: [ahead] });
  assert.match(problemsOf(none), /^3 of its samples are of a time to come/);
  assert.equal(none.sources[0]?.records, 0);
  const some = placed(root, 'y', cpuHeader + rowsAt(recorded - 6000) + rowsAt(recorded + 9e5));
  const facts = await read(root, { sysstat: [some] });
  assert.equal(seriesOf(facts, 'cpu_steal')?.points.length, 3);
  assert.ok((facts.sources[0]?.records ?? 0) > 0);
});

test('sysstat: rows of two machines are not one, but of one that was renamed they are', async (t) => {
  const root = temporaryRoot(t);
  const both =
    cpuHeader +
    [0, 600].map((after) => cpuRow(recorded - 6000 + after, stolen, 'vm-a')).join('') +
    [1200, 1800].map((after) => cpuRow(recorded - 6000 + after, stolen, 'vm-b')).join('');
  const facts = await read(root, { sysstat: [placed(root, 'both', both)] });
  assert.equal(seriesOf(facts, 'cpu_steal')?.points.length, 2);
  assert.match(problemsOf(facts), /^rows of another machine \(vm-b\) than the first \(vm-a\)/);
  const own = placed(root, 'var/log/sysstat/sa30', both);
  utimesSync(own, recorded, recorded);
  assert.equal(seriesOf(await read(root), 'cpu_steal')?.points.length, 4);
});
