/**
 * The three start.sh: what stands around a value is cut off, what cannot be meant is refused in
 * words, from a variable or from a file, for every setting there is. Under each shell that is here:
 * the images have busybox, Debian has dash.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';

type Settings = Readonly<Record<string, string>>;

interface Script {
  readonly path: string;
  /** Every setting it takes, with values that go together. */
  readonly settings: Settings;
  /** Beside the settings above, which these exclude. */
  readonly others?: Settings;
  /** What runs the started program: the variable that names it. */
  readonly program: string;
  readonly renders: boolean;
}

const scripts: Readonly<Record<string, Script>> = {
  alertmanager: {
    path: 'alerts/alertmanager/start.sh',
    program: 'ALERTMANAGER',
    renders: true,
    settings: {
      DISCORD_WEBHOOK_URL: 'https://discord.example/api/webhooks/1/t',
      SLACK_WEBHOOK_URL: 'https://hooks.slack.example/services/t',
      TELEGRAM_BOT_TOKEN: '123:AbC-d_e',
      TELEGRAM_CHAT_ID: '-1001234567890',
      TELEGRAM_API_URL: 'https://telegram.example',
      EMAIL_TO: 'On Call <oncall@example.org>, second@example.org',
      SMTP_SMARTHOST: '[::1]:25',
      SMTP_FROM: 'stealwatch@example.org',
      SMTP_USERNAME: 'stealwatch',
      SMTP_PASSWORD: String.raw`it's "$1" \2 & #x: y`,
      SMTP_REQUIRE_TLS: 'false',
      WEBHOOK_URL: 'http://127.0.0.1:8080/hook?a=1&b=%20',
      HEARTBEAT_URL: 'https://hc.example/ping',
      GRAFANA_URL: 'https://grafana.example',
    },
  },
  prometheus: {
    path: 'deploy/prometheus/start.sh',
    program: 'PROMETHEUS',
    renders: true,
    settings: {
      ALERTMANAGER_TARGET: 'alerts.example:9093',
      PROMETHEUS_TARGET: '[::1]:9090',
      LOCAL_TARGET: 'exporter:10190',
      HOST_NAME: "it's mine",
      HOST_PROVIDER: 'contoso',
      HOST_PLAN: 'cpx21',
      HOST_PRICE: '7.55',
      EXTERNAL_LABEL: 'watcher-1',
      SHARD: '2/5',
      STEALWATCH_TARGETS: 'shop@vps1=https://u:p@shop.example/health',
      AGENT_USER: 'alice',
      AGENT_PASSWORD: "it's secret",
      REMOTE_WRITE_URL: 'https://store.example/api/v1/write',
      REMOTE_WRITE_USER: 'u',
      REMOTE_WRITE_PASSWORD: 'p"w',
    },
    others: { AGENT_TOKEN: "to'ken$with#all", REMOTE_WRITE_TOKEN: 'store-t0ken' },
  },
  grafana: {
    path: 'deploy/grafana/start.sh',
    program: 'GRAFANA',
    renders: false,
    settings: {
      GF_SECURITY_ADMIN_USER: 'admin',
      GF_SECURITY_ADMIN_PASSWORD: "it's secret",
      GF_SERVER_ROOT_URL: 'https://grafana.example',
      STEALWATCH_PROMETHEUS_URL: 'http://prometheus:9090',
    },
  },
};

const shells: readonly (readonly [string, ...string[]])[] = [
  ['sh'],
  ...(existsSync('/bin/busybox') || existsSync('/usr/bin/busybox')
    ? [['busybox', 'sh'] as const]
    : []),
];

