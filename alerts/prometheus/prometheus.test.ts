import assert from 'node:assert/strict';
import { cpSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { parse } from 'yaml';
import { seconds } from '../replays/timeline.ts';
import { inTemporaryDirectory } from '../testing/rule-files.ts';
import { allTools, run } from '../../tools/rig/prometheus-tools.ts';
import {
  evaluationIntervalSeconds,
  retentionDays,
  scrapeIntervalSeconds,
  sliceSeconds,
} from '../thresholds.ts';

interface Job {
  readonly job_name: string;
  readonly scrape_interval?: string;
  readonly scrape_timeout?: string;
  readonly static_configs: readonly { readonly labels?: Readonly<Record<string, string>> }[];
  readonly relabel_configs: readonly {
    readonly source_labels: readonly string[];
    readonly regex: string;
    readonly target_label: string;
  }[];
}

interface Config {
  readonly global: {
    readonly scrape_interval: string;
    readonly scrape_timeout: string;
    readonly evaluation_interval: string;
  };
  readonly scrape_configs: readonly Job[];
}

const path = join(import.meta.dirname, 'prometheus.yml');
const text = readFileSync(path, 'utf8');
const config: Config = parse(text);

for (const { label, promtool } of allTools()) {
  test(`Prometheus takes the configuration and the rules (${label})`, () => {
    inTemporaryDirectory((directory) => {
      cpSync(path, join(directory, 'prometheus.yml'));
      cpSync(join(import.meta.dirname, '..', 'generated'), join(directory, 'rules'), {
        recursive: true,
      });
      const { code, text: said } = run(promtool, ['check', 'config', 'prometheus.yml'], directory);
      assert.equal(code, 0, said);
      const files = readdirSync(join(directory, 'rules')).length;
      assert.match(said, new RegExp(`\\b${files} rule files found`));
    });
  });
}

test('every target has the label host, by which alerts silence one another', () => {
  assert.ok(config.scrape_configs.length >= 3);
  for (const { job_name, relabel_configs } of config.scrape_configs) {
    const fallback = relabel_configs.find(({ target_label }) => target_label === 'host');
    assert.deepEqual(fallback?.source_labels, ['host', '__address__'], job_name);
    const regex = new RegExp(`^(?:${fallback.regex})$`);
    assert.equal(regex.exec(';10.0.0.1:10190')?.[1], '10.0.0.1');
    assert.equal(regex.exec('named;10.0.0.1:10190'), null, 'a host that is named keeps its name');
  }
});

test('intervals are those that the thresholds and the SLOs count with', () => {
  const { scrape_interval, scrape_timeout, evaluation_interval } = config.global;
  assert.equal(seconds(scrape_interval), scrapeIntervalSeconds);
  assert.equal(seconds(evaluation_interval), evaluationIntervalSeconds);
  assert.ok(seconds(scrape_timeout) <= seconds(scrape_interval));
  assert.ok(4 * scrapeIntervalSeconds <= sliceSeconds, 'a rate over a slice needs four scrapes');
  assert.ok(text.includes(`--storage.tsdb.retention.time=${retentionDays}d`));
  const job = config.scrape_configs.find(({ job_name }) => job_name === 'stealwatch');
  assert.equal(job?.scrape_interval, undefined, 'the job goes by the global interval');
});
