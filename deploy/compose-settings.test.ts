/**
 * Settings of docker-compose.yml: every variable of .env reaches what it is for, nothing reads one
 * that .env.example does not show, and Docker itself reads the file as the tests do.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { test } from 'node:test';
import { rescueRecordPath } from '../exporter/core/rescue-record.ts';
import { readConfig } from '../exporter/config/read.ts';
import { handedIn } from '../exporter/procfs/handed-in.ts';
import {
  composeFile,
  filledIn,
  readByDocker,
  type Service,
  variablesIn,
} from '../tools/rig/compose.ts';
import { allSettings, variableInEnv, variablesOf } from '../tools/generate/settings.ts';

const raw = readFileSync('docker-compose.yml', 'utf8');
/** With nothing set: what somebody gets who sets nothing. */
const bare = filledIn({});
const names = Object.keys(bare.services);
const exporters = ['exporter', 'prober'];

/** What stands in the environment whatever is set. */
const fixed: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  exporter: { STEALWATCH_PROCFS: handedIn.procfs, REDIS_URL: 'unset' },
  grafana: {
    // Nobody reads or signs up without the password, and Grafana calls nobody at home.
    GF_AUTH_ANONYMOUS_ENABLED: 'false',
    GF_USERS_ALLOW_SIGN_UP: 'false',
    GF_SECURITY_DISABLE_GRAVATAR: 'true',
    GF_ANALYTICS_REPORTING_ENABLED: 'false',
    GF_ANALYTICS_CHECK_FOR_UPDATES: 'false',
    GF_ANALYTICS_CHECK_FOR_PLUGIN_UPDATES: 'false',
    GF_PLUGINS_PREINSTALL_DISABLED: 'true',
    GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH:
      '/etc/stealwatch/dashboards/stealwatch-overview.json',
    STEALWATCH_DASHBOARDS_PATH: '/etc/stealwatch/dashboards',
  },
  prober: {
    STEALWATCH_REDIS_URL: 'none',
    STEALWATCH_EVIDENCE_DIR: '/evidence',
    STEALWATCH_AGENTS: '/etc/stealwatch/targets',
    STEALWATCH_AGENT_CA_FILE: '/etc/stealwatch/secrets/agent-ca.pem',
  },
  'prometheus-watch': { PROBER_TARGET: 'prober:10190' },
};

/** The settings that a start.sh reads, from itself. */
function settingsOf(script: string): string[] {
  const list = /^names='([^']+)'/m.exec(readFileSync(script, 'utf8'))?.[1] ?? '';
  return list.split(/\s+/);
}

const isSecret = (name: string) => /TOKEN|PASSWORD|WEBHOOK_URL|HEARTBEAT_URL/.test(name);

/** A setting from the variable of its own name, and a secret from a file as well. */
const byItsName = (settings: readonly string[]) =>
  Object.fromEntries(
    settings
      .flatMap((name) => (isSecret(name) ? [name, `${name}_FILE`] : [name]))
      .map((name) => [name, name]),
  );

/** Where the others are is what compose decides; without it, whoever starts them. */
const prometheusSettings = settingsOf('deploy/prometheus/start.sh').filter(
  (name) => !/^(PROMETHEUS|PROBER)_TARGET$/.test(name),
);
const ofLocalExporter = prometheusSettings.filter((name) => /^(LOCAL|HOST)_/.test(name));
const ofEveryPrometheus = prometheusSettings.filter(
  (name) => !ofLocalExporter.includes(name) && name !== 'STEALWATCH_TARGETS',
);

const probes = { STEALWATCH_TARGETS: 'PROBES', STEALWATCH_TARGETS_FILE: 'PROBES_FILE' };

/** The exporter's settings as they come: exporter-settings.test.ts holds them to its table. */
const fromTable = (service: string) =>
  Object.fromEntries(
    allSettings
      .flatMap(variablesOf)
      .map((name) => [name, variableInEnv(service, name)] as const)
      .filter((entry): entry is [string, string] => entry[1] !== undefined),
  );

/** By service: the setting, and the variable of .env that fills it. */
const reaches: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  exporter: fromTable('exporter'),
  prober: { ...fromTable('prober'), NODE_EXTRA_CA_CERTS: 'PROBER_CA_FILE' },
  prometheus: byItsName([...ofEveryPrometheus, ...ofLocalExporter]),
  'prometheus-watch': { ...byItsName(ofEveryPrometheus), ...probes },
  // Its address is for tests and for those who run their own.
  alertmanager: byItsName(
    settingsOf('alerts/alertmanager/start.sh').filter((name) => name !== 'TELEGRAM_API_URL'),
  ),
  grafana: {
    GF_SECURITY_ADMIN_USER: 'GRAFANA_ADMIN_USER',
    GF_SECURITY_ADMIN_PASSWORD: 'GRAFANA_ADMIN_PASSWORD',
    GF_SECURITY_ADMIN_PASSWORD_FILE: 'GRAFANA_ADMIN_PASSWORD_FILE',
    GF_SERVER_ROOT_URL: 'GRAFANA_URL',
    STEALWATCH_PROMETHEUS_URL: 'GRAFANA_PROMETHEUS_URL',
  },
};

