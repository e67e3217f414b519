/** What the host collectors of the exporter would publish of a world. */
import { kernelEvents } from '../../exporter/kmsg/kernel-events.ts';
import { demandBuckets, stallBuckets } from '../../exporter/measure/buckets.ts';
import { touchBuckets } from '../../exporter/canary/layout.ts';
import { reasons } from '../../exporter/tasks/reason-table.ts';
import type { Recorder } from './recorder.ts';
import type { Abilities, World } from './world.ts';

export interface Moment {
  readonly world: World;
  readonly abilities: Abilities;
  readonly cpus: number;
  /** Seconds since 1970. */
  readonly now: number;
  /** Length of this step. */
  readonly step: number;
  /** How long the world's blocked thread, frozen Redis, running bgsave, lost master have been so. */
  readonly blockedFor: number;
  readonly frozenFor: number;
  readonly savingFor: number;
  readonly unlinkedFor: number;
}

function cpu(to: Recorder, { world, cpus, step }: Moment): void {
  const all = cpus * step;
  const shares = {
    user: world.own * 0.7,
    nice: 0,
    system: world.own * 0.25,
    idle: 1 - world.own - world.steal - 0.005,
    iowait: 0.005,
    irq: 0,
    softirq: world.own * 0.05,
    steal: world.steal,
  };
  for (const [mode, share] of Object.entries(shares)) {
    to.add('stealwatch_cpu_seconds_total', share * all, { mode });
  }
  for (let i = 0; i < cpus; i++) {
    to.add('stealwatch_cpu_steal_seconds_total', world.steal * step, { cpu: String(i) });
  }
  to.set('stealwatch_cpus', cpus);
  to.set('stealwatch_steal_ratio', world.steal);
  to.add('stealwatch_cpu_time_resets_total', 0);
}

function seconds(to: Recorder, { world, step }: Moment): void {
  const stall = world.stalled * step;
  const stolen = world.denied > 0.1 ? world.deniedSeconds * step : 0;
  for (const [verdict, value] of Object.entries({
    good: step - stall - stolen,
    steal: stolen,
    stall,
  })) {
    to.add('stealwatch_seconds_total', value, { verdict });
  }
  const denied = world.deniedSeconds * step;
  to.observe('stealwatch_steal_demand_ratio', demandBuckets, world.denied, denied);
  to.observe('stealwatch_steal_demand_ratio', demandBuckets, 0, step - denied);
  to.observe('stealwatch_stall_seconds', stallBuckets, 0.0004, step * 20);
  to.observe(
    'stealwatch_stall_seconds',
    stallBuckets,
    world.stallLength,
    stall / world.stallLength,
  );
  to.set('stealwatch_stall_longest_seconds', stall > 0 ? world.stallLength : 0.0004);
}

function blocked(to: Recorder, { world, abilities, blockedFor }: Moment): void {
  const seen = abilities.waitChannel ? world.blocked : world.blocked && 'unknown';
  for (const reason of reasons) {
    const here = seen === reason;
    to.set('stealwatch_blocked_tasks', here ? 2 : 0, { reason });
    to.set('stealwatch_blocked_task_longest_seconds', here ? blockedFor : 0, { reason });
  }
  to.set('stealwatch_procs_blocked', world.blocked === 'disk' ? 2 : 0);
  if (seen !== undefined && blockedFor > 1) {
    for (const process of ['redis-server', 'jemalloc_bg_thd']) {
      to.set('stealwatch_blocked_process_seconds', blockedFor, { process, reason: seen });
    }
  }
}

/** The kernel looks every 120 s, and falls silent after ten reports. */
function reportsAfter(age: number): number {
  return Math.min(10, Math.floor(Math.max(0, age) / 120));
}

