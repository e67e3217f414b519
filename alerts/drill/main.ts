/**
 * The drill: a real Redis, the exporter, Prometheus and Alertmanager with the configuration that
 * ships, and a webhook to be paged at. Redis is frozen for real; what is printed is how many seconds
 * each stage took to see it.
 *
 *   npm run drill -- [--runs N] [--variant dstate|sigstop] [--no-stall] [--json]
 *
 * dstate needs root: redis-server in D state on a frozen file system, where SIGKILL does nothing.
 * sigstop needs nothing. Without --variant both are run where they can be. Everything is put back
 * whatever happens. Exit code 1 when a target is missed.
 */
import { parseArgs } from 'node:util';
import { installedTools } from '../../tools/rig/prometheus-tools.ts';
import { median } from '../../tools/rig/quantile.ts';
import { createCleanup, type Run, runOnce, stallPagesNobody } from './drill.ts';
import { obstacle, type Variant } from './programs.ts';

const target = { medianSeconds: 10, worstSeconds: 15, stallSeconds: 4 };
const variants: readonly Variant[] = ['dstate', 'sigstop'];

function options() {
  const { values } = parseArgs({
    options: {
      runs: { type: 'string', default: '1' },
      variant: { type: 'string' },
      json: { type: 'boolean', default: false },
      'no-stall': { type: 'boolean', default: false },
    },
  });
  const runs = Number(values.runs);
  if (!Number.isInteger(runs) || runs < 1) throw new Error(`--runs: expected 1 or more`);
  const chosen = variants.filter((one) => values.variant === undefined || one === values.variant);
  if (chosen.length === 0) throw new Error(`--variant: expected ${variants.join(' or ')}`);
  return { runs, chosen, json: values.json, stall: !values['no-stall'] };
}

const cell = (seconds: number) => `${seconds.toFixed(2)} s`.padStart(10);

/** Prints one variant's lines; returns what missed its target. */
function summary(variant: Variant, runs: readonly Run[]): string[] {
  const messages = runs.map(({ message_seconds }) => message_seconds);
  const worst = Math.max(...messages);
  const middle = median(messages);
  console.log(
    `${variant}: freeze to message median ${middle.toFixed(2)} s, worst ${worst.toFixed(2)} s of ${runs.length}`,
  );
  const missed = [];
  if (middle > target.medianSeconds)
    missed.push(`${variant}: median above ${target.medianSeconds} s`);
  if (worst > target.worstSeconds) missed.push(`${variant}: worst above ${target.worstSeconds} s`);
  return missed;
}

const { runs, chosen, json, stall } = options();
const tools = installedTools();
const cleanup = createCleanup();
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.once(signal, () => {
    void cleanup.all().then(() => process.exit(130));
  });
}

const done: Run[] = [];
const missed: string[] = [];
try {
  console.log(
    `${'variant'.padEnd(8)}${['metric', '/status', 'rule', 'message'].map((name) => name.padStart(10)).join('')}`,
  );
  for (const variant of chosen) {
    const why = obstacle(variant);
    if (why !== undefined) {
      console.log(`${variant.padEnd(8)}SKIPPED: ${why}`);
      continue;
    }
    for (let count = 0; count < runs; count += 1) {
      const run = await runOnce(tools, variant, cleanup);
      await cleanup.all();
      done.push(run);
      const { metric_seconds, status_seconds, rule_seconds, message_seconds } = run;
      const cells = [metric_seconds, status_seconds, rule_seconds, message_seconds].map(cell);
      console.log(`${variant.padEnd(8)}${cells.join('')}`);
    }
    missed.push(
      ...summary(
        variant,
        done.filter((run) => run.variant === variant),
      ),
    );
    if (!stall) continue;
    const quiet = await stallPagesNobody(tools, variant, target.stallSeconds, cleanup);
    await cleanup.all();
    console.log(
      `${variant}: a stall of ${target.stallSeconds} s paged ${quiet ? 'nobody' : 'SOMEBODY'}`,
    );
    if (!quiet) missed.push(`${variant}: a stall of ${target.stallSeconds} s paged somebody`);
  }
} finally {
  await cleanup.all();
}
for (const text of missed) console.log(`MISSED ${text}`);
if (json) console.log(JSON.stringify({ runs: done }));
if (missed.length > 0) process.exitCode = 1;
