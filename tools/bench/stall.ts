/**
 * Whether the stall meter takes our own load for a machine that stood still: twice as many busy
 * loops as CPUs, beside a scrape every 5 s. Steal is the one excuse, so it is printed beside.
 * STALL_MINUTES=10 for more than two minutes of it.
 */
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { cpuModes, parseStat, ticksPerSecond } from '../../exporter/procfs/stat.ts';
import { startExporter } from '../rig/exporter-process.ts';
import { inScope, table, timedGet } from './figures.ts';

const minutes = Number(process.env['STALL_MINUTES'] ?? 2);

/** Seconds of all CPUs together that the host took since boot, from /proc/stat. */
function stolenSeconds(): number {
  const { total } = parseStat(readFileSync('/proc/stat', 'utf8'));
  return (total[cpuModes.indexOf('steal')] ?? Number.NaN) / ticksPerSecond;
}

function valueOf(text: string, series: string): number {
  const line = text.split('\n').find((one) => one.startsWith(`${series} `));
  return Number(line?.slice(series.length + 1));
}

export async function benchStall(): Promise<void> {
  await inScope(async (scope) => {
    const exporter = await startExporter(scope, ['--redis-url', 'redis://127.0.0.1:1']);
    const burners = availableParallelism() * 2;
    for (let i = 0; i < burners; i++) {
      const burner = spawn('/bin/sh', ['-c', 'while :; do :; done'], { stdio: 'ignore' });
      scope.after(() => void burner.kill('SIGKILL'));
    }
    const before = stolenSeconds();
    let longest = 0;
    for (const end = performance.now() + minutes * 60_000; performance.now() < end;) {
      await sleep(5000);
      const { body } = await timedGet(`${exporter.url}/metrics`);
      longest = Math.max(longest, valueOf(body, 'stealwatch_stall_longest_seconds'));
    }
    const { body } = await timedGet(`${exporter.url}/metrics`);
    const readings = valueOf(body, 'stealwatch_stall_seconds_count');
    const over = (bound: string) =>
      String(readings - valueOf(body, `stealwatch_stall_seconds_bucket{le="${bound}"}`));
    console.log(
      table([
        ['burners', 'minutes', 'readings', 'over 50 ms', 'over 100 ms', 'longest', 'stolen'],
        [
          String(burners),
          String(minutes),
          String(readings),
          over('0.05'),
          over('0.1'),
          `${longest.toFixed(3)} s`,
          `${(stolenSeconds() - before).toFixed(1)} s`,
        ],
      ]),
    );
  });
}
