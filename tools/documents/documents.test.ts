/**
 * Every code block of the README and of docs/: what is to be typed is typed here as it stands, a file
 * is read by the program that it is for, and what cannot be run here says why.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test, type TestContext } from 'node:test';
import { parse, stringify } from 'yaml';
import { launcher, startExporter } from '../rig/exporter-process.ts';
import { installedTools, run as runTool } from '../rig/prometheus-tools.ts';
import { freePort, type Scope, startRedis } from '../rig/redis-server.ts';
import { temporaryRoot } from '../rig/temporary-root.ts';
import { type Block, blocksOf } from './blocks.ts';
import { blocks as runbooks } from './runbook-lines.ts';
import { documentShell, type Ran, type Shell } from './shell.ts';

const root = join(import.meta.dirname, '../..');
const read = (path: string) => readFileSync(join(root, path), 'utf8');
const pages = readdirSync(join(root, 'docs')).filter((name) => name.endsWith('.md'));
const documents = ['README.md', 'SECURITY.md', ...pages.map((name) => `docs/${name}`)];
const blocks = documents.flatMap((name) => blocksOf(name, read(name)));
const of = (language: string) => blocks.filter((block) => block.language === language);
const where = ({ document, line }: Block) => `${document}:${line}`;

/** Why a block may not be run here, and what must stand in it for that to be true. */
const reasons: readonly (readonly [reason: RegExp, holds: RegExp])[] = [
  [/^needs a Docker engine/, /docker compose /],
  [/^needs systemd as pid 1/, /systemctl /],
  [/^needs the Internet/, /git clone|git pull|npm install|npx /],
  [/^it is what runs this$/, /^npm test$/],
];

/** Where others stand who are asked; filled in once they listen. */
interface Places {
  readonly exporter: number;
  readonly prometheus: number;
  readonly alertmanager: number;
  /** For an exporter that a document starts. */
  readonly free: number;
}

/** A machine that froze, as the report finds it. */
const remains = join(root, 'tools/lab/recorded/remains/lost-reset');

/** What stands in a document for what its reader has. */
function filledIn(text: string, { exporter, prometheus, alertmanager }: Places): string {
  return text
    .replaceAll('127.0.0.1:10190', `127.0.0.1:${exporter}`)
    .replaceAll('127.0.0.1:9093', `127.0.0.1:${alertmanager}`)
    .replaceAll('/opt/stealwatch/exporter/stealwatch', launcher)
    .replaceAll(/stealwatch report(?: --root \S+)?/g, `stealwatch report --root ${remains}`)
    .replaceAll('/tmp/report', 'report')
    .replaceAll('http://watcher:9090', 'http://127.0.0.1:1')
    .replaceAll('/var/lib/prometheus', `data --web.listen-address=127.0.0.1:${prometheus}`)
    .replaceAll('/var/lib/alertmanager', `told --web.listen-address=127.0.0.1:${alertmanager}`)
    .replaceAll('/run/secrets/discord', 'discord')
    .replaceAll('/etc/stealwatch/rules', 'rules')
    .replaceAll('https://hc-ping.com/...', 'https://hc-ping.com/your-check')
    .replaceAll('vps1.crt', 'secrets/agent/tls.crt');
}

interface Expectation {
  readonly document: string;
  /** How the block begins. */
  readonly begins: string;
  /** Each line by itself, in a folder of its own: one of them is what somebody types. */
  readonly apart?: boolean;
  readonly codes?: readonly number[];
  readonly says?: RegExp;
  /** It is a server and ends when it has said so. */
  readonly serves?: RegExp;
  /** What it must not say. */
  readonly never?: RegExp;
  readonly afterwards?: (directory: string) => void;
}

const written = { codes: [0], says: /^Written:\n(?: {2}stealwatch-report\S*\/\S+\n)+/m };