function directoryOf(t: TestContext): string {
  const directory = mkdtempSync(join(tmpdir(), 'stealwatch-start-'));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

interface Outcome {
  readonly refused: boolean;
  readonly said: string;
  /** The rendered configuration, or what the started program was given. */
  readonly result: string;
}

/** A program in place of the server: prints its arguments and the settings it was given. */
const stand = '#!/bin/sh\nprintf "<%s>\\n" "$@"\nenv | sort\n';

function start(
  t: TestContext,
  script: Script,
  settings: Settings,
  shell = shells[0] ?? ['sh'],
  args: readonly string[] = [],
): Outcome {
  const directory = directoryOf(t);
  const [program, ...before] = shell;
  const target = join(directory, 'rendered.yml');
  const server = join(directory, 'server');
  writeFileSync(server, stand, { mode: 0o755 });
  const rendering = script.renders && args.length === 0 ? ['--render', target] : args;
  const { status, stdout, stderr } = spawnSync(program, [...before, script.path, ...rendering], {
    encoding: 'utf8',
    env: {
      PATH: process.env['PATH'],
      ETC: '/nowhere',
      TMPDIR: directory,
      GF_PATHS_DATA: directory,
      [script.program]: server,
      ...settings,
    },
  });
  const rendered = status === 0 && rendering[0] === '--render';
  const result = rendered ? readFileSync(target, 'utf8') : stdout;
  return { refused: status !== 0, said: stderr, result: result.replaceAll(directory, '') };
}

const all = Object.entries(scripts);
const isPassword = (name: string) => name.endsWith('PASSWORD');

function changed(settings: Settings, change: (value: string, name: string) => string): Settings {
  return Object.fromEntries(
    Object.entries(settings).map(([name, value]) => [name, change(value, name)]),
  );
}

function asFiles(t: TestContext, settings: Settings): Settings {
  const directory = directoryOf(t);
  return Object.fromEntries(
    Object.entries(settings).map(([name, value]) => {
      writeFileSync(join(directory, name), value);
      return [`${name}_FILE`, join(directory, name)];
    }),
  );
}

const dirt: Readonly<Record<string, (value: string) => string>> = {
  'a carriage return': (value) => `${value}\r`,
  'a line end': (value) => `${value}\n`,
  'a line end of Windows': (value) => `${value}\r\n`,
  'empty lines': (value) => `\n\r\n${value}\n\n`,
};
const blanks: typeof dirt = {
  'a blank': (value) => `${value} `,
  'blanks before and behind': (value) => ` \t${value}\t \r\n`,
  'a no-break space': (value) => `\u00a0${value}\u00a0`,
  'a byte order mark': (value) => `\ufeff${value}\r\n`,
};

interface Fault {
  readonly what: string;
  /** What to set instead of the setting NAME and its value. */
  readonly change: (value: string, name: string, t: TestContext) => Settings;
  readonly applies?: (name: string) => boolean;
  readonly because: RegExp;
}

const isUrl = (name: string) => name.endsWith('_URL');
const isOneLine = (name: string) => name !== 'STEALWATCH_TARGETS';
const instead =
  (change: (value: string) => string): Fault['change'] =>
  (value, name) => ({ [name]: change(value) });
const fromFile = (name: string, path: string) => ({ [name]: '', [`${name}_FILE`]: path });

/** Each is put into every setting at once: all of them are told. */
const faults: readonly Fault[] = [
  {
    what: 'nothing but blanks',
    change: instead(() => ' \t '),
    because: /holds nothing but blanks|begins or ends with a blank|control character/,
  },
  { what: 'nothing but line ends', change: instead(() => '\r\n'), because: /nothing but blanks/ },
  {
    what: 'an empty file',
    change: (_, name, t) => ({ [name]: '', ...asFiles(t, { [name]: '' }) }),
    because: /is empty/,
  },
  { what: 'a directory', change: (_, name) => fromFile(name, '/tmp'), because: /cannot be read/ },
  {
    what: 'no such file',
    change: (_, name) => fromFile(name, '/nowhere'),
    because: /_FILE names \/nowhere, which cannot be read/,
  },
  {
    what: 'a file and a variable',
    change: (value, name, t) => ({ [name]: value, ...asFiles(t, { [name]: value }) }),
    because: /are both set/,
  },
  {
    what: 'too much',
    change: instead((value) => value + 'x'.repeat(8200)),
    because: /at most 8192/,
  },
  {
    what: 'two lines',
    change: instead((value) => `${value}\n${value}`),
    applies: isOneLine,
    because: /more than one line/,
  },
  {
    what: 'a carriage return inside',
    change: instead((value) => `${value}\r${value}`),
    applies: isOneLine,
    because: /more than one line/,
  },
  {
    what: 'a control character',
    change: instead((value) => `${value}\u0007${value}`),
    applies: isOneLine,
    because: /control character/,
  },
  ...[' X', 'X '].map((form) => ({
    what: 'a blank at the end of a password',
    change: instead((value) => form.replace('X', () => value)),
    applies: isPassword,
    because: /begins or ends with a blank/,
  })),
  ...['/ ', '/ü', '/\u00a0'].map((inside) => ({
    what: `${inside} in a URL`,
    change: instead((value) => value.replace(/(?<=\/\/.*)$/, `${inside}x`)),
    applies: isUrl,
    because: /blanks or letters beyond ASCII/,
  })),
  ...[`'X'`, 'ftp:X', '<X>'].map((form) => ({
    what: `${form} for a URL`,
    change: instead((value) => form.replace('X', () => value)),
    applies: isUrl,
    because: /does not start with http/,
  })),
  {
    what: 'a URL without a host',
    change: instead(() => 'https:///path'),
    applies: isUrl,
    because: /does not start with http/,
  },
];

for (const shell of shells) {
  for (const [name, script] of all) {
    test(`${name}: what stands around a value is cut off (${shell[0]})`, (t) => {
      for (const settings of [script.settings, ...(script.others ? [script.others] : [])]) {
        const needed = settings === script.others ? { REMOTE_WRITE_URL: 'http://a' } : {};
        const clean = { ...needed, ...settings };
        const { result, refused, said } = start(t, script, clean, shell);
        assert.equal(refused, false, said);
        for (const [what, change] of Object.entries({ ...dirt, ...blanks })) {
          const dirty = changed(clean, (value, one) =>
            isPassword(one) && what in blanks ? value : change(value),
          );
          const files = asFiles(t, dirty);
          assert.equal(start(t, script, dirty, shell).result, result, `${what}, variables`);
          assert.equal(start(t, script, files, shell).result, result, `${what}, files`);
        }
      }
    });

    test(`${name}: what cannot be meant is refused, and never shown (${shell[0]})`, (t) => {
      for (const { what, change, applies = () => true, because } of faults) {
        const names = Object.keys(script.settings).filter(applies);
        if (names.length === 0) continue;
        const broken = names.flatMap((one) =>
          Object.entries(change(script.settings[one] ?? '', one, t)),
        );
        const given = { ...script.settings, ...Object.fromEntries(broken) };
        const { refused, said } = start(t, script, given, shell);
        assert.ok(refused, what);
        for (const one of names) {
          const line = said
            .split('\n')
            .find((text) => new RegExp(`^start.sh: ${one}(_FILE)?\\b`).test(text));
          assert.match(line ?? '', because, `${one}: ${what}: ${said}`);
          const secret = /TOKEN|PASSWORD|_URL|TARGETS/.test(one);
          if (secret) assert.ok(!said.includes(script.settings[one] ?? ''), `${what}: ${said}`);
        }
      }
    });
  }
}

interface Refusal {
  readonly script: string;
  readonly settings: Settings;
  readonly because: RegExp;
}

const smtp = { EMAIL_TO: 'a@b.c', SMTP_SMARTHOST: 'mail:25', SMTP_FROM: 'd@e.f' };
const telegram = { TELEGRAM_BOT_TOKEN: '1:a', TELEGRAM_CHAT_ID: '1' };
const store = { REMOTE_WRITE_URL: 'http://store' };
const refusal = (script: Refusal['script'], settings: Settings, because: RegExp): Refusal => ({
  script,
  settings,
  because,
});

/** Half a pair, and values that no server takes. */
const refusals: readonly Refusal[] = [
  refusal(
    'alertmanager',
    { TELEGRAM_BOT_TOKEN: '1:a' },
    /BOT_TOKEN is set and TELEGRAM_CHAT_ID is/,
  ),
  refusal(
    'alertmanager',
    { TELEGRAM_CHAT_ID: '1' },
    /CHAT_ID is set and TELEGRAM_BOT_TOKEN is not/,
  ),
  refusal(
    'alertmanager',
    { TELEGRAM_API_URL: 'http://a' },
    /API_URL is set and TELEGRAM_BOT_TOKEN/,
  ),
  refusal('alertmanager', { ...telegram, TELEGRAM_BOT_TOKEN: 'a' }, /what BotFather gave/),
  refusal('alertmanager', { ...telegram, TELEGRAM_BOT_TOKEN: '1:a/b' }, /what BotFather gave/),
  refusal(
    'alertmanager',
    { ...telegram, TELEGRAM_CHAT_ID: '@team' },
    /expected a number such as -100/,
  ),
  refusal('alertmanager', { ...telegram, TELEGRAM_CHAT_ID: '-' }, /expected a number such as -100/),
  refusal('alertmanager', { EMAIL_TO: 'a@b.c' }, /EMAIL_TO is set and SMTP_SMARTHOST is not/),
  refusal('alertmanager', { ...smtp, SMTP_FROM: '' }, /EMAIL_TO is set and SMTP_FROM is not/),
  refusal('alertmanager', { ...smtp, EMAIL_TO: '' }, /SMTP_SMARTHOST is set and EMAIL_TO is not/),
  refusal('alertmanager', { SMTP_FROM: 'd@e.f' }, /SMTP_FROM is set and EMAIL_TO is not/),
  refusal('alertmanager', { SMTP_REQUIRE_TLS: 'false' }, /REQUIRE_TLS is set and EMAIL_TO is not/),
  refusal(
    'alertmanager',
    { SMTP_USERNAME: 'u', SMTP_PASSWORD: 'p' },
    /PASSWORD is set and EMAIL_TO/,
  ),
  refusal(
    'alertmanager',
    { ...smtp, SMTP_USERNAME: 'u' },
    /USERNAME is set and SMTP_PASSWORD is not/,
  ),
  refusal(
    'alertmanager',
    { ...smtp, SMTP_PASSWORD: 'p' },
    /PASSWORD is set and SMTP_USERNAME is not/,
  ),
  refusal('alertmanager', { ...smtp, EMAIL_TO: 'oncall' }, /an address such as oncall@/),
  refusal('alertmanager', { ...smtp, SMTP_FROM: 'stealwatch' }, /an address such as stealwatch@/),
  refusal('alertmanager', { ...smtp, SMTP_SMARTHOST: 'mail' }, /HOST:PORT such as smtp/),
  refusal('alertmanager', { ...smtp, SMTP_SMARTHOST: 'smtp://mail:25' }, /HOST:PORT such as smtp/),
  refusal('alertmanager', { ...smtp, SMTP_REQUIRE_TLS: 'maybe' }, /expected true or false/),
  refusal('prometheus', { AGENT_USER: 'u' }, /AGENT_USER is set and AGENT_PASSWORD is not/),
  refusal('prometheus', { AGENT_PASSWORD: 'p' }, /AGENT_PASSWORD is set and AGENT_USER is not/),
  refusal('prometheus', { AGENT_USER: 'u', AGENT_PASSWORD: 'p', AGENT_TOKEN: 't' }, /not both/),
  refusal('prometheus', { AGENT_TOKEN: 'a b' }, /AGENT_TOKEN: expected .* without blanks/),
  refusal(
    'prometheus',
    { ...store, REMOTE_WRITE_USER: 'u' },
    /USER is set and REMOTE_WRITE_PASSWORD/,
  ),
  refusal(
    'prometheus',
    { ...store, REMOTE_WRITE_PASSWORD: 'p' },
    /is set and REMOTE_WRITE_USER is/,
  ),
  refusal(
    'prometheus',
    { ...store, REMOTE_WRITE_USER: 'u', REMOTE_WRITE_PASSWORD: 'p', REMOTE_WRITE_TOKEN: 't' },
    /REMOTE_WRITE_TOKEN or REMOTE_WRITE_USER, not both/,
  ),
  refusal(
    'prometheus',
    { ...store, REMOTE_WRITE_TOKEN: 'ü' },
    /REMOTE_WRITE_TOKEN: expected .* ASCII/,
  ),
  refusal('prometheus', { REMOTE_WRITE_TOKEN: 't' }, /TOKEN is set and REMOTE_WRITE_URL is not/),
  refusal('prometheus', { REMOTE_WRITE_USER: 'u' }, /USER is set and REMOTE_WRITE_URL is not/),
  refusal(
    'prometheus',
    { REMOTE_WRITE_PASSWORD: 'p' },
    /PASSWORD is set and REMOTE_WRITE_URL is not/,
  ),
  ...[
    'https://discord.com/channels/1/2',
    'https://discord.com/api/webhooks/',
    'https://hooks.slack.com/services/t',
  ].map((url) =>
    refusal('alertmanager', { DISCORD_WEBHOOK_URL: url }, /expected https:\/\/discord/),
  ),
  ...['https://discord.com/api/webhooks/1/t', 'https://team.slack.com/archives/C1'].map((url) =>
    refusal('alertmanager', { SLACK_WEBHOOK_URL: url }, /expected https:\/\/hooks.slack/),
  ),
  ...['https://[::1/x', 'https://a b', 'https://h:x/', 'https://u@/x'].map((url) =>
    refusal('alertmanager', { WEBHOOK_URL: url }, /WEBHOOK_URL ha?o?l?d?s/),
  ),
  refusal('alertmanager', { WEBHOOK_URL: 'https://h/%zz' }, /% without two hexadecimal digits/),
  refusal('alertmanager', { WEBHOOK_URL: 'https://h/%' }, /% without two hexadecimal digits/),
  refusal('alertmanager', { HEARTBEAT_URL: 'https://h:65536/' }, /port from 1 to 65535/),
  refusal('alertmanager', { HEARTBEAT_URL: 'https://[::1]:0' }, /port from 1 to 65535/),
  refusal('alertmanager', { ...smtp, SMTP_SMARTHOST: 'mail:70000' }, /port from 1 to 65535/),
  refusal('alertmanager', { ...telegram, TELEGRAM_CHAT_ID: '0' }, /expected a number such as -100/),
  refusal('prometheus', { LOCAL_TARGET: 'exporter:99999' }, /port from 1 to 65535/),
  refusal('prometheus', { LOCAL_TARGET: 'http://a:1' }, /HOST:PORT such as exporter:10190/),
  refusal('prometheus', { LOCAL_TARGET: 'exporter' }, /HOST:PORT such as exporter:10190/),
  refusal('prometheus', { HOST_PRICE: '7,55' }, /a number such as 7.55/),
  refusal('prometheus', { EXTERNAL_LABEL: 'a$b' }, /a name without \$/),
  refusal('prometheus', { STEALWATCH_TARGETS: 'https://shop' }, /PROBES: expected NAME=URL/),
  refusal('grafana', {}, /does not start without a password/),
];

for (const { script, settings, because } of refusals) {
  test(`${script}: refuses ${JSON.stringify(settings)}`, (t) => {
    const chosen = scripts[script];
    assert.ok(chosen);
    const { refused, said } = start(t, chosen, settings);
    assert.ok(refused, 'it is taken');
    assert.match(said, because);
  });
}

/** A value that belongs to a setting beside, which holds a secret. */
const misplaced: readonly Settings[] = [
  { DISCORD_WEBHOOK_URL_FILE: 'https://discord.com/api/webhooks/1/s3cret' },
  { SMTP_PASSWORD_FILE: 's3cret' },
  { SLACK_WEBHOOK_URL_FILE: '/x y/s3cret' },
  { TELEGRAM_BOT_TOKEN: '-100', TELEGRAM_CHAT_ID: '123:s3cret' },
  { ...smtp, SMTP_FROM: 's3cret' },
  { ...smtp, EMAIL_TO: 's3cret' },
  { ...smtp, SMTP_SMARTHOST: 'smtp://u:s3cret@h:587' },
  { ...smtp, SMTP_REQUIRE_TLS: 's3cret' },
];

test('start.sh: a secret in the wrong setting is not repeated', (t) => {
  const cases: readonly (readonly [Refusal['script'], Settings])[] = [
    ...misplaced.map((settings) => ['alertmanager', settings] as const),
    ['prometheus', { LOCAL_TARGET: 'http://u:s3cret@h' }],
    ['prometheus', { HOST_PRICE: 's3cret' }],
    ['prometheus', { EXTERNAL_LABEL: 's3cret$' }],
    ['prometheus', { AGENT_TOKEN_FILE: 's3cret' }],
    ['grafana', { GF_SECURITY_ADMIN_PASSWORD_FILE: 's3cret' }],
  ];
  for (const [name, settings] of cases) {
    const script = scripts[name];
    assert.ok(script);
    const { refused, said } = start(t, script, settings);
    assert.ok(refused, JSON.stringify(settings));
    assert.match(said, /expected/);
    assert.doesNotMatch(said, /s3cret/);
  }
});

test('start.sh: every problem is listed, not the first alone', (t) => {
  const { alertmanager } = scripts;
  assert.ok(alertmanager);
  const { said } = start(t, alertmanager, { WEBHOOK_URL: 'x', EMAIL_TO: 'a@b.c' });
  assert.equal(said.match(/^start\.sh: /gm)?.length, 3, said);
});

// Grafana's own entry point takes the password from the environment, and no flag has a setting.
for (const [name, script] of all.filter(([, { renders }]) => renders)) {
  test(`${name}: an argument loses its carriage return, the program gets no secret`, (t) => {
    const args = ['--a=b c\r', '--d=e \n', ''];
    const { result, said } = start(t, script, script.settings, ['sh'], args);
    const given = result.split('\n').filter((line) => line.startsWith('<'));
    assert.deepEqual(given.slice(1), ['<--a=b c>', '<--d=e>', '<>'], said);
    for (const [setting, value] of Object.entries(script.settings)) {
      assert.ok(!result.includes(`${setting}=`) && !result.includes(`=${value}\n`), setting);
    }
  });
}

test('prometheus: a list of probes in lines of Windows', (t) => {
  const { prometheus } = scripts;
  assert.ok(prometheus);
  const lines = 'a=http://b/,\r\n\tc@d=http://e/\r\nf=http://g/\r\n';
  const { result } = start(t, prometheus, { STEALWATCH_TARGETS: lines });
  assert.match(result, /targets: \['a','c@d','f'\]/);
});

test('alertmanager: of its log the token of a webhook is cut out, and no word that a short path is in', () => {
  const { stdout } = spawnSync(
    'sh',
    ['alerts/alertmanager/start.sh', 'exec: https://hc.example/x failed, /services/T0ken/B1 too'],
    {
      env: {
        PATH: process.env['PATH'],
        ALERTMANAGER: 'echo',
        HEARTBEAT_URL: 'https://hc.example/x',
        SLACK_WEBHOOK_URL: 'https://hooks.slack.example/services/T0ken/B1',
      },
      encoding: 'utf8',
    },
  );
  assert.match(stdout, / exec: https:\/\/hc\.example\/x failed, \/<redacted> too\n$/);
});
