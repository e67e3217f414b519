import assert from 'node:assert/strict';
import { test } from 'node:test';
import { commandFor, helpText, parseTime, readOptions } from './options.ts';

const read = (...argv: string[]) => readOptions(argv, {});

function problems(...argv: string[]): readonly string[] {
  const command = read(...argv);
  return command.kind === 'invalid' ? command.problems : [];
}

test('options: none at all is the newest incident in every source', () => {
  const command = read();
  assert.ok(command.kind === 'run');
  const { root, lastBoot, redaction, out, kernLog } = command.options;
  assert.deepEqual(
    { root, lastBoot, redaction, out, kernLog },
    { root: '/', lastBoot: false, redaction: 'ticket', out: undefined, kernLog: [] },
  );
});

test('options: files may be given more than once, directories once', () => {
  const command = read('--kern-log', 'a', '--kern-log=b', '--redact', '--raw', '--force', '--json');
  assert.ok(command.kind === 'run');
  assert.deepEqual(command.options.kernLog, ['a', 'b']);
  assert.equal(command.options.redaction, 'all');
  assert.deepEqual(problems('--journal', 'a', '--journal', 'b'), ['--journal: expected once']);
});

test('options: a time has a zone or is UTC, wherever it is read', () => {
  const noon = Date.UTC(2026, 9, 14, 12) / 1000;
  for (const text of [
    '2026-10-14T12:00Z',
    '2026-10-14 12:00',
    '2026-10-14T14:00:00+02:00',
    '2026-10-14T06:30-0530',
    '2026-10-14t12:00:00.000z',
  ]) {
    assert.equal(parseTime(text), noon, text);
  }
  assert.equal(parseTime('2026-10-14'), noon - 12 * 3600);
  for (const text of [
    '',
    'yesterday',
    '2026-02-30',
    '2026-10-14T25:00Z',
    '14.10.2026',
    '1792000000',
    '2026-10-14T12:00 UTC',
  ]) {
    assert.throws(() => parseTime(text), /expected a time such as/, text);
  }
});

test('options: what is wrong is named with what was expected, all of it at once', () => {
  assert.deepEqual(problems('--from', 'noon', '--to'), [
    '--to: expected TIME after it',
    '--from: expected a time such as 2026-10-14T21:00Z, 2026-10-14T23:00+02:00 or "2026-10-14 21:00" (UTC); got "noon"',
  ]);
  assert.deepEqual(problems('--from', '2026-10-14', '--to', '2026-10-13'), [
    '--from, --to: expected --from to be before --to',
  ]);
  assert.deepEqual(problems('--last-boot', '--from', '2026-10-14'), [
    '--last-boot, --from/--to, --incident: expected one of the three',
  ]);
  assert.deepEqual(problems('--redact', '--no-redact'), [
    '--redact, --no-redact: expected one of the two',
  ]);
  assert.deepEqual(
    problems('--incident', 'x/../y'),
    [
      '--incident: expected the id of an incident as a report names it, such as 20261014T210331; got (not shown)',
    ].map((text) => text.replace('(not shown)', '"x/../y"')),
  );
  assert.deepEqual(problems('--force=yes'), ['--force: expected no value']);
  assert.deepEqual(problems('--out='), ['--out: expected DIR after it']);
});

test('options: what may hold a secret is repeated nowhere', () => {
  for (const argv of [
    ['--prometheus', 'ftp://me:hunter2@x'],
    ['--evidence', 'ftp://me:hunter2@x'],
    ['hunter2'],
    ['--hunter2=x y'],
  ]) {
    const said = problems(...argv);
    assert.ok(said.length > 0, argv.join(' '));
    assert.doesNotMatch(said.join('\n').replace('--hunter', ''), /hunter2/);
  }
});

test('options: the URL of Prometheus may stand in a variable', () => {
  const command = readOptions([], { STEALWATCH_PROMETHEUS: 'http://me:pw@watcher:9090' });
  assert.ok(command.kind === 'run');
  assert.equal(command.options.prometheus, 'http://me:pw@watcher:9090/');
  const wrong = readOptions([], { STEALWATCH_PROMETHEUS: 'watcher:pw' });
  assert.ok(wrong.kind === 'invalid');
  assert.deepEqual(wrong.problems, [
    'STEALWATCH_PROMETHEUS: expected a URL that starts with http:// or https://; got (not shown)',
  ]);
});

test('options: help lists every option', () => {
  assert.equal(read('--help', '--nonsense').kind, 'help');
  for (const flag of ['last-boot', 'root', 'raw', 'no-redact', 'evidence'])
    assert.ok(helpText().includes(`--${flag}`));
});

test('options: a root is there, and is believed where it was named', () => {
  assert.deepEqual(problems('--root', '/nope'), [
    '--root: expected a directory that is there; got "/nope"',
  ]);
  const command = read('--root', '.');
  assert.ok(command.kind === 'run');
  const { root, rootNamed } = command.options;
  assert.deepEqual({ root, rootNamed }, { root: '.', rootNamed: true });
});

function again(...argv: string[]): string {
  const command = read(...argv);
  assert.ok(command.kind === 'run');
  return commandFor(command.options, '20261014T210331');
}

test('options: the command for another incident asks the same sources, and holds no password', () => {
  assert.equal(again('--last-boot', '--out', 'x'), 'stealwatch report --incident 20261014T210331');
  const sources = [
    ['--root', '/'],
    ['--journal', "/mnt/it's"],
    ['--kern-log', '/a', '--kern-log', '/old disk/b'],
    ['--sysstat', '/sa20'],
    ['--redis-log', '/$(reboot)'],
    ['--host', 'web-1'],
    ['--evidence', '/kept'],
    ['--redact'],
  ].flat();
  assert.equal(
    again(...sources, '--prometheus', 'http://me:secret@watcher:9090'),
    String.raw`stealwatch report --root / --journal '/mnt/it'\''s' --kern-log /a --kern-log '/old disk/b' --sysstat /sa20 --redis-log '/$(reboot)' --prometheus URL --host web-1 --evidence /kept --redact --incident 20261014T210331`,
  );
  assert.match(
    again('--prometheus', 'http://watcher:9090'),
    / --prometheus http:\/\/watcher:9090\/ /,
  );
  assert.doesNotMatch(again('--evidence', 'http://watcher/evidence?token=secret'), /secret/);
});
