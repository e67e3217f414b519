/**
 * The afternoon of `timelines.ts` as Prometheus would have stored it: what the exporter publishes,
 * what Prometheus adds to each scrape, and the alerts that fired. Recorded rules are not in it,
 * they are evaluated by the real thing.
 */
import { writeFileSync, appendFileSync } from 'node:fs';
import { asynqSeries } from './asynq-series.ts';
import { exporterSeries } from './exporter-series.ts';
import { type Moment, hostSeries } from './host-series.ts';
import { type LabelValues, type Recorder, createRecorder } from './recorder.ts';
import { redisSeries } from './redis-series.ts';
import { begins, coarseSeconds, day, ends, machines } from './timelines.ts';
import { type Machine, type World, quiet } from './world.ts';

/** Seconds since 1970 of a time of day of the fixture. */
export function timeOf(clock: string): number {
  return Date.parse(`${day}T${clock}Z`) / 1000;
}

/** Since when a condition holds, in seconds; 0 while it does not. */
function stopwatch(): (holds: boolean, now: number) => number {
  let since: number | undefined;
  return (holds, now) => {
    if (!holds) since = undefined;
    else since ??= now;
    return since === undefined ? 0 : now - since;
  };
}

/** Of every machine: each is the 10.0.0.5 of a private network of its own. `host` tells them apart. */
const address = '10.0.0.5:10190';

/** Seconds since 1970. */
interface Afternoon {
  readonly from: number;
  readonly to: number;
}

function worldAt(machine: Machine, now: number): World {
  const so = machine.changes.filter(({ at }) => timeOf(at) <= now).map((change) => change.now);
  return Object.assign({}, quiet, ...so) as World;
}

function alerts(to: Recorder, { world, frozenFor, blockedFor, step }: Moment): void {
  const fire = (alertname: string, layer: string, severity: string) =>
    to.set('ALERTS', 1, { alertname, alertstate: 'firing', layer, severity });
  if (frozenFor > 5) fire('RedisFrozen', 'redis', 'page');
  if (frozenFor > 30) fire('HealthEndpointLies', 'app', 'page');
  if (blockedFor > 120 + step && world.hungTaskReports) fire('HungTaskDetected', 'host', 'page');
  if (world.deniedSeconds === 0.1) fire('StealHigh', 'host', 'ticket');
  if (!world.answers) fire('HostFrozen', 'host', 'page');
  fire('Watchdog', 'meta', 'none');
}

/** Lets one machine live; `hourly` may write the recorder out before it grows. */
export function record(
  machine: Machine,
  { from, to: until }: Afternoon,
  hourly: (recorder: Recorder) => void = () => {},
): Recorder {
  const { name, provider, price, cpus, scrapeSeconds, abilities } = machine;
  const to = createRecorder({
    host: name,
    instance: address,
    job: 'stealwatch',
    provider,
    price,
  });
  const [blocked, frozen, saving, unlinked] = [stopwatch(), stopwatch(), stopwatch(), stopwatch()];
  let pending = 2;
  let wasSaving = false;
  let saves = { count: 11, lastAt: timeOf('16:00:00'), lastDuration: 4, changes: 3000 };
  for (let now = from; now <= until; now += scrapeSeconds) {
    const world = worldAt(machine, now);
    const moment: Moment = {
      world,
      abilities,
      cpus,
      now,
      step: scrapeSeconds,
      blockedFor: blocked(world.blocked !== undefined, now),
      frozenFor: frozen(world.redis === 'frozen', now),
      savingFor: saving(world.bgsave, now),
      unlinkedFor: unlinked(world.master === 'down', now),
    };
    pending = Math.max(2, pending + (world.tasksIn - world.tasksOut) * scrapeSeconds);
    const changes = saves.changes + world.writes * scrapeSeconds;
    const saved = !world.bgsave && wasSaving;
    wasSaving = world.bgsave;
    saves = saved
      ? { count: saves.count + 1, lastAt: now, lastDuration: 60, changes: 0 }
      : { ...saves, changes };
    hostSeries(to, moment);
    if (abilities.redis) redisSeries(to, moment, saves);
    if (abilities.asynq) asynqSeries(to, moment, pending);
    exporterSeries(to, moment);
    to.tick(now, world.answers);
    to.set('up', world.answers ? 1 : 0);
    to.set('scrape_duration_seconds', world.answers ? 0.004 : 1);
    to.set('scrape_samples_scraped', world.answers ? 400 : 0);
    alerts(to, moment);
    to.gauges(now);
    if (now % 3600 === 0) hourly(to);
  }
  return to;
}

/**
 * What the same Prometheus scrapes besides, as compose ships it: itself and Alertmanager, which is stopped
 * at half past six. Their metrics of a process are called as the exporter's are.
 */
const bystanders = [
  { job: 'prometheus', instance: '127.0.0.1:9090', samples: 613, memory: 112e6, until: undefined },
  {
    job: 'alertmanager',
    instance: '127.0.0.1:9093',
    samples: 204,
    memory: 41e6,
    until: '18:30:00',
  },
] as const;

function recordBystanders({ from, to: last }: Afternoon): Recorder[] {
  return bystanders.map(({ job, instance, samples, memory, until }) => {
    const to = createRecorder({ job, instance, host: 'watcher' });
    for (let now = from; now <= last; now += coarseSeconds) {
      const answers = until === undefined || now < timeOf(until);
      to.add('process_cpu_seconds_total', 0.09 * coarseSeconds);
      to.set('process_resident_memory_bytes', memory);
      to.set('process_open_fds', 91);
      to.set('process_start_time_seconds', from - 86_400);
      to.tick(now, answers);
      to.set('up', answers ? 1 : 0);
      to.set('scrape_duration_seconds', answers ? 0.9 : 1);
      to.set('scrape_samples_scraped', answers ? samples : 0);
      to.gauges(now);
    }
    return to;
  });
}

/** Write the afternoon to a file. Returns every metric in it with the labels the exporter sets, and their values. */
export function writeFixture(file: string): LabelValues {
  const all = new Map<string, Map<string, Set<string>>>();
  const afternoon = { from: timeOf(begins), to: timeOf(ends) };
  writeFileSync(file, '');
  function write(recorder: Recorder): void {
    recorder.write(file);
    for (const [name, labels] of recorder.series()) {
      const known = all.get(name) ?? new Map<string, Set<string>>();
      all.set(name, known);
      for (const [label, values] of labels) {
        known.set(label, new Set([...values, ...(known.get(label) ?? [])]));
      }
    }
  }
  for (const machine of machines) write(record(machine, afternoon));
  recordBystanders(afternoon).forEach(write);
  appendFileSync(file, '# EOF\n');
  return all;
}