test('compose: every variable reaches the setting it is for, and no setting lacks one', () => {
  const { services } = composeFile();
  for (const [name, { environment = {} }] of Object.entries(services)) {
    const variables: Record<string, string> = {};
    const values: Record<string, string> = {};
    for (const [setting, value] of Object.entries(environment)) {
      const [first] = variablesIn(value);
      if (first === undefined) values[setting] = value;
      else variables[setting] = first.name;
    }
    assert.deepEqual(variables, reaches[name] ?? {}, name);
    assert.deepEqual(values, fixed[name] ?? {}, name);
  }
});

test('compose: what the exporter is given it takes', () => {
  const asked = { env: {}, version: '0', collectors: [] };
  const help = readConfig({ ...asked, argv: ['--help'] });
  const known = new Set(help.kind === 'print' ? help.text.match(/\b[A-Z]+_[A-Z_]+\b/g) : []);
  for (const name of exporters) {
    const env = bare.services[name]?.environment ?? {};
    for (const setting of Object.keys(env)) {
      const variable = setting.replace(/(?<!TLS_\w+|CONFIG|AGENT_CA)_FILE$/, '');
      assert.ok(known.has(variable) || setting === 'NODE_EXTRA_CA_CERTS', setting);
    }
    const command = readConfig({ ...asked, argv: [], env });
    assert.ok(command.kind === 'run', JSON.stringify(command));
    // Nobody is paged for a Redis that nobody named.
    assert.equal(command.config.redis.absent, name === 'exporter' ? 'unset' : 'none');
  }
  const set = filledIn({ REDIS_URL: 'redis://mine' }).services['exporter']?.environment ?? {};
  const command = readConfig({ ...asked, argv: [], env: set });
  assert.equal(command.kind === 'run' && command.config.redis.display, 'redis://mine:6379');
});

const setting = (service: string, name: string) => bare.services[service]?.environment?.[name];

/** Where the parts of the bundle find one another: each name is a service, each port its own. */
test('compose: services are asked for by their names', () => {
  assert.equal(setting('prometheus', 'LOCAL_TARGET'), 'exporter:10190');
  assert.equal(setting('prometheus', 'HOST_NAME'), 'this-host');
  assert.equal(setting('grafana', 'STEALWATCH_PROMETHEUS_URL'), 'http://prometheus:9090');
  assert.equal(setting('grafana', 'GF_SERVER_ROOT_URL'), 'http://localhost:3000');
  assert.equal(setting('grafana', 'GF_SECURITY_ADMIN_USER'), 'admin');
  const configured = ['prometheus.yml', 'start.sh']
    .map((file) => readFileSync(`deploy/prometheus/${file}`, 'utf8'))
    .join('\n');
  for (const [, host = ''] of configured.matchAll(/([a-z]+):(?:9093|10190)/g)) {
    assert.ok(names.includes(host), host);
  }
});

interface Line {
  readonly name: string;
  readonly value: string;
}

