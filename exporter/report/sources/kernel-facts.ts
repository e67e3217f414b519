/**
 * Records of one boot, whatever they were kept in, through the exporter's own readers of the
 * kernel log. Dates come at the end: a text log tells only then when the boot began.
 */
import { frameOf } from '../../tasks/reasons.ts';
import { assembleReports, type HungTaskReport } from '../../kmsg/hung-task.ts';
import { createKernelEventReader, type KernelEventKind } from '../../kmsg/kernel-events.ts';
import type { KmsgRecord } from '../../kmsg/record.ts';
import type { Boot, Instant, KernelEventFact, KernelReport, SystemEvent } from '../facts/facts.ts';
import { createBothEnds } from './both-ends.ts';
import { kernelShape } from './kernel-shapes.ts';

/** The moment of a record: its own, or what is known when all were read. */
type Dated<T> = T & { readonly microseconds: number; readonly at: Instant | undefined };

/** When the detector looks again is unknown: beyond this a machine says only more of the same. */
const mostReports = 4096;
const mostEvents = 4096;
const mostLinesOfReport = 160;
/** As live: a log that was quiet for that long has no more to say of a report. */
const quietMicroseconds = 3e6;

/**
 * What belongs to a report and may leave the box. Registers, `Code:` and addresses of user space
 * are left out: they can hold bytes of somebody's data.
 */
const headOrMark =
  /^(?:INFO: task |\s+(?:Not tainted|Tainted:|Tainted )|"echo 0 > |task:|Call Trace:| ?<\/?(?:TASK|IRQ|NMI|EOI|SOFTIRQ)>)/;
/** `redis-server    D ffff9d6fbe7b4100     0 16212 14347 0x00000004` up to 5.x. */
const oldTaskLine = /^\S.* [DRSTtXZPI] +[0-9a-fx]* *\d+ +\d+/;

const reportLine = (text: string): boolean =>
  headOrMark.test(text) || frameOf(text) !== undefined || oldTaskLine.test(text);

/** comm may hold anything: what is printed has no control characters. */
const printable = (text: string): string => text.replace(/\p{Cc}/gu, '?').slice(0, 300);

export interface KernelFacts {
  /** `at` where the record tells its own moment. Records of other facilities than 0 are refused. */
  feed(record: KmsgRecord, at: Instant | undefined): void;
  release(): string | undefined;
  /** What the kernel said of itself when it started. */
  said(): Pick<Boot, 'kernelRelease' | 'hypervisor'>;
  end(options: {
    readonly boot: string;
    readonly source: string;
    readonly dateOf: (microseconds: number) => Instant | undefined;
  }): {
    readonly kernelReports: readonly KernelReport[];
    readonly kernelEvents: readonly KernelEventFact[];
    readonly systemEvents: readonly SystemEvent[];
    readonly problems: readonly string[];
  };
}

const looksLikeReport = /blocked for more than \d+ seconds|soft lockup|kvm_async_pf|rcu.*stall/i;
const version = /^Linux version (\S+)/;

/** arch/x86/kernel/cpu/hypervisor.c, and the names there. */
const detected = /^Hypervisor detected: (.+?)\s*$/;
const hypervisors: Readonly<Record<string, Boot['hypervisor']>> = {
  KVM: 'kvm',
  'Xen HVM': 'xen',
  'Xen PV': 'xen',
  VMware: 'vmware',
  'Microsoft Hyper-V': 'hyperv',
};

function hypervisorOf(text: string): Boot['hypervisor'] {
  const name = detected.exec(text)?.[1];
  return name === undefined ? undefined : (hypervisors[name] ?? 'other');
}

export function createKernelFacts(): KernelFacts {
  const reports =
    createBothEnds<Dated<{ report: HungTaskReport; lines: readonly string[] }>>(mostReports);
  const events = createBothEnds<Dated<{ kind: KernelEventKind; text: string }>>(mostEvents);
  const others = createBothEnds<Dated<{ kind: SystemEvent['kind']; text: string }>>(mostEvents);
  const readEvent = createKernelEventReader();
  let recent: Dated<{ text: string }>[] = [];
  let last = -Infinity;
  let forged = 0;
  let release: string | undefined;
  let hypervisor: Boot['hypervisor'];

  /** The report that just ended, with the lines since its headline. */
  function onReport(report: HungTaskReport): void {
    const start = recent.findIndex(
      ({ microseconds, text }) =>
        microseconds === report.microseconds && text.startsWith(`INFO: task ${report.comm}:`),
    );
    const own = recent.slice(Math.max(0, start));
    const at = own[0]?.at;
    const lines = own.map(({ text }) => printable(text)).filter(reportLine);
    recent = [];
    reports.push({
      report,
      lines: lines.slice(0, mostLinesOfReport),
      microseconds: report.microseconds,
      at,
    });
  }

  const assembler = assembleReports(onReport);

  function quiet(): void {
    assembler.quiet();
    assembler.quiet();
  }

  function other(record: KmsgRecord, at: Instant | undefined): void {
    const { text, microseconds } = record;
    const event = readEvent(text, microseconds);
    if (event !== undefined) {
      events.push({ kind: event.kind, text: printable(text), microseconds, at });
    }
    const shape = kernelShape(text);
    if (shape !== undefined) {
      others.push({ kind: shape.kind, text: shape.said, microseconds, at });
    }
  }

  return {
    feed(record, at) {
      const { facility, microseconds, text } = record;
      if (facility !== 0) {
        if (looksLikeReport.test(text)) forged++;
        return;
      }
      release ??= version.exec(text)?.[1];
      hypervisor ??= hypervisorOf(text);
      if (microseconds - last >= quietMicroseconds) quiet();
      last = microseconds;
      assembler.feed(record, false);
      if (recent.length > 0 || text.startsWith('INFO: task ')) {
        // Kept until its report ends, which may be never: then only the newest count.
        if (recent.length >= 2 * mostLinesOfReport) recent.splice(1, mostLinesOfReport);
        recent.push({ text, microseconds, at });
      }
      other(record, at);
    },
    release: () => release,
    said: () => ({
      ...(release === undefined ? {} : { kernelRelease: release }),
      ...(hypervisor === undefined ? {} : { hypervisor }),
    }),
    end({ boot, source, dateOf }) {
      quiet();
      const place = <T extends object>(dated: Dated<T>) => {
        const { microseconds, at = dateOf(microseconds), ...fact } = dated;
        // Without its date a fact has no place in a report.
        return at === undefined ? [] : [{ ...(fact as unknown as T), at, boot, source }];
      };
      const problems = [
        ...(reports.leftOut() > 0
          ? [
              `${reports.leftOut()} reports of hung tasks between the first and the last were left out`,
            ]
          : []),
        ...(forged > 0
          ? [`${forged} lines look like the kernel's and were written by programs: not counted`]
          : []),
      ];
      return {
        kernelReports: reports.all().flatMap(place),
        kernelEvents: events.all().flatMap(place),
        systemEvents: others.all().flatMap(place),
        problems,
      };
    },
  };
}
