import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { readAgents } from './agents.ts';

async function read(t: TestContext, files: Readonly<Record<string, string>>) {
  const directory = mkdtempSync(join(tmpdir(), 'stealwatch-agents-'));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  for (const [name, text] of Object.entries(files)) writeFileSync(join(directory, name), text);
  mkdirSync(join(directory, 'folder.yml'));
  const { agents, problems } = await readAgents(directory);
  return {
    agents: agents.map(({ host, url }) => `${host} ${url.href}`),
    problems: problems.filter((problem) => !problem.startsWith('folder.yml')),
  };
}

test('agents: the example that ships, as Prometheus reads it', async (t) => {
  const example = readFileSync('targets/agents.yml.example', 'utf8');
  assert.deepEqual(await read(t, { 'agents.yml': example, 'agents.yml.example': '{' }), {
    agents: ['vps1 https://vps1.example.org:10190/evidence', 'vps2 http://10.8.0.7:10190/evidence'],
    problems: [],
  });
});

test('agents: JSON, several targets, IPv6, no label, another path', async (t) => {
  const json = JSON.stringify([
    { targets: ['a.example:1', '[2001:db8::1]:2'] },
    { targets: ['c:3'], labels: { host: 'C', __metrics_path__: '/vps/metrics' } },
    { targets: [] },
  ]);
  assert.deepEqual((await read(t, { 'x.json': json, 'empty.yml': '' })).agents, [
    'a.example http://a.example:1/evidence',
    '[2001:db8::1] http://[2001:db8::1]:2/evidence',
    'C http://c:3/vps/evidence',
  ]);
});

test('agents: one file that is wrong takes nothing from the others, and is named without what it holds', async (t) => {
  const wrong: Readonly<Record<string, string>> = {
    'a.yml': '- targets: [s3cret\n',
    'b.yml': 'targets: s3cret\n',
    'c.yml': '- targets: s3cret\n',
    'd.yml': '- targets: ["http://user:s3cret@x:1/"]\n',
    'e.yml': '- targets: ["x:1"]\n  labels: {__scheme__: gopher}\n',
    'f.yml': '- targets: ["x:1/../../etc"]\n',
    'g.yml': '- targets: [17]\n',
  };
  const { agents, problems } = await read(t, { ...wrong, 'z.yml': "- targets: ['ok:1']\n" });
  assert.deepEqual(agents, ['ok http://ok:1/evidence']);
  assert.deepEqual(
    problems.map((problem) => problem.slice(0, 5)),
    Object.keys(wrong),
  );
  assert.doesNotMatch(problems.join(), /s3cret/);
});

test('agents: a folder that is not there is told', async () => {
  assert.deepEqual(await readAgents('/nonexistent/agents'), {
    agents: [],
    problems: ['/nonexistent/agents: ENOENT'],
  });
});

test('agents: a file that is being written is no shorter list', async (t) => {
  const { agents, problems } = await read(t, { 'a.yml': "- targets: ['a:1']\n- targets: ['b:" });
  assert.deepEqual(agents, []);
  assert.match(problems.join(), /^a\.yml: it is no YAML at line 2$/);
});
