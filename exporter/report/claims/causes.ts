/** The team's copy: what each finding says of the cause, whoever's it is, and what to do next. */
import { percentText } from '../../measure/percent.ts';
import { openCauses, ownCauses as ours } from '../cause/impact-rules.ts';
import { durationText } from '../../measure/duration.ts';
import { name, process, say } from '../text/say.ts';
import { counted, figure, utc } from '../text/units.ts';
import { claim, type Claim } from './claim.ts';
import { kernelLine } from './kernel-line.ts';
import { silence } from './when.ts';

const times = (count: number) => (count === 1 ? '' : `, ${count} times`);

export const ownCauses: readonly Claim[] = [
  claim(
    'cause.kernel_stall',
    ['kernel_stall'],
    ({ kernel_stall: { data } }) =>
      say`${kernelLine(data.event)}, first at ${utc(data.event.at)}${times(data.count)}. In a VM the host may not have run it; that alone proves nothing.`,
  ),
  claim(
    'cause.out_of_memory',
    ['out_of_memory'],
    ({ out_of_memory: { data } }) =>
      say`${kernelLine(data.event)}, first at ${utc(data.event.at)}${times(data.count)}. That is this machine's own memory; no host takes part in it.`,
  ),
  claim(
    'cause.out_of_memory_container',
    ['out_of_memory_container'],
    ({ out_of_memory_container: { data } }) =>
      say`${kernelLine(data.event)}, first at ${utc(data.event.at)}${times(data.count)}.`,
  ),
  claim(
    'cause.frozen',
    ['filesystem_frozen'],
    ({ filesystem_frozen: { data } }) =>
      say`The trace sleeps in ${name(data.asleepIn)}: the file system was frozen, and what writes to it waits until it is thawed. Backups and snapshots freeze file systems, from inside (${name('fsfreeze')}, LVM) or through the guest agent; a job that died between freeze and thaw leaves them so.`,
  ),
  claim(
    'cause.frozen_no_agent',
    ['filesystem_frozen'],
    () => say`Who froze it does not show in what was read. Look for a backup agent that ran then.`,
    { unless: ['frozen_by_agent'], openEnded: true },
  ),
  claim(
    'cause.filesystem',
    ['filesystem_waits'],
    ({ filesystem_waits: { data } }) =>
      say`The trace sleeps in ${name(data.asleepIn)}: a file system's journal or server did not answer.`,
  ),
  claim(
    'cause.lock',
    ['lock_held'],
    ({ lock_held: { data } }) =>
      say`${process(data.process)} waited for a lock that another thread held. Who held it, the trace does not say.`,
  ),
  claim('cause.other', ['other_sleep'], ({ other_sleep: { data } }) =>
    data.asleepIn === undefined
      ? say`The kernel's report has no trace that names a function, so it does not say what was waited for.`
      : say`The trace sleeps in ${name(data.asleepIn)}, which names none of the causes known here.`,
  ),
  claim(
    'cause.disk_unclear',
    ['disk_stalled_unclear'],
    ({ disk_stalled_unclear: { data } }) =>
      say`The trace sleeps in ${name(data.asleepIn)}: it waited for a disk. Whether the disk was slow or asked for too much cannot be said: its operations were not recorded, then or the day before.`,
  ),
  claim(
    'cause.own_disk',
    ['disk_own'],
    ({ disk_own: { data } }) =>
      say`The disk${data.disk === undefined ? '' : ` ${data.disk}`} did ${figure(data.operations ?? 0)} operations a second${data.busy === undefined ? '' : ` and was ${percentText(data.busy)} busy`}: work that this machine itself asked for.`,
  ),
  claim(
    'cause.redis_stopped',
    ['redis_stopped'],
    ({ redis_stopped: { data } }) =>
      say`Redis did not answer for ${silence(data)}, and its process was stopped through it, by SIGSTOP or a debugger: that is done on the machine, and not by its host.`,
  ),
  claim(
    'cause.own_load',
    ['own_load'],
    ({ own_load: { data } }) =>
      say`The CPUs were ${percentText(data.idle)} idle${data.own === undefined ? '' : `, and processes of this machine used ${percentText(data.own)} of them`}.`,
  ),
  claim('cause.short_memory', ['short_of_memory'], ({ short_of_memory: { data } }) => {
    const pressure =
      data.pressure === undefined ? '' : ` Memory pressure ${percentText(data.pressure)}.`;
    const swap =
      data.swapIn === undefined
        ? ''
        : ` It swapped in ${figure(data.swapIn)} pages a second, from its own swap.`;
    const faults =
      data.faults === undefined || data.used === undefined
        ? ''
        : ` ${percentText(data.used)} of it was in use, and ${figure(data.faults)} major faults a second read again what had been thrown out of it.`;
    return say`This machine's own memory was too small for what ran in it.${pressure}${swap}${faults}`;
  }),
  claim('cause.stopped_or_busy', ['redis_stopped_or_busy'], ({ redis_stopped_or_busy: { data } }) =>
    data.by === 'threads'
      ? say`Redis did not answer for ${silence(data)}, and no thread of this machine slept in the kernel through it: the process was stopped (SIGSTOP, a debugger) or busy with one command.`
      : say`Redis did not answer for ${silence(data)}, and the kernel reported no blocked task: the process was stopped (SIGSTOP, a debugger) or busy with one command, or slept for less than the detector's round at a time.`,
  ),
  claim(
    'cause.unserved',
    ['redis_unserved'],
    ({ redis_unserved: { data } }) =>
      say`Redis served nobody for ${silence(data)}. Whether it was down, refused, or slept in the kernel, these sources do not say.`,
    {
      unless: ['page_withheld_measured', 'page_withheld_thin', 'out_of_memory', 'redis_shut_down'],
    },
  ),
  claim(
    'cause.slow',
    ['redis_slow'],
    ({ redis_slow: { data } }) =>
      say`Redis took up to ${durationText(data.most)} to answer, with no thread asleep in the kernel through it: a slow command, or a fork. Its SLOWLOG and LATENCY tell which, until it restarts.`,
  ),
  claim(
    'cause.shut_down',
    ['redis_shut_down'],
    ({ redis_shut_down: { data } }) =>
      say`Redis was asked to stop at ${utc(data.event.at)} (${name(data.event.text)}).`,
  ),
  claim(
    'cause.aof',
    ['aof_slow'],
    ({ aof_slow: { data } }) =>
      say`Redis warned ${counted(data.count, 'time')} that an fsync of its append-only file took too long.`,
  ),
  claim(
    'cause.unclean_end',
    ['unclean_end', 'cause_unknown'],
    ({ unclean_end: { data } }) =>
      say`No shutdown was recorded before ${utc(data.at)} UTC: a reset by hand, by the provider, or a loss of power. Nothing that was read shows why.`,
  ),
  claim(
    'cause.unknown',
    ['cause_unknown'],
    () =>
      say`Nothing that was read shows a cause. The list of what was not found says what to keep for the next time.`,
    { unless: ['unclean_end'], openEnded: true },
  ),
];

