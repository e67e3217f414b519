/** The first line of a report that no ticket goes with. */
import { say } from '../text/say.ts';
import { utc } from '../text/units.ts';
import { claim, type Claim } from './claim.ts';
import { lasted, silent, span } from './when.ts';

export const ownTitles: readonly Claim[] = [
  claim(
    'title.own_memory',
    ['out_of_memory', 'incident'],
    ({ incident: { data } }) => say`This machine ran out of memory (${span(data)})`,
  ),
  claim(
    'title.own_container',
    ['out_of_memory_container', 'incident'],
    ({ incident: { data } }) =>
      say`A container or service reached its memory limit (${span(data)})`,
  ),
  claim(
    'title.frozen',
    ['filesystem_frozen', 'incident'],
    ({ incident: { data } }) =>
      say`A file system of this machine was frozen: ${lasted(data)} (${span(data)})`,
  ),
  claim(
    'title.shut_down',
    ['redis_shut_down', 'incident'],
    ({ incident: { data } }) => say`Redis was asked to stop (${span(data)})`,
  ),
  claim(
    'title.redis_stopped',
    ['redis_stopped'],
    ({ redis_stopped: { data } }) =>
      say`Redis did not answer for ${silent(data)}: it was stopped, by SIGSTOP or a debugger`,
  ),
  claim(
    'title.own_load',
    ['own_load', 'incident'],
    ({ incident: { data } }) =>
      say`This machine's own load took its CPUs: ${lasted(data)} (${span(data)})`,
  ),
  claim(
    'title.own_disk',
    ['disk_own', 'incident'],
    ({ incident: { data } }) =>
      say`This machine's own load kept its disk busy: ${lasted(data)} (${span(data)})`,
  ),
  claim(
    'title.short_memory',
    ['short_of_memory', 'incident'],
    ({ incident: { data } }) =>
      say`This machine was short of memory: ${lasted(data)} (${span(data)})`,
  ),
  claim(
    'title.stopped',
    ['redis_stopped_or_busy'],
    ({ redis_stopped_or_busy: { data } }) =>
      say`Redis did not answer for ${silent(data)}, likely because it was stopped or busy`,
  ),
  claim(
    'title.slow',
    ['redis_slow', 'incident'],
    ({ incident: { data } }) => say`Redis answered late: ${lasted(data)} (${span(data)})`,
  ),
  claim(
    'title.unserved',
    ['redis_unserved'],
    ({ redis_unserved: { data } }) => say`Redis served nobody for ${silent(data)}`,
  ),
  claim(
    'title.disk_unclear',
    ['disk_stalled_unclear', 'incident'],
    ({ incident: { data } }) => say`Processes waited for a disk: ${lasted(data)} (${span(data)})`,
  ),
  claim(
    'title.filesystem',
    ['filesystem_waits', 'incident'],
    ({ incident: { data } }) =>
      say`Processes waited for a file system: ${lasted(data)} (${span(data)})`,
  ),
  claim(
    'title.kernel_stall',
    ['kernel_stall', 'incident'],
    ({ incident: { data } }) =>
      say`The kernel of this machine stood still or its clock jumped (${span(data)})`,
  ),
  claim(
    'title.lock',
    ['lock_held', 'incident'],
    ({ incident: { data } }) =>
      say`A process waited for a lock in the kernel: ${lasted(data)} (${span(data)})`,
  ),
  claim(
    'title.other',
    ['other_sleep', 'incident'],
    ({ incident: { data } }) => say`A process slept in the kernel: ${lasted(data)} (${span(data)})`,
  ),
  claim(
    'title.unclean_end',
    ['unclean_end', 'cause_unknown', 'incident'],
    ({ unclean_end: { data } }) =>
      say`The VM was reset or lost power, and nothing here shows why (last record ${utc(data.at)} UTC)`,
  ),
  claim(
    'title.unknown',
    ['cause_unknown', 'incident'],
    ({ incident: { data } }) =>
      say`Something was out of the ordinary, and nothing here shows why: ${lasted(data)} (${span(data)})`,
  ),
];