/** A block that is not here ends with 0. */
const expectations: readonly Expectation[] = [
  {
    document: 'README.md',
    begins: 'exporter/stealwatch --redis-url',
    serves: /listening/,
  },
  { document: 'README.md', begins: 'exporter/stealwatch report', ...written },
  { document: 'docs/evidence.md', begins: 'exporter/stealwatch report\n', ...written },
  {
    document: 'docs/evidence.md',
    begins: 'exporter/stealwatch report --last-boot',
    apart: true,
    // The second speaks of a time at which nothing happened here.
    codes: [0, 3],
    says: /Written:|nothing|No /i,
  },
  {
    document: 'docs/evidence.md',
    begins: 'exporter/stealwatch report --prometheus',
    apart: true,
    codes: [0, 1],
    says: /Written:/,
  },
  {
    document: 'docs/evidence-format.md',
    begins: 'sudo curl',
    says: /^\{"schema":1,"machine":\{/,
  },
  {
    document: 'docs/doctor.md',
    begins: 'sudo ',
    codes: [1, 2],
    says: /^(?=.*^FAIL .*Redis)(?=.*"schema": 1)/ms,
  },
  {
    document: 'docs/alerts.md',
    begins: 'sudo install -d /etc/stealwatch/rules',
    serves: /Server is ready to receive web requests/,
    never: /start\.sh:/,
  },
  { document: 'docs/alerts.md', begins: 'DISCORD_WEBHOOK_URL_FILE', serves: /Listening on/ },
  {
    document: 'docs/watching-from-outside.md',
    begins: 'mkdir -p secrets/agent',
    afterwards(directory) {
      const web = join(directory, 'secrets/agent/web.yml');
      const args = ['--web-config-file', web, '--listen', '127.0.0.1:1', '--check-config'];
      const checked = spawnSync(launcher, args, {
        encoding: 'utf8',
        env: { PATH: process.env['PATH'] },
      });
      assert.equal(checked.status, 0, checked.stdout + checked.stderr);
    },
  },
];

/** `sudo` and the engine are not on every machine: root's part is done without, the engine's is not. */
const programs = {
  sudo: '[ "$1" = chown ] || exec "$@"',
  docker: 'exit 0',
};

/** What somebody has who has cloned it. */
function checkout(directory: string): void {
  const own = ['exporter', 'deploy', 'alerts', 'dist', 'dashboards', 'docker-compose.yml'];
  for (const name of [...own, '.env.example']) {
    symlinkSync(join(root, name), join(directory, name));
  }
  cpSync(join(root, 'targets'), join(directory, 'targets'), { recursive: true });
  writeFileSync(join(directory, 'discord'), 'https://discord.com/api/webhooks/1/x');
}

const mostSeconds = 60;

function shellOf(t: TestContext, places: Places): Shell {
  const { prometheus, alertmanager } = installedTools();
  const env = {
    PROMETHEUS: prometheus,
    ALERTMANAGER: alertmanager,
    STEALWATCH_REDIS_URL: 'redis://127.0.0.1:1',
    STEALWATCH_LISTEN: `127.0.0.1:${places.free}`,
    STEALWATCH_EXPORTER_URL: `http://127.0.0.1:${places.exporter}`,
    ETC: '.',
  };
  const shell = documentShell(t, { programs, env, mostSeconds });
  checkout(shell.directory);
  return shell;
}

function check(ran: Ran, { codes = [0], says = /^/, serves, never }: Partial<Expectation>) {
  const whole = `exit ${ran.code} after ${ran.seconds.toFixed(1)} s\n${ran.out}\n${ran.err}`;
  if (serves === undefined) assert.ok(codes.includes(Number(ran.code)), whole);
  assert.match(ran.out + ran.err, serves ?? says, whole);
  if (never !== undefined) assert.doesNotMatch(ran.out + ran.err, never, whole);
}

describe('documents: what is to be typed', () => {
  const ends: (() => void | Promise<void>)[] = [];
  const scope: Scope = { after: (end) => void ends.push(end) };
  let places: Places;
  before(async () => {
    const exporter = await startExporter(scope, ['--redis-url', 'redis://127.0.0.1:1']);
    const [prometheus, alertmanager, free] = [await freePort(), await freePort(), await freePort()];
    places = { exporter: exporter.port, prometheus, alertmanager, free };
  });
  after(async () => {
    for (const end of ends.toReversed()) await end();
  });

  for (const document of documents) {
    const typed = of('sh').filter((block) => block.document === document && !block.notRun);
    if (typed.length === 0) continue;
    test(document, async (t) => {
      let shell = shellOf(t, places);
      for (const block of typed) {
        const expected = expectations.find(
          ({ document: name, begins }) => name === document && block.text.startsWith(begins),
        );
        await t.test(`line ${block.line}`, async () => {
          const text = filledIn(block.text, places);
          for (const line of expected?.apart === true ? text.split('\n') : [text]) {
            if (expected?.apart === true) shell = shellOf(t, places);
            const ran = await shell.run(line, expected?.serves);
            check(ran, expected ?? {});
          }
          expected?.afterwards?.(shell.directory);
        });
      }
    });
  }

  test('nothing is expected of a block that is not there', () => {
    for (const { document, begins } of expectations) {
      const there = of('sh').some(
        (block) => block.document === document && `${block.text}\n`.startsWith(begins),
      );
      assert.ok(there, `${document}: ${begins}`);
    }
  });
});

test('documents: a block that is not run says why, and it is so', () => {
  for (const block of blocks) {
    if (block.notRun === undefined) continue;
    const { notRun, text } = block;
    const reason = reasons.find(([said]) => said.test(notRun));
    assert.ok(
      reason,
      `${where(block)}: ${notRun}: known are ${reasons.map(([said]) => said.source).join(', ')}`,
    );
    assert.match(text, reason[1], `${where(block)}: ${notRun}`);
    const { status, stderr } = spawnSync('sh', ['-n', '-c', text], { encoding: 'utf8' });
    assert.equal(status, 0, `${where(block)}: ${stderr}`);
  }
});

test('documents: nothing that is typed waits for minutes in silence', () => {
  for (const block of of('sh')) {
    for (const [line] of block.text.matchAll(/^.*curl .*--retry .*$/gm)) {
      // Else the pauses double: ten are 17 minutes.
      assert.match(line, /--retry-delay 1 /, where(block));
    }
  }
});

test('documents: what is copied once more takes the place of what was there', () => {
  for (const block of of('sh')) {
    // Into a folder that is there already `cp -r FOLDER` puts the folder itself, and what counts stays old.
    assert.doesNotMatch(block.text, /\bcp -(?:r|R|a) (?!\S+ \S+\/$)\S+ \S+$/m, where(block));
  }
});

test('documents: a test message is typed so that no version of amtool warns of it', () => {
  const adds = [...blocks, ...runbooks].filter(({ text }) => text.includes('amtool alert add'));
  assert.ok(adds.length >= 2, String(adds.length));
  // From 0.28 on a value with a blank wants quotes of its own, which those before do not know.
  for (const block of adds) assert.match(block.text, /--annotation=\w+=\w+ /, where(block));
});

test('documents: an Alertmanager that is alone does not look for others', () => {
  const started = of('sh').filter(({ text }) =>
    /restart .*prometheus-alertmanager|alertmanager\/start\.sh(?! --render)/.test(text),
  );
  assert.ok(started.length >= 2, String(started.length));
  for (const block of started) {
    // Where no address is private it would not start.
    assert.match(block.text, /--cluster\.listen-address=/, where(block));
  }
});

/** Whoever writes one of these into a block means it to be typed. */
const command =
  /^(?:\$ |sudo |docker |npm |npx |git |curl |redis-cli|systemctl |journalctl |cp |mkdir |openssl |promtool |amtool |exporter\/stealwatch|stealwatch )/m;
const languages = ['sh', 'text', 'dotenv', 'yaml', 'ini', 'redis'];

test('documents: every block says what it is, and none hides a command', () => {
  assert.ok(blocks.length > 30, String(blocks.length));
  for (const block of blocks) {
    assert.ok(
      languages.includes(block.language),
      `${where(block)}: one of ${languages.join(', ')} behind the fence`,
    );
    if (block.language !== 'sh') assert.doesNotMatch(block.text, command, where(block));
  }
});

test('documents: settings of .env are those of .env.example', () => {
  const known = new Set(
    [...read('.env.example').matchAll(/^#?([A-Z_]+)=/gm)].map(([, name]) => name),
  );
  for (const block of of('dotenv')) {
    for (const line of block.text.split('\n').filter((one) => !/^(?:#|$)/.test(one))) {
      const [, name] = /^([A-Z_]+)=/.exec(line) ?? [];
      assert.ok(known.has(name), `${where(block)}: ${line}`);
    }
  }
});

test('documents: Redis takes what it is to be told', async (t) => {
  const { port } = await startRedis(t);
  for (const block of of('redis')) {
    const { stdout } = spawnSync('redis-cli', ['-p', String(port)], {
      input: block.text,
      encoding: 'utf8',
    });
    assert.equal(stdout.trim(), 'OK', where(block));
  }
});

/** A unit with the lines of a drop-in, as `systemctl edit` would make one. */
test('documents: systemd takes the drop-ins', (t) => {
  if (spawnSync('systemd-analyze', ['--version']).status !== 0)
    return t.skip('no systemd-analyze here');
  for (const block of of('ini')) {
    const folder = temporaryRoot(t);
    const unit = read('deploy/stealwatch.service').replaceAll(/^(Exec\w+)=.*/gm, '$1=/bin/true');
    writeFileSync(join(folder, 'stealwatch.service'), unit);
    mkdirSync(join(folder, 'stealwatch.service.d'));
    writeFileSync(join(folder, 'stealwatch.service.d/edit.conf'), `${block.text}\n`);
    const args = ['verify', join(folder, 'stealwatch.service')];
    const { stdout, stderr } = spawnSync('systemd-analyze', args, { encoding: 'utf8' });
    assert.equal(`${stdout}${stderr}`, '', where(block));
  }
});

interface Snippet {
  readonly scrape_configs?: readonly unknown[];
  readonly rule_files?: readonly string[];
  readonly route?: Readonly<Record<string, unknown>>;
  readonly receivers?: readonly unknown[];
}

for (const block of of('yaml')) {
  test(`documents: ${where(block)} is what its program reads`, (t) => {
    const { promtool, amtool } = installedTools();
    const folder = temporaryRoot(t);
    const snippet = parse(block.text) as Snippet;
    const file = join(folder, 'file.yml');
    if (snippet.scrape_configs !== undefined || snippet.rule_files !== undefined) {
      writeFileSync(file, block.text);
      const { code, text } = runTool(promtool, ['check', 'config', '--syntax-only', file]);
      assert.equal(code, 0, text);
    } else if (snippet.route !== undefined) {
      // A snippet goes into a file that has a receiver already.
      const whole = {
        ...snippet,
        route: { receiver: 'yours', ...snippet.route },
        receivers: [{ name: 'yours' }, ...(snippet.receivers ?? [])],
      };
      writeFileSync(file, stringify(whole));
      const { code, text } = runTool(amtool, ['check-config', file]);
      assert.equal(code, 0, text);
    } else assert.ok(typeof snippet === 'object' && snippet !== null, where(block));
  });
}
