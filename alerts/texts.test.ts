/** Every sentence that a template can say, on what it says it about: each branch, and where nothing is known. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { alertsOf, ruleFiles, runTests, type RuleTest } from './testing/rule-files.ts';
import { allTools } from '../tools/rig/prometheus-tools.ts';

interface Case {
  readonly name: string;
  readonly alert: string;
  /** Series without job, host and instance, by their values every 2 s. */
  readonly series: Readonly<Record<string, string>>;
  readonly at: string;
  readonly says: readonly RegExp[];
  readonly never?: RegExp;
  /** Of its machine, where it is not vps1. */
  readonly host?: string;
}

const waits = { 'stealwatch_blocked_task_longest_seconds{reason="host_page_in"}': '0x60 2+2x60' };
const waitsForCanary = { stealwatch_cold_page_outstanding_seconds: '0x60 2+2x60' };
const frozen = {
  redis_unresponsive_seconds: '0x30 2+2x60',
  'redis_state{state="frozen"}': '0x30 1x60',
};
const saving = { redis_rdb_current_bgsave_duration_sec: '0x30 2+2x90' };
const late = { 'asynq_queue_latency_seconds{queue="q"}': '0x30 70x60' };
const quiet = {
  'host:stealwatch_why:figure{verdict="quiet",why="Its host is quiet"}': '0x90',
};
const paging = {
  'host:stealwatch_why:figure{verdict="pageIn",why="Your host pages",figure=": %.0f pages"}':
    '12x90',
};
const slo = {
  'slo:bad_seconds:slice15s{slo="redis_availability",cause="disk"}': '0x30 2x60',
  'slo:bad_seconds:slice15s{slo="host",cause="disk"}': '0x30 1x60',
  'slo:time_period:days{slo="redis_availability"}': '28x90',
  'slo:error_budget:ratio{slo="redis_availability"}': '0.005x90',
};
const lies = {
  'stealwatch_app_health_status_code{app="shop"}': '200x90',
  'stealwatch_app_health_lying{app="shop"}': '0x30 1x60',
};

/** As a Prometheus that was started anew has it: nothing said that the first of them has ended. */
const startedAnew = {
  'host:stealwatch_why:figure{verdict="quiet",why="Its host is quiet"}': '0x40 _x50',
  'host:stealwatch_why:figure{verdict="pageIn",why="Your host pages",figure=": %.0f pages"}':
    '_x50 12x50',
};

