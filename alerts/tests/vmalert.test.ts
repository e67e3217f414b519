/**
 * The rules in VictoriaMetrics' engine: the same unit tests as under promtool, but of the SLOs, whose rules
 * say themselves that they are not for it.
 */
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { watch } from '../replays/replay.ts';
import { type Scenario, timelineOf } from '../replays/table.ts';
import { type Engine, groupsOf, readTestFile, ruleFiles, runTests } from '../testing/rule-files.ts';
import { installedTools, run } from '../../tools/rig/prometheus-tools.ts';
import { victoriaMetrics } from '../../tools/rig/victoria-metrics.ts';

const generated = join(import.meta.dirname, '..', 'generated');
const found = victoriaMetrics();
const skip = 'skipped' in found ? found.skipped : false;
const program = (name: string) => join('bin' in found ? found.bin : '', name);

/** All pass, which takes two minutes of CPU and is asked for: `VMALERT_ALL=1`. Here those that most rests on. */
const all = process.env['VMALERT_ALL'] === '1';
const always = new Set(['host.yml', 'verdict.yml', 'why.yml']);
const names = readdirSync(import.meta.dirname)
  .filter((name) => name.endsWith('.yml') && !name.startsWith('slo'))
  .filter((name) => all || always.has(name));

/** What comes out otherwise there, and may: by the test's name. */
const differs: Readonly<Record<string, string>> = {
  'RedisReplicaLinkDown fires for a link that is down, and not for a first copy that ends':
    'a NaN is no sample there: the number before it stands, and the summary says 300 s for 255',
};

for (const name of names) {
  test(`rules of ${name} fire and are quiet as their tests say (vmalert)`, { skip }, () => {
    const file = readTestFile(join(import.meta.dirname, name));
    const tests = file.tests.filter((one) => differs[one.name] === undefined);
    const { code, text } = runTests(
      { program: program('vmalert-tool'), as: 'vmalert-tool' },
      { ...file, tests },
    );
    assert.equal(code, 0, text);
  });
}

/** Of a whole story: what fires, from when to when, within five seconds of what promtool has. */
const stories: readonly Scenario[] = all ? ['reboot', 'february', 'march'] : [];
for (const scenario of stories) {
  test(`${scenario} is told of as by Prometheus, within 5 s (vmalert)`, { skip }, () => {
    const timeline = timelineOf(scenario);
    const told = (engine: Engine) =>
      watch(engine, timeline)
        .map(({ labels, from, to }) => ({
          name: `${labels['alertname']} ${labels['host']}`,
          from,
          to,
        }))
        .sort((a, b) => a.name.localeCompare(b.name, 'en') || a.from - b.from);
    const [here, there] = [
      told({ program: installedTools().promtool }),
      told({ program: program('vmalert-tool'), as: 'vmalert-tool' }),
    ];
    assert.ok(here.length > 0);
    assert.deepEqual(
      there.map(({ name }) => name),
      here.map(({ name }) => name),
    );
    for (const [i, { name, from, to }] of here.entries()) {
      const other = there[i];
      assert.ok(
        other !== undefined && Math.abs(other.from - from) <= 5,
        `${name} at ${other?.from}, ${from}`,
      );
      assert.ok(Math.abs(other.to - to) <= 5, `${name} until ${other.to}, ${to}`);
    }
  });
}

/**
 * vmalert 1.145 says that a recorded series has ended by a marker for it, and cuts the values of its labels at
 * each comma then: the marker is another series' and the old one goes on beside the new, as two answers at once.
 */
test('no label that a record gives itself holds a comma or an equals sign', () => {
  const written = ruleFiles
    .flatMap(groupsOf)
    .flatMap(({ rules }) =>
      rules.flatMap((rule) => [
        ...[...rule.expr.matchAll(/"\w+", "((?:[^"\\]|\\.)*)", "", ""/g)].map(([, text]) => text),
        ...('record' in rule ? Object.values(rule.labels ?? {}) : []),
      ]),
    );
  assert.ok(written.length > 40, String(written.length));
  for (const text of written) assert.doesNotMatch(text ?? '', /[,=]/);
});

const refusals = (file: string) =>
  run(program('vmalert'), ['-dryRun', `-rule=${join(generated, file)}`]);

for (const file of ruleFiles.filter((name) => name !== 'slo.yml')) {
  test(`vmalert takes ${file}`, { skip }, () => {
    const { code, text } = refusals(file);
    assert.equal(code, 0, text);
  });
}

test('vmalert refuses slo.yml, and says why', { skip }, () => {
  const { code, text } = refusals('slo.yml');
  assert.notEqual(code, 0);
  assert.match(text, /not for vmalert: these rules build on one another within a group/);
});
