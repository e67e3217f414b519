import assert from 'node:assert/strict';
import { chmodSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { test, type TestContext } from 'node:test';
import fc from 'fast-check';
import { lineForms, recordsOf } from '../../../tools/rig/kernel-log-forms.ts';
import {
  exported,
  journalStopped,
  kernelEntry,
  makeJournal,
  programEntry,
  whyNoJournal,
} from '../../../tools/rig/journal.ts';
import { placed, temporaryRoot } from '../../../tools/rig/temporary-root.ts';
import { createPseudoFs } from '../../procfs/reader.ts';
import type { Facts } from '../facts/facts.ts';
import { gather, type GatherOptions } from './index.ts';
import { bootsOfJson, bootsOfTable } from './journal-boots.ts';
import { createJournalReader } from './journal-record.ts';

const skip = whyNoJournal() ?? false;

const first = { boot: '1'.repeat(32), start: Date.UTC(2026, 9, 12, 6) / 1000 };
const second = { boot: '2'.repeat(32), start: Date.UTC(2026, 9, 15, 6, 42) / 1000 };

function read(t: TestContext, more: Partial<GatherOptions> = {}, root?: string): Promise<Facts> {
  return gather(
    {
      root: root ?? temporaryRoot(t),
      lastBoot: false,
      kernLog: [],
      sysstat: [],
      redisLog: [],
      ...more,
    },
    {
      env: process.env,
      now: () => second.start + 9000,
      uid: 0,
      procfs: createPseudoFs(root ?? '/nowhere'),
    },
  );
}

const hung = (
  boot: typeof first,
  uptime: number,
  more: { late?: number; facility?: number } = {},
) => [
  kernelEntry(
    boot,
    uptime,
    'INFO: task redis-server:14347 blocked for more than 122 seconds.',
    more,
  ),
  kernelEntry(boot, uptime, ' kvm_async_pf_task_wait_schedule+0x17c/0x1b0', more),
  kernelEntry(boot, uptime, ' </TASK>', more),
];

const problemsOf = (facts: Facts): string =>
  facts.sources.flatMap(({ problems }) => problems).join('\n');

test(
  'journal: records that journald read a quarter of an hour late keep their time',
  { skip },
  async (t) => {
    const journal = join(temporaryRoot(t), 'journal');
    makeJournal(journal, [
      kernelEntry(first, 0, 'Linux version 6.12.117+deb13 (x)', { late: 882 }),
      kernelEntry(first, 0.1, 'Hypervisor detected: KVM', { late: 882 }),
      ...hung(first, 500, { late: 382 }),
      kernelEntry(first, 1000, 'in time again'),
      ...hung(first, 2000),
    ]);
    const facts = await read(t, { journal });
    assert.deepEqual(
      facts.kernelReports.map(({ at }) => Math.round(at - first.start)),
      [500, 2000],
    );
    assert.equal(facts.boots[0]?.kernelRelease, '6.12.117+deb13');
    assert.equal(facts.boots[0]?.hypervisor, 'kvm');
    assert.deepEqual(facts.systemEvents, []);
  },
);

test('journal: the drift of two clocks over a month is no delay', { skip }, async (t) => {
  const journal = join(temporaryRoot(t), 'journal');
  const month = 30 * 86_400;
  const drift = month * 20e-6;
  const entries = [0, 1, 2].flatMap((minutes) =>
    hung(first, month - drift + minutes * 600, { late: drift + 0.005 }),
  );
  makeJournal(journal, entries);
  const facts = await read(t, { journal });
  const off = (facts.kernelReports[1]?.at ?? 0) - (first.start + month + 600);
  assert.ok(Math.abs(off) < 1, `${off} s off`);
});

test('journal: how boots ended, and which is the running one', { skip }, async (t) => {
  const root = temporaryRoot(t);
  const journal = join(root, 'journal');
  const third = { boot: '3'.repeat(32), start: second.start + 7200 };
  makeJournal(journal, [
    kernelEntry(first, 0, 'Linux version 6.12.1 (x)'),
    kernelEntry(first, 1000, 'the last line'),
    kernelEntry(second, 0, 'Linux version 6.12.1 (x)'),
    kernelEntry(second, 1, 'EXT4-fs (vda1): recovery complete'),
    programEntry(
      second,
      2,
      'systemd-journald',
      'File /var/log/journal/b/system.journal corrupted or uncleanly shut down, renaming and replacing.',
      { _TRANSPORT: 'driver' },
    ),
    journalStopped(second, 500),
    kernelEntry(third, 0, 'Linux version 6.12.1 (x)'),
  ]);
  placed(root, 'sys/kernel/random/boot_id', '33333333-3333-3333-3333-333333333333\n');
  const facts = await read(t, { journal }, root);
  assert.deepEqual(
    facts.boots.map(({ end }) => end?.how),
    ['unclean', 'clean', undefined],
  );
  assert.equal(Math.round((facts.boots[0]?.end?.at ?? 0) - first.start), 1000);
  assert.deepEqual(
    facts.systemEvents.map(({ kind, boot }) => [kind, boot]),
    [
      ['filesystem_recovered', second.boot],
      ['journal_recovered', second.boot],
    ],
  );
  const foreign = await read(t, { journal });
  assert.equal(foreign.boots[2]?.end?.how, 'unknown', 'reset, or copied while it ran');
});

const target = (uptime: number, unit: string, text: string) =>
  programEntry(first, uptime, 'systemd', text, { UNIT: unit });
const asked = programEntry(first, 900, 'systemd-logind', 'System is rebooting.', {
  MESSAGE_ID: '98268866d1d54a499c4e98921d93bc40',
});

const next = kernelEntry(second, 0, 'Linux version 6.12.1 (x)');

for (const [name, entries, more, how, said] of [
  [
    'left before the last word, as on a /var of its own',
    [asked, target(990, 'shutdown.target', 'Reached target shutdown.target - System Shutdown.')],
    {},
    'clean',
    /lines of an orderly shutdown/,
  ],
  [
    'a shutdown that did not come to its end',
    [asked, kernelEntry(first, 5000, 'still here'), next],
    {},
    'unclean',
    /had been asked for, and did not come to its end/,
  ],
  ['a reset', [kernelEntry(first, 5000, 'the last'), next], {}, 'unclean', /breaks off without/],
  [
    'the newest',
    [kernelEntry(first, 5000, 'the last')],
    {},
    'unknown',
    /reset then, or the log was copied/,
  ],
  [
    'later records than were asked for',
    [kernelEntry(first, 50_000, 'more'), journalStopped(first, 50_001)],
    { from: first.start, to: first.start + 1000 },
    'unknown',
    /^$/,
  ],
] as const) {
  test(`journal: how a boot ended: ${name}`, { skip }, async (t) => {
    const journal = join(temporaryRoot(t), 'journal');
    makeJournal(journal, [kernelEntry(first, 0, 'Linux version 6.12.1 (x)'), ...entries]);
    const facts = await read(t, { journal, ...more });
    assert.equal(facts.boots[0]?.end?.how, how);
    assert.match(facts.boots[0].endSaid.join(), said);
  });
}

test('journal: a line that user space wrote is not a report, and is told', { skip }, async (t) => {
  const journal = join(temporaryRoot(t), 'journal');
  makeJournal(journal, [
    ...hung(first, 500),
    kernelEntry(first, 600, 'task redis-server:31337 blocked for more than 999 seconds.', {
      facility: 1,
    }),
    kernelEntry(first, 601, 'INFO: task redis-server:31337 blocked for more than 999 seconds.', {
      facility: 1,
    }),
  ]);
  const facts = await read(t, { journal });
  assert.deepEqual(
    facts.kernelReports.map(({ report }) => report.pid),
    [14347],
  );
  assert.match(problemsOf(facts), /2 lines look like the kernel's and were written by programs/);
});

test(
  'journal: bytes that are no text, a clock that is set, and a message too large',
  { skip },
  async (t) => {
    const journal = join(temporaryRoot(t), 'journal');
    const set = { ...first, start: first.start + 3600 };
    makeJournal(journal, [
      kernelEntry(first, 10, 'first'),
      kernelEntry(
        set,
        400,
        Buffer.from('INFO: task r\xe9dis:7 blocked for more than 122 seconds.', 'latin1'),
      ),
      kernelEntry(set, 401, `large ${'x'.repeat(100_000)}`),
      kernelEntry(set, 500, 'I/O error, dev vda, sector 12345 op 0x1:(WRITE)'),
    ]);
    const facts = await read(t, { journal });
    assert.equal(facts.kernelReports[0]?.report.pid, 7);
    assert.equal(Math.round((facts.kernelReports[0]?.at ?? 0) - set.start), 400);
    assert.deepEqual(
      facts.systemEvents.map(({ kind, text }) => [kind, text]),
      [
        ['clock_stepped', 'the clock was set forward by 60 min'],
        ['disk_error', 'the kernel reported an I/O error of vda'],
      ],
    );
  },
);

test('journal: what programs said around the incident, by its shape alone', { skip }, async (t) => {
  const journal = join(temporaryRoot(t), 'journal');
  makeJournal(journal, [
    programEntry(first, 400, 'sshd', 'Accepted publickey for eva from 192.0.2.9 port 5 ssh2'),
    ...hung(first, 500),
    programEntry(first, 510, 'shop', 'dial tcp 10.0.1.9:6379: i/o timeout'),
    programEntry(first, 511, 'shop', 'dial tcp 10.0.1.9:6379: i/o timeout'),
    programEntry(first, 900, 'dockerd', 'msg="Container failed to exit within 10s of signal 15"'),
    programEntry(first, 901, 'shop', 'a line that says nothing'),
  ]);
  const facts = await read(t, { journal });
  assert.deepEqual(
    facts.systemEvents.map(({ kind, at, count, boot }) => [kind, at - first.start, count, boot]),
    [
      ['login', 400, undefined, first.boot],
      ['connection_failed', 510, 2, first.boot],
      ['container_stop_failed', 900, undefined, first.boot],
    ],
  );
  assert.doesNotMatch(JSON.stringify(facts), /eva|192\.0\.2\.9|10\.0\.1\.9/);
});

test('journal: a Redis without a log file, by its output and by syslog(3)', { skip }, async (t) => {
  const journal = join(temporaryRoot(t), 'journal');
  const more = { _PID: '812' };
  makeJournal(journal, [
    programEntry(
      first,
      100,
      'redis-server',
      '812:M 12 Oct 2026 06:01:40.000 * DB saved on disk',
      more,
    ),
    programEntry(first, 200, 'redis', 'User requested shutdown...', { SYSLOG_PID: '812' }),
    programEntry(first, 300, 'shop', 'Ready to accept connections'),
    ...hung(first, 500),
  ]);
  const facts = await read(t, { journal });
  assert.deepEqual(
    facts.redis.map(({ kind, at, pid }) => [kind, at - first.start, pid]),
    [
      ['saved', 100, 812],
      ['shutdown_asked', 200, 812],
    ],
  );
  assert.doesNotMatch(JSON.stringify(facts.missing), /the log of Redis/);
});

test('journal: to whoever may see a part only, it is told', { skip }, async (t) => {
  const root = temporaryRoot(t);
  const journal = join(root, 'journal');
  makeJournal(journal, hung(first, 500));
  const hint = 'Hint: You are currently not seeing messages from other users and the system.';
  const stub = placed(
    root,
    'bin/journalctl',
    `#!/bin/sh\necho "${hint}" >&2\nPATH=/usr/bin:/bin exec journalctl "$@"\n`,
  );
  chmodSync(stub, 0o755);
  const options = { root, lastBoot: false, kernLog: [], sysstat: [], redisLog: [], journal };
  const stranger = {
    env: { PATH: join(root, 'bin') },
    now: () => second.start,
    uid: 1000,
    procfs: createPseudoFs('/nowhere'),
  };
  const facts = await gather(options, stranger);
  assert.equal(facts.kernelReports.length, 1);
  assert.equal(facts.boots[0]?.end?.how, 'unknown', 'its last records may be hidden');
  assert.match(problemsOf(facts), /not run as root, nor as a member of the group systemd-journal/);
});

test('journal: what kern.log repeats counts once', { skip }, async (t) => {
  const root = temporaryRoot(t);
  const journal = join(root, 'journal');
  const records = recordsOf('6.12-redis-kvm-async-pf');
  makeJournal(
    journal,
    records.map(({ microseconds, text }) => kernelEntry(first, microseconds / 1e6, text)),
  );
  const kernLog = Object.values(lineForms).map((write, index) =>
    placed(
      root,
      `log.${index}`,
      records.map((record) => `${write(record, first.start)}\n`).join(''),
    ),
  );
  const facts = await read(t, { journal, kernLog });
  assert.equal(facts.kernelReports.length, 4);
  assert.deepEqual([...new Set(facts.kernelReports.map(({ boot }) => boot))], [first.boot]);
  assert.equal(facts.sources.length, 1 + kernLog.length);
});

test('journal: a torn file gives what is left of it and a sentence', { skip }, async (t) => {
  const journal = join(temporaryRoot(t), 'journal');
  makeJournal(journal, [...hung(first, 500), kernelEntry(first, 600, 'x'.repeat(5000))]);
  const path = join(journal, readdirSync(journal)[0] ?? '');
  const bytes = readFileSync(path);
  for (const length of [100, 4096, Math.floor(bytes.length / 2)]) {
    writeFileSync(path, bytes.subarray(0, length));
    const facts = await read(t, { journal });
    const said = problemsOf(facts) + facts.missing.map(({ why }) => why).join('\n');
    assert.ok(facts.kernelReports.length > 0 || /journal/i.test(said), `${length}: ${said}`);
  }
  writeFileSync(path, Buffer.from('no journal at all'.repeat(1000)));
  const facts = await read(t, { journal });
  assert.match(facts.missing.map(({ why }) => why).join('\n'), /journal/);
});

test(
  'journal: a root, a folder and a file are found by a relative path too',
  { skip },
  async (t) => {
    const root = temporaryRoot(t);
    makeJournal(join(root, 'var/log/journal'), [
      kernelEntry(first, 0, 'Linux version 6.12.117 (x)'),
    ]);
    const before = process.cwd();
    t.after(() => process.chdir(before));
    process.chdir(dirname(root));
    const near = basename(root);
    const file = join(near, 'var/log/journal/system.journal');
    for (const [where, more] of [
      [near, {}],
      [undefined, { journal: join(near, 'var/log/journal') }],
      [undefined, { journal: file }],
    ] as const) {
      const { boots } = await read(t, more, where);
      assert.deepEqual(
        boots.map(({ id }) => id),
        [first.boot],
      );
    }
  },
);

test(
  'journal: one that holds nothing from the times that were asked for was read all the same',
  { skip },
  async (t) => {
    const journal = join(temporaryRoot(t), 'journal');
    makeJournal(journal, [kernelEntry(first, 0, 'Linux version 6.12.117 (x)')]);
    const later = await read(t, { journal, from: second.start + 100 * 86_400 });
    assert.deepEqual(
      later.sources.map(({ outside }) => outside),
      [true],
    );
    const { sources } = await read(t, { journal });
    assert.deepEqual(
      sources.map(({ outside }) => outside),
      [undefined],
    );
  },
);

test(
  'journal: read from wherever it lies in a folder that was named, or in a mounted root',
  { skip },
  async (t) => {
    const id = 'a'.repeat(32);
    for (const place of ['', 'other', `${id}.web`, 'log/journal', `journal/${id}`, id]) {
      const journal = temporaryRoot(t);
      makeJournal(join(journal, place), hung(first, 500));
      assert.equal((await read(t, { journal })).kernelReports.length, 1, place);
    }
    for (const place of ['', 'other', `${id}.web`]) {
      const root = temporaryRoot(t);
      makeJournal(join(root, 'var/log/journal', place), hung(first, 500));
      placed(root, 'run/log/journal/empty', '');
      assert.equal((await read(t, {}, root)).kernelReports.length, 1, place);
    }
  },
);

/** Why nothing came of the journal. */
function whyOf({ missing, kernelReports }: Facts) {
  assert.deepEqual(kernelReports, []);
  return missing.find(({ what }) => what.includes('journal'));
}

test(
  'journal: of several folders none is guessed, nor one of other machines',
  { skip },
  async (t) => {
    const journal = temporaryRoot(t);
    for (const name of ['a', 'b']) makeJournal(join(journal, name), hung(first, 500));
    const named = whyOf(await read(t, { journal }));
    assert.match(
      named?.why ?? '',
      /^it lies in 2 folders, .*name one with --journal \(\S+a, \S+b\)$/,
    );
    assert.equal(named?.named, true);
    const root = temporaryRoot(t);
    makeJournal(join(root, 'var/log/journal/remote'), hung(first, 500));
    const remote = whyOf(await read(t, {}, root));
    assert.match(remote?.why ?? '', /what lies in \S+\/remote: --journal reads one of them$/);
    assert.equal(remote?.command, undefined, 'it is kept');
  },
);

test('journal: a folder that is there and empty is not called absent', { skip }, async (t) => {
  const root = temporaryRoot(t);
  placed(root, 'var/log/journal/README', 'x');
  const { missing } = await read(t, {}, root);
  const { why, command } = missing.find(({ what }) => what.includes('journal')) ?? {};
  assert.match(why ?? '', /var\/log\/journal is there, and holds no file of a journal$/);
  assert.match(command ?? '', /journalctl --flush/);
});

test('journal: what is not there is missing, with the command that keeps it', async (t) => {
  const none = await read(t);
  assert.match(JSON.stringify(none.missing), /mkdir -p \/var\/log\/journal/);
  const nowhere = await read(t, { journal: '/nowhere/at/all' });
  assert.match(nowhere.missing[0]?.why ?? '', /^it is not there$|journalctl is not installed/);
  assert.doesNotMatch(JSON.stringify(nowhere.missing), /mkdir -p \/var\/log\/journal/);
});

test('journal: lists of boots, as JSON and as the table of older systemd', () => {
  const id = '0123456789abcdef'.repeat(2);
  const json = `[{"index":0,"boot_id":"${id}","first_entry":1764500000000000,"last_entry":1764500001000000},{"boot_id":7},null]`;
  assert.deepEqual(bootsOfJson(json), [{ id, first: 1_764_500_000, last: 1_764_500_001 }]);
  const row = { id, first: 1_764_500_000, last: 1_764_500_002 };
  const table = [
    ` -1 ${id} Sun 2025-11-30 10:53:20 UTC—Sun 2025-11-30 10:53:21 UTC`,
    'IDX BOOT ID                          FIRST ENTRY                 LAST ENTRY',
    `  0 ${id} Sun 2025-11-30 10:53:20 UTC Sun 2025-11-30 10:53:21 UTC`,
  ].join('\n');
  assert.deepEqual(bootsOfTable(table), [row, row]);
});

/** What the reader makes of pieces: the texts of the records, and how many were torn. */
function readPieces(pieces: readonly Buffer[]) {
  const texts: string[] = [];
  const reader = createJournalReader(({ text }) => texts.push(text));
  for (const piece of pieces) reader.push(piece);
  return { texts, torn: reader.torn() };
}

const times = '__REALTIME_TIMESTAMP=1000000\n__MONOTONIC_TIMESTAMP=5\n_BOOT_ID=a\n';
const recordBytes = (message: string): Buffer =>
  Buffer.concat([exported(['MESSAGE', message]), Buffer.from(`${times}\n`)]);

test('journal: every message comes out as it went in, however the bytes come', () => {
  const message = fc.oneof(
    fc.string(),
    fc.string().map((text) => `${text}\n\n\u00e9=`),
  );
  fc.assert(
    fc.property(fc.array(message, { maxLength: 5 }), fc.nat(120), (messages, cut) => {
      const bytes = Buffer.concat(messages.map(recordBytes));
      const expected = { texts: messages, torn: 0 };
      assert.deepEqual(readPieces([bytes]), expected);
      assert.deepEqual(readPieces([bytes.subarray(0, cut), bytes.subarray(cut)]), expected);
      assert.deepEqual(readPieces([...bytes].map((byte) => Buffer.from([byte]))), expected);
    }),
  );
});

test('journal: a message too large is left out alone, and no bytes make the reader throw', () => {
  const large = `=\n\n${'x'.repeat(3e6)}\nMESSAGE=no\n\n`;
  const bytes = Buffer.concat([large, 'next'].map(recordBytes));
  assert.deepEqual(readPieces([bytes]), { texts: ['', 'next'], torn: 0 });
  assert.equal(readPieces([Buffer.from('MESSAGE=without its times\n\n')]).torn, 1);
  assert.equal(readPieces([bytes.subarray(0, -9)]).torn, 1);
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (noise) => {
      readPieces([recordBytes('one'), Buffer.from(noise), recordBytes('two')]);
    }),
  );
  assert.ok(readPieces(Array.from({ length: 50 }, () => Buffer.alloc(100_000, 'x'))).torn > 0);
});
