/** The promtool tests of one release: a test file each for two releases, so that they run side by side. */
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { readTestFile, ruleFiles, runTests } from './rule-files.ts';
import { run, type Tools } from '../../tools/rig/prometheus-tools.ts';

const alerts = join(import.meta.dirname, '..');

/** A day of samples each, a minute of CPU: one release will do, as the same rules over hours are tested under both. */
const ofADay = new Set(['slo-day.yml', 'slo-slow.yml']);

export function promtoolTests({ label, promtool }: Tools, withDays: boolean): void {
  test(`promtool finds nothing to say about the rules (${label})`, () => {
    const paths = ruleFiles.map((file) => join(alerts, 'generated', file));
    const { code, text } = run(promtool, [
      'check',
      'rules',
      '--lint=all',
      '--lint-fatal',
      ...paths,
    ]);
    assert.equal(code, 0, text);
  });

  const names = readdirSync(join(alerts, 'tests')).filter((file) => file.endsWith('.yml'));
  for (const name of names.filter((name) => withDays || !ofADay.has(name))) {
    test(`rules of ${name} fire and are quiet as their tests say (${label})`, () => {
      const { code, text } = runTests(
        { program: promtool },
        readTestFile(join(alerts, 'tests', name)),
      );
      assert.equal(code, 0, text);
    });
  }
}
