/**
 * What the kernel log says: tasks that hung, and the other lines by which a kernel shows that it
 * did not get its CPU or memory. Counted from the moment the exporter starts; what the log held
 * before is remembered for the words and for evidence, not counted.
 *
 * An episode is counted when its report is complete and so its cause known, and never moved to
 * another cause afterwards.
 */
import type { Clock } from '../measure/clock.ts';
import {
  byLabel,
  type Collector,
  counter,
  type Family,
  gauge,
  incomplete,
  type Signal,
  single,
} from '../core/collector.ts';
import type { Config } from '../config/read.ts';
import { causeOf } from '../kmsg/cause.ts';
import { createEpisodes, type Episode } from '../kmsg/episodes.ts';
import { type Access, followKmsg } from '../kmsg/follower.ts';
import { assembleReports, type HungTaskReport } from '../kmsg/hung-task.ts';
import { collectExcerpts } from '../kmsg/excerpts.ts';
import type { Dependencies } from './dependencies.ts';
import { createKernelLogFindings, type KernelLogFindings } from '../kmsg/findings.ts';
import { createKernelEventReader, kernelEvents } from '../kmsg/kernel-events.ts';
import type { KmsgRecord } from '../kmsg/record.ts';
import type { PseudoFs } from '../procfs/reader.ts';
import { reasonInWords, reasons } from '../tasks/reasons.ts';
import { zeroes } from '../measure/zeroes.ts';

const hungTasks = counter({
  name: 'stealwatch_hung_tasks_total',
  help: 'Tasks that hung, each once, by what they waited for, from /dev/kmsg.',
  note: 'Times a task hung in D state, each counted once however often it was reported, by what it waited for, from /dev/kmsg.',
  labels: ['cause'],
});
const hungTaskReports = counter({
  name: 'stealwatch_hung_task_reports_total',
  help: 'Reports of the hung task detector, by what the task waited for, from /dev/kmsg.',
  labels: ['cause'],
});
const hungTaskLast = gauge({
  name: 'stealwatch_hung_task_last_seconds',
  help: 'How long the last reported task had been blocked, from /dev/kmsg.',
  note: 'How long the last reported task had been blocked, NaN while this boot has reported none, from /dev/kmsg.',
});
const kernelEventsTotal = counter({
  name: 'stealwatch_kernel_events_total',
  help: 'Other signs of a sick host in the kernel log, from /dev/kmsg.',
  note: 'Lines in which the kernel says that a CPU stood still or its own work did, a clock jumped or memory ran out, of the machine or of a control group, from /dev/kmsg.',
  labels: ['event'],
});
const lostRecords = counter({
  name: 'stealwatch_kmsg_lost_records_total',
  help: 'Kernel log records lost to overrun, from the sequence of /dev/kmsg.',
  note: 'Kernel log records overwritten before they could be read, from the sequence numbers of /dev/kmsg.',
});

/** A collector that also hands out the episodes, for an evidence report. */
export interface HungTasksCollector extends Collector {
  /** Hung tasks of this boot, oldest first, at most 64, those from before our start included. */
  episodes(): readonly Episode[];
}

const grant =
  'systemd: AmbientCapabilities=CAP_SYSLOG, without ProtectKernelLogs= and PrivateDevices=. ' +
  'Docker: devices: [/dev/kmsg] and cap_add: [SYSLOG].';

function explained(access: Access, path: string): string {
  switch (access.kind) {
    case 'following':
      return `the kernel log ${path} is followed`;
    case 'absent':
      return `there is no ${path} here, so hung tasks and soft lockups are not seen. ${grant}`;
    case 'denied':
      return `${path} may not be read, so hung tasks and soft lockups are not seen: it needs CAP_SYSLOG. ${grant}`;
    case 'no_records':
      return `${path} is not a file of /dev/kmsg records, so hung tasks and soft lockups are not seen (${access.error.message}). Expected are lines like "6,343,586937570,-;text"`;
    case 'broken':
      return `${path} cannot be read: ${access.error.message}`;
  }
}