/** What to do next, by what was found; missing sources add theirs. */
export const actions: readonly Claim[] = [
  claim(
    'action.ticket_memory',
    ['page_withheld_traced'],
    () =>
      say`Send the ticket. If the answer is no move, move Redis to a plan whose memory is not overcommitted.`,
  ),
  claim(
    'action.ticket_memory_measured',
    ['page_withheld_measured'],
    () =>
      say`Send the ticket; before the next time, keep the kernel log over a reboot, which turns very likely into proven.`,
  ),
  claim(
    'action.page_wait',
    ['page_withheld_traced'],
    () =>
      say`Next time, before the reboot: docs/runbooks/PageInStuck.md, remedy 1 wakes a thread whose message was lost.`,
  ),
  claim(
    'action.watch_outside',
    ['asleep'],
    () =>
      say`Watch this machine from another one: what freezes cannot tell (docs/watching-from-outside.md).`,
    { unless: ['alerted'] },
  ),
  claim(
    'action.warnings',
    ['reports_spent'],
    () =>
      say`${name('sysctl kernel.hung_task_warnings=-1')}: the kernel then goes on reporting after the tenth time.`,
  ),
  claim(
    'action.thaw',
    ['filesystem_frozen'],
    () =>
      say`Thaw without a reboot: ${name('fsfreeze -u MOUNTPOINT')}. Find the job that froze it, and give it a trap that thaws.`,
  ),
  claim(
    'action.oom',
    ['out_of_memory'],
    () =>
      say`Give Redis a ${name('maxmemory')} that leaves room for its fork, or the machine more memory.`,
  ),
  claim(
    'action.oom_container',
    ['out_of_memory_container'],
    () =>
      say`Raise the limit of the container, or lower what runs in it: for Redis ${name('maxmemory')} well below the limit.`,
  ),
  claim(
    'action.own_load',
    ['own_load'],
    () => say`Find what used the CPU (cron, a deploy, a build) and move or limit it.`,
  ),
  claim(
    'action.own_disk',
    ['disk_own'],
    () =>
      say`Find what used the disk (a backup, a log, AOF with ${name('appendfsync always')}) and move or limit it.`,
  ),
  claim(
    'action.short_memory',
    ['short_of_memory'],
    () => say`Less in this machine, or more memory; swap hides it until it hurts.`,
  ),
  claim(
    'action.slow',
    ['redis_slow'],
    () =>
      say`${name('CONFIG SET slowlog-log-slower-than 10000')} and ${name('CONFIG SET latency-monitor-threshold 100')}: then the next one has a name.`,
  ),
  claim(
    'action.redis_stopped',
    ['redis_stopped'],
    () =>
      say`Look who stopped it or attached to it (a deployment, a debugger, a job control); SIGCONT lets it go on.`,
  ),
  claim(
    'action.stopped',
    ['redis_stopped_or_busy'],
    () => say`Look who may stop it or attach to it, and at the slow log of the time.`,
  ),
];

/** Whose it is, in one line of the summary. */
export const whose: readonly Claim[] = [
  ...ours.map((id) =>
    claim(`whose.${id}`, [id], () => say`This is ours to mend, not the provider's.`),
  ),
  claim(
    'whose.frozen',
    ['filesystem_frozen'],
    () =>
      say`Nothing here speaks against the host: a file system is frozen by whoever asks for it.`,
    { unless: ['frozen_by_agent'] },
  ),
  ...openCauses.flatMap((id) =>
    id === 'filesystem_frozen'
      ? []
      : [
          claim(
            `whose.${id}`,
            [id],
            () => say`Whose fault that is does not show in what was read.`,
          ),
        ],
  ),
];
