/**
 * What docker-compose.yml promises, line by line, and why. A key of a service that no promise speaks
 * of fails as well: who adds a line says here what it is for.
 */
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { retentionDays } from '../alerts/thresholds.ts';
import { handedIn } from '../exporter/procfs/handed-in.ts';
import { composeFile, filledIn } from '../tools/rig/compose.ts';

/** With nothing set: what somebody gets who sets nothing. */
const bare = filledIn({});
const names = Object.keys(bare.services);

const prometheuses = ['prometheus', 'prometheus-watch'];
const exporters = ['exporter', 'prober'];

type ByService = Readonly<Record<string, unknown>>;

/** The same for each of these services. */
function each(services: readonly string[], value: unknown): ByService {
  return Object.fromEntries(services.map((name) => [name, value]));
}

const but = (...without: readonly string[]) => names.filter((name) => !without.includes(name));

interface Promised {
  readonly key: string;
  readonly why: string;
  /** The services that have the key, and what it is there. */
  readonly is: ByService;
}

const loopback = (name: string, port: number, inside = port) => [
  `\${${name}:-127.0.0.1:${port}}:${inside}`,
];
const version = (JSON.parse(readFileSync('package.json', 'utf8')) as { version: string }).version;

const prometheusService = {
  command: [
    '--storage.tsdb.path=/prometheus',
    `--storage.tsdb.retention.time=${retentionDays}d`,
    '--storage.tsdb.retention.size=0B',
    '--rules.alert.resend-delay=5s',
    '--web.external-url=http://localhost:9090',
  ],
  volumes: [
    './deploy/prometheus:/etc/stealwatch/prometheus:ro',
    './deploy/fill.sh:/etc/stealwatch/fill.sh:ro',
    './alerts/generated:/etc/stealwatch/rules:ro',
    './targets:/etc/stealwatch/targets:ro',
    './secrets/watcher:/etc/stealwatch/secrets:ro',
    'prometheus:/prometheus',
  ],
};

