/** Swap of the guest itself, and the time. */
import { parseMeminfo } from '../procfs/meminfo.ts';
import { parseVmstat } from '../procfs/vmstat.ts';
import { cannotSee, type Check, notTried, pass, tried, warn } from './check.ts';
import { type Machine, uptimeOf } from './machine.ts';
import { aheadText, isAhead } from './proof-kept.ts';
import { durationText } from '../measure/duration.ts';

const rarelySwap = tried(
  'sysctl -w vm.swappiness=1',
  "echo 'vm.swappiness = 1' >> /etc/sysctl.d/60-stealwatch.conf",
);

function rows(machine: Machine, file: 'meminfo' | 'vmstat', wanted: readonly string[]) {
  const text = machine.procfs.read(file);
  if (text === undefined) throw new Error(`${machine.procfs.root}/${file} is not there`);
  return file === 'meminfo' ? parseMeminfo(text, wanted) : parseVmstat(text, wanted);
}

const mib = (bytes: number) => `${Math.round(bytes / (1024 * 1024))} MiB`;
const muchUsed = 0.1;
const manyPagesPerSecond = 1;

const swap: Check = {
  id: 'swap',
  title: 'This machine does not swap by itself',
  why: 'Swapping of the guest looks to users as paging by the host does, and is yours to end: a Redis that waits for its own swap is no case for a ticket.',
  source: '/proc/meminfo, /proc/vmstat, /proc/sys/vm/swappiness',
  mends: [rarelySwap],
  check(machine) {
    const { values, problem } = rows(machine, 'meminfo', ['MemTotal', 'SwapTotal', 'SwapFree']);
    const [all, total, free] = ['MemTotal', 'SwapTotal', 'SwapFree'].map((name) =>
      values.get(name),
    );
    if (all === undefined || total === undefined || free === undefined) {
      return cannotSee(problem ?? 'meminfo: no line of MemTotal, SwapTotal and SwapFree');
    }
    if (total === 0) return pass('it has no swap');
    const pages = rows(machine, 'vmstat', ['pswpin']).values.get('pswpin') ?? 0;
    const perSecond = pages / uptimeOf(machine);
    if (machine.procfs.read('sys/vm/swappiness')?.trim() === '1') {
      return pass(`${mib(total - free)} of ${mib(total)} in use, and vm.swappiness = 1`);
    }
    if (perSecond > manyPagesPerSecond) {
      return warn(
        `${Math.round(perSecond)} pages a second came back from swap since the boot`,
        rarelySwap,
      );
    }
    if (total - free > all * muchUsed)
      return warn(`${mib(total - free)} are swapped out`, rarelySwap);
    return pass(`${mib(total - free)} of ${mib(total)} in use`);
  },
};

const installChrony = notTried('apt-get install chrony');

interface Keeper {
  readonly name: string;
  /** Written whenever it has set the clock, or learnt how fast it goes. */
  readonly path: string;
}

const keepers: readonly Keeper[] = [
  { name: 'systemd-timesyncd', path: '/run/systemd/timesync/synchronized' },
  { name: 'systemd-timesyncd', path: '/var/lib/systemd/timesync/clock' },
  { name: 'chrony', path: '/var/lib/chrony/drift' },
  { name: 'chrony', path: '/var/lib/chrony/chrony.drift' },
  { name: 'ntpd', path: '/var/lib/ntpsec/ntp.drift' },
  { name: 'ntpd', path: '/var/lib/ntp/ntp.drift' },
];
const freshSeconds = 3 * 86_400;

const timeSync: Check = {
  id: 'time-sync',
  title: 'The clock is set by others',
  why: "A timeline that is a minute off the provider's own is not believed, and two machines cannot be compared.",
  source: 'the files in which systemd-timesyncd, chrony and ntpd note that they have set the clock',
  mends: [installChrony],
  async check(machine) {
    let oldest: string | undefined;
    for (const { name, path } of keepers) {
      const facts = await machine.files('settings').facts(path);
      if (facts === undefined) continue;
      const age = machine.now - facts.changedAt;
      if (isAhead(age)) return warn(aheadText(`what ${name} has noted`, age), installChrony);
      if (age <= freshSeconds) return pass(`by ${name}, ${durationText(Math.max(0, age))} ago`);
      oldest ??= `${name} has not noted anything for ${durationText(age)}`;
    }
    return warn(
      oldest ?? 'neither systemd-timesyncd nor chrony nor ntpd has left a sign',
      installChrony,
    );
  },
};

export const machineChecks: readonly Check[] = [swap];
export const timeChecks: readonly Check[] = [timeSync];
