/**
 * The same once more, short enough for a chat form. From the most to the least important: what does
 * not fit is left out whole.
 */
import { durationText } from '../../measure/duration.ts';
import { percentText } from '../../measure/percent.ts';
import { name, process, say } from '../text/say.ts';
import { counted, utcRange } from '../text/units.ts';
import { claim, type Claim } from './claim.ts';
import { lasted, seconds } from './when.ts';

export const plain: readonly Claim[] = [
  claim(
    'plain.page',
    ['page_withheld_traced', 'asleep', 'incident'],
    ({ page_withheld_traced: { data }, asleep, incident }) =>
      say`${seconds(incident.data)} UTC: ${process(asleep.data.process)} was asleep in the kernel function ${name(data.asleepIn)} (${counted(data.reports, 'kernel report')}, ${counted(data.threads, 'thread')}; ${lasted(incident.data)}). That sleep is entered only when the hypervisor tells the guest that a page of its memory is swapped out on the host.`,
  ),
  claim(
    'plain.reset',
    ['page_withheld_traced', 'ended_reset'],
    () => say`No signal reaches it; it ended with the reset of the VM.`,
  ),
  claim(
    'plain.page_measured',
    ['page_withheld_measured'],
    ({ page_withheld_measured: { data } }) =>
      say`${utcRange(data)} UTC: threads of this VM slept (${durationText(data.seconds)}), very likely for pages of its memory that the host had swapped out. Measured in the guest; no kernel trace was kept.`,
  ),
  claim(
    'plain.page_thin',
    ['page_withheld_thin', 'incident'],
    ({ incident }) =>
      say`${seconds(incident.data)} UTC: threads of this VM stood still (${lasted(incident.data)}) while the guest was idle and waited for no disk. Possibly the host had swapped out memory of it.`,
  ),
  claim(
    'plain.cpu',
    ['cpu_taken', 'incident'],
    ({ cpu_taken: { data }, incident }) =>
      say`${seconds(incident.data)} UTC: of the CPU time this VM asked for, ${percentText(data.during.mean)} was withheld (steal as a share of demand).`,
  ),
  claim(
    'plain.stopped',
    ['vm_stopped', 'incident'],
    ({ incident }) => say`${seconds(incident.data)} UTC: the VM as a whole likely did not run.`,
  ),
  claim(
    'plain.lockup',
    ['soft_lockup', 'incident'],
    ({ soft_lockup: { data }, incident }) =>
      say`${seconds(incident.data)} UTC: ${counted(data.count, 'soft lockup')}. In a KVM guest this very likely means that the host did not run the CPU or was fetching memory for it.`,
  ),
  claim(
    'plain.disk',
    ['disk_stalled_host', 'incident'],
    ({ disk_stalled_host: { data }, incident }) =>
      say`${seconds(incident.data)} UTC: threads waited in ${name(data.asleepIn)} for the virtual disk, of which the guest asked ${data.operations.toFixed(1)} operations a second.`,
  ),
  claim(
    'plain.agent',
    ['frozen_by_agent', 'incident'],
    ({ incident }) =>
      say`${seconds(incident.data)} UTC: a file system of the VM was frozen through the guest agent, and what writes to it stood still.`,
  ),
];