const promises: readonly Promised[] = [
  {
    key: 'profiles',
    why: 'COMPOSE_PROFILES says what runs on this machine: nothing runs unasked.',
    is: {
      exporter: ['all', 'agent'],
      prometheus: ['all'],
      'prometheus-watch': ['watch'],
      prober: ['watch'],
      alertmanager: ['all', 'watch'],
      grafana: ['all', 'watch'],
    },
  },
  {
    key: 'image',
    why: 'Pinned by version: what was tested is what runs.',
    is: {
      ...each(exporters, `stealwatch:${version}`),
      ...each(prometheuses, 'prom/prometheus:v3.5.0'),
      alertmanager: 'prom/alertmanager:v0.28.1',
      grafana: 'grafana/grafana:12.1.1',
    },
  },
  {
    key: 'build',
    why: 'The exporter is built from this checkout.',
    is: each(exporters, { context: '.', dockerfile: 'exporter/Dockerfile' }),
  },
  {
    key: 'restart',
    why: 'A watcher that died and stayed away is the silence this project is against.',
    is: each(names, 'unless-stopped'),
  },
  {
    key: 'cap_drop',
    why: 'Nobody holds a capability that is not given below.',
    is: each(names, ['ALL']),
  },
  {
    key: 'cap_add',
    why: 'SYSLOG for the kernel log, SYS_PTRACE for wait channels; SETUID and SETGID to stop being root.',
    is: {
      exporter: ['SYSLOG', 'SYS_PTRACE', 'SETUID', 'SETGID'],
      prober: ['SETUID', 'SETGID'],
    },
  },
  {
    key: 'security_opt',
    why: "Nobody gains what was dropped; docker-default's AppArmor hides other processes' wait channels.",
    is: {
      ...each(names, ['no-new-privileges:true']),
      exporter: ['no-new-privileges:true', 'apparmor=unconfined'],
    },
  },
  {
    key: 'read_only',
    why: 'Nothing that is broken into can write into its own image. Grafana unpacks plugins.',
    is: each(but('grafana'), true),
  },
  {
    key: 'tmpfs',
    why: 'What a start.sh renders, which holds secrets: memory, not disk.',
    is: each([...prometheuses, 'alertmanager'], ['/tmp:mode=1777,size=1m']),
  },
  {
    key: 'logging',
    why: 'A log that grows fills the disk that Redis saves to.',
    is: each(names, { driver: 'json-file', options: { 'max-size': '10m', 'max-file': '3' } }),
  },
  {
    key: 'mem_limit',
    why: 'One that leaks is killed and not its neighbours.',
    is: {
      ...each(names, '128m'),
      exporter: '192m',
      ...each(prometheuses, '512m'),
      grafana: '384m',
    },
  },
  {
    key: 'memswap_limit',
    why: 'The same as mem_limit: swapped out the exporter would sleep when it is needed.',
    is: { exporter: bare.services['exporter']?.['mem_limit'] },
  },
  {
    key: 'oom_score_adj',
    why: 'The exporter outlives what it watches.',
    is: { exporter: '-900' },
  },
  {
    key: 'cpu_shares',
    why: 'It measures time: four times the share of others.',
    is: { exporter: 4096 },
  },
  {
    key: 'pids_limit',
    why: 'Health checks that hang pile up; here they end somewhere.',
    is: {
      ...each(exporters, 64),
      ...each(prometheuses, 200),
      grafana: 200,
      alertmanager: 100,
    },
  },
  {
    key: 'devices',
    why: 'The kernel log, to read: hung tasks are nowhere else.',
    is: { exporter: ['/dev/kmsg:/dev/kmsg:r'] },
  },
  {
    key: 'volumes',
    why: 'Everything that is ours is read-only; what is to outlive a container is in a volume.',
    is: {
      exporter: [handedIn.volume, './secrets/agent:/etc/stealwatch:ro'],
      prober: [
        './secrets/watcher:/etc/stealwatch/secrets:ro',
        './targets:/etc/stealwatch/targets:ro',
        'evidence:/evidence',
      ],
      ...each(prometheuses, prometheusService.volumes),
      alertmanager: [
        './alerts/alertmanager:/etc/stealwatch/alertmanager:ro',
        './deploy/fill.sh:/etc/stealwatch/fill.sh:ro',
        './secrets/alertmanager:/etc/stealwatch/secrets:ro',
        'alertmanager:/alertmanager',
      ],
      grafana: [
        './deploy/grafana:/etc/stealwatch/grafana:ro',
        './deploy/fill.sh:/etc/stealwatch/fill.sh:ro',
        './dashboards/provisioning:/etc/grafana/provisioning:ro',
        './dashboards/generated:/etc/stealwatch/dashboards:ro',
        './secrets/grafana:/etc/stealwatch/secrets:ro',
        'grafana:/var/lib/grafana',
      ],
    },
  },
  {
    key: 'entrypoint',
    why: 'start.sh renders the configuration.',
    is: {
      ...each(prometheuses, ['/bin/sh', '/etc/stealwatch/prometheus/start.sh']),
      alertmanager: ['/bin/sh', '/etc/stealwatch/alertmanager/start.sh'],
      grafana: ['/bin/sh', '/etc/stealwatch/grafana/start.sh'],
    },
  },
  {
    key: 'command',
    why: 'The history is longer than the 28 days of the SLO and has no limit in size; alerts are sent again at once; one Alertmanager waits for no cluster; links lead to where people are.',
    is: {
      ...each(prometheuses, prometheusService.command),
      alertmanager: [
        '--storage.path=/alertmanager',
        '--web.external-url=http://localhost:9093',
        '--cluster.listen-address=',
      ],
    },
  },
  {
    key: 'depends_on',
    why: 'Who is sent alerts is there first.',
    is: each(prometheuses, ['alertmanager']),
  },
  {
    key: 'networks',
    why: 'Grafana and prometheus.yml know one name, whichever of the two runs.',
    is: { 'prometheus-watch': { default: { aliases: ['prometheus'] } } },
  },
  {
    key: 'extra_hosts',
    why: 'A Redis, an application or a webhook on the machine itself, and where a tunnel to an agent ends.',
    is: each(['exporter', 'alertmanager', ...prometheuses], ['host.docker.internal:host-gateway']),
  },
  {
    key: 'ports',
    why: 'Loopback unless somebody says otherwise: Docker goes past ufw, and two of them ask for no password.',
    is: {
      exporter: ['127.0.0.1:10190:10190'],
      ...each(prometheuses, ['127.0.0.1:9090:9090']),
      alertmanager: ['127.0.0.1:9093:9093'],
      grafana: ['127.0.0.1:3000:3000'],
    },
  },
];

for (const { key, is, why } of promises) {
  test(`compose, ${key}: ${why}`, () => {
    const found = Object.entries(bare.services).filter(([, service]) => key in service);
    assert.deepEqual(Object.fromEntries(found.map(([name, one]) => [name, one[key]])), is);
  });
}

