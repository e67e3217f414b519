/** How sure each statement is, and what would settle it; and what does not go together. */
import { durationText } from '../../measure/duration.ts';
import { percentText } from '../../measure/percent.ts';
import { reasonInWords } from '../../tasks/reasons.ts';
import { joined, name, process, say } from '../text/say.ts';

import { claim, type Claim } from './claim.ts';
import { at, began } from './when.ts';

const narrowing = {
  log: ', and the last line of its own log narrows that',
  probe: ', and the last answer to a probe narrows that',
  nothing: '',
} as const;

export const sure: readonly Claim[] = [
  claim(
    'sure.page',
    ['page_withheld_traced'],
    () => say`The thread slept for a page the host had taken`,
    {
      answer: ({ page_withheld_traced: { data } }) =>
        say`${data.reports === 1 ? 'a kernel trace shows it' : `${data.reports} kernel traces show it`}`,
      unless: ['trace_forgeable'],
    },
  ),
  claim(
    'sure.page_forgeable',
    ['page_withheld_traced', 'trace_forgeable'],
    () => say`The thread slept for a page the host had taken`,
    {
      answer: () =>
        say`a kernel trace shows it, in a text log in which a program can call itself the kernel; the journal, kern.log where it lies (--root) or dmesg -x would settle it`,
    },
  ),
  claim(
    'sure.page_measured',
    ['page_withheld_measured'],
    () => say`Threads slept for pages the host had taken`,
    {
      answer: () => say`a kernel trace would prove it`,
    },
  ),
  claim(
    'sure.page_thin',
    ['page_withheld_thin'],
    () => say`Threads slept for pages the host had taken`,
    {
      answer: () => say`your swap figures; a kernel log; ${name('HYP')} in the sysstat files`,
    },
  ),
  claim(
    'sure.start',
    ['dated', 'incident'],
    ({ incident }) => say`It fell asleep ${began(incident.data)}`,
    {
      answer: ({ dated: { data } }) =>
        data.doubt !== undefined
          ? say`${data.doubt}; the journal would settle it`
          : say`the kernel dates it to one round of its detector${narrowing[data.narrowedBy ?? 'nothing']}${data.seenBy === undefined ? '' : ', and the flight recorder had seen it asleep before the kernel did'}`,
    },
  ),
  claim('sure.to_reset', ['asleep', 'ended_reset'], () => say`It slept until the reset`, {
    unless: ['reports_spent'],
    answer: () => say`no sign of life was found before it; a sampler outside the VM`,
  }),
  claim(
    'sure.to_reset_spent',
    ['asleep', 'ended_reset', 'reports_spent'],
    () => say`It slept until the reset`,
    {
      answer: ({ reports_spent: { data } }) =>
        say`no sign of life was found before it, but the kernel falls silent after ${data.reports} reports: ${name('sysctl kernel.hung_task_warnings=-1')} before the next time`,
    },
  ),
  claim(
    'sure.unseen',
    ['asleep', 'ended_unseen'],
    ({ ended_unseen: { data } }) => say`It slept until ${at(data.at)} at least`,
    {
      unless: ['reports_spent'],
      answer: () =>
        say`it was seen asleep then; a probe of Redis would show to the second when it woke`,
    },
  ),
  claim(
    'sure.unseen_spent',
    ['asleep', 'ended_unseen', 'reports_spent'],
    ({ ended_unseen: { data } }) => say`It slept until ${at(data.at)} at least`,
    {
      answer: ({ reports_spent: { data } }) =>
        say`after ${data.reports} reports the kernel falls silent, so that nothing after it shows how long it went on: ${name('sysctl kernel.hung_task_warnings=-1')} before the next time, or a probe of Redis`,
    },
  ),
  claim(
    'sure.woke',
    ['asleep', 'ended_quiet'],
    ({ ended_quiet: { data } }) => say`It woke by ${at(data.latest)}`,
    {
      answer: () =>
        say`the kernel reports again each round while a sleep lasts, and did not; a probe of Redis would show it to the second`,
    },
  ),
  claim(
    'sure.lost',
    ['page_lost'],
    () => say`The message that the page is back was lost, rather than the disk stalled`,
    {
      answer: () => say`kernel version of the host; ${name('kvm:*')} tracepoints`,
    },
  ),
  claim('sure.disk', ['disk_stalled_host'], () => say`The disk did not answer on the host's side`, {
    answer: () => say`latency of the storage on the host`,
  }),
  claim('sure.frozen', ['filesystem_frozen'], () => say`A file system was frozen`, {
    answer: () => say`the kernel trace shows it`,
  }),
  claim('sure.agent', ['frozen_by_agent'], () => say`It was frozen through the guest agent`, {
    answer: () => say`its log shows the command and the time`,
  }),
  claim('sure.cpu', ['cpu_taken'], () => say`The host withheld CPU time`, {
    answer: () => say`whether by a limit or by a neighbour, only the host shows`,
  }),
  claim('sure.redis_stopped', ['redis_stopped'], () => say`The process of Redis was stopped`, {
    answer: () =>
      say`the kernel's state of the process shows it; who did it, an audit log or the shells' histories would`,
  }),
  claim('sure.stopped', ['vm_stopped'], () => say`The whole VM stood still`, {
    answer: () => say`records of the host; a sampler outside the VM`,
  }),
  claim('sure.lockup', ['soft_lockup'], () => say`A CPU stood still because of the host`, {
    answer: () => say`how long the vCPU threads waited to run on the host`,
  }),
  claim(
    'sure.aside',
    ['redis_aside_asleep'],
    ({ redis_aside_asleep: { data } }) =>
      say`Of Redis, a thread beside the main one slept (${process(data.thread)})`,
    {
      answer: () => say`whether the main thread answered, its log or a probe shows`,
    },
  ),
  claim(
    'sure.data',
    ['data_lost'],
    ({ data_lost: { data } }) => say`Redis came back with data of ${at(data.asOf)}`,
    {
      answer: () => say`its log says how old the file was`,
    },
  ),
];