const cases: readonly Case[] = [
  {
    name: 'a sentence from before a start of Prometheus is not said',
    alert: 'RedisFrozen',
    series: { ...frozen, ...startedAnew },
    at: '2m',
    says: [/Your host pages: 12 pages\./],
    never: /quiet/,
  },
  {
    name: 'February: a burst of page-ins ends as the wait begins',
    alert: 'PageInStuck',
    series: { ...waits, stealwatch_async_page_faults_total: '0x45 16+16x14 240x60' },
    at: '3m4s',
    says: [/No page-in has completed in the last 50s/],
    never: /completed since it began/,
  },
  {
    name: 'page-ins go on while this one waits',
    alert: 'PageInStuck',
    series: { ...waits, stealwatch_async_page_faults_total: '0+1x120' },
    at: '3m4s',
    says: [/have completed since it began to wait \(25 in the last 50s\).* lost this one's/],
    never: /No page-in has completed/,
  },
  {
    name: 'the canary waits for half a minute, and the burst was before that',
    alert: 'PageInStuck',
    series: { ...waitsForCanary, stealwatch_async_page_faults_total: '0+8x60 480x60' },
    at: '2m34s',
    says: [/No page-in has completed in the last 25s/],
  },
  {
    name: 'a VM that is told of no page-in',
    alert: 'PageInStuck',
    series: waits,
    at: '3m4s',
    says: [/Whether other page-ins complete is not visible on this VM/],
    never: /No page-in has completed/,
  },
  {
    name: 'a count that is not read',
    alert: 'PageInStuck',
    series: { ...waits, stealwatch_async_page_faults_total: 'NaNx120' },
    at: '3m4s',
    says: [/not visible on this VM/],
  },
  {
    name: 'Redis in D',
    alert: 'RedisFrozen',
    series: { ...frozen, 'redis_process_blocked_seconds{reason="disk"}': '0x30 2+2x60' },
    at: '1m20s',
    says: [/has been blocked in the kernel for 20 s, reason disk/],
  },
  {
    name: 'Redis stopped',
    alert: 'RedisFrozen',
    series: { ...frozen, 'redis_process_blocked_seconds{reason="disk"}': '0x90' },
    at: '1m20s',
    says: [/No thread of redis-server is seen blocked in the kernel/],
  },
  {
    name: 'Redis on another machine',
    alert: 'RedisFrozen',
    series: frozen,
    at: '1m20s',
    says: [/Its process is not seen from there/],
    never: /No thread of redis-server is seen/,
  },
  {
    name: 'a save, and how long the last one took',
    alert: 'RedisBgsaveStuck',
    series: { ...saving, redis_rdb_last_bgsave_duration_sec: '12x120' },
    at: '3m20s',
    says: [/The last one took 12 s\./],
  },
  {
    name: 'the first save of all',
    alert: 'RedisBgsaveStuck',
    series: {
      ...saving,
      redis_rdb_last_bgsave_duration_sec: '-1x120',
      // As much as two minutes and ten seconds write: nothing is known of the save before.
      redis_memory_used_bytes: '100000000x120',
    },
    at: '3m20s',
    says: [/How long the last one took is not known/],
    never: /took -1 s/,
  },
  {
    name: 'stolen CPU and page-ins of a standstill',
    alert: 'HostStalled',
    series: {
      'stealwatch_seconds_total{verdict="stall"}': '0x90 20x90',
      'stealwatch_cpu_steal_seconds_total{cpu="0"}': '5x90 12x90',
      stealwatch_async_page_faults_total: '5x90 9x90',
    },
    at: '3m10s',
    says: [/stolen CPU 7 s, page-ins by the host 4\./],
  },
  {
    name: 'a standstill with nothing to say about it',
    alert: 'HostStalled',
    series: { 'stealwatch_seconds_total{verdict="stall"}': '0x10 20x90' },
    at: '30s',
    says: [/stolen CPU not known, page-ins by the host not known\./],
  },
  {
    name: 'a hung task by its cause',
    alert: 'HungTaskDetected',
    series: { 'stealwatch_hung_tasks_total{cause="disk"}': '3x90 5x60' },
    at: '3m10s',
    says: [/By cause: disk 2 /],
  },
  {
    name: 'a hung task that only the kernel counted',
    alert: 'HungTaskDetected',
    series: {
      'stealwatch_hung_tasks_total{cause="disk"}': '3x150',
      stealwatch_hung_task_detections_total: '3x90 4x60',
    },
    at: '3m10s',
    says: [/By cause: not known, only the kernel's own counter has it/],
  },
  {
    name: 'a queue that is late, with its consumers',
    alert: 'AsynqQueueStalled',
    series: { ...late, 'asynq_queue_consumers{queue="q"}': '0x90' },
    at: '1m40s',
    says: [/Consumers: 0\./],
  },
  {
    name: 'a queue whose consumers are not read',
    alert: 'AsynqQueueStalled',
    series: { ...late, 'asynq_queue_consumers{queue="q"}': 'NaNx90' },
    at: '1m40s',
    says: [/Consumers: not known\./],
    never: /NaN/,
  },
  {
    name: 'for how long Redis has been silent',
    alert: 'HealthEndpointLies',
    series: { ...lies, redis_unresponsive_seconds: '0x30 8+2x60' },
    at: '1m40s',
    says: [/has answered nothing for 46 s/],
  },
  {
    name: 'not for how long Redis was silent, which answers again',
    alert: 'HealthEndpointLies',
    series: { ...lies, redis_unresponsive_seconds: '0x90' },
    at: '1m40s',
    says: [/has answered nothing for over 5 s/],
  },
  {
    name: 'a replica that copies its master again and again',
    alert: 'RedisReplicaLinkDown',
    series: { redis_master_link_up: '1x10 0x700', redis_master_sync_in_progress: '0x10 1x700' },
    at: '22m',
    says: [/without its master for 1\d\d\d of the last 1800 s/, /It is copying the whole data set/],
    never: /gone or cut off/,
  },
  {
    name: 'a replica whose master is gone',
    alert: 'RedisReplicaLinkDown',
    series: { redis_master_link_up: '1x10 0x100', redis_master_sync_in_progress: '0x110' },
    at: '3m',
    says: [/The master is gone or cut off/],
    never: /copying/,
  },
  {
    name: 'what Redis says that turns us away',
    alert: 'RedisDown',
    series: { redis_up: '1x30 0x60', 'redis_state{state="error"}': '0x30 1x60' },
    at: '1m40s',
    says: [/of the last 60 s, state error\./],
  },
  {
    name: 'why: the host is quiet, and the process of Redis is seen',
    alert: 'RedisFrozen',
    series: { ...frozen, ...quiet, 'redis_process_blocked_seconds{reason="disk"}': '0x90' },
    at: '1m20s',
    says: [/why="Its host is quiet. So look at Redis itself."/],
  },
  {
    name: 'why: the host is quiet so far, and the kernel holds Redis',
    alert: 'RedisFrozen',
    series: { ...frozen, ...quiet, 'redis_process_blocked_seconds{reason="lock"}': '0x30 2+2x60' },
    at: '1m8s',
    says: [
      /why="Its host is quiet. A thread of Redis has been blocked in the kernel for 8 s, reason lock."/,
    ],
  },
  {
    name: 'why: the host is quiet, and Redis may be elsewhere',
    alert: 'RedisFrozen',
    series: { ...frozen, ...quiet },
    at: '1m20s',
    says: [
      /why="Its host is quiet. That is the machine of the exporter: Redis is not seen on it."/,
    ],
  },
  {
    name: 'why: with its figure, and nothing against Redis',
    alert: 'RedisFrozen',
    series: { ...frozen, ...paging },
    at: '1m20s',
    says: [/why="Your host pages: 12 pages."/],
  },
  {
    name: 'why: nothing is recorded, or no longer',
    alert: 'RedisFrozen',
    series: { ...frozen, 'host:stealwatch_why:figure{verdict="quiet",why="x"}': '0x20 stale' },
    at: '1m20s',
    says: [
      /why="Whether its host is to blame cannot be told: nothing is known of it at this moment."/,
    ],
  },
  {
    name: 'why: of a target without a host, nothing of anybody else',
    alert: 'RedisFrozen',
    series: { ...frozen, ...paging },
    host: '',
    at: '1m20s',
    says: [/why="Whether its host is to blame cannot be told: this target has no label host."/],
  },
  {
    name: 'cost: what was lost since it began, of each SLO that lost something',
    alert: 'RedisFrozen',
    series: { ...frozen, ...slo },
    at: '2m',
    // 30 slices of 2 s, and of 1 s; 28 days allow 12,096 s.
    says: [
      /cost="60 s without Redis, 0.5 % of its error budget. 30 s in which the machine was not well."/,
    ],
  },
  {
    name: 'cost: nothing that is not recorded',
    alert: 'RedisFrozen',
    series: frozen,
    at: '2m',
    says: [/cost=""/],
  },
  {
    name: 'nothing of a state that nobody knows',
    alert: 'RedisDown',
    series: { redis_up: '1x30 0x60' },
    at: '1m40s',
    says: [/of the last 60 s\./],
    never: /state \./,
  },
];

/** Another machine at the same address: nothing that is said may be read from it. */
const neighbour = {
  stealwatch_async_page_faults_total: '0+100x150',
  'redis_process_blocked_seconds{reason="lock"}': '900x150',
  redis_rdb_last_bgsave_duration_sec: '7777x150',
  'stealwatch_cpu_steal_seconds_total{cpu="0"}': '0+100x150',
  'asynq_queue_consumers{queue="q"}': '7777x150',
  'redis_state{state="loading"}': '1x150',
  redis_master_sync_in_progress: '1x700',
  'host:stealwatch_why:figure{verdict="steal",why="7777"}': '1x150',
  'slo:bad_seconds:slice15s{slo="redis_availability"}': '7777x150',
};

function labelled(series: Case['series'], host: string): RuleTest['input_series'] {
  return Object.entries(series).map(([name, values]) => {
    const [metric = '', labels = ''] = name.replace('}', '').split('{');
    const all = `job="stealwatch",host="${host}",instance="10.0.0.5:10190"`;
    return { series: `${metric}{${[all, labels].filter(Boolean).join(',')}}`, values };
  });
}

/** Nothing is expected, so that promtool prints what it got. */
function asking(one: Case): RuleTest {
  return {
    name: one.name,
    interval: '2s',
    input_series: [...labelled(one.series, one.host ?? 'vps1'), ...labelled(neighbour, 'vps2')],
    alert_rule_test: [{ alertname: one.alert, eval_time: one.at, exp_alerts: [] }],
  };
}

const fileOf = (name: string) =>
  ruleFiles.find((file) => alertsOf(file).some(({ alert }) => alert === name)) ?? '';

for (const { label, promtool } of allTools()) {
  test(`texts say what was read, and what was not (${label})`, () => {
    for (const one of cases) {
      const file = { rule_files: [fileOf(one.alert)], evaluation_interval: '2s' };
      const asked = { ...file, tests: [asking(one)] };
      const { text } = runTests({ program: promtool }, asked, { summariesOnly: false });
      const said = [...text.matchAll(/Annotations:(\{.*\})/g)].map(([, found = '']) => found);
      assert.equal(said.length, 1, `${one.name}: ${text}`);
      for (const pattern of one.says) assert.match(said[0] ?? '', pattern, one.name);
      if (one.never !== undefined) assert.doesNotMatch(said[0] ?? '', one.never, one.name);
      assert.doesNotMatch(said[0] ?? '', /NaN|<no value>|7777/, one.name);
    }
  });
}
