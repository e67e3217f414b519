/** deploy/prometheus/prometheus.yml: every combination of settings is a valid configuration. */
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { parse } from 'yaml';

type Settings = Readonly<Record<string, string>>;

interface Job {
  readonly job_name: string;
  readonly [key: string]: unknown;
}

interface Configuration {
  readonly global: Readonly<Record<string, unknown>>;
  readonly scrape_configs: readonly Job[];
  readonly remote_write?: readonly Readonly<Record<string, unknown>>[];
}

function render(t: TestContext, settings: Settings, files: Settings = {}) {
  const directory = mkdtempSync(join(tmpdir(), 'stealwatch-render-'));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  mkdirSync(join(directory, 'secrets'));
  for (const [name, text] of Object.entries(files)) writeFileSync(join(directory, name), text);
  const target = join(directory, 'prometheus.yml');
  execFileSync('sh', ['deploy/prometheus/start.sh', '--render', target], {
    env: { PATH: process.env['PATH'], ETC: directory, ...settings },
    stdio: 'pipe',
  });
  const checked = spawnSync('promtool', ['check', 'config', '--syntax-only', target]);
  assert.equal(checked.status, 0, checked.stderr.toString());
  return parse(readFileSync(target, 'utf8'), { merge: true }) as Configuration;
}

const jobs = ({ scrape_configs }: Configuration) => scrape_configs.map(({ job_name }) => job_name);
const jobOf = (config: Configuration, name: string) =>
  config.scrape_configs.find(({ job_name }) => job_name === name);

/** What the probes' relabelling makes of a name, as Prometheus would. */
function labelled(config: Configuration, address: string) {
  const rules = jobOf(config, 'stealwatch-probe')?.['relabel_configs'] as {
    readonly regex?: string;
    readonly target_label: string;
  }[];
  const of = (label: string) => {
    const rule = rules.find(({ target_label }) => target_label === label);
    return new RegExp(`^(?:${rule?.regex})$`).exec(address)?.[1];
  };
  return { host: of('host'), instance: of('instance') };
}

const everything: Settings = {
  LOCAL_TARGET: 'exporter:10190',
  HOST_NAME: "it's mine",
  HOST_PROVIDER: 'contoso',
  HOST_PLAN: 'cpx21',
  HOST_PRICE: '7.55',
  EXTERNAL_LABEL: 'watcher-1',
  AGENT_TOKEN: "to'ken$with#all",
  STEALWATCH_TARGETS:
    'shop@vps1=https://u:p@shop.example/health, api-2=https://api.example/,\nha=redis+sentinel://:p@10.0.0.1,10.0.0.2:26380/main,',
  REMOTE_WRITE_URL: 'http://victoria:8428/api/v1/write',
  REMOTE_WRITE_USER: 'u',
  REMOTE_WRITE_PASSWORD: "p'w",
};

test('prometheus.yml: nothing set is a watcher without agents', (t) => {
  assert.deepEqual(jobs(render(t, {})), ['stealwatch-agents', 'prometheus', 'alertmanager']);
});

test('prometheus.yml: everything set, with values that need quoting', (t) => {
  const config = render(t, everything, { 'secrets/agent-ca.pem': 'a CA' });
  const local = jobOf(config, 'stealwatch');
  assert.deepEqual(local?.['static_configs'], [
    {
      targets: ['exporter:10190'],
      labels: { host: "it's mine", provider: 'contoso', plan: 'cpx21', price: '7.55' },
    },
  ]);
  const agents = jobOf(config, 'stealwatch-agents');
  assert.deepEqual(agents?.['authorization'], { type: 'Bearer', credentials: "to'ken$with#all" });
  assert.match(JSON.stringify(agents?.['tls_config']), /secrets\/agent-ca\.pem/);
  const probes = jobOf(config, 'stealwatch-probe')?.['static_configs'];
  assert.deepEqual(
    probes,
    [{ targets: ['shop@vps1', 'api-2', 'ha'] }],
    'names only, no URL and no password',
  );
  assert.deepEqual(labelled(config, 'shop@vps1'), { host: 'vps1', instance: 'shop' });
  assert.deepEqual(labelled(config, 'vps2'), { host: 'vps2', instance: 'vps2' });
  assert.deepEqual(config.remote_write?.[0]?.['basic_auth'], { username: 'u', password: "p'w" });
});

test('prometheus.yml: a condition inside one that does not hold does not hold', (t) => {
  const { LOCAL_TARGET: _, ...rest } = everything;
  assert.equal(jobOf(render(t, rest), 'stealwatch'), undefined);
});

test('prometheus.yml: a user, or a token, not both', (t) => {
  const user = { AGENT_USER: 'alice', AGENT_PASSWORD: 'secret' };
  const agents = jobOf(render(t, user), 'stealwatch-agents');
  assert.deepEqual(agents?.['basic_auth'], { username: 'alice', password: 'secret' });
  assert.throws(
    () => render(t, { ...user, AGENT_TOKEN: 'x' }),
    /AGENT_TOKEN or AGENT_USER, not both/,
  );
});

test('prometheus.yml: the same intervals and labels as alerts/prometheus/prometheus.yml', (t) => {
  const ours = render(t, { LOCAL_TARGET: 'exporter:10190', HOST_NAME: 'this-host' });
  const theirs = parse(readFileSync('alerts/prometheus/prometheus.yml', 'utf8')) as Configuration;
  assert.deepEqual(ours.global, theirs.global);
  const relabel = jobOf(theirs, 'stealwatch')?.['relabel_configs'];
  assert.deepEqual(jobOf(ours, 'stealwatch')?.['relabel_configs'], relabel);
  assert.deepEqual(jobOf(ours, 'stealwatch-agents')?.['relabel_configs'], [
    ...(relabel as unknown[]),
    { target_label: 'job', replacement: 'stealwatch' },
  ]);
});
