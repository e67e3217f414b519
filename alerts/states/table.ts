/**
 * What each alert says in each state of its inputs. Times are seconds from the onset. An alert
 * without a row here fails the tests.
 */
import type { Row } from './play.ts';

const alternately = (t: number) => (t % 10 < 4 ? 1 : 0);
const counter = { 'one nan': [false, 'a counter is never NaN'] } as const;
const gauge = { 'one nan': [false, 'not known for a moment'] } as const;
const held = [true, 'held by its window'] as const;
const machine = ['queue', 'collector', 'app', 'process', 'cause', 'cpu', 'age', 'sampler'];

const host: readonly Row[] = [
  {
    alert: 'HostFrozen',
    file: 'host.yml',
    inputs: [{ series: 'up', good: 1, bad: 0 }],
    fires: 10,
    lasts: 60,
    ends: 180,
    except: {
      zero: [true, 'a machine that has never answered is as silent'],
      'one nan': [true, 'held by keep_firing_for'],
    },
  },
  {
    alert: 'HostFrozen',
    file: 'host.yml',
    inputs: [{ series: 'up', good: 1, bad: 0 }],
    fires: 10,
    lasts: 60,
    ends: 180,
    step: 5,
    except: {
      zero: [true, 'a machine that has never answered is as silent'],
    },
  },
  {
    alert: 'HostFlapping',
    file: 'host.yml',
    inputs: [{ series: 'up', good: 1, bad: alternately, limit: (t) => (t < 30 ? 0 : 1) }],
    fires: 34,
    except: {
      gone: [false, 'nothing is left to come and go'],
    },
  },
  {
    alert: 'HostStalled',
    file: 'host.yml',
    inputs: [{ series: 'stealwatch_seconds_total{verdict="stall"}', good: 7, bad: 18, limit: 16 }],
    fires: 0,
    ends: 242,
    except: {
      'back and bad': [false, 'of what nobody watched over 60 s count: tests/host-hours.yml'],
      gone: held,
    },
  },
  {
    alert: 'HostStalled',
    file: 'host.yml',
    inputs: [{ series: 'stealwatch_stall_longest_seconds', good: 0, bad: 61, limit: 60 }],
    fires: 0,
    lasts: 60,
    ends: 180,
  },
  {
    alert: 'PageInStuck',
    file: 'host.yml',
    inputs: [
      {
        series: 'stealwatch_blocked_task_longest_seconds{reason="host_page_in"}',
        good: 0,
        bad: 61,
        limit: 60,
      },
    ],
    fires: 0,
    lasts: 60,
    ends: 120,
  },
  {
    alert: 'PageInStuck',
    file: 'host.yml',
    inputs: [{ series: 'stealwatch_cold_page_outstanding_seconds', good: 0, bad: 31, limit: 30 }],
    fires: 0,
    lasts: 60,
    ends: 120,
  },
  {
    alert: 'TaskStuckInD',
    file: 'host.yml',
    inputs: [
      {
        series: 'stealwatch_blocked_process_seconds{process="redis-server",reason="disk"}',
        good: 0,
        bad: 21,
        limit: 20,
      },
    ],
    fires: 0,
    lasts: 60,
    ends: 120,
    free: machine,
    except: { 'another reason': [true, 'all but a page-in, which PageInStuck has'] },
  },
  {
    alert: 'HungTaskDetected',
    file: 'host.yml',
    inputs: [{ series: 'stealwatch_hung_tasks_total{cause="disk"}', good: 7, bad: 8, limit: 7 }],
    fires: 0,
    ends: 600,
    step: 30,
    except: counter,
    free: machine,
  },
  {
    alert: 'HungTaskDetected',
    file: 'host.yml',
    inputs: [{ series: 'stealwatch_hung_task_detections_total', good: 7, bad: 8, limit: 7 }],
    fires: 0,
    ends: 600,
    step: 30,
    except: counter,
  },
  {
    alert: 'KernelSoftLockup',
    file: 'host.yml',
    inputs: [
      {
        series: 'stealwatch_kernel_events_total{event="soft_lockup"}',
        good: 7,
        bad: 8,
        limit: 7,
      },
    ],
    fires: 0,
    ends: 1200,
    step: 30,
    except: { ...counter, gone: held, 'one nan': held },
  },
  {
    alert: 'HostPageInThrash',
    file: 'host.yml',
    inputs: [{ series: 'stealwatch_async_page_faults_total', good: 7, bad: 68, limit: 67 }],
    fires: 300,
    ends: 600,
    step: 30,
    except: counter,
  },
  {
    alert: 'HostPageInThrash',
    file: 'host.yml',
    inputs: [
      {
        series: 'stealwatch_cold_page_host_faults_total{age="2m"}',
        good: 7,
        bad: 68,
        limit: 67,
      },
    ],
    fires: 300,
    ends: 600,
    step: 30,
    except: counter,
    free: machine,
  },
  {
    alert: 'StealHigh',
    file: 'host.yml',
    inputs: [
      {
        series: 'stealwatch_cpu_seconds_total{mode="steal"}',
        good: 0,
        bad: (t) => 0.12 * t,
        limit: (t) => 0.09 * t,
      },
      {
        series: 'stealwatch_cpu_seconds_total{mode="user"}',
        good: (t) => 2000 + t,
        bad: (t) => 2000 + t,
        limit: (t) => 2000 + t,
      },
    ],
    fires: 2280,
    step: 30,
    except: {
      'without stealwatch_cpu_seconds_total 1': [true, 'all that was asked for was taken'],
      gone: held,
      ...counter,
    },
  },
  {
    alert: 'StealHigh',
    file: 'host.yml',
    inputs: [
      {
        series: 'stealwatch_cpu_steal_seconds_total{cpu="0"}',
        good: 0,
        bad: (t) => 0.52 * t,
        limit: (t) => 0.49 * t,
      },
    ],
    fires: 2340,
    step: 30,
    free: machine,
    except: counter,
  },
  {
    alert: 'HungTaskLogGoingSilent',
    file: 'host.yml',
    inputs: [{ series: 'stealwatch_hung_task_warnings_left', good: 10, bad: 2, limit: 3 }],
    fires: 0,
    lasts: 300,
    ends: 300,
    step: 30,
    except: {
      zero: [true, 'none is left'],
      'one nan': [false, 'a ticket without a hold'],
    },
  },
];

