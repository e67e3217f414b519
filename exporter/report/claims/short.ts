/** The four lines a reader may stop after: what, cause, what the VM did meanwhile, how sure. */
import { percentText } from '../../measure/percent.ts';
import { durationText } from '../../measure/duration.ts';
import { name, process, say } from '../text/say.ts';
import { counted, utc } from '../text/units.ts';
import { claim, type Claim } from './claim.ts';
import { at, began, ended, judged, lasted, lastedAtMost } from './when.ts';

/** One of these; the ends exclude each other. */
export const what: readonly Claim[] = [
  claim(
    'what.silent_to_reset',
    ['asleep', 'redis_last_line', 'ended_reset', 'incident'],
    ({ asleep, ended_reset: end, incident: { data } }) =>
      say`${process(asleep.data.process)} fell asleep in the kernel ${began(data)} and gave no sign of life until the VM was reset ${ended(end.data)}: **${lastedAtMost(data)}**.`,
  ),
  claim(
    'what.to_reset',
    ['asleep', 'ended_reset', 'incident'],
    ({ asleep: { data: sleep }, ended_reset: end, incident: { data } }) =>
      say`${process(sleep.process)} fell asleep in the kernel ${began(data)}. The kernel last reported it at ${at(sleep.last.at)}, and the VM was reset ${ended(end.data)}: **${lastedAtMost(data)}** if it did not wake in between.`,
    { unless: ['redis_last_line'] },
  ),
  claim(
    'what.alive',
    ['asleep', 'ended_alive', 'incident'],
    ({ asleep, ended_alive: end, incident: { data } }) =>
      say`${process(asleep.data.process)} fell asleep in the kernel ${began(data)}. Its first sign of life came at ${at(end.data.at)}: **${lasted(data)}**.`,
  ),
  claim(
    'what.replaced',
    ['asleep', 'ended_replaced', 'incident'],
    ({ asleep, ended_replaced: end, incident: { data } }) =>
      say`${process(asleep.data.process)} fell asleep in the kernel ${began(data)}; a new process took its place at ${at(end.data.at)}: **${lasted(data)}**.`,
  ),
  claim(
    'what.quiet',
    ['asleep', 'ended_quiet', 'incident'],
    ({ asleep, ended_quiet: end, incident: { data } }) =>
      say`${process(asleep.data.process)} fell asleep in the kernel ${began(data)} and was last reported at ${at(end.data.at)}: **${lasted(data)}**. The kernel could have reported it again by ${at(end.data.latest)} and did not, so it likely woke before.`,
  ),
  claim(
    'what.to_shutdown',
    ['asleep', 'ended_shutdown', 'incident'],
    ({ asleep, ended_shutdown: end, incident: { data } }) =>
      say`${process(asleep.data.process)} fell asleep in the kernel ${began(data)}; nothing shows that it woke before the VM was shut down ${ended(end.data)}: **${lastedAtMost(data)}**.`,
  ),
  claim(
    'what.to_end_of_boot',
    ['asleep', 'ended_with_boot', 'incident'],
    ({ asleep, ended_with_boot: end, incident: { data } }) =>
      say`${process(asleep.data.process)} fell asleep in the kernel ${began(data)}; nothing shows that it woke before this boot ended, ${ended(end.data)}: **${lastedAtMost(data)}**.`,
  ),
  claim(
    'what.unseen_reset',
    ['asleep', 'ended_unseen', 'unclean_end', 'incident'],
    ({ asleep, ended_unseen: end, unclean_end: { data: reset }, incident: { data } }) =>
      say`${process(asleep.data.process)} fell asleep in the kernel ${began(data)} and was last seen asleep at ${at(end.data.at)}: **${lastedAtMost(data)}**. The VM was reset at ${at(reset.at)}; whether it woke before, nothing that was kept shows.`,
  ),
  claim(
    'what.unseen',
    ['asleep', 'ended_unseen', 'incident'],
    ({ asleep, ended_unseen: end, incident: { data } }) =>
      say`${process(asleep.data.process)} fell asleep in the kernel ${began(data)} and was last seen asleep at ${at(end.data.at)}: **${lastedAtMost(data)}**. When it woke, nothing that was kept shows.`,
  ),
  claim(
    'what.still_on',
    ['asleep', 'still_on', 'incident'],
    ({ asleep, still_on: end, incident: { data } }) =>
      say`${process(asleep.data.process)} fell asleep in the kernel ${began(data)} and was still asleep at ${at(end.data.at)}, the newest that is known: **${lasted(data)}**.`,
  ),
  claim(
    'what.measured',
    ['incident'],
    ({ incident: { data } }) =>
      data.seconds < 1
        ? say`At ${at(data.end.at)} UTC.`
        : say`From ${judged(data)} UTC: **${lasted(data)}**.`,
    { unless: ['asleep'] },
  ),
];

