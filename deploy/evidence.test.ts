/**
 * What the flight recorder is for: a machine is cut off and reset in the middle of an incident, and
 * what it saw up to then is on the watcher's disk. The agent as it ships, with TLS and a token, a
 * real Redis that stands still, and the prober as docker-compose.yml configures it.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { test, type TestContext } from 'node:test';
import type { EvidenceFile } from '../exporter/evidence/format.ts';
import { parseEvidenceFile } from '../exporter/evidence/parse.ts';
import { redisStates } from '../exporter/redis/state.ts';
import { type ExporterProcess, launcher, startExporter } from '../tools/rig/exporter-process.ts';
import { agentAccess, agentToken as token } from '../tools/rig/known-agent.ts';
import { startRedis, until } from '../tools/rig/redis-server.ts';

const frozen = redisStates.indexOf('frozen');

async function startAgent(t: TestContext) {
  const { directory, caFile, web } = agentAccess(t);
  const redis = await startRedis(t);
  const agent = await startExporter(t, ['--web-config-file', web, '--redis-url', redis.url]);
  return { agent, redis, directory, caFile };
}

async function startProber(
  t: TestContext,
  { agent, directory, caFile }: { agent: ExporterProcess; directory: string; caFile: string },
  env: Readonly<Record<string, string>> = { STEALWATCH_AGENT_TOKEN: token },
) {
  const targets = join(directory, 'targets');
  mkdirSync(targets, { recursive: true });
  writeFileSync(
    join(targets, 'agents.yml'),
    `- targets: ['127.0.0.1:${agent.port}']
  labels: {host: vps1, provider: contoso, __scheme__: https}
`,
  );
  const kept = join(directory, 'evidence');
  const prober = await startExporter(
    t,
    ['--without', 'redis-probe,redis-info,redis-process,asynq'],
    {
      STEALWATCH_EVIDENCE_DIR: kept,
      STEALWATCH_AGENTS: targets,
      STEALWATCH_AGENT_CA_FILE: caFile,
      ...env,
    },
  );
  return { prober, kept };
}

/** All that is kept of the host, oldest first. */
function filesIn(kept: string, host = 'vps1'): EvidenceFile[] {
  const folder = join(kept, host);
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .filter((name) => name.endsWith('.json'))
    .map((name) => parseEvidenceFile(readFileSync(join(folder, name), 'utf8')))
    .sort((a, b) => a.fetched - b.fetched);
}

/** The open incident of the frozen Redis; others may be of what the kernel told of this machine. */
const openIn = (kept: string) =>
  filesIn(kept).find(({ incidents: [one] }) => one?.state === 'open' && one.redis !== undefined);

test('evidence: the agent is cut off and reset in the middle of an incident, and the watcher has it', async (t) => {
  const started = await startAgent(t);
  const { agent, redis } = started;
  const { prober, kept } = await startProber(t, started);
  // So that there is a time before.
  await sleep(5000);
  const frozeAt = Date.now() / 1000;
  redis.freeze();
  await until('the watcher has the incident', () => openIn(kept) !== undefined, 40);
  await sleep(12_000);
  // Nothing of it answers from here on, and then it is gone.
  process.kill(agent.pid, 'SIGSTOP');
  const cutOff = Date.now() / 1000;
  process.kill(agent.pid, 'SIGKILL');
  await agent.ended;
  await sleep(3000);

  const file = openIn(kept);
  const [incident] = file?.incidents ?? [];
  assert.ok(file && incident);
  assert.equal(file.host, 'vps1');
  const unix = (moment: number) => file.boot.start + moment;
  const onset = [unix(incident.onset.earliest), frozeAt, unix(incident.onset.latest)];
  assert.deepEqual(
    onset,
    onset.toSorted((a, b) => a - b),
    'it began within the interval',
  );
  assert.ok((onset[2] ?? 0) - (onset[0] ?? 0) < 5);
  assert.ok(incident.openedBy.some(({ rule }) => rule === 'redis_frozen'));
  assert.deepEqual(incident.redis?.states.at(-1)?.state, 'frozen');
  assert.match(incident.redis.reason ?? '', /has not answered/);

  const { columns, parts } = incident.samples;
  const state = columns.indexOf('redis_state');
  const rows = parts.flatMap((part) => part.rows);
  const last = rows.at(-1);
  const age = cutOff - unix(last?.[0] ?? 0);
  t.diagnostic(`the last second that is kept was ${age.toFixed(1)} s before the end`);
  assert.ok(age <= 10, `${age} s`);
  assert.equal(last?.[state], frozen);
  assert.ok(
    rows.filter((row) => row[state] === 0).length >= 3,
    'the seconds before it, in which all was well',
  );

  // And the report is made from it.
  const out = join(started.directory, 'report');
  const elsewhere = join(started.directory, 'nothing-of-this-machine');
  mkdirSync(elsewhere);
  const args = ['--evidence', kept, '--host', 'vps1', '--root', elsewhere, '--out', out];
  const report = spawnSync(launcher, ['report', ...args], { encoding: 'utf8' });
  assert.equal(report.status, 0, report.stdout + report.stderr);
  assert.ok(readFileSync(join(out, 'report.md'), 'utf8').includes(join(kept, 'vps1')));

  // The watcher goes on, and says what it keeps and that it gets no more.
  const metrics = async () => (await fetch(`${prober.url}/metrics`)).text();
  assert.match(await metrics(), /^stealwatch_evidence_incidents\{host="vps1"\} [1-9]/m);
  await until(
    'the failure is counted',
    async () => /fetch_failures_total\{host="vps1"\} [1-9]/.test(await metrics()),
    30,
  );
  const { checks } = (await (await fetch(`${prober.url}/status`)).json()) as {
    checks: { name: string; ok: boolean; critical: boolean; reason: string }[];
  };
  const check = checks.find(({ name }) => name === 'evidence');
  assert.deepEqual([check?.ok, check?.critical], [false, false]);
  assert.match(check?.reason ?? '', /vps1: ECONNREFUSED/);
});

test('evidence: a wrong token is told and keeps nothing; a right one from then on does', async (t) => {
  const started = await startAgent(t);
  const wrong = await startProber(t, started, { STEALWATCH_AGENT_TOKEN: 's3cret' });
  const status = async () => (await fetch(`${wrong.prober.url}/status`)).text();
  await until('it is told', async () => (await status()).includes('HTTP 401'), 30);
  assert.ok(!(await status()).includes('s3cret'));
  assert.ok(!wrong.prober.log().includes('s3cret'));
  assert.deepEqual(filesIn(wrong.kept), []);
});

test('evidence: a folder that may not be written to is told, and is not fatal', async (t) => {
  const started = await startAgent(t);
  // Root may write anywhere but to what is no folder.
  writeFileSync(join(started.directory, 'evidence'), '');
  chmodSync(join(started.directory, 'evidence'), 0o444);
  const { prober } = await startProber(t, started);
  const status = async () => (await fetch(`${prober.url}/status`)).text();
  await until(
    'it is told',
    async () => /does not take what is to be kept/.test(await status()),
    30,
  );
  assert.equal((await fetch(`${prober.url}/livez`)).status, 200);
});
