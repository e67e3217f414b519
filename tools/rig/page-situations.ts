/**
 * Six machines for the page at `/`: collectors of the exporter on recorded files of /proc and a clock
 * that a story moves, with a probe of Redis that is told what it sees.
 */
import type { Scope } from './redis-server.ts';
import { asyncPageFaultsCollector } from '../../exporter/collectors/async-page-faults.ts';
import { blockedTasksCollector } from '../../exporter/collectors/blocked-tasks.ts';
import { redisProbeCollector } from '../../exporter/collectors/redis-probe.ts';
import { stealCollector } from '../../exporter/collectors/steal.ts';
import type { Collector } from '../../exporter/core/collector.ts';
import { reportsOf, statusOf } from '../../exporter/core/status.ts';
import { createEvidence } from '../../exporter/evidence/evidence.ts';
import type { PageFacts } from '../../exporter/http/page/overview.ts';
import { manualClock } from '../../exporter/measure/clock.ts';
import { createPseudoFs } from '../../exporter/procfs/reader.ts';
import { parseRedisAddress } from '../../exporter/redis/address.ts';
import type { RedisProbe, ProbeEvents } from '../../exporter/redis/probe.ts';
import { disconnected, pong, silent, type ProbeVerdict } from '../../exporter/redis/verdict.ts';
import { fixtureTree, writeTree } from './fixture-tree.ts';
import { type Load, statMachine } from './stat-machine.ts';
import { type Moment, recorded, writeStalledRedis } from './stalled-redis.ts';
import { processFiles } from './task-files.ts';

const address = parseRedisAddress('redis://127.0.0.1:6379');
const sources = 'sys/devices/system/clocksource/clocksource0/available_clocksource';

/** Monday, 30 November 2026, 03:00 UTC. */
const night = Date.UTC(2026, 10, 30, 3) / 1000;

interface ToldProbe extends RedisProbe {
  /** What it sees from now on. */
  sees(verdict: ProbeVerdict): void;
  second(): void;
}

function toldProbe(monotonic: () => number): ToldProbe {
  let verdict = pong(0.0004, address);
  let since = monotonic();
  let events: ProbeEvents | undefined;
  const silence = () => (verdict.alive ? 0 : monotonic() - since);
  return {
    sees(next) {
      verdict = next;
      since = monotonic();
    },
    second() {
      if (verdict.state === 'up') events?.answered(0.0004);
      events?.result(verdict.result);
    },
    verdict: () => verdict,
    judged: async () => undefined,
    state: () => verdict.state,
    stateSeconds: () => monotonic() - since,
    unresponsiveSeconds: silence,
    refusesAllSeconds: () => 0,
    answers: () => verdict.answers,
    everUp: () => true,
    tickAgeSeconds: () => 0,
    lastSeconds: () => 0.0004,
    hold: () => () => undefined,
    listen: (listener) => void (events = listener),
  };
}

/** A KVM guest with two vCPUs, as its host allows: `told`, it may see page-ins and its processes. */
function machine(t: Scope, told = true) {
  const root = fixtureTree(t, {
    'proc/interrupts': recorded('before', 'interrupts'),
    'proc/uptime': '86400.00 170000.00\n',
    'proc/sys/kernel/random/boot_id': '0f0e0d0c-0b0a-4908-8706-050403020100\n',
    [sources]: told ? 'kvm-clock tsc acpi_pm \n' : 'tsc hpet acpi_pm \n',
  });
  writeStalledRedis(`${root}/proc`, 'before');
  if (told) {
    const kthreadd = { comm: 'kthreadd', state: 'S', waitChannel: 'kthreadd' };
    writeTree(`${root}/proc`, { ...processFiles(2, kthreadd), '2/wchan': 'kthreadd' });
  }
  const clock = manualClock(night);
  const procfs = createPseudoFs(`${root}/proc`);
  const sysfs = createPseudoFs(`${root}/sys`);
  const stat = statMachine(2);
  // As a kernel before 2.6.11 has it.
  if (!told) stat.answer('cpu  4705 150 1120 16250\ncpu0 4705 150 1120 16250\n');
  const redis = toldProbe(() => clock.monotonic());
  const collectors: readonly Collector[] = [
    stealCollector({
      procfs: stat.procfs,
      clock,
      config: { stealThreshold: 0.1 },
      ownTime: { seconds: () => 0, close: () => undefined },
    }),
    asyncPageFaultsCollector({ procfs, sysfs, clock }),
    blockedTasksCollector({ procfs, clock }),
    redisProbeCollector({ config: { redis: address }, clock, redis }),
  ];
  t.after(async () => void (await Promise.all(collectors.map(async (one) => one.close?.()))));
  const log = { info: () => undefined, warn: () => undefined };
  const settings = { procfs, sysfs, clock, stealThreshold: 0.1, version: 'test', log };
  const evidence = createEvidence(settings);

  return {
    clock,
    redis,
    run: (seconds: number, load: Load = { user: 12 }): void => {
      for (let second = 0; second < seconds; second += 1) {
        stat.run(1, { 0: load, 1: load });
        redis.second();
        clock.advance(1);
        const reports = reportsOf(collectors);
        evidence.tick({ reports, status: statusOf(reports) });
      }
    },
    /** The recorded files of this moment, in which redis-server waits for a page or does not. */
    becomes: (moment: Moment): void => {
      writeStalledRedis(`${root}/proc`, moment);
      writeTree(root, { 'proc/interrupts': recorded(moment, 'interrupts') });
    },
    facts: (): PageFacts => ({
      reports: reportsOf(collectors),
      version: '1.2.3',
      incidents: evidence.incidents(),
      wall: clock.wall(),
    }),
  };
}

const situations = {
  /** All is well, and a while ago it was not. */
  quiet(t) {
    const { redis, run, facts } = machine(t);
    run(60);
    redis.sees(silent(address.display));
    run(90);
    redis.sees(pong(0.0004, address));
    run(1200);
    return facts();
  },
  steal(t) {
    const { run, facts } = machine(t);
    run(300);
    run(300, { user: 40, steal: 31 });
    return facts();
  },
  /** A page has just come back, after others did. */
  'page-ins': (t) => {
    const { becomes, run, facts } = machine(t);
    run(120);
    becomes('stalled');
    run(6);
    becomes('healed');
    run(3);
    return facts();
  },
  /** Its page does not come back. */
  frozen(t) {
    const { becomes, redis, run, facts } = machine(t);
    run(600);
    becomes('stalled');
    redis.sees(silent(address.display));
    run(41);
    return facts();
  },
  refused(t) {
    const { redis, run, facts } = machine(t);
    run(40);
    const error = Object.assign(new Error('connect'), { code: 'ECONNREFUSED' });
    redis.sees(disconnected(error, address, true));
    run(20);
    return facts();
  },
  /** Of its host it is told nothing. */
  blind(t) {
    const { run, facts } = machine(t, false);
    run(30);
    return facts();
  },
} as const satisfies Readonly<Record<string, (t: Scope) => PageFacts>>;

export type Situation = keyof typeof situations;

export const situationNames = Object.keys(situations) as readonly Situation[];

export const situation = (t: Scope, name: Situation): PageFacts => situations[name](t);
