import assert from 'node:assert/strict';
import { setImmediate as turn } from 'node:timers/promises';
import { test, type TestContext } from 'node:test';
import { manualClock } from '../measure/clock.ts';
import type { AgentStatus, Keeper, KeeperSettings } from '../evidence/keeper/keeper.ts';
import { evidenceCollector } from './evidence.ts';

type Config = Parameters<typeof evidenceCollector>[0]['config'];

const nothing: Config = {
  evidenceDir: '/evidence',
  agents: '/targets',
  agentToken: undefined,
  agentUser: undefined,
  agentPassword: undefined,
  agentCaFile: undefined,
};

async function collectorOf(
  t: TestContext,
  agents: readonly AgentStatus[],
  problems: readonly string[] = [],
  config: Partial<Config> = {},
) {
  let settings: KeeperSettings | undefined;
  let closed = false;
  const keeper: Keeper = {
    agents: () => agents,
    problems: () => problems,
    close: () => (closed = true),
  };
  const collector = evidenceCollector({
    config: { ...nothing, ...config },
    clock: manualClock(),
    async start(given) {
      settings = given;
      return keeper;
    },
  });
  t.after(() => collector.close?.());
  await turn();
  return { collector, settings: () => settings, closed: () => closed };
}

const values = async (of: Awaited<ReturnType<typeof collectorOf>>) =>
  (await of.collector.collect(AbortSignal.timeout(1000))).map(({ metric, samples }) => [
    metric.name,
    samples.map(({ labels, value }) => [labels['host'], value]),
  ]);

test('evidence: what is kept of each host, and how often it was not to be had', async (t) => {
  const of = await collectorOf(t, [
    { host: 'vps1', incidents: 3, failures: 2, problem: 'HTTP 401' },
    { host: 'vps1', incidents: 3, failures: 1, problem: undefined },
    { host: 'vps2', incidents: 0, failures: 0, problem: undefined },
  ]);
  assert.deepEqual(await values(of), [
    [
      'stealwatch_evidence_incidents',
      [
        ['vps1', 3],
        ['vps2', 0],
      ],
    ],
    [
      'stealwatch_evidence_fetch_failures_total',
      [
        ['vps1', 3],
        ['vps2', 0],
      ],
    ],
  ]);
  const [check] = of.collector.report?.().checks ?? [];
  assert.deepEqual([check?.ok, check?.critical], [false, false]);
  assert.equal(check?.reason, 'evidence is not kept of all agents: vps1: HTTP 401');
  await of.collector.close?.();
  assert.equal(of.closed(), true);
});

test('evidence: all is well, or what is not is told, a few by name', async (t) => {
  const agent = { incidents: 0, failures: 0, problem: undefined };
  const well = await collectorOf(t, [{ host: 'a', ...agent }]);
  assert.equal(
    well.collector.report?.().checks?.[0]?.reason,
    'evidence of one agent is kept in /evidence',
  );
  assert.deepEqual(well.collector.report?.().findings, []);
  const many = Array.from({ length: 5 }, (_, i) => ({ host: `h${i}`, ...agent, problem: 'no' }));
  const ill = await collectorOf(t, many, ['the disk is full']);
  assert.deepEqual(ill.collector.report?.().findings, [
    {
      severity: 'warning',
      text: 'Evidence is not kept of all agents: the disk is full; h0: no; h1: no; h2: no; 2 more agents.',
    },
  ]);
});

test('evidence: asks as Prometheus does', async (t) => {
  const header = async (config: Partial<Config>) =>
    (await collectorOf(t, [], [], config)).settings()?.authorization;
  assert.equal(await header({}), undefined);
  assert.equal(await header({ agentToken: 'abc' }), 'Bearer abc');
  assert.equal(await header({ agentUser: 'u', agentPassword: 'p:w' }), 'Basic dTpwOnc=');
});

test('evidence: what cannot start fails the collector and says why', async (t) => {
  const collector = evidenceCollector({
    config: nothing,
    clock: manualClock(),
    start: async () => {
      throw new Error('no such module');
    },
  });
  t.after(() => collector.close?.());
  await turn();
  await assert.rejects(collector.collect(AbortSignal.timeout(1000)), { message: 'no such module' });
  assert.match(collector.report?.().checks?.[0]?.reason ?? '', /no such module$/);
});
