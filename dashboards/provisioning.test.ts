import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { parse } from 'yaml';
import { scrapeIntervalSeconds } from '../alerts/thresholds.ts';

function provisioned(path: string): unknown {
  return parse(readFileSync(join(import.meta.dirname, 'provisioning', path), 'utf8'));
}

test('the data source knows the scrape interval', () => {
  const { datasources } = provisioned('datasources/stealwatch.yml') as {
    datasources: { type: string; url: string; jsonData: { timeInterval: string } }[];
  };
  const [source] = datasources;
  assert.equal(datasources.length, 1);
  assert.equal(source?.type, 'prometheus');
  assert.equal(source.jsonData.timeInterval, `${scrapeIntervalSeconds}s`);
  assert.equal(source.url, '${STEALWATCH_PROMETHEUS_URL}');
});

test('dashboards are provisioned read-only from a path of the environment', () => {
  const { providers } = provisioned('dashboards/stealwatch.yml') as {
    providers: { type: string; allowUiUpdates: boolean; options: { path: string } }[];
  };
  assert.deepEqual(
    providers.map(({ type, allowUiUpdates, options }) => [type, allowUiUpdates, options.path]),
    [['file', false, '${STEALWATCH_DASHBOARDS_PATH}']],
  );
});
