import assert from 'node:assert/strict';
import { appendFileSync, chmodSync, existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { manualClock } from '../measure/clock.ts';
import { isIncomplete } from '../core/collector.ts';
import { createPseudoFs } from '../procfs/reader.ts';
import { fixtureTree } from '../../tools/rig/fixture-tree.ts';
import { hungTasksCollector } from './hung-tasks.ts';

function recording(name: string): string {
  return readFileSync(new URL(`../fixtures/kmsg/${name}.txt`, import.meta.url), 'utf8');
}

function setUp(t: TestContext, log: string | undefined, options: { userspace?: boolean } = {}) {
  const root = fixtureTree(t, {
    uptime: '1500.00 2900.00\n',
    'sys/devices/system/clocksource/clocksource0/available_clocksource': 'kvm-clock tsc acpi_pm \n',
    ...(log === undefined ? {} : { kmsg: log }),
  });
  const clock = manualClock();
  const collector = hungTasksCollector({
    config: { kmsg: join(root, 'kmsg'), kmsgUserspace: options.userspace ?? false },
    clock,
    procfs: createPseudoFs(root),
    sysfs: createPseudoFs(join(root, 'sys')),
  });
  t.after(() => collector.close?.());
  return {
    clock,
    collector,
    /** Append to the log and let the follower see it; a report without end mark needs 2 s. */
    log: (text: string) => {
      appendFileSync(join(root, 'kmsg'), text);
      clock.advance(3);
    },
    values: async () => {
      const families = await collector.collect(AbortSignal.timeout(1000));
      return Object.fromEntries(
        families.flatMap(({ metric, samples }) =>
          samples.map(({ labels, value }) => [
            [metric.name.replace('stealwatch_', ''), ...Object.values(labels)].join(' '),
            value,
          ]),
        ),
      );
    },
    texts: () => (collector.report?.().findings ?? []).map(({ text }) => text),
  };
}

const zero = {
  'hung_tasks_total host_page_in': 0,
  'hung_tasks_total disk': 0,
  'hung_tasks_total filesystem': 0,
  'hung_tasks_total lock': 0,
  'hung_tasks_total other': 0,
  'hung_tasks_total unknown': 0,
  'hung_task_reports_total host_page_in': 0,
  'hung_task_reports_total disk': 0,
  'hung_task_reports_total filesystem': 0,
  'hung_task_reports_total lock': 0,
  'hung_task_reports_total other': 0,
  'hung_task_reports_total unknown': 0,
  hung_task_last_seconds: Number.NaN,
  'kernel_events_total soft_lockup': 0,
  'kernel_events_total hard_lockup': 0,
  'kernel_events_total workqueue_lockup': 0,
  'kernel_events_total rcu_stall': 0,
  'kernel_events_total clocksource_unstable': 0,
  'kernel_events_total oom_kill': 0,
  kmsg_lost_records_total: 0,
};

test('hung-tasks: an empty log is zeroes, and the last report is not a number', async (t) => {
  const { values, collector } = setUp(t, '');
  assert.deepEqual(await values(), zero);
  assert.deepEqual(collector.report?.().signals, [
    {
      name: 'hung_task_log',
      supported: true,
      reason: collector.report?.().signals?.[0]?.reason ?? '',
    },
  ]);
  assert.deepEqual(collector.report?.().samplers, [{ name: 'kmsg', ageSeconds: 0 }]);
});

test('hung-tasks: redis-server and its thread wait for the host, two rounds', async (t) => {
  const { values, log, texts, clock, collector } = setUp(t, '6,1196,1,-;boot\n');
  log(recording('6.12-redis-kvm-async-pf'));
  assert.deepEqual(await values(), {
    ...zero,
    'hung_tasks_total host_page_in': 2,
    'hung_task_reports_total host_page_in': 4,
    hung_task_last_seconds: 20,
  });
  clock.advance(180);
  assert.equal(
    texts()[0],
    'The kernel reported redis-server (pid 160) blocked for more than 20 s, waiting for the host to bring a page back, 3 min ago.',
  );
  assert.equal(collector.report?.().findings?.[0]?.severity, 'bad');
  assert.deepEqual(
    collector.episodes().map(({ comm, reports, past }) => [comm, reports, past]),
    [
      ['redis-server', 2, false],
      ['jemalloc_bg_thd', 2, false],
    ],
  );
  clock.advance(3600);
  assert.deepEqual(texts(), []);
});

test('hung-tasks: what was in the log at the start is remembered, not counted', async (t) => {
  const [before = '', after = ''] = recording('6.12-lost-notification').split(/(?=3,951,)/);
  const { values, log, texts, collector } = setUp(t, before);
  assert.deepEqual(await values(), { ...zero, hung_task_last_seconds: 20 });
  assert.match(texts()[0] ?? '', /toucher1 \(pid 155\).*14 min ago\.$/);
  log(after);
  assert.deepEqual(await values(), {
    ...zero,
    'hung_task_reports_total host_page_in': 2,
    hung_task_last_seconds: 40,
  });
  assert.deepEqual(
    collector.episodes().map(({ reports, past }) => [reports, past]),
    [[4, true]],
    'one sleep, from before the start',
  );
});

test('hung-tasks: a soft lockup on a KVM guest accuses the host', async (t) => {
  const { values, log, texts } = setUp(t, '');
  log(recording('6.12-soft-lockup-kernel-mode-pagein'));
  log(recording('6.12-cpu-offline-during-stall').replaceAll(/^(\d),/gm, '$1,9'));
  const seen = await values();
  assert.equal(seen['kernel_events_total soft_lockup'], 2);
  assert.equal(seen['kernel_events_total rcu_stall'], 2);
  assert.ok(
    texts().some((text) => /soft lockup.*accuses the host.*CPU#1 stuck for 26s/.test(text)),
  );
});

test('hung-tasks: a soft lockup from before the start is told, not counted', async (t) => {
  const { values, texts } = setUp(t, recording('6.12-soft-lockup-kernel-mode-pagein'));
  assert.deepEqual(await values(), zero);
  assert.match(texts()[0] ?? '', /soft lockup.*3 min ago\.$/);
});

test('hung-tasks: a later report that was cut keeps the cause of its sleep', async (t) => {
  const { values, log } = setUp(t, '');
  log(
    '3,1,500000000,-;INFO: task a:1 blocked for more than 120 seconds.\n' +
      '6,2,500000001,-; kvm_async_pf_task_wait_schedule+0x1/0x2\n6,3,500000002,-; </TASK>\n' +
      '3,4,620000000,-;INFO: task a:1 blocked for more than 240 seconds.\n' +
      '6,9,620000001,-; io_schedule+0x1/0x2\n',
  );
  assert.deepEqual(await values(), {
    ...zero,
    'hung_tasks_total host_page_in': 1,
    'hung_task_reports_total host_page_in': 2,
    hung_task_last_seconds: 240,
    kmsg_lost_records_total: 4,
  });
});

test('hung-tasks: what follows lost records is not taken for the trace', async (t) => {
  const { values, log } = setUp(t, '');
  log(
    '3,1,500000000,-;INFO: task a:1 blocked for more than 120 seconds.\n' +
      '6,9,500000001,-; io_schedule+0x1/0x2\n',
  );
  assert.equal((await values())['hung_tasks_total unknown'], 1);
});

test('hung-tasks: of many hung tasks the last five are told', (t) => {
  const { log, texts } = setUp(t, '');
  for (let pid = 1; pid <= 20; pid++) {
    log(`3,${pid},500000000,-;INFO: task a:${pid} blocked for more than 120 seconds.\n`);
  }
  assert.equal(texts().length, 5);
  assert.match(texts().at(-1) ?? '', /pid 20/);
});

test('hung-tasks: the cause is known before it is counted', async (t) => {
  const { values, log } = setUp(t, '');
  log('3,1,1000000,-;INFO: task a:1 blocked for more than 120 seconds.\n');
  log('6,2,1000000,-; io_schedule+0x1/0x2\n');
  const early = await values();
  assert.equal(early['hung_tasks_total unknown'], 1, 'quiet for 3 s: nothing more came');
  log(
    '3,3,900000000,-;INFO: task b:2 blocked for more than 120 seconds.\n' +
      '6,4,900000000,-; io_schedule+0x1/0x2\n3,9,900000001,-;after a gap\n',
  );
  const late = await values();
  assert.equal(late['hung_tasks_total disk'], 1);
  assert.equal(late['hung_tasks_total unknown'], 1);
  assert.equal(late['kmsg_lost_records_total'], 4);
});

test('hung-tasks: no log is absent, says how to get it, and is no late clock', async (t) => {
  const { collector, values } = setUp(t, undefined);
  assert.deepEqual(await values(), {});
  const [signal] = collector.report?.().signals ?? [];
  assert.equal(signal?.supported, false);
  assert.match(signal?.reason ?? '', /there is no .*kmsg.*AmbientCapabilities=CAP_SYSLOG.*cap_add/);
  assert.deepEqual(collector.report?.().samplers, []);
});

/** Without root's rights, as far as this process has them. */
function unprivileged<T>(action: () => T): T {
  const root = process.geteuid?.() === 0;
  if (root) process.seteuid?.(65_534);
  try {
    return action();
  } finally {
    if (root) process.seteuid?.(0);
  }
}

test('hung-tasks: a log that may not be read is a failure, and a grant is noticed', async (t) => {
  const root = fixtureTree(t, { kmsg: recording('6.12-redis-kvm-async-pf') });
  chmodSync(join(root, 'kmsg'), 0);
  const clock = manualClock();
  const sources = { procfs: createPseudoFs(root), sysfs: createPseudoFs(root) };
  const config = { kmsg: join(root, 'kmsg'), kmsgUserspace: false };
  const collector = unprivileged(() => hungTasksCollector({ config, clock, ...sources }));
  t.after(() => collector.close?.());
  await assert.rejects(
    collector.collect(AbortSignal.timeout(1000)),
    /may not be read.*CAP_SYSLOG.*ProtectKernelLogs.*cap_add: \[SYSLOG\]/,
  );
  assert.equal(collector.report?.().signals?.[0]?.supported, false);
  assert.deepEqual(collector.report?.().samplers, []);
  chmodSync(join(root, 'kmsg'), 0o600);
  clock.advance(70);
  assert.equal((await collector.collect(AbortSignal.timeout(1000))).length, 5);
  assert.equal(collector.report?.().signals?.[0]?.supported, true);
});

test('hung-tasks: the real kernel log refuses one without CAP_SYSLOG', async (t) => {
  if (process.geteuid?.() !== 0 || !existsSync('/dev/kmsg')) {
    return t.skip('needs root, to give its rights up, and /dev/kmsg');
  }
  if (readFileSync('/proc/sys/kernel/dmesg_restrict', 'utf8').trim() !== '1') {
    return t.skip('kernel.dmesg_restrict is 0: everybody may read the kernel log');
  }
  const sources = { procfs: createPseudoFs('/proc'), sysfs: createPseudoFs('/sys') };
  const config = { kmsg: '/dev/kmsg', kmsgUserspace: false };
  const clock = manualClock();
  const collector = unprivileged(() => hungTasksCollector({ config, clock, ...sources }));
  t.after(() => collector.close?.());
  await assert.rejects(collector.collect(AbortSignal.timeout(1000)), /CAP_SYSLOG/);
});

test('hung-tasks: a report without a trace is for what its lines say', async (t) => {
  const { values, log, texts } = setUp(t, '');
  log(
    '3,1,500000000,-;INFO: task kworker/u8:1:77 blocked in I/O wait for more than 122 seconds.\n' +
      '3,2,500000001,-;INFO: task dd:78 blocked for more than 122 seconds.\n' +
      '3,3,500000002,-;INFO: task dd:78 is blocked on a rw-semaphore likely owned by task cat:80.\n' +
      '6,4,500000003,-; io_schedule+0x1/0x2\n' +
      '3,5,500000004,-;INFO: task sh:79 blocked in I/O wait for more than 122 seconds.\n' +
      '6,6,500000005,-; jbd2_log_wait_commit+0x1/0x2 [jbd2]\n',
  );
  const seen = await values();
  assert.equal(seen['hung_tasks_total disk'], 1);
  assert.equal(seen['hung_tasks_total lock'], 1);
  assert.equal(seen['hung_tasks_total filesystem'], 1);
  assert.match(texts()[0] ?? '', /kworker\/u8:1 \(pid 77\).*122 s, waiting for I\/O, of a disk as/);
  assert.match(texts()[1] ?? '', /dd \(pid 78\).*waiting for a lock that another thread holds/);
});

test('hung-tasks: a trace of guesses is told as one', async (t) => {
  const { values, log, texts } = setUp(t, '');
  log(
    '3,1,500000000,-;INFO: task dd:78 blocked for more than 122 seconds.\n' +
      '6,2,500000001,-; [<ffffffff815b6451>] ? schedule+0x31/0x80\n' +
      '6,3,500000002,-; [<ffffffffc0598462>] ? __split_and_process_bio+0x302/0x400 [dm_mod]\n',
  );
  assert.equal((await values())['hung_tasks_total disk'], 1);
  assert.match(
    texts()[0] ?? '',
    /, probably waiting for the disk \(its trace holds guesses only\), 1 s ago\.$/,
  );
});

test('hung-tasks: a kill in a container does not hide one of the machine', async (t) => {
  const { values, log, texts } = setUp(t, '');
  log(
    '3,1,500000000,-;Out of memory: Killed process 3496 (redis-server) total-vm:1kB\n' +
      '3,2,500000001,-;Memory cgroup out of memory: Killed process 7 (node) total-vm:1kB\n',
  );
  assert.equal((await values())['kernel_events_total oom_kill'], 2);
  assert.deepEqual(texts(), [
    'The kernel ran out of memory and killed a process ("Out of memory: Killed process 3496 (redis-server) total-vm:1kB"), 2 s ago.',
    'A container or service reached its own memory limit, and the kernel killed a process in it ("Memory cgroup out of memory: Killed process 7 (node) total-vm:1kB"), 2 s ago.',
  ]);
});

test('hung-tasks: a name chosen to mislead is made printable', (t) => {
  const { log, texts } = setUp(t, '');
  log('3,1,1,-;INFO: task \\x1b[31mx\\x0ay:7 blocked for more than 120 seconds.\n');
  assert.match(texts()[0] ?? '', /reported \?\[31mx\?y \(pid 7\)/);
});

test('hung-tasks: user space is believed only when asked, and that is said', async (t) => {
  const fake = '12,1,1,-;INFO: task redis-server:1 blocked for more than 120 seconds.\n';
  const strict = setUp(t, '');
  strict.log(fake);
  assert.deepEqual(await strict.values(), zero);
  assert.deepEqual(strict.texts(), []);
  const test = setUp(t, '', { userspace: true });
  test.log(fake);
  assert.equal((await test.values())['hung_tasks_total unknown'], 1);
  assert.match(test.texts().at(-1) ?? '', /--kmsg-userspace.*for tests only/);
  assert.match(test.collector.report?.().signals?.[0]?.reason ?? '', /--kmsg-userspace/);
});

test('hung-tasks: a record that does not parse fails until one does, and takes nothing away', async (t) => {
  const { log, values, collector } = setUp(t, '6,1,1,-;boot\n');
  log('3,2,1,-;Out of memory: Killed process 3496 (redis-server) total-vm:1kB\ngarbage\n');
  for (let scrape = 0; scrape < 2; scrape++) {
    await assert.rejects(values(), (error: Error) => {
      assert.match(error.message, /not a file of \/dev\/kmsg records.*"garbage".*Expected are/);
      assert.ok(isIncomplete(error));
      assert.equal(error.families.length, 5);
      return true;
    });
  }
  assert.equal(collector.report?.().signals?.[0]?.supported, false);
  log('more\n6,3,1,-;well again\n');
  await assert.rejects(values(), /unexpected record "more"/);
  assert.equal((await values())['kernel_events_total oom_kill'], 1);
  assert.equal(collector.report?.().signals?.[0]?.supported, true);
});

/** What people have at hand: `dmesg`, `dmesg -T`, `journalctl -k -o short`, syslog. */
for (const line of [
  '[  215.500000] INFO: task dd:78 blocked for more than 122 seconds.',
  '[Mon Nov 30 12:00:00 2026] INFO: task dd:78 blocked for more than 122 seconds.',
  'Nov 30 12:00:00 vps kernel: INFO: task dd:78 blocked for more than 122 seconds.',
  'INFO: task dd:78 blocked for more than 122 seconds.',
  '<3>[  215.500000] INFO: task dd:78 blocked for more than 122 seconds.',
]) {
  test(`hung-tasks: "${line.slice(0, 12)}..." is no record, at the start and later`, async (t) => {
    const { values, collector } = setUp(t, `${line}\n`);
    const [signal] = collector.report?.().signals ?? [];
    assert.equal(signal?.supported, false);
    assert.match(signal?.reason ?? '', /is not a file of \/dev\/kmsg records/);
    assert.deepEqual(collector.report?.().samplers, []);
    await assert.rejects(values(), (error: Error) => {
      assert.ok(isIncomplete(error));
      assert.deepEqual(error.families, [], 'a 0 that was not read');
      return true;
    });
    const later = setUp(t, '');
    later.log(`${line}\n`);
    await assert.rejects(later.values(), /is not a file of/);
    later.log(`${line}\n`);
    await assert.rejects(later.values(), /is not a file of/);
  });
}

test('hung-tasks: what stands in for the kernel log of a container is not followed', async (t) => {
  const sources = { procfs: createPseudoFs('/nowhere'), sysfs: createPseudoFs('/nowhere') };
  const config = { kmsg: '/dev/null', kmsgUserspace: false };
  const collector = hungTasksCollector({ config, clock: manualClock(), ...sources });
  t.after(() => collector.close?.());
  assert.equal(collector.report?.().signals?.[0]?.supported, false);
  await assert.rejects(
    collector.collect(AbortSignal.timeout(1000)),
    /\/dev\/null cannot be read: it is neither the device of the kernel log nor a file/,
  );
});
