/** Rows of containers of Docker, and what is asked of a person. */
import { type Files, type Row, container, rdbProcess, told } from './row.ts';

const ping = ['CMD-SHELL', 'redis-cli ping'];

const torn: Files = { 'var/lib/docker/containers/3f2a/config.v2.json': '{"Name":"/red' };

export const containersRows: readonly Row[] = [
  { id: 'container-health-checks', state: 'pass', said: /no Docker/ },
  ...['run/docker.sock', 'var/snap/docker/x', 'run/podman/podman.sock'].flatMap((path) =>
    ['container-health-checks', 'container-pids-limit'].map((id): Row => ({
      id,
      state: 'cannot_see',
      said: /is there, and no container of Docker where/,
      files: { [path]: '' },
    })),
  ),
  {
    id: 'container-health-checks',
    state: 'pass',
    said: /no Redis runs in a container/,
    files: {
      ...container({ name: 'web', args: ['node'], image: 'node:24', test: ping, pids: null }),
      ...container({ name: 'old', running: false, test: ping }),
    },
  },
  {
    id: 'container-health-checks',
    state: 'pass',
    said: /^cache: none that piles up/,
    files: container({ name: 'cache', test: ['NONE'] }),
  },
  {
    id: 'container-health-checks',
    state: 'pass',
    said: /none that piles up/,
    files: container({ name: 'cache', test: ['CMD', 'timeout', '3', 'redis-cli', 'ping'] }),
  },
  {
    id: 'container-health-checks',
    state: 'pass',
    said: /none that piles up/,
    files: container({ name: 'cache', test: ping, everySeconds: 3600 }),
  },
  {
    id: 'container-health-checks',
    state: 'warn',
    said: /^cache: a process every 5 s, and nothing kills it$/,
    files: container({ name: 'cache', test: ping, everySeconds: 5 }),
  },
  {
    id: 'container-health-checks',
    state: 'fail',
    said: /every 30 s, and nothing kills it, nor limits them/,
    files: container({ name: 'cache', test: ping, pids: null }),
  },
  {
    id: 'container-health-checks',
    state: 'cannot_see',
    said: /config\.v2\.json: not JSON/,
    files: torn,
  },

  {
    id: 'container-pids-limit',
    state: 'pass',
    said: /^1 run, each with a limit/,
    files: container({ name: 'cache' }),
  },
  {
    id: 'container-pids-limit',
    state: 'warn',
    said: /^no limit: cache, web$/,
    files: {
      ...container({ name: 'cache', pids: null }),
      ...container({ name: 'web', args: ['node'], image: 'x', pids: -1 }),
    },
  },
  { id: 'container-pids-limit', state: 'cannot_see', said: /not JSON/, files: torn },

  {
    id: 'container-restart-policy',
    state: 'pass',
    said: /^cache: comes back/,
    files: container({ name: 'cache' }),
  },
  {
    id: 'container-restart-policy',
    state: 'pass',
    said: /comes back/,
    files: container({ name: 'cache', restart: 'always' }),
    told: told({ save: '60 5', appendonly: 'no' }),
  },
  {
    id: 'container-restart-policy',
    state: 'warn',
    said: /"always", and it comes back empty/,
    files: container({ name: 'cache', restart: 'always' }),
    told: told({ save: '', appendonly: 'no' }),
  },
  {
    id: 'container-restart-policy',
    state: 'warn',
    said: /does not come back/,
    files: container({ name: 'cache', restart: 'no' }),
  },
  {
    id: 'container-restart-policy',
    state: 'warn',
    said: /does not come back after a reboot/,
    files: container({ name: 'cache', restart: 'on-failure' }),
  },
  ...(
    [
      ['pass', /^redis\.service is enabled$/, 'system.slice/redis.service', 'redis.service'],
      ['warn', /^redis\.service is not enabled/, 'system.slice/redis.service', 'nginx.service'],
      [
        'cannot_see',
        /by no unit of the system/,
        'user.slice/user-1.slice/user@1.service/app.slice/redis.service',
        'redis.service',
      ],
    ] as const
  ).map(([state, said, group, wanted]): Row => ({
    id: 'container-restart-policy',
    state,
    said,
    files: {
      'proc/42/cgroup': `0::/${group}\n`,
      [`etc/systemd/system/multi-user.target.wants/${wanted}`]: '',
    },
    told: { redis: { process: rdbProcess } },
  })),
  { id: 'container-restart-policy', state: 'cannot_see', said: /^Redis does not answer$/ },
  { id: 'container-restart-policy', state: 'cannot_see', said: /not JSON/, files: torn },

  { id: 'client-timeouts', state: 'cannot_see', said: /look in its code/ },
  { id: 'reboot-from-outside', state: 'cannot_see', said: /try it once/ },
];
