/** The rows of alerts/rules/asynq.yml. */
import type { Row } from './play.ts';
import { counter, gauge, machine } from './reasons.ts';

export const asynq: readonly Row[] = [
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
