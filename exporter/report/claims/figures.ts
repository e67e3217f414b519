/** Figures that fit the cause and hardly any other, and answers to what is usually replied. */
import { percentText } from '../../measure/percent.ts';
import { durationText } from '../../measure/duration.ts';
import { name, say } from '../text/say.ts';
import { capital, counted, figure, utc } from '../text/units.ts';
import { claim, type Claim } from './claim.ts';
import { kernelLine } from './kernel-line.ts';

export const figures: readonly Claim[] = [
  claim(
    'figure.parked',
    ['parked_threads'],
    ({ parked_threads: { data } }) =>
      say`Load rose by **${data.rise.toFixed(1)}** while the CPU was ${percentText(data.idle)} idle and ${figure(data.waiting)} tasks waited for I/O: threads asleep in the kernel that no other statistic of the guest counts. This load used no CPU.`,
  ),
  claim('figure.page_ins', ['page_ins'], ({ page_ins: { data } }) => {
    const before =
      data.before === undefined ? '' : `${figure(data.before.mean)}/s on the day before, `;
    const hour =
      data.lastHour === undefined
        ? ''
        : `${figure(data.lastHour.mean)}/s in the last hour before it, `;
    return say`"Page ready" interrupts from the host (${name('HYP')} in ${name('/proc/interrupts')}): ${before}${hour}**${figure(data.during.mean)}/s** during it. Each is a page of this VM that had been on the host's disk.`;
  }),
  claim(
    'figure.lost',
    ['page_lost'],
    ({ page_lost: { data } }) =>
      say`Other pages went on coming back (${figure(data.rate)}/s) while this thread slept on: the host could read its swap, so the message for this one may have been lost.`,
  ),
  claim(
    'figure.stop_failed',
    ['stop_failed', 'asleep'],
    ({ stop_failed: { data } }) =>
      say`${capital(data.event.text)}: a thread in state D takes no signal, not even SIGKILL.`,
  ),
  claim('figure.await', ['disk_stalled_host'], ({ disk_stalled_host: { data } }) =>
    data.awaitSeconds === undefined
      ? say`${figure(data.operations)} operations a second during it, ${figure(data.usual)} the day before.`
      : say`A request took up to ${durationText(data.awaitSeconds)}, at ${figure(data.operations)} operations a second (the day before: ${figure(data.usual)}).`,
  ),
  claim(
    'figure.demand',
    ['cpu_taken'],
    ({ cpu_taken: { data } }) =>
      say`Steal as a share of what was asked for: ${percentText(data.during.mean)}, at most ${percentText(data.during.most)}${data.before === undefined ? '' : ` (the day before: ${percentText(data.before.mean)})`}. As a share of all time, as ${name('top')} shows it, an idle guest hides it.`,
  ),
  claim(
    'figure.throttle',
    ['throttle_possible'],
    ({ throttle_possible: { data } }) =>
      say`In the ${data.hours} hours before it the VM itself used ${percentText(data.own)} of its CPUs: a limit of the plan may have been reached, which the guest sees as steal.`,
  ),
  claim(
    'figure.lockups',
    ['soft_lockup'],
    ({ soft_lockup: { data } }) =>
      say`${counted(data.count, 'soft lockup')} in the kernel log, first at ${utc(data.event.at)}: ${kernelLine(data.event, true)}.`,
  ),
];

const host = 'page_withheld_traced';

export const replies: readonly Claim[] = [
  claim('reply.steal', [host, 'cleared_steal'], () => say`"Steal is low, the node is fine"`, {
    answer: ({ cleared_steal: { data } }) =>
      say`Steal was ${percentText(data.during.mean)}. It is time a *runnable* vCPU waited for a CPU. A thread asleep for a page is not runnable: 0 steal.`,
  }),
  claim('reply.own_load', [host, 'cleared_cpu'], () => say`"It is your own load"`, {
    answer: ({ cleared_cpu: { data } }) =>
      data.before === undefined
        ? say`${percentText(data.during.mean)} idle during it, never under ${percentText(data.during.least)}.`
        : say`${percentText(data.during.mean)} idle during it, ${percentText(data.before.mean)} the day before (lowest ${durationText(data.before.stepSeconds)}: ${percentText(data.before.least)}).`,
  }),
  claim('reply.nothing_seen', [host], () => say`"We see nothing on the node"`, {
    answer: () =>
      say`Proof on the host is in ${name('VmSwap')} of the QEMU process, the swap-in rate of the node, and the tracepoints ${name('kvm:kvm_async_pf_not_present')} without a matching ${name('kvm_async_pf_ready')}. CPU graphs do not show it.`,
  }),
  claim(
    'reply.reboot',
    [host, 'ended_reset'],
    () => say`"A reboot fixed it, so it was your software"`,
    { answer: () => say`A reboot drops all guest memory, so nothing is left to page in.` },
  ),
  claim('reply.upgrade', [host, 'usual_use'], () => say`"Upgrade the plan"`, {
    answer: ({ usual_use: { data } }) => {
      const memory =
        data.memory === undefined ? '' : ` and ${percentText(data.memory.mean)} of its memory`;
      return say`The day before, the VM used ${percentText(1 - data.idle.mean)} of its CPU${memory}.`;
    },
  }),
  claim('reply.steal_normal', ['cpu_taken'], () => say`"Some steal is normal"`, {
    answer: ({ cpu_taken: { data } }) =>
      say`Up to 10 % is. This was ${percentText(data.during.mean)} of what was asked for.`,
  }),
  claim('reply.disk_own', ['disk_stalled_host'], () => say`"It is your own I/O"`, {
    answer: ({ disk_stalled_host: { data } }) =>
      say`${figure(data.operations)} operations a second, ${figure(data.usual)} the day before.`,
  }),
];
