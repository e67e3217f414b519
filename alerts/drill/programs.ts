/** The real programs of the drill, each ended and cleaned up after even when the drill is killed. */
import { spawn } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { retentionDays } from '../thresholds.ts';
import { startFreezableRedis, whyNoFrozenFilesystem } from '../../tools/rig/frozen-filesystem.ts';
import { accepts, freePort, until } from '../../tools/rig/redis-server.ts';
import { startScript } from '../../tools/rig/alertmanager.ts';
import type { Tools } from '../../tools/rig/prometheus-tools.ts';

const alerts = join(import.meta.dirname, '..');
const prometheusScript = join(alerts, '..', 'deploy', 'prometheus', 'start.sh');
const whileOpen = join(import.meta.dirname, 'while-open.sh');

export interface Program {
  readonly pid: number;
  /** What it wrote so far. */
  log(): string;
  /** Ends it and removes its directory. Idempotent. */
  stop(): Promise<void>;
}

function newDirectory(name: string): string {
  return mkdtempSync(join(tmpdir(), `stealwatch-drill-${name}-`));
}

async function start(
  directory: string,
  command: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<Program> {
  const keeper = spawn(whileOpen, [directory, ...command], {
    stdio: ['pipe', 'pipe', 'inherit'],
    env: { ...process.env, ...env },
  });
  // It may be gone before it has read that its input ended.
  keeper.stdin.on('error', () => undefined);
  const ended = new Promise<void>((resolve) => keeper.once('exit', () => resolve()));
  const pid = await new Promise<number>((resolve, reject) => {
    keeper.once('error', reject);
    keeper.stdout.setEncoding('utf8').once('data', (text: string) => resolve(Number(text)));
  });
  return {
    pid,
    log: () => readFileSync(join(directory, 'log.txt'), 'utf8'),
    async stop() {
      keeper.stdin.end();
      await ended;
    },
  };
}

/** Waits until `url` answers 200; says what the program wrote when it never does. */
async function answers(name: string, url: string, program: Program): Promise<void> {
  try {
    await until(`${name} answers`, () =>
      fetch(url).then(
        ({ ok }) => ok,
        () => false,
      ),
    );
  } catch (error) {
    const log = program.log().slice(-2000);
    await program.stop();
    throw new Error(`${name} did not start:\n${log}`, { cause: error });
  }
}

export type Variant = 'dstate' | 'sigstop';

/** Why a variant cannot be had here, or undefined. */
export function obstacle(variant: Variant): string | undefined {
  return variant === 'dstate' ? whyNoFrozenFilesystem() : undefined;
}

export interface DrillRedis {
  readonly url: string;
  freeze(): Promise<void>;
  thaw(): Promise<void>;
  stop(): Promise<void>;
}

/** D state: unkillable, on a frozen file system. */
async function redisInDState(): Promise<DrillRedis> {
  const redis = await startFreezableRedis({ longestSeconds: 3600 });
  return {
    url: redis.url,
    freeze: () => redis.freeze(),
    thaw: () => redis.thaw(),
    stop: () => redis.restore(),
  };
}

async function stoppedRedis(): Promise<DrillRedis> {
  const directory = newDirectory('redis');
  const port = await freePort();
  const options = ['--port', String(port), '--bind', '127.0.0.1', '--dir', directory];
  const redis = await start(directory, ['redis-server', ...options, '--save', '']);
  await until('redis-server listens', () => accepts(port));
  return {
    url: `redis://127.0.0.1:${port}`,
    async freeze() {
      process.kill(redis.pid, 'SIGSTOP');
    },
    async thaw() {
      process.kill(redis.pid, 'SIGCONT');
    },
    stop: () => redis.stop(),
  };
}

export function startRedis(variant: Variant): Promise<DrillRedis> {
  return variant === 'dstate' ? redisInDState() : stoppedRedis();
}

export interface Served {
  /** http://127.0.0.1:PORT */
  readonly url: string;
  readonly program: Program;
}

export async function startExporter(redisUrl: string): Promise<Served> {
  const directory = newDirectory('exporter');
  const listen = `127.0.0.1:${await freePort()}`;
  const main = join(alerts, '..', 'exporter', 'main.ts');
  const options = ['--listen', listen, '--redis-url', redisUrl];
  const program = await start(directory, [process.execPath, main, ...options]);
  const url = `http://${listen}`;
  await answers('the exporter', `${url}/livez`, program);
  return { url, program };
}

export async function startAlertmanager(tools: Tools, webhook: string): Promise<Served> {
  const directory = newDirectory('alertmanager');
  const listen = `127.0.0.1:${await freePort()}`;
  const options = [
    `--storage.path=${directory}`,
    `--web.listen-address=${listen}`,
    '--cluster.listen-address=',
  ];
  const program = await start(directory, [startScript, ...options], {
    ALERTMANAGER: tools.alertmanager,
    TMPDIR: directory,
    WEBHOOK_URL: `${webhook}/people`,
    HEARTBEAT_URL: `${webhook}/heartbeat`,
  });
  const url = `http://${listen}`;
  await answers('Alertmanager', `${url}/-/ready`, program);
  return { url, program };
}

export async function startPrometheus(
  tools: Tools,
  { exporter, alertmanager }: { exporter: string; alertmanager: string },
): Promise<Served> {
  const directory = newDirectory('prometheus');
  const listen = `127.0.0.1:${await freePort()}`;
  mkdirSync(join(directory, 'rules'));
  cpSync(join(alerts, 'generated'), join(directory, 'rules'), { recursive: true });
  const options = [
    `--storage.tsdb.path=${join(directory, 'data')}`,
    `--storage.tsdb.retention.time=${retentionDays}d`,
    '--rules.alert.resend-delay=5s',
    `--web.listen-address=${listen}`,
  ];
  const program = await start(directory, [prometheusScript, ...options], {
    PROMETHEUS: tools.prometheus,
    TMPDIR: directory,
    ETC: directory,
    LOCAL_TARGET: new URL(exporter).host,
    HOST_NAME: 'this-host',
    ALERTMANAGER_TARGET: new URL(alertmanager).host,
    PROMETHEUS_TARGET: listen,
  });
  const url = `http://${listen}`;
  await answers('Prometheus', `${url}/-/ready`, program);
  return { url, program };
}
