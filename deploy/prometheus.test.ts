/** deploy/prometheus/prometheus.yml: every combination of settings is a valid configuration. */
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { parse } from 'yaml';
import { seconds } from '../alerts/replays/timeline.ts';
import {
  evaluationIntervalSeconds,
  retentionDays,
  scrapeIntervalSeconds,
  sliceSeconds,
} from '../alerts/thresholds.ts';
import { allTools, run } from '../tools/rig/prometheus-tools.ts';

type Settings = Readonly<Record<string, string>>;

interface Job {
  readonly job_name: string;
  readonly scrape_interval?: string;
  readonly static_configs?: unknown;
  readonly relabel_configs?: readonly {
    readonly source_labels?: readonly string[];
    readonly regex?: string;
    readonly target_label: string;
  }[];
  readonly [key: string]: unknown;
}

interface Configuration {
  readonly global: Readonly<
    Record<'scrape_interval' | 'scrape_timeout' | 'evaluation_interval', string>
  >;
  readonly scrape_configs: readonly Job[];
  readonly remote_write?: readonly Readonly<Record<string, unknown>>[];
}

function directoryOf(t: TestContext): string {
  const directory = mkdtempSync(join(tmpdir(), 'stealwatch-render-'));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  for (const name of ['secrets', 'targets']) mkdirSync(join(directory, name));
  return directory;
}

function rendered(directory: string, settings: Settings): string {
  const target = join(directory, 'prometheus.yml');
  execFileSync('sh', ['deploy/prometheus/start.sh', '--render', target], {
    env: { PATH: process.env['PATH'], ETC: directory, ...settings },
    stdio: 'pipe',
  });
  return target;
}

function render(t: TestContext, settings: Settings, files: Settings = {}) {
  const directory = directoryOf(t);
  for (const [name, text] of Object.entries(files)) writeFileSync(join(directory, name), text);
  const target = rendered(directory, settings);
  const checked = spawnSync('promtool', ['check', 'config', '--syntax-only', target]);
  assert.equal(checked.status, 0, checked.stderr.toString());
  return parse(readFileSync(target, 'utf8'), { merge: true }) as Configuration;
}

const jobs = ({ scrape_configs }: Configuration) => scrape_configs.map(({ job_name }) => job_name);
const jobOf = (config: Configuration, name: string) =>
  config.scrape_configs.find(({ job_name }) => job_name === name);

