/** What is cheap of `npm run elsewhere`: tests that compare texts, numbers and times, elsewhere. */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { places, runElsewhere } from './elsewhere.ts';

const cases: Readonly<Record<string, readonly string[]>> = {
  'another CPU': ['exporter/golden.test.ts', 'exporter/collectors/host-info.test.ts'],
  'Kathmandu, in Turkish': [
    'alerts/slo/spec.test.ts',
    'tools/generate/generate.test.ts',
    'exporter/http/app.test.ts',
    'exporter/collectors/contract.test.ts',
    'exporter/config/read.test.ts',
    'exporter/measure/duration.test.ts',
    'exporter/golden.test.ts',
    'exporter/kmsg/episodes.test.ts',
    'exporter/core/verdict.test.ts',
  ],
  'no IPv6': ['exporter/http/app.test.ts', 'exporter/redis/client.test.ts'],
};

for (const [name, files] of Object.entries(cases)) {
  test(`elsewhere: ${name}`, async (t) => {
    const directory = mkdtempSync(join(tmpdir(), 'stealwatch-elsewhere-'));
    t.after(() => rmSync(directory, { recursive: true, force: true }));
    const place = places[name]?.(directory) ?? 'no such place';
    if (typeof place === 'string') {
      t.skip(place);
      return;
    }
    const log = join(directory, 'log');
    const { code, summary } = await runElsewhere(place, log, files);
    assert.equal(code, 0, readFileSync(log, 'utf8'));
    assert.match(summary, /^[1-9]\d* passed, 0 failed/);
  });
}
