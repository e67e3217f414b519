/** What stands in files and answers is others' text: it neither stops the doctor nor reaches the screen as it is. */
import assert from 'node:assert/strict';
import { truncateSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import {
  askOne,
  doctorOptions,
  examineOne,
  exporterAt,
  machineIn,
} from '../../tools/rig/doctor-machine.ts';
import { fixtureTree } from '../../tools/rig/fixture-tree.ts';
import { httpSink } from '../../tools/rig/http-sink.ts';
import { checks } from './checks.ts';
import { examine, resultsOf } from './examine.ts';
import { samplesOf } from './exporter.ts';
import { stopwatch } from '../../tools/rig/waited.ts';
import { savePointsInArguments, savePointsInFile } from './save-points.ts';
import { jsonOf, screenOf } from './screen.ts';

const escapes = '\u001b]0;owned\u0007\u001b[2Jred\nFAIL  forged: line\u202e\u0085';

test('doctor: control characters of others stay out of the screen', async (t) => {
  const folder = `var/lib/docker/containers/${'a'.repeat(64)}`;
  const root = fixtureTree(t, {
    'sys/class/dmi/id/sys_vendor': escapes,
    'etc/sysstat/sysstat': `SADC_OPTIONS=${escapes}\n`,
    [`${folder}/config.v2.json`]: JSON.stringify({
      Name: `/${escapes}`,
      State: { Running: true },
      Config: { Image: 'redis' },
    }),
  });
  const told = {
    redis: { info: `redis_version:${escapes.replaceAll('\n', ' ')}`, config: { save: escapes } },
    exporter: { checks: [{ name: 'heartbeat', ok: false, state: 'failed', reason: escapes }] },
    alertmanager: {
      receivers: [{ name: escapes, ways: 0 }],
      ways: [],
      watchdog: true,
      silenced: false,
    },
  };
  const results = await resultsOf(checks, machineIn(root, told));
  const screen = screenOf(results);
  // oxlint-disable-next-line no-control-regex
  assert.doesNotMatch(screen.replaceAll('\n', ''), /[\u0000-\u001f\u007f-\u009f\u202e]/);
  assert.doesNotMatch(screen, /^FAIL {2}forged/m);
  assert.ok(
    results.some(({ reason }) => reason.includes('red')),
    'they were seen',
  );
  assert.deepEqual((JSON.parse(jsonOf(results)) as { results: unknown }).results, results);
});

test('doctor: files of 1 GB, torn ones and wrong shapes are blind spots of one check each', async (t) => {
  const big = 'var/lib/docker/containers/b/config.v2.json';
  const root = fixtureTree(t, { [big]: '', 'etc/docker/daemon.json': '{"data-root": 7}' });
  truncateSync(join(root, big), 1e9);
  const { state, reason } = await askOne('container-pids-limit', root);
  assert.equal(state, 'cannot_see');
  assert.match(reason, /config\.v2\.json: it is larger than 1 MiB/);
  for (const [text, said] of [
    ['[]', /expected a mapping/],
    ['null', /expected a mapping/],
    ['{"State":', /not JSON/],
  ] as const) {
    const other = fixtureTree(t, { 'var/lib/docker/containers/c/config.v2.json': text });
    assert.match((await askOne('container-pids-limit', other)).reason, said);
  }
  const odd = fixtureTree(t, {
    'var/lib/docker/containers/d/config.v2.json': JSON.stringify({
      State: { Running: true, Pid: 'x' },
      Config: { Healthcheck: { Test: [1, { a: 2 }], Interval: 'soon' }, Image: 3 },
      Path: 7,
      Args: 'redis-server',
      Name: null,
    }),
    'var/lib/docker/containers/d/hostconfig.json': '{"PidsLimit":"many","RestartPolicy":[]}',
  });
  assert.match((await askOne('container-pids-limit', odd)).reason, /^no limit/);
});

test('doctor: a proc file system that is none, or whose files are folders, blinds and does not stop', async (t) => {
  const root = fixtureTree(t, { 'proc/meminfo/x': '', 'proc/interrupts/x': '' });
  mkdirSync(join(root, 'proc/sys/kernel/hung_task_warnings'), { recursive: true });
  const results = await examine(doctorOptions(root));
  assert.equal(results.length, checks.length);
  const budget = results.find(({ id }) => id === 'hung-task-budget');
  assert.equal(budget?.state, 'cannot_see', budget?.reason);
});

const page = (body: string, status = 200) => ({ body, status });

test('doctor: whatever answers in the place of the exporter is told, and no secret with it', async (t) => {
  const good = '{"status":"ok","checks":[]}';
  for (const [status, metrics, said] of [
    [page('<html>'), page(''), /its \/status is not JSON/],
    [page('{}'), page(''), /has no checks/],
    [page('null'), page(''), /has no checks/],
    [page(good), page('# nothing\n'), /in part only/],
    [page(good), page('stealwatch_verdict 9'), /in part only/],
    [page('', 401), page('', 401), /does not take the credentials that it was given \(HTTP 401\)/],
    [page('', 404), page(''), /answers HTTP 404/],
    [page('', 302), page(''), /answers HTTP 302/],
    [page(good, 503), page('stealwatch_verdict 9\n'), /it does/],
  ] as const) {
    const sink = await httpSink(t, ({ url }, response) => {
      const { body, status: code } = url === '/status' ? status : metrics;
      response.writeHead(code).end(body);
    });
    const url = new URL(sink.url);
    url.username = 'ann';
    url.password = 's3cret';
    const { reason } = await examineOne('exporter', fixtureTree(t, {}), {
      exporter: exporterAt(url.href, { token: 's3cret' }),
    });
    assert.match(reason, said);
    assert.doesNotMatch(reason, /s3cret|ann:/);
  }
});

test('doctor: credentials reach the exporter, as a user or as a token', async (t) => {
  const seen: (string | undefined)[] = [];
  const sink = await httpSink(t, ({ headers }, response) => {
    seen.push(headers.authorization);
    response.end();
  });
  const root = fixtureTree(t, {});
  await examineOne('exporter', root, { exporter: exporterAt(sink.url, { token: 'T' }) });
  const url = sink.url.replace('//', '//ann:p%40ss@');
  await examineOne('exporter', root, { exporter: exporterAt(url) });
  const basic = `Basic ${Buffer.from('ann:p@ss').toString('base64')}`;
  assert.deepEqual(new Set(seen), new Set(['Bearer T', basic]));
});

test('doctor: lines of the text format, and what is none', () => {
  const text = [
    '# HELP a_total A.',
    'a_total{b="x\\"y\\\\z\\n",c="}"} 1.5 1700000000000',
    'a_total_more 7',
    'a_total 2',
    'a_total{ 3',
    'a_total NaN',
    '',
  ].join('\n');
  assert.deepEqual(samplesOf(text, 'a_total'), [
    { labels: { b: 'x"y\\z\n', c: '}' }, value: 1.5 },
    { labels: {}, value: 2 },
    { labels: {}, value: NaN },
  ]);
});

test('doctor: save points as files and arguments have them', () => {
  for (const [text, points] of [
    ['', undefined],
    ['# save 60 5\nport 1\n', undefined],
    ['save 3600 1 300 100\n', '3600 1 300 100'],
    ['save "3600 1"\n  SAVE 60\t5\r\n', '3600 1 60 5'],
    ['save 60 5\nsave ""\n', ''],
    ["save ''\nsave 60 5\n", '60 5'],
    ['save-more 1 2\n', undefined],
  ] as const) {
    assert.equal(savePointsInFile(text), points, JSON.stringify(text));
  }
  for (const [command, points] of [
    [['redis-server'], undefined],
    [['redis-server', '--save', ''], ''],
    [['redis-server', '--save', '', '--port', '1'], ''],
    [['redis-server', '/x.conf', '--save', '60', '5', '--save', '9 1'], '60 5 9 1'],
    [['sh', '-c', 'exec redis-server --save "" --appendonly no'], ''],
    [['sh', '-c', "redis-server --save '60 5'"], '60 5'],
  ] as const) {
    assert.equal(savePointsInArguments(command), points, command.join(' '));
  }
});

test('doctor: a megabyte of anything costs no more than its length', async (t) => {
  const mebibyte = 1024 * 1024;
  for (const filler of ['a', ' ', '\n', '"', "'", '{', 'a="', '\\', '= ', '\t\n', '- ', '[']) {
    const text = filler.repeat(mebibyte / filler.length - 100 / filler.length);
    const metrics = `stealwatch_app_health_lying{${text.replaceAll('\n', ' ')}} 1\n${text}`;
    const root = fixtureTree(t, {
      'etc/sysstat/sysstat': text,
      'etc/default/sysstat': text,
      'etc/machine-id': text,
      'etc/docker/daemon.json': text,
      'lib/systemd/system/redis.service': text,
      'proc/42/root/etc/redis.conf': text,
      'proc/42/cgroup': `0::/system.slice/redis.service\n`,
      'sys/kernel/mm/transparent_hugepage/enabled': text,
      'proc/meminfo': text,
      'proc/uptime': text,
      'proc/interrupts': text,
    });
    const told = {
      redis: {
        info: 'config_file:/etc/redis.conf',
        config: { save: '', appendonly: text },
        process: { pid: 42, comm: 'redis-server', startTicks: 1 },
      },
      exporter: { metrics },
    };
    let most = 0;
    const watch = stopwatch();
    const results = await resultsOf(checks, machineIn(root, told));
    most = Math.max(...results.map(({ reason }) => reason.length));
    screenOf(results);
    watch.within(4000, JSON.stringify(filler));
    assert.ok(most <= 1000, `${JSON.stringify(filler)}: a reason of ${most} characters`);
  }
});

const config = (original: unknown) => JSON.stringify({ config: { original } });

test('doctor: whatever answers in the place of Alertmanager is told', async (t) => {
  for (const [status, alerts, said] of [
    ['<html>', '[]', /\/api\/v2\/status is not JSON/],
    ['null', '[]', /does not answer as Alertmanager does/],
    [config(7), '[]', /does not answer as Alertmanager does/],
    [config('route: {}'), '{}', /does not answer as Alertmanager does/],
    [config('a: b: s3cret: ]'), '[]', /its configuration is no YAML$/],
    [config('[]'), '[]', /its configuration has no route/],
    [config('"'.repeat(40_000)), '[]', /longer than 32 kB/],
    [
      config('route: { receiver: a, routes: [7, { receiver: b }] }\nreceivers: 7'),
      '[]',
      /tell nobody: a, b/,
    ],
    [
      config('route: { receiver: a }\nreceivers: [{ name: a, webhook_configs: [{}] }]'),
      '[]',
      /Watchdog is not firing/,
    ],
  ] as const) {
    const sink = await httpSink(t, ({ url = '' }, response) => {
      const answer = url.startsWith('/am/api/v2/status') ? status : alerts;
      response.end(url.endsWith('/metrics') ? '' : answer);
    });
    const { state, reason } = await examineOne('alert-route', fixtureTree(t, {}), {
      alertmanager: new URL(`${sink.url}/am`),
    });
    assert.equal(state, 'fail');
    assert.match(reason, said);
    assert.doesNotMatch(reason, /s3cret/);
  }
});

test('doctor: the files of a container are not those of the machine, and nothing is said of them', async (t) => {
  const blinded = async (files: Readonly<Record<string, string>>) => {
    const results = await examine(doctorOptions(fixtureTree(t, { 'etc/x': '', ...files })));
    const blind = results.filter(({ reason }) => /^this is a container, .*--root/.test(reason));
    assert.ok(blind.every(({ state }) => state === 'cannot_see'));
    return blind.map(({ id }) => id).join(' ');
  };
  assert.equal(await blinded({}), '');
  const ofFiles =
    'journal journal-depth sysstat sysstat-interrupts container-health-checks container-pids-limit container-restart-policy time-sync';
  assert.equal(await blinded({ '.dockerenv': '' }), ofFiles);
  assert.equal(await blinded({ 'run/.containerenv': '' }), ofFiles);
});
