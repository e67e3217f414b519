/**
 * Which alert keeps which quiet, asked of a running Alertmanager: each alert of the rules with each
 * other one alone, on a host of their own. What is expected is written here in words of its own and
 * not read from alertmanager.yml; and with any one of its rules taken out something is amiss.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { parse } from 'yaml';
import {
  type Alertmanager,
  type PostedAlert,
  startAlertmanager,
} from '../../tools/rig/alertmanager.ts';
import { alertsOf, ruleFiles } from '../testing/rule-files.ts';
import { allTools, installedTools } from '../../tools/rig/prometheus-tools.ts';

type Labels = Readonly<Record<string, string>>;

const slos = Object.keys(
  (parse(readFileSync('alerts/slo.yml', 'utf8')) as { slos: Record<string, unknown> }).slos,
);

/** Every alert that ships; one of an SLO once for each SLO. */
const kinds: readonly Labels[] = ruleFiles.flatMap(alertsOf).flatMap(({ alert, labels }) => {
  const one: Labels = { ...labels, alertname: alert };
  return one['layer'] === 'slo' ? slos.map((slo) => Object.assign({ slo }, one)) : [one];
});

const describe = ({ alertname = '', slo }: Labels) => (slo ? `${alertname}/${slo}` : alertname);

/** The page that says more, and the alerts that say the same later. */
const saysMore: Readonly<Record<string, readonly string[]>> = {
  HostFrozen: ['HostFlapping', 'HostStalled'],
  PageInStuck: ['HungTaskDetected'],
  TaskStuckInD: ['HungTaskDetected'],
  RedisFrozen: ['RedisDown', 'RedisFlapping', 'RedisBgsaveStuck', 'AofFsyncStalling', 'PidPileup'],
  RedisDown: ['RedisFlapping'],
  AsynqNoConsumers: ['AsynqQueueStalled'],
};

/** What was within the last minutes does not explain what Redis is now. */
const lookBack = ['HostFlapping', 'HostStalled', 'HungTaskDetected'];
const now = ['RedisFrozen', 'RedisDown', 'RedisAnswersPingOnly'];

/** What a page of a layer explains in the layers below it. */
const explains: Readonly<Record<string, (target: Labels) => boolean>> = {
  host: ({ layer = '' }) => ['redis', 'asynq', 'app', 'slo'].includes(layer),
  redis: ({ layer = '', slo = '' }) =>
    ['asynq', 'app'].includes(layer) ||
    ['redis_availability', 'redis_latency', 'queue_latency'].includes(slo),
  // A queue that stands still explains no page that does not open.
  asynq: ({ layer, slo, alertname }) =>
    (layer === 'app' && alertname !== 'ProbeFailed') || slo === 'queue_latency',
};

/** Expected, of two alerts of one host and one queue. */
function silences(source: Labels, target: Labels): boolean {
  if (saysMore[source['alertname'] ?? '']?.includes(target['alertname'] ?? '') === true)
    return true;
  if (source['severity'] !== 'page') return false;
  if (lookBack.includes(source['alertname'] ?? '') && now.includes(target['alertname'] ?? ''))
    return false;
  if (explains[source['layer'] ?? '']?.(target) === true) return true;
  return (
    target['severity'] === 'ticket' &&
    target['layer'] === source['layer'] &&
    ['host', 'redis', 'asynq', 'app', 'slo'].includes(source['layer'] ?? '')
  );
}

interface Pair {
  readonly source: Labels;
  readonly target: Labels;
}

const pairs: readonly Pair[] = kinds.flatMap((source) =>
  kinds.filter((target) => target !== source).map((target) => ({ source, target })),
);

interface Known {
  readonly labels: Labels;
  readonly status: { readonly inhibitedBy: readonly string[] };
}

async function inhibited({ url }: Alertmanager): Promise<Labels[]> {
  const response = await fetch(`${url}/api/v2/alerts`);
  const alerts = (await response.json()) as Known[];
  return alerts.filter(({ status }) => status.inhibitedBy.length > 0).map(({ labels }) => labels);
}

