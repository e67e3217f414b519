import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { kernelEntry, makeJournal, whyNoJournal } from '../../../tools/rig/journal.ts';
import { placed, temporaryRoot } from '../../../tools/rig/temporary-root.ts';
import { createPseudoFs } from '../../procfs/reader.ts';
import type { Facts } from '../facts/facts.ts';
import { gather, type GatherOptions } from './index.ts';
import { whoseIs } from './whose.ts';

const boot = { boot: '1'.repeat(32), start: Date.UTC(2026, 9, 12, 6) / 1000 };

/** On the machine that runs the test, of which nothing may get into a report of another. */
const readHere = (more: Partial<GatherOptions>): Promise<Facts> =>
  gather(
    { root: '/', lastBoot: false, kernLog: [], sysstat: [], redisLog: [], ...more },
    { env: process.env, now: () => boot.start + 9000, uid: 0, procfs: createPseudoFs('/proc') },
  );

function nothingOfOurs({ machine, sources, missing }: Facts, named: string): void {
  assert.deepEqual(
    [machine.addresses, machine.cpus, machine.memoryBytes],
    [[], undefined, undefined],
  );
  assert.deepEqual(
    sources.filter(({ id }) => !id.includes(named)),
    [],
  );
  assert.match(JSON.stringify(missing), /nothing of this one was added/);
}

const syslog = (host: string) =>
  `2026-10-12T06:00:00.000000+00:00 ${host} kernel: [    0.000000] Linux version 6.12.117 (x)\n`;

test('whose: a kernel log of another machine, or of who knows which, takes nothing from this one', async (t) => {
  const root = temporaryRoot(t);
  const other = placed(root, 'other.log', syslog('vm-of-a-customer'));
  const facts = await readHere({ kernLog: [other] });
  nothingOfOurs(facts, other);
  assert.deepEqual(
    [facts.machine.hostname, facts.machine.kernelRelease],
    ['vm-of-a-customer', '6.12.117'],
  );
  const nameless = placed(root, 'dmesg', '[    0.000000] Linux version 6.12.117 (x)\n');
  nothingOfOurs(await readHere({ kernLog: [nameless] }), nameless);
  const said = await readHere({ kernLog: [nameless], rootNamed: true });
  assert.notEqual(said.machine.cpus, undefined);
});

test('whose: a kernel log of this machine keeps its figures', async (t) => {
  const hostname = readFileSync('/proc/sys/kernel/hostname', 'utf8').trim();
  const own = placed(temporaryRoot(t), 'own.log', syslog(hostname));
  const { machine } = await readHere({ kernLog: [own] });
  assert.equal(machine.hostname, hostname);
  assert.notEqual(machine.cpus, undefined);
});

test(
  'whose: a journal of another machine takes nothing from this one',
  { skip: whyNoJournal() ?? false },
  async (t: TestContext) => {
    const journal = join(temporaryRoot(t), 'journal');
    makeJournal(journal, [kernelEntry(boot, 0, 'Linux version 6.12.117 (x)')]);
    const facts = await readHere({ journal });
    nothingOfOurs(facts, journal);
    assert.deepEqual([facts.machine.hostname, facts.machine.kernelRelease], ['vm', '6.12.117']);
  },
);

test('whose: an id counts before a name, and a name without its domain', () => {
  const own = { machineId: 'a', hostname: 'db-1.example.com' };
  assert.equal(whoseIs({ machineId: 'b', hostname: 'db-1' }, own), 'other');
  assert.equal(whoseIs({ machineId: 'a', hostname: 'renamed' }, own), 'own');
  assert.equal(whoseIs({ hostname: 'DB-1' }, own), 'own');
  assert.equal(whoseIs({ hostname: 'db-2' }, own), 'other');
  assert.equal(whoseIs({}, own), 'unknown');
});

const sar = (host: string) =>
  `# hostname;interval;timestamp;CPU;%user;%nice;%system;%iowait;%steal;%idle\n` +
  [0, 600, 1200].map((at) => `${host};600;${boot.start + at};-1;1;0;1;0;2;96\n`).join('');

const hostHere = readFileSync('/proc/sys/kernel/hostname', 'utf8').trim();

test('whose: figures of another machine take nothing from this one, and those of this one do', async (t) => {
  const root = temporaryRoot(t);
  const other = placed(root, 'other.sadf', sar('vm-of-a-customer'));
  const facts = await readHere({ sysstat: [other] });
  nothingOfOurs(facts, 'sysstat');
  assert.equal(facts.machine.hostname, 'vm-of-a-customer');
  assert.ok(facts.series.length > 0);
  const own = await readHere({ sysstat: [placed(root, 'own.sadf', sar(hostHere))] });
  assert.notEqual(own.machine.cpus, undefined);
  const whoKnows = await readHere({ sysstat: [placed(root, 'none.sadf', 'nothing\n')] });
  assert.notEqual(whoKnows.machine.cpus, undefined);
});

test('whose: of two machines that were named the figures are left out, and that is said', async (t) => {
  const root = temporaryRoot(t);
  const kernLog = [placed(root, 'kern.log', syslog('vm-a'))];
  const facts = await readHere({ kernLog, sysstat: [placed(root, 'b.sadf', sar('vm-b'))] });
  assert.deepEqual(facts.series, []);
  assert.match(
    JSON.stringify(facts.missing),
    /is of vm-b, and the kernel log of vm-a: two machines/,
  );
  const same = await readHere({
    kernLog,
    sysstat: [placed(root, 'a.sadf', sar('VM-A.example.com'))],
  });
  assert.ok(same.series.length > 0);
  // Beside the log of this one those of another are left out as well.
  const ours = [placed(root, 'ours.log', syslog(hostHere))];
  const beside = await readHere({ kernLog: ours, sysstat: [join(root, 'b.sadf')] });
  assert.ok(!beside.sources.some(({ name }) => name.includes('b.sadf')));
  assert.notEqual(beside.machine.cpus, undefined);
});

