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