/** Settings of .env.example, commented out or not. */
const example: readonly Line[] = [
  ...readFileSync('.env.example', 'utf8').matchAll(/^#?([A-Z_]+)=(.*)$/gm),
].map(([, name = '', value = '']) => ({ name, value }));

const overlays = ['deploy/compose.redis-network.yml', 'deploy/compose.redis-on-host.yml'];
const asked = [raw, ...overlays.map((path) => readFileSync(path, 'utf8'))].flatMap(variablesIn);

test('.env.example: has every variable, with its default, and no other', () => {
  const shown = new Set(example.map(({ name }) => name));
  for (const { name, fallback } of asked) {
    assert.ok(shown.has(name), `${name} is not in .env.example`);
    const values = example.filter((line) => line.name === name).map(({ value }) => value);
    const overlaid = name === 'LOCAL_TARGET';
    if (fallback && !overlaid) assert.ok(values.includes(fallback), `${name}: ${fallback}`);
  }
  for (const { name, fallback } of variablesIn(raw)) {
    const values = example.filter((line) => line.name === name).map(({ value }) => value);
    if (fallback) assert.ok(values.includes(fallback), `${name}: ${fallback}`);
  }
  // These two Compose itself reads.
  const known = new Set([...asked.map(({ name }) => name), 'COMPOSE_PROFILES', 'COMPOSE_FILE']);
  for (const { name } of example) assert.ok(known.has(name), `nothing reads ${name}`);
});

test('compose: without a password for Grafana it stops, and says what to do', () => {
  const password = composeFile().services['grafana']?.environment?.['GF_SECURITY_ADMIN_PASSWORD'];
  // `?` and not `:?`: an agent, which runs no Grafana, sets it to nothing.
  assert.match(password ?? '', /^\$\{GRAFANA_ADMIN_PASSWORD\?Set GRAFANA_ADMIN_PASSWORD in \.env/);
});

test('compose: the Redis of another network, and the Redis of the host', () => {
  const [network, host] = overlays.map((path) => readFileSync(path, 'utf8'));
  assert.deepEqual(composeFile(overlays[0] ?? ''), {
    services: { exporter: { networks: ['default', 'redis'] } },
    networks: {
      redis: {
        name: '${REDIS_NETWORK:?Set REDIS_NETWORK in .env to the name that docker network ls shows}',
        external: true,
      },
    },
  });
  assert.ok(network);
  // On the host's network nothing is published, and the bridge is not the Internet.
  assert.match(host ?? '', /ports: !reset \[\]\n\s+extra_hosts: !reset \[\]/);
  assert.deepEqual(composeFile(overlays[1] ?? '').services, {
    exporter: {
      network_mode: 'host',
      ports: [],
      extra_hosts: [],
      environment: {
        STEALWATCH_LISTEN: '${EXPORTER_LISTEN:-172.17.0.1:10190}',
        REDIS_URL: 'redis://127.0.0.1:6379',
      },
    },
    prometheus: {
      environment: { LOCAL_TARGET: '${LOCAL_TARGET:-host.docker.internal:10190}' },
    },
  });
});

test('compose: what a rescue on the host writes down can be handed to the exporter, where the unit puts it', () => {
  const { services, ...rest } = composeFile('deploy/compose.rescue.yml');
  assert.deepEqual(rest, {});
  const folder = dirname(rescueRecordPath);
  assert.deepEqual(services, { exporter: { volumes: [`${folder}:${folder}:ro`] } });
  const unit = readFileSync('deploy/stealwatch-rescue.service', 'utf8');
  assert.match(unit, new RegExp(`^RuntimeDirectory=${basename(folder)}$`, 'm'));
  // A folder made anew would be another one than that which is mounted.
  assert.match(unit, /^RuntimeDirectoryPreserve=yes$/m);
  assert.equal(dirname(folder), '/run');
});

/** As `docker compose config` prints it, back in the short forms of the file. */
function shortForm(service: Service): Service {
  type Port = { readonly host_ip: string; readonly published: string; readonly target: number };
  type Mount = { readonly source: string; readonly target: string; readonly read_only?: boolean };
  const ports = (service.ports ?? []) as unknown as readonly Port[];
  const volumes = (service.volumes ?? []) as unknown as readonly Mount[];
  const here = `${process.cwd()}/`;
  return {
    ...service,
    ports: ports.map((port) => `${port.host_ip}:${port.published}:${port.target}`),
    volumes: volumes.map(
      ({ source, target, read_only }) =>
        `${source.replace(here, './')}:${target}${read_only === true ? ':ro' : ''}`,
    ),
  };
}

test('compose: Docker reads the file as these tests do', (t) => {
  const environment = { GRAFANA_ADMIN_PASSWORD: 'secret', HOST_NAME: 'vps1' };
  const ours = filledIn(environment);
  for (const profile of ['all', 'agent', 'watch']) {
    const theirs = readByDocker(['docker-compose.yml'], profile, environment);
    if (theirs === undefined) return t.skip('no docker compose here');
    const expected = names.filter((one) => ours.services[one]?.profiles?.includes(profile));
    assert.deepEqual(new Set(Object.keys(theirs.services)), new Set(expected), profile);
    for (const [service, resolved] of Object.entries(theirs.services)) {
      const { ports, volumes, ...rest } = shortForm(resolved);
      const mine = ours.services[service];
      assert.deepEqual(ports, mine?.ports ?? [], service);
      assert.deepEqual(volumes, mine?.volumes ?? [], service);
      for (const key of ['image', 'environment', 'cap_drop', 'cap_add', 'security_opt'] as const) {
        assert.deepEqual(rest[key], mine?.[key], `${service}: ${key}`);
      }
    }
  }
});
