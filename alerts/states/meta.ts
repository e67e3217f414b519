/** The rows of alerts/rules/meta.yml. */
import type { Row } from './play.ts';
import { counter, held, machine } from './reasons.ts';

export const meta: readonly Row[] = [
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
    alert: 'RescueWatcherSilent',
    file: 'meta.yml',
    inputs: [
      { series: 'stealwatch_rescue_watch_age_seconds', good: 3, bad: 121, limit: 120 },
      { series: 'up', good: 1, bad: 1, limit: 1 },
    ],
    fires: 300,
    lasts: 600,
    ends: 600,
    step: 30,
    except: {
      'without up 1': [true, 'an age that is there was read'],
      'one nan': [false, 'a record that cannot be read for a moment'],
    },
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
    alert: 'WebConfigNotInForce',
    file: 'meta.yml',
    inputs: [{ series: 'stealwatch_web_config_in_force', good: 1, bad: 0 }],
    fires: 60,
    lasts: 600,
    ends: 600,
    step: 30,
    except: { zero: [true, 'was never in force'], 'one nan': [false, 'never NaN'] },
  },
  {
    alert: 'LogLinesDropped',
    file: 'meta.yml',
    inputs: [{ series: 'stealwatch_log_lines_dropped_total', good: 7, bad: 8, limit: 7 }],
    fires: 0,
    ends: 900,
    step: 30,
    except: counter,
  },
  {
    alert: 'HeartbeatFailing',
    file: 'meta.yml',
    inputs: [
      {
        series: 'stealwatch_heartbeats_total{result="failed"}',
        good: 7,
        bad: (t) => 7 + t / 15,
        limit: (t) => 7 + t / 75,
      },
    ],
    fires: 150,
    step: 30,
    except: { gone: held, ...counter },
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
