/** The first line of a ticket, for each cause that one is written for. */
import { percentText } from '../../measure/percent.ts';
import type { hostCauses } from '../cause/impact-rules.ts';
import { durationText } from '../../measure/duration.ts';
import { say } from '../text/say.ts';
import { utcMinutes } from '../text/units.ts';

import { claim, type Claim } from './claim.ts';
import { lasted, span } from './when.ts';

type HostCause = (typeof hostCauses)[number];

/** Of each the first that may be said. */
export const titles: Readonly<Record<HostCause, readonly Claim[]>> = {
  page_withheld_traced: [
    claim(
      'title.memory_not_kvm',
      ['page_withheld_traced', 'not_kvm', 'incident'],
      ({ incident: { data } }) =>
        say`Host very likely paged out memory of a running VM: a thread asleep for it ${lasted(data)} (${span(data)})`,
    ),
    claim(
      'title.memory_forgeable',
      ['page_withheld_traced', 'trace_forgeable', 'incident'],
      ({ incident: { data } }) =>
        say`Host very likely paged out memory of a running VM: a thread asleep for it ${lasted(data)} (${span(data)})`,
    ),
    claim(
      'title.memory_service',
      ['page_withheld_traced', 'redis_asleep', 'incident'],
      ({ incident: { data } }) =>
        say`Host paged out memory of a running VM: service frozen ${lasted(data)} (${span(data)})`,
    ),
    claim(
      'title.memory_thread',
      ['page_withheld_traced', 'incident'],
      ({ incident: { data } }) =>
        say`Host paged out memory of a running VM: a thread asleep for it ${lasted(data)} (${span(data)})`,
    ),
  ],
  page_withheld_measured: [
    claim(
      'title.memory_measured',
      ['page_withheld_measured'],
      ({ page_withheld_measured: { data } }) =>
        say`Host very likely paged out memory of a running VM: threads asleep for it ${durationText(data.seconds)} (${utcMinutes(data)} UTC)`,
    ),
  ],
  page_withheld_thin: [
    claim(
      'title.memory_thin',
      ['page_withheld_thin', 'incident'],
      ({ incident: { data } }) =>
        say`Did the host page out memory of this VM? Threads stood still in an idle guest for ${lasted(data)} (${span(data)})`,
    ),
  ],
  soft_lockup: [
    claim(
      'title.lockup',
      ['soft_lockup', 'incident'],
      ({ incident: { data } }) =>
        say`A CPU of the VM stood still, very likely held up by the host (${span(data)})`,
    ),
  ],
  vm_stopped: [
    claim(
      'title.stopped_vm',
      ['vm_stopped', 'incident'],
      ({ incident: { data } }) =>
        say`The VM as a whole likely stood still for ${lasted(data)} (${span(data)})`,
    ),
  ],
  cpu_taken: [
    claim(
      'title.cpu',
      ['cpu_taken', 'incident'],
      ({ incident: { data }, cpu_taken: { data: cpu } }) =>
        say`Host withheld ${percentText(cpu.during.mean)} of the CPU time that the VM asked for, for ${lasted(data)} (${span(data)})`,
    ),
  ],
  disk_stalled_host: [
    claim(
      'title.disk',
      ['disk_stalled_host', 'incident'],
      ({ incident: { data } }) =>
        say`Virtual disk did not answer, very likely on the host's side: processes blocked ${lasted(data)} (${span(data)})`,
    ),
  ],
  frozen_by_agent: [
    claim(
      'title.agent',
      ['frozen_by_agent', 'incident'],
      ({ incident: { data } }) =>
        say`A file system of the VM was frozen through the guest agent: processes blocked ${lasted(data)} (${span(data)})`,
    ),
  ],
};
