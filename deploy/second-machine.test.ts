/** deploy/second-machine.sh: typed on both machines as its own lines say, then asked by what a watcher runs. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { type ExporterProcess, startExporter } from '../tools/rig/exporter-process.ts';
import { installedTools } from '../tools/rig/prometheus-tools.ts';
import { freePort, until } from '../tools/rig/redis-server.ts';
import { prometheusFolder, startShippedPrometheus } from '../tools/rig/shipped-prometheus.ts';
import { temporaryRoot } from '../tools/rig/temporary-root.ts';

const script = join(process.cwd(), 'deploy/second-machine.sh');

function typed(cwd: string, args: readonly string[], input = '') {
  const { status, stdout, stderr } = spawnSync('sh', [script, ...args], {
    cwd,
    input,
    encoding: 'utf8',
  });
  return { code: status, said: stdout + stderr };
}

function machine(t: TestContext, name: string): string {
  const directory = join(temporaryRoot(t), name);
  mkdirSync(directory);
  return directory;
}

/** What is printed on the VPS to be pasted at the watcher: what stands between the marks of the shell. */
const pasteOf = (said: string) => /<<'END'\n([^]*?\n)END\n/.exec(said)?.[1] ?? '';

interface Pair {
  readonly watcher: string;
  readonly vps: string;
  readonly port: number;
  readonly hash: string;
  readonly paste: string;
}

/** As far as the paste. */
async function made(t: TestContext, names: readonly string[] = ['127.0.0.1']): Promise<Pair> {
  const [watcher, vps] = [machine(t, 'watcher'), machine(t, 'vps')];
  const first = typed(watcher, ['watcher']);
  assert.equal(first.code, 0, first.said);
  const hash = /second-machine\.sh agent ([0-9a-f]{64}) vps1 /.exec(first.said)?.[1] ?? '';
  const port = await freePort();
  const second = typed(vps, ['agent', '--port', String(port), hash, 'vps1', ...names]);
  assert.equal(second.code, 0, second.said);
  assert.match(second.said, new RegExp(`EXPORTER_PORT=0\\.0\\.0\\.0:${port}\n`));
  return { watcher, vps, port, hash, paste: pasteOf(second.said) };
}

const web = ({ vps }: Pair) => join(vps, 'secrets/agent/web.yml');

const startAgent = (t: TestContext, pair: Pair): Promise<ExporterProcess> =>
  startExporter(t, [
    '--redis-url=none',
    `--listen=127.0.0.1:${pair.port}`,
    `--web-config-file=${web(pair)}`,
  ]);

const modeOf = (directory: string, path: string) =>
  (statSync(join(directory, path)).mode & 0o777).toString(8);

test('second machine: no secret is carried over, and each is read by whom it is for', async (t) => {
  const pair = await made(t);
  const token = readFileSync(join(pair.watcher, 'secrets/watcher/agent-token'), 'utf8').trim();
  assert.match(token, /^[0-9a-f]{64}$/);
  assert.equal(createHash('sha256').update(token).digest('hex'), pair.hash);
  assert.ok(readFileSync(web(pair), 'utf8').includes(pair.hash));
  const again = typed(pair.watcher, ['watcher']);
  assert.ok(again.said.includes(pair.hash), 'a second VPS gets the same');
  assert.ok(!(again.said + pair.paste).includes(token));
  assert.doesNotMatch(pair.paste, /PRIVATE/);
  assert.equal(modeOf(pair.watcher, 'secrets/watcher/agent-token'), '440');
  for (const name of ['tls.key', 'web.yml']) {
    assert.equal(modeOf(pair.vps, `secrets/agent/${name}`), '400', name);
  }
  const refused = typed(pair.vps, ['agent', pair.hash, 'vps1', '127.0.0.1']);
  assert.equal(refused.code, 2);
  assert.match(refused.said, /web\.yml is there already/);
});

interface Targets {
  readonly activeTargets: readonly {
    readonly health: string;
    readonly labels: Readonly<Record<string, string>>;
  }[];
}

