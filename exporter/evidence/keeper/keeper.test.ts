import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as turn, setTimeout as sleep } from 'node:timers/promises';
import { test, type TestContext } from 'node:test';
import { noIncidents } from '../../../tools/rig/no-evidence.ts';
import { until } from '../../../tools/rig/redis-server.ts';
import { manualClock } from '../../measure/clock.ts';
import type { EvidenceAnswer, EvidenceIncident } from '../format.ts';
import type { Asked, Fetched } from './fetch.ts';
import { keepEvidence } from './keeper.ts';
import type { Shelf } from './shelf.ts';

const incident = (state: 'open' | 'closed', time = 1): EvidenceIncident => ({
  id: 'b-1',
  formerIds: [],
  state,
  onset: { earliest: 1, latest: 1 },
  openedBy: [{ time, rule: 'stall' }],
  cause: { name: 'unknown', text: '' },
  kernel: [],
  tasks: [],
  samples: { columns: ['time'], parts: [] },
});

const answerOf = (...incidents: readonly EvidenceIncident[]): EvidenceAnswer => ({
  ...noIncidents,
  incidents,
});

type Fetch = (asked: Asked) => Promise<Fetched>;

/** A keeper of `hosts` whose fetches and writes are the test's. */
async function keeping(t: TestContext, hosts: readonly string[], fetch: Fetch, shelf?: Shelf) {
  const directory = mkdtempSync(join(tmpdir(), 'stealwatch-keeper-'));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  const agents = join(directory, 'agents');
  mkdirSync(agents);
  const list = (names: readonly string[]) =>
    writeFileSync(
      join(agents, 'agents.json'),
      JSON.stringify(names.map((host) => ({ targets: [`${host}:1`], labels: { host } }))),
    );
  list(hosts);
  const saved: string[] = [];
  const remembering: Shelf = {
    load: async () => undefined,
    save: async (host, _fetched, _answer, one) => void saved.push(`${host} ${one.state}`),
    counts: () => new Map(),
  };
  const clock = manualClock();
  const keeper = keepEvidence(
    { directory, agents, authorization: 'Bearer x', caFile: join(directory, 'ca.pem') },
    { clock, fetch, shelf: shelf ?? remembering },
  );
  t.after(() => keeper.close());
  /** Files are read and answers handled between the ticks of the clock. */
  async function pass(seconds: number): Promise<void> {
    for (let i = 0; i < seconds; i += 1) {
      clock.advance(1);
      await sleep(5);
      await turn();
    }
  }
  await until('the list is read', () => keeper.agents().length === hosts.length);
  return { keeper, clock, pass, saved, list, directory };
}

test('keeper: every 15 s, every 5 while an incident is open, and what is known is not written again', async (t) => {
  const asked: { at: number; etag: string | undefined }[] = [];
  let now: EvidenceAnswer = answerOf();
  let at = 0;
  const { clock, pass, saved } = await keeping(t, ['vps1'], async ({ etag }) => {
    asked.push({ at: clock.monotonic() - at, etag });
    return { etag: `"${asked.length}"`, answer: now };
  });
  at = clock.monotonic();
  await pass(32);
  assert.deepEqual(
    asked.map((one) => one.at),
    [1, 16, 31],
  );
  assert.equal(asked[2]?.etag, '"2"');
  now = answerOf(incident('open'));
  await pass(30);
  assert.deepEqual(
    asked.slice(3).map((one) => one.at),
    [46, 51, 56, 61],
  );
  assert.deepEqual(saved, ['vps1 open']);
  now = answerOf(incident('closed'));
  await pass(20);
  assert.deepEqual(saved, ['vps1 open', 'vps1 closed']);
});

test('keeper: one call to each agent, however slow; and of many not all at once', async (t) => {
  const hosts = Array.from({ length: 40 }, (_, i) => `vps${i}`);
  const underWay = new Map<string, number>();
  let most = 0;
  const { pass } = await keeping(t, hosts, async ({ url }) => {
    underWay.set(url.hostname, (underWay.get(url.hostname) ?? 0) + 1);
    most = Math.max(most, underWay.size);
    return new Promise(() => undefined);
  });
  await pass(60);
  assert.equal(most, 8);
  assert.ok([...underWay.values()].every((count) => count === 1));
});

