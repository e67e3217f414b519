import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { stripVTControlCharacters } from 'node:util';
import type { Finding } from '../core/collector.ts';
import { healthy, serve } from '../../tools/rig/app-server.ts';
import { status } from './command.ts';

interface Run {
  readonly argv?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly colour?: boolean;
  readonly columns?: number;
}

async function run({ argv = [], env = {}, colour = false, ...more }: Run) {
  let [printed, complained] = ['', ''];
  const code = await status({
    argv,
    env,
    colour,
    ...more,
    print: (text) => void (printed += text),
    complain: (text) => void (complained += text),
  });
  return { code, printed, complained };
}

async function exporterWith(t: TestContext, ...findings: readonly Finding[]) {
  const report = () => ({ findings, evidence: { stealOfDemand: 0 } });
  const { port } = await serve(t, [{ ...healthy, report }]);
  return `127.0.0.1:${port}`;
}

const slow: Finding = { severity: 'warning', text: 'Redis is slow.' };
const down: Finding = { severity: 'bad', text: 'Redis is \u001b[2Jdown.' };

test('status: the text of the page, and 0, 1 or 2 by the worst of it', async (t) => {
  const well = await run({ argv: [await exporterWith(t)] });
  assert.equal(well.code, 0);
  assert.match(well.printed, /^ok {4}Your host is quiet/);
  assert.equal(well.complained, '');
  assert.equal((await run({ argv: [await exporterWith(t, slow)] })).code, 1);
  const place = await exporterWith(t, slow, down);
  const bad = await run({ argv: [`http://${place}`] });
  assert.equal(bad.code, 2);
  assert.match(bad.printed, /^BAD {3}Redis is \\x1b\[2Jdown\.$/m);
  assert.ok(bad.printed.includes(`\n      http://${place}/runbook/\n`), 'where to read on');
});

test('status: in colour where that is wanted, and its text is the same', async (t) => {
  const argv = [await exporterWith(t, slow, down)];
  const [plain, coloured] = [await run({ argv }), await run({ argv, colour: true })];
  assert.ok(!plain.printed.includes('\u001b'));
  assert.ok(coloured.printed.startsWith('\u001b[1;31mBAD\u001b[0m   Redis'));
  assert.equal(stripVTControlCharacters(coloured.printed), plain.printed);
});

test('status: a web configuration that cannot be read is named as it was set', async () => {
  const env = {
    STEALWATCH_WEB_CONFIG_FILE: '/nonexistent/web.yml',
    STEALWATCH_LISTEN: '127.0.0.1:1',
  };
  const said =
    /: how to ask it is not known, STEALWATCH_WEB_CONFIG_FILE: \/nonexistent\/web\.yml: cannot/;
  const { code, printed } = await run({ env });
  assert.equal(code, 2);
  assert.match(printed, said);
});

test('status: on a narrow terminal in its lines, and one of no width is taken for wide', async (t) => {
  const text = `Redis at redis://127.0.0.1:6379 ${'is slow '.repeat(20)}today.`;
  const argv = [await exporterWith(t, { severity: 'warning', text })];
  const widest = async (columns?: number) => {
    const { printed } = await run({ argv, ...(columns === undefined ? {} : { columns }) });
    assert.match(printed, /today\./);
    const lines = printed.split('\n').filter((line) => !line.startsWith('/status'));
    return Math.max(...lines.map(({ length }) => length));
  };
  const whole = await widest();
  assert.ok(whole > 60 && whole <= 80);
  assert.ok((await widest(50)) <= 40);
  assert.equal(await widest(0), whole);
  assert.equal(await widest(200), whole);
});

test('status: by itself it asks where --listen says, or the variable of the doctor', async (t) => {
  const place = await exporterWith(t);
  for (const [argv, env] of [
    [['--listen', place], {}],
    [[], { STEALWATCH_LISTEN: place.replace('127.0.0.1', '0.0.0.0') }],
    [[], { STEALWATCH_EXPORTER_URL: `http://user:s3cret@${place}` }],
    [[place], { STEALWATCH_EXPORTER_URL: 'http://127.0.0.1:1' }],
  ] as const) {
    assert.equal((await run({ argv, env })).code, 0);
  }
});

test('status: wrong options are 3, told with what was expected, and no password is repeated', async () => {
  for (const [argv, said] of [
    [['ftp://x'], /URL: expected a URL that starts with http/],
    [['10190'], /URL: expected HOST:PORT, such as 127\.0\.0\.1:10190/],
    [[':10190'], /URL: expected HOST:PORT, such as 127\.0\.0\.1:10190/],
    [['::1'], /URL: expected HOST:PORT, \[IPv6\]:PORT, or a URL/],
    [['127.0.0.1:99999'], /URL: expected HOST:PORT, \[IPv6\]:PORT, or a URL/],
    [[''], /URL: expected HOST:PORT/],
    [
      ['http://ann:s3cret@127.0.0.1:1'],
      /shows in ps: put the whole URL into STEALWATCH_EXPORTER_URL/,
    ],
    [['127.0.0.1:1', 's3cret'], /unexpected argument/],
    [['--no-such'], /--no-such: no such option/],
  ] as const) {
    const { code, printed, complained } = await run({ argv });
    assert.equal(code, 3);
    assert.equal(printed, '');
    assert.match(complained, said);
    assert.doesNotMatch(complained, /s3cret/);
  }
  const help = await run({ argv: ['--help'] });
  assert.equal(help.code, 0);
  assert.match(help.printed, /^Usage: stealwatch status \[URL\]/m);
});
