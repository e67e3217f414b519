import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { until } from '../../tools/rig/redis-server.ts';
import { stopwatch } from '../../tools/rig/waited.ts';
import { installedTools } from '../../tools/rig/prometheus-tools.ts';
import { createCleanup, runOnce } from './drill.ts';
import { obstacle } from './programs.ts';

for (const variant of ['sigstop', 'dstate'] as const) {
  test(`a frozen Redis is a message within seconds (${variant})`, async (t) => {
    const why = obstacle(variant);
    if (why !== undefined) {
      t.skip(why);
      return;
    }
    const cleanup = createCleanup();
    const { slowdown } = stopwatch();
    t.after(() => cleanup.all());
    const run = await runOnce(installedTools(), variant, cleanup);
    t.diagnostic(JSON.stringify(run));
    // The drill's own target is 15 s; a machine that runs the rest of the tests gets more.
    assert.ok(run.message_seconds < 25 * slowdown(), `message after ${run.message_seconds} s`);
    // Nobody was told before anything was wrong: the rule needs five seconds of silence.
    assert.ok(run.message_seconds > 4, `message after ${run.message_seconds} s`);
    assert.ok(run.rule_seconds > 4, `rule after ${run.rule_seconds} s`);
  });
}

/** Processes that have this text in their command line. */
function processesOf(text: string): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(text);
      } catch {
        return false;
      }
    })
    .map(Number);
}

test('a program that was stopped is ended, and its directory gone, when its starter is killed', async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'stealwatch-drill-test-'));
  const keeper = join(import.meta.dirname, 'while-open.sh');
  // The starter has the only writing end of the keeper's standard input.
  const starter = spawn(
    process.execPath,
    [
      '--eval',
      `const { spawn } = require('node:child_process');
       const kept = spawn(process.argv[1], [process.argv[2], 'sleep', '1234567'], { stdio: ['pipe', 'inherit', 'inherit'] });
       setInterval(() => kept, 1000);`,
      keeper,
      directory,
    ],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  const pid = await new Promise<number>((resolve) => {
    starter.stdout.setEncoding('utf8').once('data', (text: string) => resolve(Number(text)));
  });
  t.after(() => {
    // Only when the keeper failed: whoever holds this pipe would keep the test from ending.
    starter.stdout.destroy();
    if (existsSync(`/proc/${pid}`)) process.kill(pid, 'SIGKILL');
  });
  process.kill(pid, 'SIGSTOP');
  starter.kill('SIGKILL');
  await until('the stopped program is gone', () => !existsSync(`/proc/${pid}`));
  await until('its directory is gone', () => !existsSync(directory));
  await until('the keeper has ended', () => processesOf(directory).length === 0);
});
