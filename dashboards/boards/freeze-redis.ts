/** What the page of a freeze shows of Redis itself: its probe, its process, its saves, its master. */
import { type Meaning, colors } from '../kit/palette.ts';
import { heat } from '../kit/grids.ts';
import { lanes } from '../kit/state-timeline.ts';
import { laneAxis, line, lines } from '../kit/panels.ts';
import { here, range } from '../kit/query.ts';

/** One width for all axes of this page, so that times line up under each other. */
export const axis = laneAxis;

export const ping = heat({
  title: 'PING',
  description:
    'Answered PINGs per second by duration. `redis_ping_seconds`. No colour at all: nothing was answered. A band that climbs: Redis is slow, the host or a long command.',
  w: 24,
  h: 9,
  unit: 'cps',
  rowUnit: 's',
  color: colors.neutral,
  axis,
  noValue: 'no PING answered',
  expr: `sum by (le) (rate(redis_ping_seconds_bucket{${here}}[$__rate_interval]))`,
  counted: `redis_ping_seconds_count{${here}}`,
});

const processStates: readonly (Meaning & { readonly states: string })[] = [
  { value: 0, states: 'R|S', text: 'runs or sleeps', color: colors.ok },
  { value: 1, states: 'T', text: 'stopped (T)', color: colors.degraded },
  { value: 2, states: 'Z', text: 'zombie (Z)', color: colors.bad },
  { value: 3, states: 'D', text: 'blocked (D)', color: colors.bad },
  { value: 4, states: 'gone', text: 'gone', color: colors.bad },
];

const probeStates: readonly (Meaning & { readonly states: string })[] = [
  { value: 0, states: 'up', text: 'answers', color: colors.ok },
  { value: 1, states: 'slow', text: 'slow', color: colors.degraded },
  { value: 2, states: 'loading', text: 'loading', color: colors.degraded },
  { value: 3, states: 'auth_failed|error', text: 'refuses us', color: colors.bad },
  { value: 4, states: 'refused|unreachable', text: 'unreachable', color: colors.bad },
  { value: 5, states: 'frozen', text: 'frozen', color: colors.bad },
];

const unmeasured: Meaning = { value: -1, text: 'not measured', color: colors.unknown };

/** One-hot series to the code of the state that held, the most serious of the step. */
function stateCode(metric: string, list: typeof processStates, name: string) {
  const parts = list.map(
    ({ value, states }) =>
      `max_over_time(${metric}{${here},state=~"${states}"}[$__rate_interval]) * ${value}`,
  );
  return range(
    `max(${parts.join(' or ')} or on (host, job, instance) (up{${here}} == 1) - 2)`,
    name,
  );
}

export const probe = lanes({
  title: 'What the probe of Redis saw',
  description:
    'Frozen: the kernel accepts the connection and nothing answers. Refused: nothing listens. `redis_state`, one PING a second.',
  w: 12,
  h: 4,
  lanes: [stateCode('redis_state', probeStates, 'Redis probe')],
  meanings: [unmeasured, ...probeStates],
  axis,
});

export const process = lanes({
  title: 'Redis process state',
  description:
    'The state letter of the Redis process, its worst thread. `redis_process_state`, from /proc/PID. D: it waits in the kernel and no signal reaches it, SIGKILL neither; do not restart the container, find what it waits for.',
  w: 12,
  h: 4,
  lanes: [stateCode('redis_process_state', processStates, 'Redis process')],
  meanings: [unmeasured, ...processStates],
  axis,
});

export const forkAndSave = lines({
  title: 'Fork and bgsave',
  description:
    'How long the last fork stopped Redis, and how long the running bgsave has been at it. `redis_latest_fork_seconds`, `redis_rdb_current_bgsave_duration_sec`, from INFO persistence. A bgsave reads all of the data set and so makes the host page all of it in. Not known while Redis does not answer.',
  w: 12,
  h: 6,
  unit: 's',
  min: 0,
  axis,
  noValue: 'Redis did not answer when asked, there is none, or no exporter answered.',
  lines: [
    line(`max(max_over_time(redis_latest_fork_seconds{${here}}[$__rate_interval]))`, 'last fork', {
      color: colors.pageIn,
    }),
    line(
      `max(max_over_time(redis_rdb_current_bgsave_duration_sec{${here}}[$__rate_interval]) >= 0)`,
      'bgsave running for',
      { color: colors.degraded },
    ),
  ],
});

export const atRisk = lines({
  title: 'Unsaved changes at risk',
  description:
    'Writes since the last save: what a restart loses when there is no AOF. `redis_rdb_changes_since_last_save`. After a crash the number before the gap is the bound of the loss.',
  w: 12,
  h: 6,
  unit: 'short',
  min: 0,
  axis,
  noValue: 'Redis did not answer when asked, there is none, or no exporter answered.',
  lines: [
    line(
      `max(max_over_time(redis_rdb_changes_since_last_save{${here}}[$__rate_interval]))`,
      'changes since the last save',
      { color: colors.degraded },
    ),
  ],
});

export const replica = lines({
  title: 'Link of a replica to its master',
  description:
    'How long ago a replica last heard of its master, which calls every 10 s, and for how long the link has been down; then everything it answers is as old as that. `redis_master_last_io_seconds_ago`, `redis_master_link_down_since_seconds`, from INFO replication.',
  w: 12,
  h: 6,
  unit: 's',
  min: 0,
  axis,
  noValue: 'Redis is no replica, did not answer when asked, or no exporter answered.',
  lines: [
    line(
      `max(max_over_time(redis_master_last_io_seconds_ago{${here}}[$__rate_interval]))`,
      'last heard of the master',
      { color: colors.neutral },
    ),
    line(
      `max(max_over_time(redis_master_link_down_since_seconds{${here}}[$__rate_interval]))`,
      'link down for',
      { color: colors.bad },
    ),
  ],
});

export const pileUp = lines({
  title: 'What piles up',
  description:
    'Connections the kernel accepted and Redis did not, and processes and threads in the cgroup of Redis. `redis_listen_queue_length`, `redis_process_tasks`, from /proc/net/tcp and the pids controller. Tasks that climb while Redis is frozen: a health check that starts a process each time.',
  w: 12,
  h: 6,
  unit: 'none',
  min: 0,
  axis,
  noValue: 'The Redis process is not on this machine, or no exporter answered.',
  lines: [
    line(
      `max(max_over_time(redis_listen_queue_length{${here}}[$__rate_interval]))`,
      'listen queue',
      { color: colors.degraded },
    ),
    line(
      `max(max_over_time(redis_process_tasks{${here}}[$__rate_interval]))`,
      'tasks in the cgroup of Redis',
      { color: colors.neutral },
    ),
  ],
});
