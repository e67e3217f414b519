/**
 * The first lines of the runbooks, typed as they stand there: on a machine that is well, and beside a
 * Redis and an exporter that are frozen, where none may hang with them and each says something true.
 */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { startAlertmanager } from '../rig/alertmanager.ts';
import { startExporter } from '../rig/exporter-process.ts';
import { httpSink } from '../rig/http-sink.ts';
import { agentAccess } from '../rig/known-agent.ts';
import { installedTools } from '../rig/prometheus-tools.ts';
import { type RedisServer, type Scope, startRedis, until } from '../rig/redis-server.ts';
import { prometheusFolder, startShippedPrometheus } from '../rig/shipped-prometheus.ts';
import { temporaryRoot } from '../rig/temporary-root.ts';
import { type Block, blocksOf } from './blocks.ts';
import { unexplained } from './complaints.ts';
import {
  blocks,
  filledIn,
  firstOf,
  firsts,
  nameOf,
  type Places,
  programsBeside,
  runbooks,
} from './runbook-lines.ts';
import { documentShell, type Ran, type Shell } from './shell.ts';

/** What a machine that is well makes them say. */
const wellSays: Readonly<Record<string, RegExp>> = {
  AofFsyncDelayed: /^aof_delayed_fsync:0\s+.*appendfsync\neverysec/s,
  AofFsyncStalling: /aof_last_write_status:ok/,
  AsynqArchiveFull: /^1\n/,
  AsynqCounterRollback: /uptime_in_seconds:\d.*loading:0.*rdb_last_save_time:\d.*role:master/s,
  AsynqGhostTasks: /^ghost\nheld\nleases:\nheld\n$/,
  AsynqLeasesExpired: /^held\n\d{10}\nnow \d{10}, servers:\nasynq:servers:\{worker:1:a\}\n$/,
  AsynqNoConsumers: /^asynq:servers:\{worker:1:a\}\n/,
  AsynqQueueStalled: /^1\n2\nasynq:servers:\{worker:1:a\}\n$/,
  AsynqQueueUnlisted: /^default\n$/,
  AsynqScheduleLag: /^\d{10}\n\d+\nasynq:servers:\{worker:1:a\}\n\nnow \d{10}\n$/,
  CollectorFailing: /HTTP 000\n\{"status":.*\nHTTP 200\n/s,
  ErrorBudgetBurnFast: /^\{"status":"success","data":\{"resultType":"vector"/,
  ErrorBudgetBurnSlow: /^\{"status":"success","data":\{"resultType":"vector"/,
  ForkFreezeRisk: /^save\n\nlatest_fork_usec:0\s*$/,
  ForkSlow: /used_memory_human:.*latest_fork_usec:0/s,
  HealthEndpointLies: /^HTTP\/1.1 204 .*\nPONG\n$/s,
  HeartbeatFailing: /HTTP 000\n\{"name":"heartbeat",.*\}\nHTTP 200\n$/s,
  HostFlapping: /^$|^\[/,
  HostFrozen: /HTTP 000\n\{"status":.*\nHTTP 200\n/s,
  HostPageInThrash: /\d{4}\n(?:no HYP row|.*HYP:.*)\nHTTP 000\n.*HTTP 200\n$/s,
  HostStalled: /\d+\/\d+ \d+\n/,
  HungTaskDetected: /blocked for more than|^no report seen \(as root\?\)\n$/,
  HungTaskLogGoingSilent: /^kernel.hung_task_warnings = -?\d+\n$|^$/,
  KernelLockup: /lockup|stall|^no report seen \(as root\?\)\n$/i,
  KernelLogUnreadable: /\/dev\/kmsg\nkernel.dmesg_restrict = [01]\n/,
  KernelSoftLockup: /soft lockup|^no report seen \(as root\?\)\n$/,
  LogLinesDropped: /Use% Mounted on\n.*HTTP 000\n.*HTTP 200\n/s,
  MeasurementGap: /"host":"vps1".*"value":\[[\d.]+,"100"\]/,
  NothingWatched: /\{"job":"stealwatch"\},"value":\[[\d.]+,"1"\]/,
  NotificationsFailing: /^handed over: it must reach you now\n$/,
  PageInStuck: /^No thread is parked for a page of the host\..*^(?:no HYP row| *HYP:)/ms,
  PidPileup: /^ +\d+ \S/,
  ProbeFailed: /^204 0\.\d+ s\n$/,
  ProberSilent: /"lastError":""\n/,
  README: /^PONG\n+HTTP 000\n.*load average:/s,
  RdbConfigDrift: /^save\n\nuptime_in_seconds:\d+\s+config_file:\s*$/,
  RedisAnswersPingOnly: /^PONG\n# Server\s+redis_version:/,
  RedisBgsaveFailed: /rdb_last_bgsave_status:ok.*Mounted on\n.*Mem:/s,
  RedisBgsaveStuck: /rdb_bgsave_in_progress:0.*\n[A-Z] +PID +PPID|rdb_bgsave_in_progress:0/s,
  RedisDown: /^PONG\n/,
  RedisFlapping: /^run_id:[0-9a-f]+\s+uptime_in_seconds:\d/,
  RedisFrozen: /^PONG\n(?:.*\n)*[SR] +\d+ +\d+ \S.*^No thread is parked for a page/ms,
  RedisMemoryFull: /^used_memory:\d.*maxmemory:0\s+.*maxmemory_policy:noeviction/s,
  RedisRejectsConnections: /connected_clients:\d.*maxclients\n\d+\nrejected_connections:0/s,
  RedisReplicaLinkDown: /^role:master\s.*replica-serve-stale-data\nyes\n$/s,
  // Not installed where this runs, or nothing in the journal.
  RescueWatcherSilent: /^$|-- No entries --|stealwatch-rescue/,
  SamplerStale: /HTTP 200\n(?:.*\n)*[SRD] +\d+ +\d+ \S/,
  SloPeriodShortened: /"status":"success".*\nprometheus_tsdb_lowest_timestamp_seconds \S+\n$/s,
  StealHigh: /load average: .*\n\d+\ncpu +\d/s,
  StorageCapReached:
    /"storage.tsdb.retention.time":"\S+"\n.*prometheus_tsdb_size_retentions_total 0\n/s,
  TaskStuckInD: /^No thread is parked for a page.*^(?:D +\d+ +\d+ \S|no thread in D now\n)/ms,
  Watchdog: /Prometheus.* Healthy\.\n.*load average:/s,
  WebConfigNotInForce: /^HTTP 000\nHTTP 200\n$/,
};

/** Where whoever answers for others stands still. */
const frozenSays = ({ text }: Block): RegExp[] => [
  ...(/redis-cli/.test(text) ? [/no answer in [23] s/] : []),
  ...(/:10190/.test(text) ? [/HTTP 000\n(?:[^]*\n)?HTTP 000\n/] : []),
];

/** Nothing of these is frozen here, and what they ask is not asked again. */
const asksPrometheus = ({ text }: Block) => /localhost:909[03]|URL_OF_THE_PROBE/.test(text);

function taskKeys({ port }: RedisServer): void {
  const lines = [
    'SADD asynq:queues default',
    'ZADD asynq:servers 9999999999 "asynq:servers:{worker:1:a}"',
    'LPUSH asynq:{default}:pending waits',
    'RPUSH asynq:{default}:active ghost held',
    'ZADD asynq:{default}:lease 9999999999 held',
    'ZADD asynq:{default}:archived 1 failed',
  ];
  execFileSync('redis-cli', ['-p', String(port)], { input: lines.join('\n') });
}

function check(ran: Ran, says: readonly RegExp[]): void {
  const whole = `exit ${ran.code} after ${ran.seconds.toFixed(1)} s\n${ran.out}\n${ran.err}`;
  assert.notEqual(ran.code, 'SIGKILL', `it hangs: ${whole}`);
  for (const one of says) assert.match(ran.out, one, whole);
}

/** More than the 5 s that the commands allow themselves: this machine may be busy. */
const mostSeconds = 20;

describe('runbooks', () => {
  const ends: (() => void | Promise<void>)[] = [];
  const scope: Scope = { after: (end) => void ends.push(end) };
  let well: { readonly places: Places; readonly shell: Shell };
  let frozen: { readonly places: Places; readonly shell: Shell };
  let closed: number;

  before(async () => {
    const args = ['--appendonly', 'yes'];
    const [redis, still] = await Promise.all([
      startRedis(scope, { args }),
      startRedis(scope, { args }),
    ]);
    taskKeys(redis);
    const { alertmanager: program, prometheus: server } = installedTools();
    const application = (await httpSink(scope)).url;
    const { web } = agentAccess(scope);
    const [exporter, sleeping, guarded, alertmanager] = await Promise.all([
      startExporter(scope, ['--redis-url', redis.url, '--heartbeat-url', application]),
      startExporter(scope, ['--redis-url', still.url]),
      startExporter(scope, ['--web-config-file', web]),
      startAlertmanager(program, {}),
    ]);
    scope.after(() => alertmanager.stop());
    const etc = temporaryRoot(scope);
    prometheusFolder(etc);
    const prometheus = await startShippedPrometheus(scope, server, etc, {
      LOCAL_TARGET: `127.0.0.1:${exporter.port}`,
      HOST_NAME: 'vps1',
      ALERTMANAGER_TARGET: new URL(alertmanager.url).host,
    });
    const common = { prometheus: prometheus.url, alertmanager: alertmanager.url, application };
    const places = (one: RedisServer, port: number) => ({ redis: one, exporter: port, ...common });
    const beside = (one: RedisServer, port: number) => ({
      places: places(one, port),
      shell: documentShell(scope, { programs: programsBeside(one), mostSeconds }),
    });
    well = beside(redis, exporter.port);
    frozen = beside(still, sleeping.port);
    closed = guarded.port;
    still.freeze();
    process.kill(sleeping.pid, 'SIGSTOP');
    const scraped = `query?query=${encodeURIComponent('up{job="stealwatch"} == 1')}`;
    const isThere = async () =>
      (await prometheus.ask<{ result: unknown[] }>(scraped)).result.length;
    await until('a scrape has come', async () => (await isThere()) === 1, 60);
  });
  after(async () => {
    for (const end of ends.toReversed()) await end();
  });

  const run = ({ text }: Block, { places, shell }: typeof well) =>
    shell.run(filledIn(text, places));

  test('on a machine that is well each prints what its runbook speaks of', async (t) => {
    for (const block of firsts) {
      const name = nameOf(block);
      await t.test(name, async () => {
        const ran = await run(block, well);
        check(ran, [wellSays[name] ?? assert.fail(`say what ${name} prints, in wellSays`)]);
        if (!/curl -s?v/.test(block.text) && !/curl -im/.test(block.text)) {
          assert.deepEqual(unexplained(ran.err), [], ran.err);
        }
      });
    }
  });

  test('beside a frozen Redis and a frozen exporter none hangs, and each says so', async (t) => {
    const some = firsts.filter((block) => !asksPrometheus(block));
    let longest = 0;
    const both = async (block: Block) => {
      const ran = await run(block, frozen);
      longest = Math.max(longest, ran.seconds);
      await t.test(nameOf(block), () => check(ran, frozenSays(block)));
    };
    await Promise.all(some.map(both));
    t.diagnostic(`${some.length} commands, the longest took ${longest.toFixed(1)} s`);
  });

  test('RedisFrozen shows that Redis is stopped, and by which process', async () => {
    const ran = await run(firstOf('RedisFrozen') ?? assert.fail(), frozen);
    assert.match(
      ran.out,
      new RegExp(`^no answer in 3 s\\n[^]*^T +${frozen.places.redis.pid} `, 'm'),
    );
  });

  test('an exporter that wants a token is told from one that is frozen', async () => {
    const places = { ...well.places, exporter: closed };
    const ran = await run(firstOf('HostFrozen') ?? assert.fail(), { ...well, places });
    assert.match(ran.out, /^unauthorized\n+HTTP 401\n/i);
  });

  test('what is not the first block runs as well, or says why not', async (t) => {
    for (const block of blocks.filter((one) => !firsts.includes(one) && one.notRun === undefined)) {
      await t.test(`${block.document}:${block.line}`, async () => {
        check(await run(block, well), []);
      });
    }
  });
});

/** Seconds that a line gives to what may hang. */
const allowance = ({ text }: Block) =>
  [...text.matchAll(/timeout (\d+) (?:-\S+ )*redis-cli|curl -\w*m (\d+) [^;|]*:10190/g)]
    .map(([, redis, http]) => Number(redis ?? Number(http) * 2))
    .reduce((sum, seconds) => sum + seconds, 0);

for (const block of firsts) {
  test(`${nameOf(block)}: nothing is asked without a deadline, and all within 5 s`, () => {
    const asked = block.text.match(/redis-cli/g)?.length ?? 0;
    const bounded = block.text.match(/timeout \d+ redis-cli/g)?.length ?? 0;
    assert.equal(bounded, asked, 'timeout N redis-cli, each');
    assert.ok(allowance(block) <= 5, `${allowance(block)} s`);
    for (const [curl = ''] of block.text.matchAll(/curl [^|;]*/g)) {
      assert.match(curl, /curl -\w*m \d|-m \d/, `${curl}: a deadline, -m`);
    }
    for (const [ssh = ''] of block.text.matchAll(/(?:timeout \d+ )?ssh /g)) {
      assert.match(ssh, /^timeout/, 'timeout N ssh');
    }
  });
}

test('the index by symptom leads to every runbook, and nowhere else', () => {
  const index = readFileSync(join(runbooks, 'README.md'), 'utf8');
  const named = [...index.matchAll(/\]\((\w+\.md)\)/g)].map(([, name = '']) => name);
  const there = readdirSync(runbooks).filter((name) => name !== 'README.md');
  assert.deepEqual([...new Set(named)].toSorted(), there.toSorted());
});

test('nothing reads the arguments of a process, which hangs with one that is frozen', () => {
  for (const name of readdirSync(runbooks)) {
    const text = readFileSync(join(runbooks, name), 'utf8');
    const code = blocksOf(name, text).map((block) => block.text);
    code.push(...[...text.matchAll(/`([^`\n]+)`/g)].map(([, inline = '']) => inline));
    for (const one of code) {
      // ps of procps 4.0.2 (Debian 12) opens cmdline and environ of every process for a name.
      const names = /\bps (?:-?aux?|-ef|-e\b|ax)|\bps [^|;]*\b(?:comm|cmd|args|command|ucmd)\b/;
      const reads =
        /\bpidof\b|\bpgrep\b|\bpkill\b|docker (?:top|exec)|\bcat [^|;]*\/(?:cmdline|environ|maps|smaps)\b/;
      assert.ok(!names.test(one) && !reads.test(one), `${name}: ${one}`);
    }
  }
});