test('keeper: an agent that fails is counted and told, and asked again for all that was not kept', async (t) => {
  let failing = true;
  const { keeper, pass, saved } = await keeping(t, ['a', 'b'], async ({ url, etag }) => {
    if (failing && url.hostname === 'a') throw new Error('HTTP 401');
    return { etag: '"1"', answer: etag === '"1"' ? undefined : answerOf(incident('closed')) };
  });
  await pass(20);
  assert.deepEqual(keeper.agents(), [
    { host: 'a', incidents: 0, failures: 2, problem: 'HTTP 401' },
    { host: 'b', incidents: 0, failures: 0, problem: undefined },
  ]);
  failing = false;
  await pass(15);
  assert.equal(keeper.agents()[0]?.problem, undefined);
  assert.deepEqual(saved, ['b closed', 'a closed']);
});

test('keeper: a disk that takes nothing is told and no reason to end, and then it is kept after all', async (t) => {
  let full = true;
  const kept: string[] = [];
  const { keeper, pass, directory } = await keeping(
    t,
    ['a'],
    async ({ etag }) => ({
      etag: '"1"',
      answer: etag === '"1"' ? undefined : answerOf(incident('closed')),
    }),
    {
      load: async () => undefined,
      async save(host) {
        if (full) throw Object.assign(new Error('write'), { code: 'ENOSPC' });
        kept.push(host);
      },
      counts: () => new Map(),
    },
  );
  await pass(5);
  const said = `${directory} does not take what is to be kept (ENOSPC)`;
  assert.deepEqual(keeper.problems(), [said]);
  assert.deepEqual(keeper.agents()[0], { host: 'a', incidents: 0, failures: 1, problem: said });
  full = false;
  await pass(15);
  assert.deepEqual(kept, ['a']);
  assert.deepEqual(keeper.problems(), []);
});

test('keeper: a disk that stands still holds up no fetch, and is told', async (t) => {
  const asked: string[] = [];
  const { keeper, pass } = await keeping(
    t,
    ['a', 'b'],
    async ({ url }) => {
      asked.push(url.hostname);
      return {
        etag: undefined,
        answer: answerOf(...(url.hostname === 'a' ? [incident('open')] : [])),
      };
    },
    {
      load: async () => undefined,
      save: async () => new Promise(() => undefined),
      counts: () => new Map(),
    },
  );
  await pass(60);
  assert.equal(asked.filter((host) => host === 'a').length, 1);
  assert.ok(asked.filter((host) => host === 'b').length >= 4);
  assert.match(keeper.problems().join(), /has not taken a file for 30 s$/);
});

test('keeper: agents come and go with the list; one that cannot be read changes nothing', async (t) => {
  const { keeper, pass, list, directory } = await keeping(t, ['a', 'b'], async () => ({
    etag: undefined,
    answer: answerOf(),
  }));
  await pass(1);
  const hosts = () => keeper.agents().map(({ host }) => host);
  assert.deepEqual(hosts(), ['a', 'b']);
  list(['b', 'c']);
  await pass(16);
  assert.deepEqual(hosts(), ['b', 'c']);
  writeFileSync(join(directory, 'agents', 'agents.json'), '[{');
  await pass(16);
  assert.deepEqual(hosts(), ['b', 'c']);
  assert.match(keeper.problems().join(), /^agents\.json: it is no YAML/);
});

test('keeper: a folder that cannot be made is told; nothing is asked for what could not be kept', async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'stealwatch-keeper-'));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  chmodSync(directory, 0o755);
  symlinkSync('/dev/null', join(directory, 'evidence'));
  const clock = manualClock();
  let asked = 0;
  const keeper = keepEvidence(
    {
      directory: join(directory, 'evidence', 'x'),
      agents: directory,
      authorization: undefined,
      caFile: undefined,
    },
    {
      clock,
      fetch: async () => {
        asked += 1;
        return { etag: undefined, answer: undefined };
      },
    },
  );
  t.after(() => keeper.close());
  await sleep(50);
  clock.advance(2);
  assert.match(keeper.problems().join(), /does not take what is to be kept \(ENOTDIR\)$/);
  assert.equal(asked, 0);
});
