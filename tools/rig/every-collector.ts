import { type Clock, systemClock } from '../../exporter/measure/clock.ts';
import type { Collector } from '../../exporter/core/collector.ts';
import { collectorNames, createCollectors } from '../../exporter/collectors/index.ts';
import { readConfig } from '../../exporter/config/read.ts';
import { createPseudoFs } from '../../exporter/procfs/reader.ts';
import { createRequestCounter } from '../../exporter/core/requests.ts';

/** What brings in the collectors that have nothing to do unless they are configured. */
const configured = [
  '--app=shop=http://127.0.0.1:1/',
  '--heartbeat-url=http://127.0.0.1:1/',
  '--canary=4',
  '--evidence-dir=/dev/null/evidence',
  '--agents=/dev/null/agents',
];

/**
 * Every collector there is, on a tree that has the files of /proc at its root, those of /sys below
 * `sys` and the kernel log in `kmsg`. Nobody need listen on the port of Redis. To be closed.
 */
export function everyCollector(
  root: string,
  redisPort: number,
  clock: Clock = systemClock,
): Collector[] {
  const redis = `--redis-url=redis://127.0.0.1:${redisPort}`;
  const command = readConfig({
    argv: [`--kmsg=${root}/kmsg`, redis, ...configured],
    env: {},
    version: 'test',
    collectors: collectorNames,
  });
  if (command.kind !== 'run') throw new Error(`not a valid configuration: ${command.kind}`);
  return createCollectors({
    config: command.config,
    clock,
    procfs: createPseudoFs(root),
    sysfs: createPseudoFs(`${root}/sys`),
    requests: createRequestCounter(),
    log: { dropped: () => 0, problem: () => undefined },
    webConfig: { problem: () => undefined },
    kernelLog: () => undefined,
    checks: () => [],
  });
}

/** The same where there is nothing to read, closed already: for what they declare. */
export async function declaredCollectors(): Promise<readonly Collector[]> {
  const collectors = everyCollector('/nonexistent', 1);
  await Promise.all(collectors.map(async (collector) => collector.close?.()));
  return collectors;
}
