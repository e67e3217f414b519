/**
 * /metrics of the shipped process on a recorded machine: a KVM guest whose Redis the host has
 * paged out (fixtures/kvm-async-pf/redis/stalled), beside a real redis-server. Whoever adds,
 * renames or loses a metric sees it in the diff of golden/metrics.txt. `npm run golden` rewrites it.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cpSync, readFileSync } from 'node:fs';
import { test, type TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { timedGet } from '../tools/bench/figures.ts';
import { startExporter } from '../tools/rig/exporter-process.ts';
import { fixtureTree } from '../tools/rig/fixture-tree.ts';
import { startRedis, until } from '../tools/rig/redis-server.ts';
import { sameText } from '../tools/rig/in-step.ts';

const recording = fileURLToPath(new URL('fixtures/kvm-async-pf/stalled/proc', import.meta.url));
const golden = fileURLToPath(new URL('golden/metrics.txt', import.meta.url));

/**
 * What was not recorded and would else be asked of the machine at hand. Kernel, hypervisor and
 * board are those of the recording's README; it does not tell the CPU, so QEMU's own name for one
 * stands here.
 */
const notRecorded = {
  'proc/cpuinfo': 'processor\t: 0\nmodel name\t: QEMU Virtual CPU\nflags\t\t: fpu hypervisor\n',
  'proc/sys/kernel/osrelease': '6.12.117+deb13-cloud-amd64\n',
  'sys/class/dmi/id/sys_vendor': 'QEMU\n',
  'sys/class/dmi/id/product_name': 'Standard PC (i440FX + PIIX, 1996)\n',
  'sys/devices/system/clocksource/clocksource0/available_clocksource': 'kvm-clock tsc acpi_pm \n',
  'sys/devices/system/clocksource/clocksource0/current_clocksource': 'kvm-clock\n',
  kmsg: '',
};

/** Families that tell of this process, this moment or this Redis: their values are not compared. */
const volatile =
  /^(process_|nodejs_|redis_|stealwatch_(build_info|http_requests|stall|seconds|sampler_age|collector_(duration|last_success)|blocked_(task_longest|process)|verdict))/;

function normalised(text: string): string {
  const lines = text.split('\n').map((line) => {
    if (line.startsWith('#') || !volatile.test(line)) return line;
    // Which commands and versions there are differs from one Redis to the next.
    if (line.startsWith('redis_')) return line.replace(/[{ ].*$/, '');
    if (line.startsWith('stealwatch_build_info')) return 'stealwatch_build_info';
    // The delay of our own threads, which this kernel counts or not.
    if (line.includes('{signal="run_delay"}')) return line.replace(/ \S+$/, '');
    return line.replace(/ \S+$/, '');
  });
  return lines.filter((line, i) => line !== lines[i - 1] || line === '').join('\n');
}

async function scrapeRecorded(t: TestContext): Promise<string> {
  const redis = await startRedis(t);
  const machine = fixtureTree(t, notRecorded);
  cpSync(recording, `${machine}/proc`, { recursive: true });
  const exporter = await startExporter(t, [
    `--procfs=${machine}/proc`,
    `--sysfs=${machine}/sys`,
    `--kmsg=${machine}/kmsg`,
    `--redis-url=${redis.url}`,
  ]);
  // Nothing asks a Redis that has not answered its first PING, and what was not told then is kept.
  await until(
    'Redis is known',
    async () => (await timedGet(`${exporter.url}/status`)).status === 200,
  );
  let body = '';
  // Everything that only a second reading can know is there, and what a busy machine brings late.
  await until('all is read', async () => {
    ({ body } = await timedGet(`${exporter.url}/metrics`));
    return (
      body.includes('redis_state{state="up"} 1') &&
      body.includes('redis_slowlog_length ') &&
      body.includes('asynq_up 1') &&
      body.includes('stealwatch_steal_ratio')
    );
  });
  // A record in /run, where one of this machine's own was left.
  return body.replaceAll(/^(?:# \w+ )?stealwatch_rescue.*\n/gm, '');
}

test('golden: names, labels and values on a recorded machine', async (t) => {
  const text = await scrapeRecorded(t);
  const actual = normalised(text);
  try {
    t.assert.fileSnapshot(actual, golden, { serializers: [(value: string) => value] });
  } catch {
    // Node's own message is both texts, 20 kB each.
    const wanted = readFileSync(golden, 'utf8').trim();
    sameText(actual.trim(), wanted, 'exporter/golden/metrics.txt: if it is meant, npm run golden');
    throw new Error('exporter/golden/metrics.txt differs in blank lines: npm run golden');
  }
});

/** Names that other exporters gave and that dashboards ask for. */
const borrowed =
  /^(asynq_(tasks_enqueued|queue_paused)_total|redis_rdb_(last|current)_bgsave_duration_sec) /;

test('golden: promtool finds nothing but in names borrowed from other exporters', async (t) => {
  const text = await scrapeRecorded(t);
  const { stdout, stderr, error } = spawnSync('promtool', ['check', 'metrics'], {
    input: text,
    encoding: 'utf8',
  });
  assert.equal(error, undefined);
  const complaints = (stdout + stderr)
    .split('\n')
    .filter((line) => line !== '')
    .filter((line) => !borrowed.test(line));
  assert.deepEqual(complaints, []);
});

test('golden: at most 250 series and 25 kB with one Redis', async (t) => {
  const text = await scrapeRecorded(t);
  const series = text.match(/^[^#\n]/gm)?.length ?? 0;
  t.diagnostic(`${series} series, ${text.length} bytes`);
  assert.ok(series <= 250, `${series} series`);
  assert.ok(text.length <= 25_000, `${text.length} bytes`);
});