export const cause: readonly Claim[] = [
  claim(
    'cause.page_traced',
    ['page_withheld_traced'],
    ({ page_withheld_traced: { data } }) =>
      say`It waited for a page of its memory that the host had taken away. Proof: ${counted(data.reports, 'kernel trace')} in ${name(data.asleepIn)}.`,
  ),
  claim(
    'cause.page_measured',
    ['page_withheld_measured'],
    ({ page_withheld_measured: { data } }) =>
      say`Up to ${counted(data.threads, 'thread')} of this VM slept for ${durationText(data.seconds)}, very likely for pages of its memory that the host had taken away. No kernel trace was kept.`,
  ),
  claim(
    'cause.page_thin',
    ['page_withheld_thin'],
    ({ page_withheld_thin: { data } }) =>
      say`Possibly memory that the host had taken away: load rose by ${data.rise.toFixed(1)} in an idle guest. A frozen file system would look the same; no trace and no wait channel was kept, so it is a question, not a finding.`,
  ),
  claim(
    'cause.lockup',
    ['soft_lockup'],
    ({ soft_lockup: { data } }) =>
      say`The guest kernel reported ${counted(data.count, 'soft lockup')}, first at ${utc(data.event.at)}: a CPU did not get on. In a KVM guest this very likely means that the host did not run it, or was fetching memory the kernel needed.`,
  ),
  claim(
    'cause.stopped',
    ['vm_stopped'],
    ({ vm_stopped: { data } }) =>
      say`${counted(data.sources, 'source')} that write all the time have nothing between ${utc(data.gap.from)} and ${utc(data.gap.to)}, and the guest's clock or CPUs showed a jump after it: the VM likely did not run.`,
  ),
  claim(
    'cause.cpu',
    ['cpu_taken'],
    ({ cpu_taken: { data } }) =>
      say`Of the CPU time the VM asked for${data.cpu === undefined ? '' : ` on its worst CPU (${data.cpu})`}, the host withheld ${percentText(data.during.mean)} (steal as a share of demand). By a neighbour or by a limit of the plan, the guest cannot tell.`,
  ),
  claim(
    'cause.disk_host',
    ['disk_stalled_host'],
    ({ disk_stalled_host: { data } }) =>
      say`Threads waited in ${name(data.asleepIn)} for the disk, which did ${data.operations.toFixed(1)} operations a second then (the day before: ${data.usual.toFixed(1)}): very likely it did not answer on the host's side.`,
  ),
  claim(
    'cause.agent',
    ['frozen_by_agent', 'filesystem_frozen'],
    ({ frozen_by_agent: { data } }) =>
      say`The guest agent was told at ${utc(data.event.at)} to freeze the file systems, and what writes waits until they are thawed.`,
  ),
];

/** What the VM did meanwhile, in halves of a sentence. */
export const meanwhile: readonly Claim[] = [
  claim(
    'meanwhile.idle',
    ['cleared_cpu'],
    ({ cleared_cpu: { data } }) => say`its CPUs ${percentText(data.during.mean)} idle`,
  ),
  claim(
    'meanwhile.memory',
    ['cleared_memory'],
    ({ cleared_memory: { data } }) =>
      say`${percentText(1 - data.during.mean)} of its memory free or cache`,
  ),
  claim(
    'meanwhile.disk',
    ['cleared_disk'],
    ({ cleared_disk: { data } }) => say`its disk at most ${percentText(data.during.most)} busy`,
  ),
];

export const certainty: readonly Claim[] = [
  claim(
    'certainty.page_traced',
    ['page_withheld_traced'],
    () =>
      say`Proven that the thread waited for the host to bring back a page. Whether the page never came, or only the message that it was back, and why it was gone, only you can see.`,
    { unless: ['not_kvm', 'trace_forgeable'] },
  ),
  claim(
    'certainty.page_traced_forgeable',
    ['page_withheld_traced', 'trace_forgeable'],
    () =>
      say`Very likely. The trace stands in a text log in which a program can call itself the kernel.`,
  ),
  claim(
    'certainty.page_traced_not_kvm',
    ['page_withheld_traced', 'not_kvm'],
    ({ not_kvm: { data } }) =>
      say`Very likely. The function exists for guests of KVM only, but this machine calls its hypervisor ${name(data.hypervisor)}: please say which it is.`,
  ),
  claim(
    'certainty.page_measured',
    ['page_withheld_measured'],
    () =>
      say`Very likely, from measurements inside the guest; a kernel trace would be proof and is missing.`,
  ),
  claim(
    'certainty.page_thin',
    ['page_withheld_thin'],
    () => say`Possible. Only your figures can settle it.`,
  ),
  claim(
    'certainty.lockup',
    ['soft_lockup'],
    () => say`Proven that the CPU stood still; very likely that the host is why.`,
  ),
  claim(
    'certainty.stopped',
    ['vm_stopped'],
    () => say`Likely. Whether the VM ran at all in this time, your records show.`,
  ),
  claim(
    'certainty.cpu',
    ['cpu_taken'],
    () =>
      say`Proven that the time was withheld: the hypervisor itself reports steal to the guest. Why is not known here.`,
  ),
  claim(
    'certainty.disk_host',
    ['disk_stalled_host'],
    () =>
      say`Proven that the threads waited for the disk; very likely that the cause is below the guest, since the guest asked little of it.`,
  ),
  claim(
    'certainty.agent',
    ['frozen_by_agent', 'filesystem_frozen'],
    () =>
      say`Proven by the guest agent's log and the kernel trace. Whose job asked for it, only you can see.`,
  ),
];

export const why: readonly Claim[] = [
  claim(
    'why.page_traced',
    ['page_withheld_traced'],
    () =>
      say`A thread gets into this sleep in one way only: the guest touches memory that the host has paged out, and **the hypervisor injects the "page not present" event**. No load, setting, disk or lack of memory inside the guest leads there.`,
  ),
];