test('second machine: Prometheus and the prober of the watcher take what was written', async (t) => {
  const pair = await made(t, ['127.0.0.1', '::1', 'vps1.example.org']);
  const agent = await startAgent(t, pair);
  const added = typed(pair.watcher, ['add'], pair.paste);
  assert.equal(added.code, 0, added.said);
  assert.match(added.said, /first certificate[^]*\nok {3}vps1: 127\.0\.0\.1:\d+ answers/);
  assert.match(
    typed(pair.vps, ['check', '--port', String(pair.port)]).said,
    /^ok .* asks for the token\n$/,
  );

  const [secrets, targets] = ['secrets/watcher', 'targets'].map((name) => join(pair.watcher, name));
  const token = join(secrets ?? '', 'agent-token');
  const ca = join(secrets ?? '', 'agent-ca.pem');
  const etc = machine(t, 'etc');
  prometheusFolder(etc);
  for (const [from, to] of [
    [ca, 'secrets/agent-ca.pem'],
    [join(targets ?? '', 'vps1.yml'), 'targets/vps1.yml'],
  ] as const) {
    writeFileSync(join(etc, to), readFileSync(from));
  }
  const { prometheus } = installedTools();
  const { ask } = await startShippedPrometheus(t, prometheus, etc, { AGENT_TOKEN_FILE: token });
  await until(
    'Prometheus scrapes it',
    async () => {
      const { activeTargets } = await ask<Targets>('targets?state=active');
      return activeTargets.some(
        ({ health, labels }) => labels['host'] === 'vps1' && health === 'up',
      );
    },
    30,
  );
  const prober = await startExporter(t, ['--redis-url', 'none'], {
    STEALWATCH_EVIDENCE_DIR: join(etc, 'evidence'),
    STEALWATCH_AGENTS: targets ?? '',
    STEALWATCH_AGENT_TOKEN_FILE: token,
    STEALWATCH_AGENT_CA_FILE: ca,
  });
  await until(
    'the prober reads its evidence',
    async () => {
      const text = await (await fetch(`${prober.url}/metrics`)).text();
      return /^stealwatch_evidence_incidents\{host="vps1"\} \d/m.test(text);
    },
    20,
  );
  process.kill(agent.pid, 'SIGSTOP');
  const silent = typed(pair.watcher, ['check']);
  assert.equal(silent.code, 1);
  assert.match(silent.said, /^FAIL vps1: \S+ is silent: /);
  process.kill(agent.pid, 'SIGCONT');
});

test('second machine: what is wrong is told by what it is', async (t) => {
  const pair = await made(t);
  const check = () => typed(pair.watcher, ['check']);
  const added = typed(pair.watcher, ['add'], pair.paste);
  assert.equal(added.code, 1);
  assert.match(added.said, /^FAIL vps1: \S+ refuses: nothing listens there/m);

  // Another's certificate, and then another's token.
  const other = await made(t);
  const certificate = readFileSync(join(other.vps, 'secrets/agent/tls.crt'), 'utf8');
  await startAgent(t, pair);
  assert.equal(check().code, 0);
  const replaced = `agent vps1 127.0.0.1:${pair.port}\n${certificate}`;
  assert.match(typed(pair.watcher, ['add'], replaced).said, /^FAIL .* has another certificate/m);
  const mine = readFileSync(join(pair.watcher, 'secrets/watcher/agent-ca.pem'), 'utf8');
  assert.equal(mine.match(/BEGIN/g)?.length, 1, 'one of each agent');
  assert.equal(typed(pair.watcher, ['add'], pair.paste).code, 0);
  const stranger = typed(other.watcher, ['add'], pair.paste);
  assert.match(stranger.said, /^FAIL .* does not take the token/m);

  const plain = await startExporter(t, ['--redis-url', 'none']);
  writeFileSync(
    join(pair.watcher, 'targets/vps1.yml'),
    `- targets: ['127.0.0.1:${plain.port}']\n  labels: { host: vps1, __scheme__: https }\n`,
  );
  assert.match(check().said, /^FAIL vps1: \S+ speaks no TLS/);
  const kept = typed(pair.watcher, ['add'], pair.paste);
  assert.equal(kept.code, 2);
  assert.match(kept.said, /targets\/vps1\.yml is there with another address/);
});

const at = (port: number | undefined) => `127.0.0.1:${port}`;