const redis: readonly Row[] = [
  {
    alert: 'RedisFrozen',
    file: 'redis.yml',
    inputs: [
      { series: 'redis_unresponsive_seconds', good: 0, bad: 5.1, limit: 5 },
      { series: 'redis_state{state="frozen"}', good: 0, bad: 1 },
    ],
    fires: 0,
    lasts: 60,
    ends: 90,
    except: { gone: [true, 'the machine froze after Redis did: 15 min'] },
  },
  {
    alert: 'RedisDown',
    file: 'redis.yml',
    inputs: [{ series: 'redis_up', good: 1, bad: 0 }],
    fires: 30,
    lasts: 60,
    ends: 90,
    except: { zero: [true, 'a Redis that was never up is as down'] },
  },
  {
    alert: 'RedisDown',
    file: 'redis.yml',
    inputs: [
      { series: 'redis_up', good: 1, bad: 0 },
      { series: 'redis_state{state="auth_failed"}', good: 0, bad: 1, limit: 1 },
      { series: 'redis_state{state="frozen"}', good: 0, bad: 0, limit: 1 },
    ],
    fires: 30,
    lasts: 60,
    ends: 90,
    except: {
      zero: [true, 'not up, and no state is frozen'],
      'another state': [true, 'whatever the reason'],
      'without redis_state 1': [true, 'whatever the reason'],
      'without redis_state 2': [true, 'not known to be frozen'],
    },
  },
  {
    alert: 'RedisRejectsConnections',
    file: 'redis.yml',
    inputs: [{ series: 'redis_rejected_connections_total', good: 7, bad: 8, limit: 7 }],
    fires: 0,
    ends: 360,
    step: 30,
  },
  {
    alert: 'RedisAnswersPingOnly',
    file: 'redis.yml',
    inputs: [
      { series: 'redis_up', good: 1, bad: 1 },
      { series: 'stealwatch_collector_success{collector="redis-info"}', good: 1, bad: 0 },
      { series: 'stealwatch_collector_success{collector="asynq"}', good: 1, bad: 0 },
    ],
    fires: 30,
    lasts: 60,
    ends: 90,
    except: {
      'without stealwatch_collector_success 1': [true, 'the other one is all that asks'],
      'without stealwatch_collector_success 2': [true, 'the other one is all that asks'],
    },
  },
  {
    alert: 'RedisBgsaveStuck',
    file: 'redis.yml',
    inputs: [
      { series: 'redis_rdb_current_bgsave_duration_sec', good: -1, bad: 121, limit: 120 },
      { series: 'redis_rdb_last_bgsave_duration_sec', good: 24, bad: 24, limit: 24 },
    ],
    fires: 0,
    lasts: 60,
    ends: 60,
    except: gauge,
  },
  {
    alert: 'RedisBgsaveStuck',
    file: 'redis.yml',
    inputs: [
      { series: 'redis_rdb_current_bgsave_duration_sec', good: -1, bad: 201, limit: 200 },
      { series: 'redis_rdb_last_bgsave_duration_sec', good: 40, bad: 40, limit: 40 },
    ],
    fires: 0,
    lasts: 60,
    ends: 60,
    except: gauge,
  },
  {
    alert: 'AofFsyncStalling',
    file: 'redis.yml',
    inputs: [{ series: 'redis_aof_delayed_fsync', good: 7, bad: 12, limit: 11 }],
    fires: 0,
    ends: 1020,
    step: 30,
  },
  ...[
    { series: 'redis_process_tasks', good: 35, bad: 51, limit: 50 },
    { series: 'redis_process_tasks', good: 60, bad: 71, limit: 69 },
  ].map((input) => ({
    alert: 'PidPileup',
    file: 'redis.yml',
    inputs: [input],
    fires: 0,
    step: 30,
    except: {
      'back and bad': [false, 'no growth is seen that had ended before one looked again'] as const,
    },
  })),
  {
    alert: 'RedisBgsaveFailed',
    file: 'redis.yml',
    inputs: [
      { series: 'redis_rdb_last_bgsave_status', good: 1, bad: 0 },
      { series: 'redis_rdb_save_enabled', good: 1, bad: 1 },
    ],
    fires: 60,
    lasts: 300,
    ends: 300,
    step: 30,
    except: gauge,
  },
  {
    alert: 'ForkFreezeRisk',
    file: 'redis.yml',
    inputs: [
      {
        series: 'stealwatch_async_page_faults_total',
        good: 7,
        bad: (t) => 7 + 1.3 * t,
        limit: (t) => 7 + 0.99 * t,
      },
      { series: 'redis_rdb_save_enabled', good: 1, bad: 1 },
    ],
    fires: 480,
    step: 30,
    except: counter,
  },
  {
    alert: 'RdbConfigDrift',
    file: 'redis.yml',
    inputs: [{ series: 'redis_rdb_save_enabled{redis_save="off"}', good: 0, bad: 1 }],
    fires: 0,
    lasts: 600,
    ends: 600,
    step: 30,
    except: gauge,
  },
  {
    alert: 'RdbConfigDrift',
    file: 'redis.yml',
    inputs: [{ series: 'redis_rdb_save_enabled', good: 0, bad: 1 }],
    fires: 0,
    ends: 3600,
    step: 30,
    except: gauge,
  },
  {
    alert: 'AofFsyncDelayed',
    file: 'redis.yml',
    inputs: [{ series: 'redis_aof_delayed_fsync', good: 7, bad: 10, limit: 9 }],
    fires: 0,
    ends: 21_600,
    step: 300,
  },
  {
    alert: 'ForkSlow',
    file: 'redis.yml',
    inputs: [{ series: 'redis_latest_fork_seconds', good: 0.19, bad: 0.21, limit: 0.2 }],
    fires: 0,
    lasts: 600,
    ends: 600,
    step: 30,
    except: gauge,
  },
  {
    alert: 'ForkSlow',
    file: 'redis.yml',
    inputs: [{ series: 'redis_latest_fork_seconds', good: 0.011, bad: 0.056, limit: 0.05 }],
    fires: 0,
    lasts: 600,
    ends: 600,
    step: 30,
    except: { ...gauge, new: [false, 'there is no week to compare with'] },
  },
];

