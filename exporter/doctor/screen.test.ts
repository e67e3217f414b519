/** The screen of a machine that is well, and of one as it was before the outage. */
import assert from 'node:assert/strict';
import { utimesSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { machineIn, type Told } from '../../tools/rig/doctor-machine.ts';
import { container } from '../../tools/rig/doctor-rows/row.ts';
import { fixtureTree } from '../../tools/rig/fixture-tree.ts';
import { type Result, type State } from './check.ts';
import { checks } from './checks.ts';
import { resultsOf } from './examine.ts';
import { exitCodeOf, jsonOf, screenOf } from './screen.ts';

const id = '0123456789abcdef0123456789abcdef';
const now = 1_772_000_000;
const day = 86_400;

interface Golden {
  readonly files: Readonly<Record<string, string>>;
  /** Seconds before now. */
  readonly ages: Readonly<Record<string, number>>;
  readonly told: Told;
}

const kvm = {
  'proc/cpuinfo': 'flags\t\t: fpu hypervisor lm\n',
  'sys/devices/system/clocksource/clocksource0/available_clocksource': 'kvm-clock tsc\n',
  'sys/devices/system/clocksource/clocksource0/current_clocksource': 'kvm-clock\n',
  'sys/class/dmi/id/sys_vendor': 'Hetzner\n',
  'sys/class/dmi/id/product_name': 'vServer\n',
  'dev/kmsg': '',
  'etc/machine-id': `${id}\n`,
};

const settings = (more: Readonly<Record<string, string>>) => ({
  appendfsync: 'everysec',
  timeout: '0',
  ...more,
});

const healthy: Golden = {
  files: {
    ...kvm,
    ...container({ name: 'cache', pid: 42, args: ['redis-server', '--save', ''], test: ['NONE'] }),
    'proc/interrupts': '           CPU0       CPU1\nHYP: 19 14   Hypervisor callback interrupts\n',
    'proc/uptime': '2592000.00 1.00\n',
    'proc/meminfo':
      'MemTotal: 8000000 kB\nMemAvailable: 6000000 kB\nSwapTotal: 0 kB\nSwapFree: 0 kB\n',
    'proc/sys/kernel/hung_task_warnings': '-1\n',
    'proc/sys/kernel/hung_task_timeout_secs': '60\n',
    'proc/sys/kernel/panic': '0\n',
    'proc/sys/vm/overcommit_memory': '1\n',
    'sys/kernel/mm/transparent_hugepage/enabled': 'always [madvise] never\n',
    [`var/log/journal/${id}/system.journal`]: 'x',
    [`var/log/journal/${id}/system@old.journal`]: 'x',
    'var/log/sysstat/sa25': 'x',
    'etc/sysstat/sysstat': 'SADC_OPTIONS="-S DISK,INT"\n',
    'var/lib/chrony/drift': '1 2\n',
  },
  ages: {
    [`var/log/journal/${id}/system.journal`]: 20,
    [`var/log/journal/${id}/system@old.journal`]: 30 * day,
    'var/log/sysstat/sa25': 300,
    'var/lib/chrony/drift': 1800,
  },
  told: {
    redis: {
      info: 'redis_version:7.2.5\r\nused_memory:1073741824\r\naof_delayed_fsync:0',
      config: settings({
        save: '',
        appendonly: 'yes',
        'slowlog-log-slower-than': '10000',
        'latency-monitor-threshold': '100',
        'tcp-keepalive': '60',
        maxmemory: '2147483648',
      }),
      process: { pid: 42, comm: 'redis-server', startTicks: 1 },
    },
    exporter: {
      metrics: [
        'stealwatch_signal_supported{signal="hung_task_log"} 1',
        'stealwatch_app_health_lying{app="shop"} 0',
        'stealwatch_async_page_faults_total 3',
        `process_start_time_seconds ${now - 7 * day}`,
        '',
      ].join('\n'),
      checks: [
        {
          name: 'heartbeat',
          ok: true,
          state: 'sent',
          reason: 'the watcher took the last heartbeat',
        },
      ],
      asked: { fromElsewhere: 1.4 },
    },
    alertmanager: {
      receivers: [{ name: 'people', ways: 1 }],
      ways: [{ name: 'telegram', failed: 0, sent: 31, beats: false }],
      watchdog: true,
      silenced: false,
    },
  },
};

/** The machine of the outage, as far as it was told: watched by itself, from inside. */
const sick: Golden = {
  files: {
    ...kvm,
    ...container({
      name: 'coolify-redis',
      pid: 42,
      test: ['CMD-SHELL', 'redis-cli ping'],
      everySeconds: 5,
      restart: 'always',
      pids: null,
    }),
    ...container({ name: 'shop', image: 'shop:1', args: ['server'], pids: null }),
    'proc/interrupts':
      '           CPU0       CPU1\nHYP: 400019 180014   Hypervisor callback interrupts\n',
    'proc/uptime': '86400.00 1.00\n',
    'proc/meminfo':
      'MemTotal: 8000000 kB\nMemAvailable: 900000 kB\nSwapTotal: 2000000 kB\nSwapFree: 1000000 kB\n',
    'proc/vmstat': 'pswpin 12\n',
    'proc/sys/kernel/hung_task_warnings': '0\n',
    'proc/sys/kernel/hung_task_timeout_secs': '120\n',
    'proc/sys/kernel/softlockup_panic': '1\n',
    'proc/sys/kernel/panic': '0\n',
    'proc/sys/vm/overcommit_memory': '0\n',
    'sys/kernel/mm/transparent_hugepage/enabled': '[always] madvise never\n',
    [`run/log/journal/${id}/system.journal`]: 'x',
    'etc/default/sysstat': 'ENABLED="false"\n',
    'etc/sysstat/sysstat': 'SADC_OPTIONS="-S DISK"\n',
  },
  ages: {},
  told: {
    redis: {
      info: 'redis_version:7.2.5\r\nused_memory:1073741824',
      config: settings({
        save: '',
        appendonly: 'no',
        'slowlog-log-slower-than': '-1',
        'latency-monitor-threshold': '0',
        'tcp-keepalive': '0',
        maxmemory: '0',
      }),
      process: { pid: 42, comm: 'redis-server', startTicks: 1 },
    },
    exporter: {
      metrics: [
        'stealwatch_signal_supported{signal="hung_task_log"} 0',
        'stealwatch_app_health_lying{app="shop"} 1',
        '',
      ].join('\n'),
    },
    alertmanager: {
      receivers: [{ name: 'people', ways: 0 }],
      ways: [],
      watchdog: false,
      silenced: false,
    },
  },
};

async function examined(t: TestContext, { files, ages, told }: Golden): Promise<readonly Result[]> {
  const root = fixtureTree(t, files);
  for (const path of Object.keys(files)) {
    const at = now - (ages[path] ?? 400 * day);
    utimesSync(join(root, path), at, at);
  }
  return resultsOf(checks, machineIn(root, { ...told, now }));
}

const golden = (name: string) => join(import.meta.dirname, 'golden', `${name}.txt`);
const asItIs = { serializers: [(value: string) => value] };

test('doctor: the screen of a machine that is well', async (t) => {
  const results = await examined(t, healthy);
  t.assert.fileSnapshot(screenOf(results), golden('healthy'), asItIs);
  assert.equal(exitCodeOf(results), 0, 'questions cost no exit code');
});

test('doctor: the screen of the machine of the outage', async (t) => {
  const results = await examined(t, sick);
  t.assert.fileSnapshot(screenOf(results), golden('sick'), asItIs);
  assert.equal(exitCodeOf(results), 2);
});

const result = (state: State, question = false): Result => ({
  id: state,
  title: state,
  why: '',
  state,
  reason: 'why',
  question,
  mend: [],
});

test('doctor: exit codes', () => {
  for (const [states, code] of [
    [[], 0],
    [[result('pass')], 0],
    [[result('pass'), result('cannot_see', true)], 0],
    [[result('pass'), result('cannot_see')], 1],
    [[result('warn')], 1],
    [[result('warn'), result('fail'), result('pass')], 2],
  ] as const) {
    assert.equal(exitCodeOf(states), code);
    assert.equal((JSON.parse(jsonOf(states)) as { exitCode: number }).exitCode, code);
  }
});
