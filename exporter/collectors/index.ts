/**
 * Every collector of the exporter, in one explicit array: the order is the order of `/metrics`.
 * Adding one is one file, its test, one entry here, and the golden files.
 */
import type { Clock } from '../clock.ts';
import type { Check, Collector } from '../collector.ts';
import type { Config } from '../config.ts';
import type { PseudoFs } from '../procfs/reader.ts';
import type { RequestCounter } from '../requests.ts';
import { exporterCollector } from './exporter.ts';
import { heartbeatCollector } from './heartbeat.ts';
import { loadCollector } from './load.ts';

/** What a factory may ask for. Nothing else is global. */
export interface Dependencies {
  readonly config: Config;
  readonly clock: Clock;
  readonly procfs: PseudoFs;
  readonly sysfs: PseudoFs;
  readonly requests: RequestCounter;
  /** What `/status` says of all collectors, these ones included. */
  readonly checks: () => readonly Check[];
}

const factories: Readonly<Record<string, (dependencies: Dependencies) => Collector>> = {
  load: loadCollector,
  heartbeat: heartbeatCollector,
  exporter: exporterCollector,
};

/** The words that `--without` takes. */
export const collectorNames: readonly string[] = Object.keys(factories);

/** Make every collector that the configuration does not leave out. */
export function createCollectors(dependencies: Dependencies): Collector[] {
  const { without } = dependencies.config;
  return Object.entries(factories)
    .filter(([name]) => !without.includes(name))
    .map(([, factory]) => factory(dependencies));
}