test('second machine: check asks every agent of every file, as Prometheus would', async (t) => {
  const pair = await made(t);
  await startAgent(t, pair);
  assert.equal(typed(pair.watcher, ['add'], pair.paste).code, 0);
  const plain = await startExporter(t, ['--redis-url', 'none']);
  const gone = await Promise.all([freePort(), freePort(), freePort(), freePort()]);
  for (const [name, text] of [
    [
      'agents.yml',
      `# as in the example\n- targets: ['${at(plain.port)}']  # WireGuard\n  labels:\n    host: plain\n    __scheme__: http\n- targets: ["${at(gone[0])}"]\n  labels:\n    host: second\n    __scheme__: https\n`,
    ],
    [
      'block.yml',
      `- labels: {host: below, __scheme__: https}\n  targets:\n    - ${at(gone[1])}\n    - '[::1]:${gone[2]}'\n`,
    ],
    [
      'made.json',
      JSON.stringify([
        { targets: [at(gone[3])], labels: { host: 'json', __scheme__: 'https' } },
        { targets: [at(pair.port)], labels: { host: 'nottold' } },
      ]),
    ],
    ['cut.yml', '- targ'],
  ] as const) {
    writeFileSync(join(pair.watcher, 'targets', name), text);
  }
  const { code, said } = typed(pair.watcher, ['check']);
  assert.equal(code, 1);
  const lines = said.trimEnd().split('\n').sort();
  assert.deepEqual(
    lines.map((line) => line.replace(/: (?:127|\[::1|nothing|.*refuses).*/, '')),
    [
      'FAIL below',
      'FAIL below',
      'FAIL json',
      'FAIL nottold',
      'FAIL second',
      'FAIL targets/cut.yml: no targets are read from it',
      'ok   plain',
      'ok   vps1',
    ],
    said,
  );
  assert.match(said, /^ok {3}plain: \S+ answers, without TLS$/m);
  assert.match(said, /^FAIL below: \[::1\]:\d+ /m);
  assert.match(said, /^FAIL nottold: \S+ (?:answers 400|speaks no plain HTTP)/m);

  rmSync(join(pair.watcher, 'secrets/watcher/agent-token'));
  const bare = typed(pair.watcher, ['check']).said;
  assert.match(bare, /^ok {3}plain: /m);
  assert.match(bare, /^FAIL vps1: \S+ asks for credentials, and \S+agent-token is not there/m);
});

test('second machine: help that was asked for is no error', (t) => {
  const { code, said } = typed(machine(t, 'here'), ['--help']);
  assert.equal(code, 0);
  assert.match(said, /^A second machine that watches/);
});

test('second machine: what cannot be is refused before anything is written', async (t) => {
  const hash = 'a'.repeat(64);
  const here = machine(t, 'here');
  for (const [args, says, input] of [
    [[], /^A second machine that watches/],
    [['frobnicate'], /frobnicate: expected watcher, agent, add or check/],
    [['agent'], /expected agent TOKEN-SHA256 NAME ADDRESS/],
    [['agent', 'token', 'vps1', 'h'], /expected the SHA-256 of the token/],
    [['agent', hash, '../vps1', 'h'], /expected a name of letters/],
    [['agent', hash, 'vps1', 'h:10190;x'], /expected a host name or an IP address/],
    [['agent', hash, 'vps1', 'h', '--port', 'x'], /--port: expected a number/],
    [['agent', hash, 'vps1', 'h', '--port', '0'], /--port: expected a number from 1 to 65535/],
    [['agent', hash, 'vps1', 'h', '--port', '99999'], /--port: expected a number from 1 to 65535/],
    [['agent', hash, 'vps1', 'h', '--prot', '1'], /--prot: no such option; there are/],
    [['add'], /expected what `agent` printed/, ''],
    [['add'], /expected HOST:PORT behind the name/, 'agent vps1 $(id)\n'],
    [['add'], /expected a name/, 'agent ../../x h:1\n'],
    [
      ['add'],
      /expected the certificate, whole/,
      'agent vps1 h:1\n-----BEGIN CERTIFICATE-----\nMII\n',
    ],
    [['check'], /nothing to check/],
  ] as const) {
    const { code, said } = typed(here, args, input);
    assert.equal(code, 2, `${args.join(' ')}: ${said}`);
    assert.match(said, says);
  }
  assert.throws(() => statSync(join(here, 'secrets')));
  assert.throws(() => statSync(join(here, 'targets')));
});

test('second machine: where openssl makes no certificate nothing of it stays', (t) => {
  const here = machine(t, 'here');
  const { code, said } = typed(here, ['agent', 'a'.repeat(64), 'vps1', '999.1.1.1']);
  assert.equal(code, 2, said);
  assert.match(said, /openssl made no certificate\n$/);
  assert.deepEqual(readdirSync(join(here, 'secrets/agent')), []);
});