/** Promised below, in tests of their own. */
const elsewhere = ['environment', 'healthcheck'];

test('compose: no line without a promise', () => {
  const promised = new Set([...promises.map(({ key }) => key), ...elsewhere]);
  for (const [name, service] of Object.entries(bare.services)) {
    for (const key of Object.keys(service)) assert.ok(promised.has(key), `${name}: ${key}`);
  }
  assert.deepEqual(
    new Set(Object.keys(bare).filter((key) => !key.startsWith('x-'))),
    new Set(['name', 'services', 'volumes']),
  );
  assert.equal(bare.name, 'stealwatch', 'docs name stealwatch_prometheus, the volume');
});

test('compose: ports, addresses, limits and places can be set, by the names that docs give', () => {
  const { services } = composeFile();
  const of = (name: string, key: string) => services[name]?.[key];
  assert.deepEqual(of('exporter', 'ports'), loopback('EXPORTER_PORT', 10190));
  for (const one of prometheuses) {
    assert.deepEqual(of(one, 'ports'), loopback('PROMETHEUS_PORT', 9090));
    assert.equal(of(one, 'mem_limit'), '${PROMETHEUS_MEMORY:-512m}');
  }
  assert.deepEqual(of('alertmanager', 'ports'), loopback('ALERTMANAGER_PORT', 9093));
  assert.deepEqual(of('grafana', 'ports'), loopback('GRAFANA_PORT', 3000));
  assert.equal(of('grafana', 'mem_limit'), '${GRAFANA_MEMORY:-384m}');
  const set = filledIn({
    EXPORTER_MEMORY: '1g',
    EXPORTER_OOM_SCORE_ADJ: '0',
    PROMETHEUS_RETENTION: '1y',
    PROMETHEUS_RETENTION_SIZE: '1TB',
    PROMETHEUS_URL: 'https://p',
    ALERTMANAGER_URL: 'https://a',
    TARGETS_DIR: '/srv/targets',
  }).services;
  assert.equal(set['exporter']?.['mem_limit'], '1g');
  assert.equal(set['exporter']?.['memswap_limit'], '1g');
  assert.equal(set['exporter']?.['oom_score_adj'], '0');
  for (const one of prometheuses) {
    assert.deepEqual(set[one]?.command?.slice(1), [
      '--storage.tsdb.retention.time=1y',
      '--storage.tsdb.retention.size=1TB',
      '--rules.alert.resend-delay=5s',
      '--web.external-url=https://p',
    ]);
    assert.ok(set[one]?.volumes?.includes('/srv/targets:/etc/stealwatch/targets:ro'));
  }
  assert.ok(set['alertmanager']?.command?.includes('--web.external-url=https://a'));
});

test('compose: what is mounted is there, and every volume is declared', () => {
  const used = new Set<string>();
  for (const { volumes = [] } of Object.values(bare.services)) {
    for (const [source = ''] of volumes.map((volume) => volume.split(':'))) {
      if (!/^[./]/.test(source)) used.add(source);
      // Docker makes an empty directory of what is not there: right for secrets, which are optional.
      else if (!source.startsWith('./secrets/')) assert.ok(existsSync(source), source);
    }
  }
  assert.deepEqual(used, new Set(Object.keys(bare.volumes)));
});

const ready = (url: string) => ['CMD', 'wget', '-q', '-O', '/dev/null', url];

test('compose: health checks run until a service is up, then once an hour', () => {
  const checks = Object.entries(bare.services).flatMap(([name, { healthcheck }]) =>
    healthcheck === undefined ? [] : [[name, healthcheck] as const],
  );
  for (const [name, { test: _, ...times }] of checks) {
    const expected = {
      start_period: '60s',
      start_interval: '1s',
      interval: '1h',
      timeout: '5s',
      retries: 3,
    };
    assert.deepEqual(times, expected, name);
  }
  // The prober has the image's; the exporter's is run in health-check.test.ts.
  const { exporter, ...others } = Object.fromEntries(
    checks.map(([name, { test: command }]) => [name, command]),
  );
  assert.deepEqual(others, {
    ...each(prometheuses, ready('http://127.0.0.1:9090/-/ready')),
    alertmanager: ready('http://127.0.0.1:9093/-/ready'),
    grafana: ready('http://127.0.0.1:3000/api/health'),
  });
  assert.deepEqual(exporter?.slice(0, 3), ['CMD', 'bash', '-c']);
});