const redisLine = '1:M 12 Oct 2026 06:00:10.000 * Ready to accept connections\n';

test('whose: kernel logs of two machines are not one, whichever is named first, and that is said', async (t) => {
  const root = temporaryRoot(t);
  const nameless = placed(root, 'dmesg', '[    0.000000] Linux version 6.12.117 (x)\n');
  const [a, b] = ['vm-a', 'vm-b'].map((host) => placed(root, `${host}.log`, syslog(host)));
  assert.ok(a !== undefined && b !== undefined);
  for (const [kernLog, used, left] of [
    [[a, b], [a], b],
    [[b, a], [b], a],
    [[nameless, a, b], [nameless, a], b],
  ] as const) {
    const { machine, sources, missing } = await readHere({ kernLog });
    assert.deepEqual(
      sources.map(({ id }) => id.replace('kernel_log ', '')),
      used,
    );
    assert.equal(machine.hostname, used.includes(a) ? 'vm-a' : 'vm-b');
    const told = missing.find(({ what }) => what === `the kernel log ${left}`);
    assert.equal(told?.named, true);
    assert.match(told.why, /two machines are not mixed, and it was left out/);
  }
  // Of one machine both are read.
  const rotated = placed(root, 'a.log.1', syslog('vm-a.example.com'));
  assert.equal((await readHere({ kernLog: [a, rotated] })).sources.length, 2);
});

test('whose: a log of Redis says of no machine, and is told so unless somebody does', async (t) => {
  const path = placed(temporaryRoot(t), 'copy.log', redisLine);
  const sourceOf = ({ sources }: Facts) => sources.find(({ name }) => name === path);
  const alone = sourceOf(await readHere({ redisLog: [path] }));
  assert.equal(alone?.ownerUnsaid, true);
  assert.match(JSON.stringify(alone.problems), /does not say of which machine it is/);
  assert.equal(
    sourceOf(await readHere({ redisLog: [path], rootNamed: true }))?.ownerUnsaid,
    undefined,
  );
});

test('whose: of what is not there, or holds nothing, it is said, and not whose it might be', async (t) => {
  const root = temporaryRoot(t);
  for (const path of [
    join(root, 'nope'),
    placed(root, 'empty.log', ''),
    placed(root, 'x', 'x\n'),
  ]) {
    const { sources, missing } = await readHere({ redisLog: [path] });
    const own = sources.find(({ name }) => name === path);
    assert.equal(own?.ownerUnsaid, undefined);
    assert.equal(own?.problems.length, 1, path);
    assert.doesNotMatch(JSON.stringify([own, missing]), /taken for one of this machine|zone/);
  }
});

const evidenceOf = (start: number, hostname: string) =>
  JSON.stringify({
    schema: 1,
    host: 'agent',
    fetched: start + 4000,
    machine: { hostname },
    boot: { id: '22222222-2222-3333-4444-555555555555', start },
    exporter: { version: '0.1.0', start: 60 },
    now: { wall: start + 3990, monotonic: 3990 },
    incidents: [
      {
        id: '22222222-3000',
        formerIds: [],
        state: 'closed',
        onset: { earliest: 3000, latest: 3010 },
        openedBy: [{ time: 3020, rule: 'redis_frozen' }],
        cause: { name: 'unknown', text: 'x' },
        kernel: [],
        tasks: [],
        samples: {
          columns: ['time', 'load_1m'],
          parts: [
            {
              step: 1,
              rows: [
                [3000, 1],
                [3001, 1],
              ],
            },
          ],
        },
      },
    ],
  });

test('whose: what was told of another machine is not mixed with a kernel log that was named', async (t) => {
  const root = temporaryRoot(t);
  const kernLog = [
    placed(
      root,
      'kern.log',
      syslog('vm-a') +
        syslog('vm-a').replace('06:00:00', '09:00:00').replace('0.000000', '10800.000000'),
    ),
  ];
  const evidence = placed(root, 'agent.json', evidenceOf(boot.start + 3600, 'vm-b'));
  const apart = await readHere({ kernLog, evidence });
  assert.deepEqual([apart.series, apart.recorded], [[], []]);
  assert.match(JSON.stringify(apart.missing), /another machine than the logs that were named/);
  const own = placed(root, 'own.json', evidenceOf(boot.start, 'vm-a'));
  assert.equal((await readHere({ kernLog, evidence: own })).series.length, 1);
});

test('whose: figures that were named beside evidence of another machine are left out', async (t) => {
  const root = temporaryRoot(t);
  const evidence = placed(root, 'agent.json', evidenceOf(boot.start, 'vm-b'));
  const own = await readHere({ evidence, sysstat: [placed(root, 'b.sadf', sar('vm-b'))] });
  assert.ok(own.series.some(({ source }) => source === 'sysstat'));
  assert.equal(own.machine.cpus, undefined);
  const other = await readHere({ evidence, sysstat: [placed(root, 'a.sadf', sar('vm-a'))] });
  assert.ok(!other.series.some(({ source }) => source === 'sysstat'));
  assert.match(JSON.stringify(other.missing), /is of vm-a, and the flight recorder of vm-b/);
});