function kernel(to: Recorder, moment: Moment): void {
  const { world, abilities, step, blockedFor } = moment;
  if (abilities.kvm) {
    to.add('stealwatch_async_page_faults_total', world.pageIns * step);
    to.add('stealwatch_vm_restores_total', 0);
  }
  if (!abilities.kernelLog) return;
  const before = world.hungTaskReports ? reportsAfter(blockedFor - step) : 0;
  const after = world.hungTaskReports ? reportsAfter(blockedFor) : 0;
  for (const cause of reasons) {
    const mine = cause === world.blocked ? 1 : 0;
    to.add('stealwatch_hung_task_reports_total', mine * (after - before), { cause });
    to.add('stealwatch_hung_tasks_total', mine * (before === 0 && after > 0 ? 1 : 0), { cause });
  }
  to.add('stealwatch_hung_task_detections_total', after - before);
  to.set('stealwatch_hung_task_warnings_left', 10 - after);
  to.set('stealwatch_hung_task_timeout_seconds', 120);
  if (after > 0) to.set('stealwatch_hung_task_last_seconds', 120 * after);
  for (const event of kernelEvents) {
    to.add('stealwatch_kernel_events_total', 0, { event });
  }
  to.add('stealwatch_kmsg_lost_records_total', 0);
}

function pressure(to: Recorder, { world, step }: Moment): void {
  const some = { cpu: world.pressureCpu, memory: 0, io: world.pressureIo };
  for (const [resource, share] of Object.entries(some)) {
    to.add('stealwatch_pressure_seconds_total', share * step, { kind: 'some', resource });
    const full = resource === 'cpu' ? 0 : share * 0.7;
    to.add('stealwatch_pressure_seconds_total', full * step, { kind: 'full', resource });
  }
}

const gigabyte = 1024 ** 3;

function memoryAndDisk(to: Recorder, { world, abilities, step, now }: Moment): void {
  const bytes = {
    total: 4 * gigabyte,
    available: 2.1 * gigabyte,
    free: 0.6 * gigabyte,
    swap_total: gigabyte,
    swap_free: gigabyte,
    ...(abilities.kvm ? { balloon: 0 } : {}),
  };
  for (const [kind, value] of Object.entries(bytes))
    to.set('stealwatch_memory_bytes', value, { kind });
  for (const event of [
    'major_fault',
    'oom_kill',
    'swap_in',
    'swap_out',
    'balloon_inflate',
    'balloon_deflate',
  ]) {
    to.add('stealwatch_memory_events_total', event === 'major_fault' ? 0.1 * step : 0, { event });
  }
  const slow = world.blocked === 'disk' ? 60 : 1;
  for (const [op, perSecond, each] of [
    ['read', 2, 0.001],
    ['write', 20, 0.0012],
    ['flush', 1, 0.004],
  ] as const) {
    const rate = (perSecond / slow) * step;
    to.add('stealwatch_disk_operations_total', rate, { device: 'vda', op });
    to.add('stealwatch_disk_seconds_total', rate * each * slow, { device: 'vda', op });
  }
  to.set('stealwatch_load1', world.own * 2 + (world.blocked === undefined ? 0 : 2));
  to.set('stealwatch_boot_time_seconds', now - (now % 86_400) - 3 * 86_400);
}

function canary(to: Recorder, { world, step }: Moment): void {
  for (const [age, share] of [
    ['2m', 0],
    ['15m', 0.05],
    ['60m', 0.4],
  ] as const) {
    const faults = world.pageIns > 0 ? share * step : 0;
    to.add('stealwatch_cold_page_host_faults_total', faults, { age });
    to.observe('stealwatch_cold_page_touch_seconds', touchBuckets, 2e-7, 3 * step - faults, {
      age,
    });
    to.observe('stealwatch_cold_page_touch_seconds', touchBuckets, 0.006, faults, { age });
  }
  to.set('stealwatch_cold_page_outstanding_seconds', 0);
}

export function hostSeries(to: Recorder, moment: Moment): void {
  cpu(to, moment);
  seconds(to, moment);
  blocked(to, moment);
  kernel(to, moment);
  if (moment.abilities.pressure) pressure(to, moment);
  memoryAndDisk(to, moment);
  if (moment.abilities.canary) canary(to, moment);
}
