/** A machine whose files go bad one after the other: no series of it goes away, no counter back. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { manualClock } from '../measure/clock.ts';
import { type Collector, type Family, isIncomplete } from './collector.ts';
import { everyCollector } from '../../tools/rig/every-collector.ts';
import { fixtureTree } from '../../tools/rig/fixture-tree.ts';
import { freePort } from '../../tools/rig/redis-server.ts';

const pressure =
  'some avg10=0.00 avg60=0.00 avg300=0.00 total=5\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=3\n';
const cpu = '1000 0 500 90000 0 0 0 7 0 0';

/** Each file, and the collectors that read it. */
const files: Readonly<Record<string, readonly [text: string, ...collectors: string[]]>> = {
  stat: [`cpu  ${cpu}\ncpu0 ${cpu}\nintr 1\nbtime 1700000000\nprocs_blocked 0\n`, 'cpu', 'steal'],
  meminfo: [
    'MemTotal: 2000 kB\nMemFree: 1000 kB\nMemAvailable: 1500 kB\nSwapTotal: 0 kB\nSwapFree: 0 kB\n',
    'memory',
  ],
  vmstat: ['pgmajfault 10\npswpin 0\npswpout 0\noom_kill 0\n', 'memory'],
  diskstats: [' 254 0 vda 10 0 10 10 10 0 10 10 0 10 10 0 0 0 0 1 1\n', 'disk'],
  loadavg: ['0.01 0.02 0.03 1/100 1234\n', 'load'],
  interrupts: ['     CPU0\nLOC: 1000 Local timer\nHYP: 4 Hypervisor\n', 'async-page-faults'],
  'pressure/cpu': [pressure, 'pressure'],
  'pressure/memory': [pressure, 'pressure'],
  'pressure/io': [pressure, 'pressure'],
  'sys/kernel/hung_task_detect_count': ['3\n', 'hung-task-detector'],
  'sys/kernel/hung_task_timeout_secs': ['120\n', 'hung-task-detector'],
  'sys/kernel/hung_task_warnings': ['10\n', 'hung-task-detector'],
  kmsg: ['6,1,1,-;boot\n', 'hung-tasks'],
};
const beside = {
  uptime: '90000.00 170000.00\n',
  'sys/devices/system/clocksource/clocksource0/available_clocksource': 'kvm-clock tsc\n',
  'sys/block/vda/device/vendor': '',
};
const names = new Set(Object.values(files).flatMap(([, ...collectors]) => collectors));

interface Published {
  readonly error: string | undefined;
  readonly values: ReadonlyMap<string, number | undefined>;
}

const nothing: Published = { error: '', values: new Map() };

/** A histogram stands for itself by its sum. */
function valuesOf(families: readonly Family[]): ReadonlyMap<string, number | undefined> {
  return new Map(
    families.flatMap(({ metric, samples }) =>
      samples.map(({ labels, value }) => [
        `${metric.type} ${metric.name} ${Object.values(labels).join(' ')}`,
        typeof value === 'number' ? value : value.sum,
      ]),
    ),
  );
}

async function publish(collector: Collector): Promise<Published> {
  try {
    return {
      error: undefined,
      values: valuesOf(await collector.collect(AbortSignal.timeout(5000))),
    };
  } catch (error) {
    assert.ok(error instanceof Error && isIncomplete(error), String(error));
    return { error: error.message, values: valuesOf(error.families) };
  }
}

const damages: Readonly<Record<string, (path: string, text: string) => void>> = {
  garbage: (path) => writeFileSync(path, 'garbage \u0001 -1 x\n'),
  'nothing in it': (path) => writeFileSync(path, ''),
  'half of it': (path, text) => writeFileSync(path, text.slice(0, text.length / 2)),
  'NULs for its digits': (path, text) => writeFileSync(path, text.replaceAll(/\d/g, '\0')),
};

for (const [damage, inflict] of Object.entries(damages)) {
  test(`kept: ${damage}, and no series goes away`, async (t) => {
    const texts = Object.entries(files).map(([path, [text]]) => [path, text] as const);
    const root = fixtureTree(t, { ...Object.fromEntries(texts), ...beside });
    const clock = manualClock();
    const all = everyCollector(root, await freePort(), clock);
    t.after(async () => {
      await Promise.all(all.map(async (collector) => collector.close?.()));
    });
    const collectors = all.filter(({ name }) => names.has(name));
    for (const [path, [text, ...readers]] of Object.entries(files)) {
      clock.advance(1);
      const before = new Map<string, Published>();
      for (const collector of collectors) before.set(collector.name, await publish(collector));
      inflict(join(root, path), text);
      clock.advance(1);
      for (const collector of collectors) {
        const { error, values } = before.get(collector.name) ?? nothing;
        const what = `${collector.name} with ${damage} of ${path}`;
        assert.equal(error, undefined, `${collector.name} before`);
        const now = await publish(collector);
        assert.deepEqual(new Set(now.values.keys()), new Set(values.keys()), what);
        for (const [series, value] of now.values) {
          if (!series.startsWith('counter')) continue;
          assert.ok((value ?? NaN) >= (values.get(series) ?? NaN), `${what}: ${series} went back`);
        }
        // A log that is empty or cut off has nothing new to say; of the load and of the CPU's
        // pressure all that is wanted stands in the first half.
        const silent =
          (path === 'kmsg' && damage !== 'garbage') ||
          (/^(?:loadavg|pressure.cpu)$/.test(path) && damage === 'half of it');
        if (!readers.includes(collector.name)) assert.equal(now.error, undefined, what);
        else if (!silent) assert.notEqual(now.error, undefined, `${what} is not told`);
      }
      // As before, with the log's next record.
      writeFileSync(join(root, path), path === 'kmsg' ? `${text}6,2,2,-;more\n` : text);
      clock.advance(120);
      for (const collector of collectors) await publish(collector);
    }
  });
}