/** The counts, from what the follower and the assembler tell. */
function createTally(findings: KernelLogFindings) {
  const tasks = zeroes(reasons);
  const reports = zeroes(reasons);
  const events = zeroes(kernelEvents);
  const episodes = createEpisodes();
  const eventOf = createKernelEventReader();
  let lost = 0;
  let lastSeconds = Number.NaN;

  return {
    episodes: () => episodes.recent(),
    report(report: HungTaskReport): void {
      const { reason, words } = causeOf(report);
      const { episode, isNew } = episodes.note(report, reason);
      // One sleep has one cause: a later report of it may have been cut, or the first one was.
      const cause = episode.cause === 'unknown' ? reason : episode.cause;
      findings.hungTask(report, cause === reason ? words : reasonInWords[cause]);
      lastSeconds = report.seconds;
      if (report.past) return;
      reports[cause]++;
      if (isNew) tasks[cause]++;
    },
    record(record: KmsgRecord, past: boolean): void {
      const line = eventOf(record.text, record.microseconds);
      if (line === undefined) return;
      findings.kernelEvent(line.kind, record, past);
      if (!past) events[line.event]++;
    },
    lost(count: number): void {
      lost += count;
    },
    families: (): Family[] => [
      byLabel(hungTasks, tasks),
      byLabel(hungTaskReports, reports),
      single(hungTaskLast, lastSeconds),
      byLabel(kernelEventsTotal, events),
      single(lostRecords, lost),
    ],
  };
}

export function hungTasksCollector({
  config,
  clock,
  procfs,
  sysfs,
  kernelLog = () => undefined,
}: {
  config: Pick<Config, 'kmsg' | 'kmsgUserspace'>;
  clock: Clock;
  procfs: PseudoFs;
  sysfs: PseudoFs;
  kernelLog?: Dependencies['kernelLog'];
}): HungTasksCollector {
  const { kmsg: path, kmsgUserspace: userspace } = config;
  const findings = createKernelLogFindings({ clock, procfs, sysfs });
  const tally = createTally(findings);
  const assembler = assembleReports((report) => tally.report(report));
  const excerpts = collectExcerpts(kernelLog);
  const follower = followKmsg({
    path,
    clock,
    userspace,
    onRecord(record, past) {
      assembler.feed(record, past);
      excerpts.feed(record, past);
      tally.record(record, past);
    },
    onLost(count) {
      tally.lost(count);
      assembler.interrupt();
      excerpts.interrupt();
    },
    onQuiet() {
      assembler.quiet();
      excerpts.quiet();
    },
  });

  function signal(): Signal {
    const access = follower.access();
    const reason = explained(access, path);
    const warning = userspace
      ? '; lines that user space wrote are believed (--kmsg-userspace)'
      : '';
    return {
      name: 'hung_task_log',
      supported: access.kind === 'following',
      reason: reason + warning,
    };
  }

  return {
    name: 'hung-tasks',
    source: 'memory',
    metrics: [hungTasks, hungTaskReports, hungTaskLast, kernelEventsTotal, lostRecords],
    async collect() {
      const access = follower.access();
      if (access.kind === 'absent') return [];
      const missed = follower.takeProblem();
      if (access.kind === 'following') {
        if (missed !== undefined) throw incomplete(missed.message, tally.families());
        return tally.families();
      }
      // What was counted is true also when what comes now cannot be read.
      throw incomplete(explained(access, path), follower.anyRecord() ? tally.families() : []);
    },
    report() {
      const following = follower.access().kind === 'following';
      return {
        signals: [signal()],
        // Without access there is no clock to be late: the signal and the collector's failure
        // say so, and /status must not be 503 for it.
        samplers: following ? [{ name: 'kmsg', ageSeconds: follower.ageSeconds() }] : [],
        findings: findings.now(userspace),
        evidence: { softLockup: findings.softLockup() },
      };
    },
    episodes: tally.episodes,
    async close() {
      follower.close();
    },
  };
}