/** What Alertmanager keeps quiet, as "SOURCE > TARGET". */
async function silencedPairs(alertmanager: Alertmanager, among = pairs): Promise<Set<string>> {
  const posted: PostedAlert[] = among.flatMap(({ source, target }, i) => [
    { labels: { ...source, host: `h${i}`, queue: 'q', role: 'source' } },
    { labels: { ...target, host: `h${i}`, queue: 'q', role: 'target' } },
  ]);
  for (let i = 0; i < posted.length; i += 500) await alertmanager.post(posted.slice(i, i + 500));
  const found = (await inhibited(alertmanager)).filter(({ role }) => role === 'target');
  return new Set(
    found.map(({ host = '' }) => {
      const pair = among[Number(host.slice(1))];
      assert.ok(pair);
      return `${describe(pair.source)} > ${describe(pair.target)}`;
    }),
  );
}

const quiet = pairs.filter(({ source, target }) => silences(source, target));
const expected = new Set(
  quiet.map(({ source, target }) => `${describe(source)} > ${describe(target)}`),
);

const minus = (a: ReadonlySet<string>, b: ReadonlySet<string>) => [...a].filter((x) => !b.has(x));

for (const { label, alertmanager: program } of allTools()) {
  test(`each alert with each other one alone (${label})`, async (t) => {
    const alertmanager = await startAlertmanager(program, {});
    t.after(() => alertmanager.stop());
    const found = await silencedPairs(alertmanager);
    assert.deepEqual(minus(found, expected), [], 'kept quiet, and should not be');
    assert.deepEqual(minus(expected, found), [], 'not kept quiet');
    t.diagnostic(`${found.size} of ${pairs.length} pairs`);
  });

  test(`nothing is kept quiet by another host, another queue, or for want of a host (${label})`, async (t) => {
    const alertmanager = await startAlertmanager(program, {});
    t.after(() => alertmanager.stop());
    const sources = kinds.filter(({ severity }) => severity === 'page');
    const without = kinds.map((labels) => ({ labels: { ...labels, queue: 'q' } }));
    await alertmanager.post([
      ...sources.map((labels) => ({ labels: { ...labels, host: 'a', queue: 'q' } })),
      ...without,
    ]);
    for (const labels of await inhibited(alertmanager)) assert.equal(labels['host'], 'a');
    const queues = ['AsynqNoConsumers', 'AsynqQueueStalled'].map((alertname, i) => ({
      labels: { ...kinds.find((one) => one['alertname'] === alertname), host: 'b', queue: `q${i}` },
    }));
    await alertmanager.post(queues);
    const ofQueues = (await inhibited(alertmanager)).filter(({ host }) => host === 'b');
    assert.deepEqual(ofQueues, [], 'two queues are two matters');
  });
}

/** The shipped configuration without one of its rules, beside its start.sh. */
function without(t: TestContext, index: number): string {
  const parent = mkdtempSync(join(tmpdir(), 'stealwatch-inhibition-'));
  t.after(() => rmSync(parent, { recursive: true, force: true }));
  const directory = join(parent, 'alertmanager');
  cpSync('alerts/alertmanager', directory, { recursive: true });
  cpSync('deploy/fill.sh', join(parent, 'fill.sh'));
  const path = join(directory, 'alertmanager.yml');
  const lines = readFileSync(path, 'utf8').split('\n');
  const starts = lines.flatMap((line, i) => (line.startsWith('  - source_matchers') ? [i] : []));
  const from = starts[index] ?? 0;
  const length = lines.slice(from + 1).findIndex((line) => !/^ {4}/.test(line)) + 1;
  writeFileSync(path, lines.toSpliced(from, length).join('\n'));
  const { status } = spawnSync('sh', [join(directory, 'start.sh'), '--render', '/dev/null'], {
    env: { PATH: process.env['PATH'] },
  });
  assert.equal(status, 0);
  return join(directory, 'start.sh');
}

const rules = (
  parse(readFileSync('alerts/alertmanager/alertmanager.yml', 'utf8'), { logLevel: 'silent' }) as {
    inhibit_rules: readonly { readonly source_matchers: readonly string[] }[];
  }
).inhibit_rules;

for (const [i, { source_matchers }] of rules.entries()) {
  test(`rule ${i + 1} of ${rules.length}, ${source_matchers.join(' ')}, is missed when it is gone`, async (t) => {
    const { alertmanager: program } = installedTools();
    const alertmanager = await startAlertmanager(program, {}, without(t, i));
    t.after(() => alertmanager.stop());
    const missed = minus(expected, await silencedPairs(alertmanager, quiet));
    assert.ok(missed.length > 0, 'no pair of alerts needs this rule');
    t.diagnostic(missed.slice(0, 5).join(', '));
  });
}