/** What the probes' relabelling makes of a name, as Prometheus would. */
function labelled(config: Configuration, address: string) {
  const rules = jobOf(config, 'stealwatch-probe')?.relabel_configs;
  const of = (label: string) => {
    const rule = rules?.find(({ target_label }) => target_label === label);
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

test('prometheus.yml: of the prober only what it keeps of the agents, under their names', (t) => {
  const config = render(t, { PROBER_TARGET: 'prober:10190' });
  assert.deepEqual(jobOf(config, 'stealwatch-prober'), {
    job_name: 'stealwatch-prober',
    scrape_interval: '15s',
    scrape_timeout: '5s',
    honor_labels: true,
    static_configs: [{ targets: ['prober:10190'] }],
    metric_relabel_configs: [
      { source_labels: ['__name__'], regex: 'stealwatch_evidence_.*', action: 'keep' },
    ],
  });
});

test('prometheus.yml: everything set, with values that need quoting', (t) => {
  const config = render(t, everything, { 'secrets/agent-ca.pem': 'a CA' });
  const local = jobOf(config, 'stealwatch');
  assert.deepEqual(local?.static_configs, [
    {
      targets: ['exporter:10190'],
      labels: { host: "it's mine", provider: 'contoso', plan: 'cpx21', price: '7.55' },
    },
  ]);
  const agents = jobOf(config, 'stealwatch-agents');
  assert.deepEqual(agents?.['authorization'], { type: 'Bearer', credentials: "to'ken$with#all" });
  assert.match(JSON.stringify(agents?.['tls_config']), /secrets\/agent-ca\.pem/);
  const probes = jobOf(config, 'stealwatch-probe')?.static_configs;
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

test('prometheus.yml: every target has the label host, by which alerts silence one another', (t) => {
  const { scrape_configs } = render(t, everything);
  assert.equal(scrape_configs.length, 5);
  for (const { job_name, static_configs, relabel_configs = [] } of scrape_configs) {
    const rules = relabel_configs.filter(({ target_label }) => target_label === 'host');
    if (rules.length === 0) assert.match(JSON.stringify(static_configs), /"host":/, job_name);
    if (!job_name.startsWith('stealwatch') || job_name === 'stealwatch-probe') continue;
    assert.deepEqual(rules[0]?.source_labels, ['host', '__address__'], job_name);
    const regex = new RegExp(`^(?:${rules[0]?.regex})$`);
    assert.equal(regex.exec(';10.0.0.1:10190')?.[1], '10.0.0.1');
    assert.equal(regex.exec('named;10.0.0.1:10190'), null, 'a host that is named keeps its name');
  }
});

test('prometheus.yml: intervals are those that the thresholds and the SLOs count with', (t) => {
  const { global, scrape_configs } = render(t, everything);
  const { scrape_interval, scrape_timeout, evaluation_interval } = global;
  assert.equal(seconds(scrape_interval), scrapeIntervalSeconds);
  assert.equal(seconds(evaluation_interval), evaluationIntervalSeconds);
  assert.ok(seconds(scrape_timeout) <= seconds(scrape_interval));
  assert.ok(4 * scrapeIntervalSeconds <= sliceSeconds, 'a rate over a slice needs four scrapes');
  const text = readFileSync('deploy/prometheus/prometheus.yml', 'utf8');
  assert.ok(text.includes(`--storage.tsdb.retention.time=${retentionDays}d`));
  for (const { job_name, scrape_interval } of scrape_configs.slice(0, 2)) {
    assert.equal(scrape_interval, undefined, `${job_name} goes by the global interval`);
  }
});

for (const { label, promtool } of allTools()) {
  test(`prometheus.yml: Prometheus takes it with the rules (${label})`, (t) => {
    const directory = directoryOf(t);
    cpSync('alerts/generated', join(directory, 'rules'), { recursive: true });
    const { code, text } = run(promtool, ['check', 'config', rendered(directory, everything)]);
    assert.equal(code, 0, text);
    const files = readdirSync(join(directory, 'rules')).length;
    assert.match(text, new RegExp(`\\b${files} rule files found`));
  });
}

test('start.sh: what is missing so that nobody would be told is said, and stops nothing', (t) => {
  const directory = directoryOf(t);
  const said = (settings: Settings) => {
    const args = ['deploy/prometheus/start.sh', '--render', join(directory, 'prometheus.yml')];
    const env = { PATH: process.env['PATH'], ETC: directory, ...settings };
    const { status, stderr } = spawnSync('sh', args, { env, encoding: 'utf8' });
    assert.equal(status, 0, stderr);
    return stderr.replaceAll(directory, 'ETC').split('\n').filter(Boolean);
  };
  assert.deepEqual(said({}), [
    'start.sh: ETC/rules has no rules, NOBODY WILL BE TOLD. Copy alerts/generated/*.yml there.',
    'start.sh: ALERTMANAGER_TARGET is not set: alerts go to alertmanager:9093, which only docker-compose.yml has.',
    'start.sh: nothing is watched: LOCAL_TARGET is not set, and ETC/targets has no *.yml.',
  ]);
  cpSync('alerts/generated', join(directory, 'rules'), { recursive: true });
  const set = { ALERTMANAGER_TARGET: 'a:9093' };
  assert.deepEqual(said({ ...set, LOCAL_TARGET: 'a:10190' }), []);
  for (const name of ['agents.yml', 'agents.json']) {
    assert.equal(said(set).length, 1, name);
    writeFileSync(join(directory, 'targets', name), '[]');
    assert.deepEqual(said(set), [], name);
    rmSync(join(directory, 'targets', name));
  }
});
