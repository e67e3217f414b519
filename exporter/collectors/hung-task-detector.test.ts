import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Collector } from '../core/collector.ts';
import { isIncomplete } from '../core/collector.ts';
import { createPseudoFs } from '../procfs/reader.ts';
import { fixtureTree, writeTree } from '../../tools/rig/fixture-tree.ts';
import { hungTaskDetectorCollector } from './hung-task-detector.ts';

const sysctls = (count: string | undefined, warnings: string, timeout: string) => ({
  ...(count === undefined ? {} : { 'sys/kernel/hung_task_detect_count': count }),
  'sys/kernel/hung_task_warnings': warnings,
  'sys/kernel/hung_task_timeout_secs': timeout,
});

async function values(collector: Collector): Promise<Record<string, unknown>> {
  const families = await collector.collect(AbortSignal.timeout(1000));
  return Object.fromEntries(
    families.map(({ metric, samples }) => [metric.name, samples.map(({ value }) => value)]),
  );
}

test('hung-task-detector: count, budget and timeout', async (t) => {
  const root = fixtureTree(t, sysctls('3\n', '10\n', '120\n'));
  const collector = hungTaskDetectorCollector({ procfs: createPseudoFs(root) });
  assert.deepEqual(await values(collector), {
    stealwatch_hung_task_detections_total: [3],
    stealwatch_hung_task_warnings_left: [10],
    stealwatch_hung_task_timeout_seconds: [120],
  });
  assert.deepEqual(collector.report?.().findings, []);
  assert.equal(collector.report?.().signals?.[0]?.supported, true);

  writeTree(root, sysctls('5\n', '-1\n', '120\n'));
  assert.deepEqual((await values(collector))['stealwatch_hung_task_detections_total'], [5]);
  writeTree(root, sysctls('1\n', '-1\n', '120\n'));
  assert.deepEqual(
    (await values(collector))['stealwatch_hung_task_detections_total'],
    [6],
    'a count that was reset never makes the counter go back',
  );
  await collector.close?.();
});

test('hung-task-detector: before 6.13 there is no count, and a silent detector is said', async (t) => {
  const root = fixtureTree(t, sysctls(undefined, '0\n', '120\n'));
  const collector = hungTaskDetectorCollector({ procfs: createPseudoFs(root) });
  assert.deepEqual(Object.keys(await values(collector)), [
    'stealwatch_hung_task_warnings_left',
    'stealwatch_hung_task_timeout_seconds',
  ]);
  const { signals, findings } = collector.report?.() ?? {};
  assert.equal(signals?.[0]?.supported, false);
  assert.match(signals?.[0]?.reason ?? '', /6\.13/);
  assert.match(findings?.[0]?.text ?? '', /hung_task_warnings=-1/);

  writeTree(root, sysctls(undefined, '0\n', '0\n'));
  await values(collector);
  assert.match(collector.report?.().findings?.[0]?.text ?? '', /is off.*timeout_secs=120/);
  await collector.close?.();
});

test('hung-task-detector: absent without the sysctls, loud on text that is none', async (t) => {
  const absent = hungTaskDetectorCollector({ procfs: createPseudoFs(fixtureTree(t, {})) });
  assert.deepEqual(await values(absent), {});
  const root = fixtureTree(t, sysctls('3\n', '1.5\n', '120\n'));
  const broken = hungTaskDetectorCollector({ procfs: createPseudoFs(root) });
  await assert.rejects(values(broken), (error: Error) => {
    assert.match(error.message, /hung_task_warnings: unexpected text "1\.5\\n"/);
    assert.ok(isIncomplete(error));
    const names = error.families.map(({ metric }) => metric.name);
    assert.deepEqual(names, [
      'stealwatch_hung_task_detections_total',
      'stealwatch_hung_task_timeout_seconds',
    ]);
    return true;
  });
  await broken.close?.();
});
