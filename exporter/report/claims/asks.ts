/** What a ticket asks of the provider, in words of the host. */
import { name, say } from '../text/say.ts';
import { utc } from '../text/units.ts';
import { claim, type Claim } from './claim.ts';
import { seconds } from './when.ts';

const memoryQuestion = (
  id: string,
  need: 'page_withheld_traced' | 'page_withheld_measured' | 'page_withheld_thin',
) =>
  claim(
    id,
    [need, 'incident'],
    ({ incident }) =>
      say`For the host this VM ran on, **${seconds(incident.data)} UTC**: was it swapping (swap-in and swap-out rates, ${name('VmSwap')} of our QEMU process, memory pressure)? Did a backup, a migration or a storage fault coincide? Which kernel and QEMU does it run?`,
  );

export const asks: readonly Claim[] = [
  memoryQuestion('ask.memory', 'page_withheld_traced'),
  memoryQuestion('ask.memory_measured', 'page_withheld_measured'),
  memoryQuestion('ask.memory_thin', 'page_withheld_thin'),
  claim(
    'ask.move',
    ['page_withheld_traced'],
    () =>
      say`Move the VM (live migration if you can) to a host that does not swap guests, and say when it was done.`,
  ),
  claim(
    'ask.move_measured',
    ['page_withheld_measured'],
    () => say`If the host swaps: move the VM to one that does not, and say when it was done.`,
  ),
  claim(
    'ask.lockup',
    ['soft_lockup', 'incident'],
    ({ incident }) =>
      say`For the host this VM ran on, **${seconds(incident.data)} UTC**: how long did its vCPU threads wait to run, and was the host swapping?`,
  ),
  claim(
    'ask.stopped',
    ['vm_stopped'],
    ({ vm_stopped: { data } }) =>
      say`Was the VM paused, migrated or snapshotted between **${utc(data.gap.from)} and ${utc(data.gap.to)} UTC**? Was there maintenance on the host?`,
  ),
  claim(
    'ask.cpu',
    ['cpu_taken', 'incident'],
    ({ incident }) =>
      say`For **${seconds(incident.data)} UTC**: was this VM limited by your rules (from when, by which rule), or was the host oversubscribed?`,
  ),
  claim(
    'ask.cpu_move',
    ['cpu_taken'],
    () => say`If it was not a limit: move the VM to a host with room, and say when it was done.`,
    { unless: ['throttle_possible'] },
  ),
  claim(
    'ask.disk',
    ['disk_stalled_host', 'incident'],
    ({ incident }) =>
      say`For **${seconds(incident.data)} UTC**: which latency did the storage behind this VM's disk have on the host, and was it throttled, rebuilt, snapshotted or moved?`,
  ),
  claim(
    'ask.agent',
    ['frozen_by_agent'],
    ({ frozen_by_agent: { data } }) =>
      say`Which job sent ${name('guest-fsfreeze-freeze')} to this VM at **${utc(data.event.at)} UTC**, and when did it send the thaw?`,
  ),
  claim(
    'ask.agent_stop',
    ['frozen_by_agent'],
    () => say`Please take backups of this VM without freezing, or bound the freeze to seconds.`,
  ),
  claim(
    'ask.figures',
    ['incident'],
    () => say`If you find nothing, please send the host figures you looked at, for these minutes.`,
  ),
];
