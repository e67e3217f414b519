/**
 * The settings of the kernel's hung task detector, and its own count: what tells whether silence
 * in the kernel log means health. /proc/sys/kernel, from kernel/hung_task.c.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { createAttempts } from '../core/attempts.ts';
import {
  type Collector,
  counter,
  type Finding,
  gauge,
  incomplete,
  type Signal,
  single,
} from '../core/collector.ts';
import type { PseudoFs } from '../procfs/reader.ts';

const detections = counter({
  name: 'stealwatch_hung_task_detections_total',
  help: 'Hung tasks found since boot, anew each round, from hung_task_detect_count.',
  note: 'Tasks found hung since boot, counted anew in every round in which they still are, from /proc/sys/kernel/hung_task_detect_count.',
});
const warningsLeft = gauge({
  name: 'stealwatch_hung_task_warnings_left',
  help: 'Reports the kernel will still print, -1 for no limit, from hung_task_warnings.',
  note: 'Reports the kernel will still print, -1 for no limit; at 0 it is silent about hung tasks, from /proc/sys/kernel/hung_task_warnings.',
});
const timeout = gauge({
  name: 'stealwatch_hung_task_timeout_seconds',
  help: 'How long a sleep must last to be reported, 0 for off, from hung_task_timeout_secs.',
  note: 'How long one sleep in D state must last to be reported, 0 when the detector is off, from /proc/sys/kernel/hung_task_timeout_secs.',
});

/** A file of /proc/sys that holds one number. */
export function parseSetting(name: string, text: string): number {
  if (!/^-?\d{1,15}\n$/.test(text)) {
    throw new Error(`${name}: unexpected text ${JSON.stringify(text.slice(0, 80))}`);
  }
  return Number(text);
}

function findingsOf(warnings: number | undefined, seconds: number | undefined): Finding[] {
  const found: Finding[] = [];
  if (seconds === 0) {
    found.push({
      severity: 'warning',
      text: "The kernel's hung task detector is off, so it will not report a frozen Redis. To switch it on: sysctl kernel.hung_task_timeout_secs=120.",
    });
  } else if (warnings === 0) {
    found.push({
      severity: 'warning',
      text: 'The kernel has used up its budget of hung task reports and is silent about the next one. To lift it: sysctl kernel.hung_task_warnings=-1.',
    });
  }
  return found;
}

export function hungTaskDetectorCollector({ procfs }: { procfs: PseudoFs }): Collector {
  const setting = (name: string) => {
    const file = procfs.file(`sys/kernel/${name}`);
    return {
      close: () => file.close(),
      read() {
        const text = file.read();
        return text === undefined ? undefined : parseSetting(name, text);
      },
    };
  };
  const detectCount = setting('hung_task_detect_count');
  const warnings = setting('hung_task_warnings');
  const timeoutSeconds = setting('hung_task_timeout_secs');
  const counted = existsSync(join(procfs.root, 'sys/kernel/hung_task_detect_count'));
  /** The kernel lets an administrator reset its count; a counter must not go back. */
  let resetOffset = 0;
  let lastCount = 0;
  let findings: readonly Finding[] = [];

  function count(raw: number): number {
    if (raw < lastCount) resetOffset += lastCount;
    lastCount = raw;
    return resetOffset + raw;
  }

  const signal: Signal = {
    name: 'hung_task_counter',
    supported: counted,
    reason: counted
      ? 'the kernel counts hung tasks in hung_task_detect_count'
      : 'this kernel has no /proc/sys/kernel/hung_task_detect_count: it needs Linux 6.13 and CONFIG_DETECT_HUNG_TASK; hung tasks are then known from the kernel log only',
  };

  return {
    name: 'hung-task-detector',
    metrics: [detections, warningsLeft, timeout],
    async collect() {
      const { attempt, failure } = createAttempts();
      const detected = attempt(() => detectCount.read());
      const left = attempt(() => warnings.read());
      const seconds = attempt(() => timeoutSeconds.read());
      findings = findingsOf(left, seconds);
      const families = [
        ...(detected === undefined ? [] : [single(detections, count(detected))]),
        ...(left === undefined ? [] : [single(warningsLeft, left)]),
        ...(seconds === undefined ? [] : [single(timeout, seconds)]),
      ];
      const problem = failure()?.message;
      if (problem !== undefined) throw incomplete(problem, families);
      return families;
    },
    report: () => ({ signals: [signal], findings }),
    async close() {
      for (const { close } of [detectCount, warnings, timeoutSeconds]) close();
    },
  };
}