const asynq: readonly Row[] = [
  {
    alert: 'AsynqQueueStalled',
    file: 'asynq.yml',
    inputs: [
      { series: 'asynq_queue_latency_seconds{queue="q"}', good: 0, bad: 61, limit: 60 },
      { series: 'asynq_queue_paused_total{queue="q"}', good: 0, bad: 0, limit: 0 },
    ],
    fires: 30,
    lasts: 60,
    ends: 60,
    free: machine,
    except: { 'without asynq_queue_paused_total 1': [true, 'not known to be paused'] },
  },
  {
    alert: 'AsynqNoConsumers',
    file: 'asynq.yml',
    inputs: [
      { series: 'asynq_queue_tasks{queue="q",state="pending"}', good: 0, bad: 1 },
      { series: 'asynq_queue_consumers{queue="q"}', good: 0, bad: 0 },
      { series: 'asynq_queue_paused_total{queue="q"}', good: 0, bad: 0 },
    ],
    fires: 120,
    lasts: 180,
    ends: 180,
    free: machine,
    except: { 'without asynq_queue_paused_total 2': [true, 'not known to be paused'] },
  },
  ...(
    [
      ['AsynqLeasesExpired', 'asynq_queue_lease_expired_tasks', 180],
      ['AsynqGhostTasks', 'asynq_queue_active_without_lease_tasks', 300],
    ] as const
  ).map(([alert, series, fires]) => ({
    alert,
    file: 'asynq.yml',
    inputs: [{ series: `${series}{queue="q"}`, good: 0, bad: 1, limit: 0 }],
    fires,
    lasts: 600,
    ends: 600,
    step: 30,
    free: machine,
  })),
  {
    alert: 'AsynqArchiveFull',
    file: 'asynq.yml',
    inputs: [
      { series: 'asynq_queue_tasks{queue="q",state="archived"}', good: 1, bad: 9900, limit: 9899 },
    ],
    fires: 0,
    lasts: 600,
    ends: 600,
    step: 30,
    free: machine,
    except: gauge,
  },
  {
    alert: 'AsynqScheduleLag',
    file: 'asynq.yml',
    inputs: [
      { series: 'asynq_queue_schedule_lag_seconds{queue="q"}', good: 0, bad: 61, limit: 60 },
    ],
    fires: 120,
    lasts: 600,
    ends: 600,
    step: 30,
    free: machine,
  },
  {
    alert: 'AsynqScheduleLag',
    file: 'asynq.yml',
    inputs: [
      {
        series: 'asynq_scheduler_entry_next_timestamp_seconds{queue="q"}',
        good: 1e6,
        bad: (t) => t + 1350 - 61,
        limit: (t) => t + 1350 - 60,
      },
    ],
    fires: 120,
    lasts: 600,
    ends: 600,
    step: 30,
    free: machine,
    except: {
      zero: [true, 'due since 1970'],
      'back and bad': [true, 'overdue'],
    },
  },
  {
    alert: 'AsynqQueueUnlisted',
    file: 'asynq.yml',
    inputs: [{ series: 'asynq_queue_listed{queue="q"}', good: 1, bad: 0 }],
    fires: 60,
    lasts: 600,
    ends: 600,
    step: 30,
    free: machine,
    except: { zero: [true, 'not listed'] },
  },
  {
    alert: 'AsynqCounterRollback',
    file: 'asynq.yml',
    inputs: [{ series: 'asynq_counter_rollbacks_total{queue="q"}', good: 7, bad: 8, limit: 7 }],
    fires: 0,
    ends: 3600,
    step: 30,
    except: counter,
    free: machine,
  },
];

