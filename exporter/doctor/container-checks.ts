/** What containers of Docker do beside a Redis that hangs. */
import { durationText } from '../measure/duration.ts';
import {
  advice,
  cannotSee,
  type Check,
  fail,
  notTried,
  type Outcome,
  pass,
  warn,
} from './check.ts';
import type { Container } from './containers.ts';
import { keepsNothing, redisOf, unitOf } from './persistence.ts';
import type { Machine } from './machine.ts';

/** Where other engines keep theirs, and Docker where it was told to. Any of them runs what is not seen. */
const otherEngines = [
  '/run/docker.sock',
  '/var/snap/docker',
  '/run/podman/podman.sock',
  '/var/lib/containers/storage/overlay-containers',
  '/run/containerd/containerd.sock',
] as const;

/** A machine without Docker has no containers where nothing else has any. */
async function withoutDocker(machine: Machine): Promise<Outcome> {
  const files = machine.files('settings');
  if ((await files.facts('/etc')) === undefined) {
    return cannotSee('/etc is not there: --root is not where the disks of the machine are');
  }
  for (const path of otherEngines) {
    if ((await files.facts(path)) !== undefined) {
      return cannotSee(`${path} is there, and no container of Docker where Docker keeps them`);
    }
  }
  return pass('there is no Docker here');
}

const containersOf = (machine: Machine) => machine.containers();

const shownNames = 5;

function names(containers: readonly Container[]): string {
  const first = containers.slice(0, shownNames).map(({ name }) => name);
  const more = containers.length - first.length;
  return more > 0 ? `${first.join(', ')} and ${more} more` : first.join(', ');
}

/** A process that is started for the check, and that nothing kills in the end. */
function piles({ healthCheck }: Container): boolean {
  const words = healthCheck.join(' ');
  return healthCheck.length > 0 && !/(?:^|\s)timeout\s/.test(words);
}

const seldomSeconds = 600;

const boundCheck = advice(
  'healthcheck: { disable: true } in the compose file, and check the TCP port from outside',
  "or test: ['CMD-SHELL', 'timeout -s KILL 3 redis-cli ping'] with pids_limit: 64",
);

const healthChecks: Check = {
  id: 'container-health-checks',
  title: 'Health checks do not pile up',
  why: 'A check is a process started in the container. Beside a Redis that sleeps in the kernel none of them ends, and the next is started every few seconds: 6,100 were found, and they took the machine.',
  source:
    'Healthcheck in config.v2.json of each container that runs a Redis, PidsLimit in its hostconfig.json',
  mends: [boundCheck],
  async check(machine) {
    const containers = await containersOf(machine);
    if (containers === undefined) return withoutDocker(machine);
    const redis = containers.filter((one) => one.redis);
    const often = redis.filter((one) => piles(one) && one.healthIntervalSeconds < seldomSeconds);
    if (often.length === 0) {
      return pass(
        redis.length === 0 ? 'no Redis runs in a container' : `${names(redis)}: none that piles up`,
      );
    }
    const seconds = Math.min(...often.map(({ healthIntervalSeconds }) => healthIntervalSeconds));
    const text = `${names(often)}: a process every ${durationText(seconds)}, and nothing kills it`;
    const unbounded = often.filter(({ pidsLimit }) => pidsLimit === 0);
    return unbounded.length > 0
      ? fail(`${text}, nor limits them`, boundCheck)
      : warn(text, boundCheck);
  },
};

const limitPids = [
  ...notTried('docker update --pids-limit 256 NAME'),
  ...advice('pids_limit: 256 in the compose file'),
];

const pidsLimits: Check = {
  id: 'container-pids-limit',
  title: 'Containers cannot take all processes',
  why: 'Whatever piles up in a container without a limit takes the process table of the machine, and then nobody can log in.',
  source: 'PidsLimit in hostconfig.json of each container that runs',
  mends: [limitPids],
  async check(machine) {
    const containers = await containersOf(machine);
    if (containers === undefined) return withoutDocker(machine);
    const unbounded = containers.filter(({ pidsLimit }) => pidsLimit === 0);
    if (unbounded.length === 0) return pass(`${containers.length} run, each with a limit`);
    return warn(`no limit: ${names(unbounded)}`, limitPids);
  },
};

const unlessStopped = [
  ...notTried('docker update --restart unless-stopped NAME'),
  ...advice('restart: unless-stopped in the compose file'),
];

/** Whether it comes back with nothing; undefined where Redis does not say. */
async function comesBackEmpty(machine: Machine): Promise<boolean | undefined> {
  try {
    return keepsNothing(await machine.redis());
  } catch {
    return undefined;
  }
}

function restartOutcome(redis: readonly Container[], empty: boolean | undefined): Outcome {
  const always = redis.filter(({ restartPolicy }) => restartPolicy === 'always');
  // Docker starts one "on-failure" when it fails, and not when Docker itself starts.
  const never = redis.filter(
    ({ restartPolicy: policy }) => policy === 'no' || policy === 'on-failure',
  );
  if (always.length > 0 && empty === true) {
    return warn(`${names(always)}: "always", and it comes back empty each time`, unlessStopped);
  }
  if (never.length > 0)
    return warn(`${names(never)}: does not come back after a reboot`, unlessStopped);
  return pass(`${names(redis)}: comes back after a reboot; a Redis in D state no policy restarts`);
}

const enableUnit = notTried('systemctl enable redis-server');
const wantedBy = ['multi-user', 'default', 'graphical'].map(
  (target) => `/etc/systemd/system/${target}.target.wants`,
);

/** Of a Redis that runs in no container of Docker. */
async function withoutContainer(machine: Machine): Promise<Outcome> {
  const process = await (await redisOf(machine)).process();
  if (typeof process === 'string') {
    return cannotSee('Redis runs in no container of Docker, and its process is not seen here');
  }
  const unit = unitOf(machine, process.pid);
  if (unit === undefined) {
    return cannotSee(
      'Redis runs in no container of Docker that is seen, and by no unit of the system',
    );
  }
  for (const folder of wantedBy) {
    const names = await machine.files('settings').names(folder);
    if (names?.includes(unit) === true) return pass(`${unit} is enabled`);
  }
  return warn(`${unit} is not enabled: it does not come back after a reboot`, enableUnit);
}

const restartPolicy: Check = {
  id: 'container-restart-policy',
  title: 'Redis comes back by itself',
  why: 'After the reset at night nobody is there to start it. And "always" on a Redis that keeps nothing is an endless row of empty ones.',
  source:
    'RestartPolicy in hostconfig.json of each container that runs a Redis; else what /etc/systemd/system/*.wants has of its unit',
  mends: [unlessStopped, enableUnit],
  async check(machine) {
    const containers = await containersOf(machine);
    const redis = (containers ?? []).filter((one) => one.redis);
    if (redis.length === 0) return withoutContainer(machine);
    return restartOutcome(redis, await comesBackEmpty(machine));
  },
};

export const containerChecks: readonly Check[] = [healthChecks, pidsLimits, restartPolicy];
