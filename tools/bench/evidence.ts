/**
 * What the flight recorder costs the event loop: a tick, an answer, and its bytes, with an incident of
 * two days whose every second is worth telling. Under the flags of the launcher or without, as it is run.
 */
import { gzipSync } from 'node:zlib';
import { columnNames } from '../../exporter/core/second.ts';
import { verdictOf } from '../../exporter/core/verdict.ts';
import { createEvidenceText } from '../../exporter/evidence/answer.ts';
import { createRecorder } from '../../exporter/evidence/recorder.ts';
import { redisStates } from '../../exporter/redis/state.ts';
import { ms, table } from './figures.ts';

const hours = 49;

const cpuSeconds = () => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
};

function timed<T>(work: () => T): readonly [T, number] {
  const before = cpuSeconds();
  const result = work();
  return [result, cpuSeconds() - before];
}

export async function benchEvidence(): Promise<void> {
  let at = 1000;
  const recorder = createRecorder({ sinceBoot: () => at, bootId: 'b', stealThreshold: 0.1 });
  const text = createEvidenceText({
    recorder,
    machine: {},
    bootId: 'b',
    version: '',
    now: () => ({ wall: at, monotonic: at }),
  });
  const status = { verdict: verdictOf({}), checks: [] };
  const rows: string[][] = [];
  const [, all] = timed(() => {
    for (let second = 1; second <= hours * 3600; second += 1) {
      at += 1;
      const values = Object.fromEntries(columnNames.map((name) => [name, 123.456]));
      const frozen = { ...values, redis_state: redisStates.indexOf('frozen') };
      recorder.tick({ reports: [{ second: frozen }], status });
      if (![300, 3600, hours * 3600].includes(second)) continue;
      const [answer, seconds] = timed(() => text.text());
      const [zipped, zipSeconds] = timed(() => gzipSync(answer, { level: 1 }));
      rows.push([
        `${Math.round(second / 60)} min`,
        `${(answer.length / 1000).toFixed(0)} kB`,
        ms(seconds),
        `${(zipped.length / 1000).toFixed(0)} kB`,
        ms(zipSeconds),
      ]);
    }
  });
  console.log(table([['incident of', 'answer', 'CPU', 'gzip', 'CPU'], ...rows]));
  console.log(`a tick: ${((all / (hours * 3600)) * 1e6).toFixed(0)} us`);
}