const app: readonly Row[] = [
  {
    alert: 'HealthEndpointLies',
    file: 'app.yml',
    inputs: [
      { series: 'stealwatch_app_health_status_code{app="shop"}', good: 200, bad: 200 },
      { series: 'stealwatch_app_health_lying{app="shop"}', good: 0, bad: 1 },
    ],
    fires: 30,
    lasts: 60,
    ends: 60,
    free: machine,
    except: { 'one nan': [false, 'asked every 5 s, and never NaN'] },
  },
  {
    alert: 'ProbeFailed',
    file: 'app.yml',
    job: 'stealwatch-probe',
    inputs: [{ series: 'probe_success', good: 1, bad: 0 }],
    fires: 46,
    lasts: 60,
    ends: 90,
    except: { zero: [true, 'has never answered'] },
  },
];

const meta: readonly Row[] = [
  {
    alert: 'CollectorFailing',
    file: 'meta.yml',
    inputs: [
      { series: 'stealwatch_collector_success{collector="cpu"}', good: 1, bad: 0 },
      { series: 'redis_up', good: 1, bad: 0 },
    ],
    fires: 300,
    lasts: 600,
    ends: 600,
    step: 30,
    free: machine,
    except: {
      zero: [true, 'has never read its source'],
      'without redis_up 1': [true, 'it needs no Redis'],
      'one nan': [false, 'never NaN'],
    },
  },
  {
    alert: 'CollectorFailing',
    file: 'meta.yml',
    inputs: [
      { series: 'stealwatch_collector_success{collector="asynq"}', good: 1, bad: 0, limit: 0 },
      { series: 'redis_up', good: 1, bad: 1, limit: 0 },
    ],
    fires: 300,
    lasts: 600,
    ends: 600,
    step: 30,
    also: [{ collector: 'redis-info' }],
    except: {
      'without redis_up 1': [true, 'not known to be down'],
      'another collector': [true, 'any collector'],
      'one nan': [false, 'never NaN'],
    },
  },
  {
    alert: 'SamplerStale',
    file: 'meta.yml',
    inputs: [
      { series: 'stealwatch_sampler_age_seconds{sampler="redis"}', good: 1, bad: 16, limit: 15 },
    ],
    fires: 30,
    lasts: 600,
    ends: 600,
    step: 30,
    free: machine,
    except: { 'one nan': [false, 'never NaN'] },
  },
  {
    alert: 'KernelLogUnreadable',
    file: 'meta.yml',
    inputs: [{ series: 'stealwatch_signal_supported{signal="hung_task_log"}', good: 1, bad: 0 }],
    fires: 300,
    lasts: 600,
    ends: 600,
    step: 30,
    except: { zero: [true, 'has never been readable'], 'one nan': [false, 'never NaN'] },
  },
  {
    alert: 'MeasurementGap',
    file: 'meta.yml',
    inputs: [{ series: 'slo:coverage:ratio_rate1h{slo="host"}', good: 1, bad: 0.94, limit: 0.95 }],
    fires: 900,
    lasts: 1200,
    ends: 1200,
    step: 30,
    except: {
      zero: [true, 'nothing was measured'],
      'one nan': [false, 'never NaN'],
      'another job': [true, 'recorded, whatever the job'],
    },
  },
  ...(
    [
      'alertmanager_notifications_failed_total',
      'prometheus_notifications_errors_total',
      'prometheus_notifications_dropped_total',
    ] as const
  ).map((series) => ({
    alert: 'NotificationsFailing',
    file: 'meta.yml',
    inputs: [{ series, good: 7, bad: 8, limit: 7 }],
    fires: 0,
    ends: 930,
    step: 30,
    except: {
      'another job': [true, 'whatever Prometheus calls itself'] as const,
      'back and bad': [false, 'it counts what it did itself, and was away'] as const,
      gone: held,
      ...counter,
    },
  })),
  {
    alert: 'StorageCapReached',
    file: 'meta.yml',
    inputs: [{ series: 'prometheus_tsdb_size_retentions_total', good: 0, bad: 1, limit: 0 }],
    fires: 0,
    step: 30,
    except: {
      'another job': [true, 'whatever Prometheus calls itself'],
      ...counter,
    },
  },
];

export const table: readonly Row[] = [...host, ...redis, ...asynq, ...app, ...meta];

/** Alerts that the table cannot play, and where they are tested instead. */
export const elsewhere: Readonly<Record<string, string>> = {
  Watchdog: 'fires always: tests/meta.yml',
  NothingWatched: 'about all targets at once: tests/meta.yml',
  ProberSilent: 'about all probes at once: tests/meta.yml',
  SloPeriodShortened: 'takes days: tests/meta-days.yml',
  ErrorBudgetBurnFast: 'added up from slices: tests/slo*.yml',
  ErrorBudgetBurnSlow: 'added up from slices: tests/slo*.yml',
};
