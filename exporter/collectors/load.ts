/** The one-minute load average. Rises with threads in D state that no other generic signal shows. */
import { type Collector, gauge, single } from '../core/collector.ts';
import { parseLoadavg } from '../procfs/loadavg.ts';
import type { PseudoFs } from '../procfs/reader.ts';

const load1 = gauge({
  name: 'stealwatch_load1',
  help: 'Load average over one minute, from /proc/loadavg.',
  note: 'Load average over one minute: runnable threads and threads in D state, from /proc/loadavg.',
});

export function loadCollector({ procfs }: { procfs: PseudoFs }): Collector {
  const file = procfs.file('loadavg');
  return {
    name: 'load',
    metrics: [load1],
    async collect() {
      const text = file.read();
      if (text === undefined) return [];
      return [single(load1, parseLoadavg(text).load1)];
    },
    async close() {
      file.close();
    },
  };
}