export const contradictions: readonly Claim[] = [
  claim(
    'contradiction.clocks',
    ['clocks_disagree'],
    ({ clocks_disagree: { data } }) =>
      say`Redis wrote a line at ${at(data.event.at)}, while the kernel reported its main thread asleep. One of the two clocks is wrong, often by its time zone; the log was not used to date anything.`,
  ),
  claim(
    'contradiction.recorder_early',
    ['recorder_early'],
    ({ recorder_early: { data } }) =>
      say`The flight recorder saw it asleep at ${at(data.since)}, and the kernel's detector found it awake at ${at(data.earliest)} or later. One of the two clocks is wrong, or it was another thread of the name; the recorder was not used to date the beginning.`,
  ),
  claim(
    'contradiction.answered',
    ['answered_asleep'],
    ({ answered_asleep: { data } }) =>
      say`A probe of Redis was answered at ${at(data.at)}, while the kernel reported its main thread asleep. It asked another Redis, or one of the clocks is wrong; it was not used to date the beginning.`,
  ),
  claim(
    'contradiction.clock_stepped',
    ['clock_stepped', 'asleep'],
    ({ clock_stepped: { data } }) =>
      say`The clock of the machine was set ${data.seconds < 0 ? 'back' : 'forward'} by ${durationText(Math.abs(data.seconds))} at ${at(data.at)}, in the middle of the sleep. The length is by the kernel's own clock, which nobody sets; what came before is dated by the clock as it was set.`,
  ),
  claim(
    'contradiction.hypervisor',
    ['not_kvm'],
    ({ not_kvm: { data } }) =>
      say`The kernel trace is of a KVM guest, and the machine calls its hypervisor ${name(data.hypervisor)}. Were the logs taken on another machine?`,
  ),
  claim(
    'contradiction.reasons',
    ['reasons_differ'],
    ({ reasons_differ: { data } }) =>
      say`Threads slept for different reasons at once: ${joined(
        data.reasons.map((reason) => say`${reasonInWords[reason]}`),
        '; ',
      )}. Which came first does not follow from the traces alone.`,
  ),
  claim(
    'contradiction.two_causes',
    ['host_and_own'],
    ({ host_and_own: { data } }) =>
      say`Signs beyond the machine and signs of ${data.own.join(' and ')} lie in the same time. Both are listed; neither explains the other away.`,
  ),
  claim(
    'contradiction.sources',
    ['sources_differ'],
    ({ sources_differ: { data } }) =>
      say`Two sources measured ${data.measure} and do not agree: ${percentText(data.values[0])} and ${percentText(data.values[1])}. A clock or a zone may be off.`,
  ),
];
