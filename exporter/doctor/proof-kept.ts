/** What this machine keeps over a reset: the journal, text logs, sysstat. */
import { durationText } from '../measure/duration.ts';
import { cannotSee, type Check, fail, notTried, type Outcome, pass, tried, warn } from './check.ts';
import type { FileFacts, Files } from './files.ts';
import type { Machine } from './machine.ts';

const logs = (machine: Machine): Files => machine.files('logs');

const keepJournal = notTried(
  'mkdir -p /var/log/journal',
  'systemd-tmpfiles --create --prefix /var/log/journal',
  'journalctl --flush',
);

interface Journal {
  readonly folder: string;
  /** By name. */
  readonly files: ReadonlyMap<string, FileFacts>;
}

/** A file of tomorrow says nothing of today. */
const aheadSeconds = 300;
export const isAhead = (age: number): boolean => age < -aheadSeconds;
export const aheadText = (what: string, age: number): string =>
  `${what} is dated ${durationText(-age)} ahead: the clock was set back, or is wrong now`;

const longestJournalList = 512;

/** The journal of this machine in a folder; undefined where there is none. */
async function journalIn(machine: Machine, parent: string): Promise<Journal | undefined> {
  const id = (await logs(machine).text('/etc/machine-id'))?.trim() ?? '';
  if (!/^[0-9a-f]{32}$/.test(id)) return undefined;
  const folder = `${parent}/${id}`;
  const names = await logs(machine).names(folder);
  if (names === undefined) return undefined;
  const files = new Map<string, FileFacts>();
  for (const name of names
    .filter((one) => /^system(?:@.*)?\.journal~?$/.test(one))
    .slice(-longestJournalList)) {
    const facts = await logs(machine).facts(`${folder}/${name}`);
    if (facts?.kind === 'file') files.set(name, facts);
  }
  return files.size === 0 ? undefined : { folder, files };
}

/** journald touches its file with every record, and there is a record every few minutes. */
const quietJournalSeconds = 3600;
const textLogs = ['/var/log/kern.log', '/var/log/messages', '/var/log/syslog'] as const;

/** Longer than any of them is quiet where somebody writes it; one that is left over is no log. */
const quietTextSeconds = 7 * 86_400;

interface TextLog {
  readonly path: string;
  readonly age: number;
}

/** The text log that was written to last, for where there is no journal. */
async function textLog(machine: Machine): Promise<TextLog | undefined> {
  let last: TextLog | undefined;
  for (const path of textLogs) {
    const facts = await logs(machine).facts(path);
    if (facts?.kind !== 'file' || facts.bytes === 0) continue;
    const age = machine.now - facts.changedAt;
    if (last === undefined || age < last.age) last = { path, age };
  }
  return last;
}

async function withoutJournal(machine: Machine): Promise<Outcome> {
  const volatile = await journalIn(machine, '/run/log/journal');
  const text = await textLog(machine);
  if (text !== undefined && isAhead(text.age)) return cannotSee(aheadText(text.path, text.age));
  if (text !== undefined && text.age <= quietTextSeconds) {
    return pass(`no journal on disk, but ${text.path}`);
  }
  if (volatile !== undefined)
    return fail('the journal is kept in memory only (/run/log/journal)', keepJournal);
  if (text !== undefined) {
    return fail(`${text.path} was last written to ${durationText(text.age)} ago`, keepJournal);
  }
  return fail('there is neither a journal nor a kern.log', keepJournal);
}

const journal: Check = {
  id: 'journal',
  title: 'The kernel log outlives a reboot',
  why: 'A frozen Redis is cured by a reboot alone, and a log in memory dies with it: then nothing proves what the host did.',
  source: '/var/log/journal/MACHINE-ID/system.journal; kern.log, messages or syslog in /var/log',
  mends: [keepJournal],
  async check(machine) {
    const kept = await journalIn(machine, '/var/log/journal');
    const current = kept?.files.get('system.journal');
    if (current === undefined) return withoutJournal(machine);
    const age = machine.now - current.changedAt;
    if (isAhead(age)) return cannotSee(aheadText(`${kept?.folder}`, age));
    if (age > quietJournalSeconds) {
      return warn(`${kept?.folder} has not been written to for ${durationText(age)}`, keepJournal);
    }
    return pass(`${kept?.folder}`);
  },
};

const deeperJournal = notTried(
  'mkdir -p /etc/systemd/journald.conf.d',
  "printf '[Journal]\\nSystemMaxUse=1G\\n' > /etc/systemd/journald.conf.d/60-stealwatch.conf",
  'systemctl restart systemd-journald',
);

const daySeconds = 86_400;
const shortestHistoryDays = 7;

/** An archived file is named by when its first record was written, in hexadecimal microseconds. */
function beginOf(name: string, { bornAt, changedAt }: FileFacts): number {
  const digits = /-([0-9a-f]{16})\.journal~?$/.exec(name)?.[1];
  const named = digits === undefined ? NaN : Number.parseInt(digits, 16) / 1e6;
  if (named > 0 && named <= changedAt) return named;
  return bornAt > 0 ? Math.min(bornAt, changedAt) : changedAt;
}

const journalDepth: Check = {
  id: 'journal-depth',
  title: 'The log reaches back far enough',
  why: 'The second incident must not overwrite the first, and a ticket is often written days later.',
  source:
    'the oldest file of /var/log/journal/MACHINE-ID; how old the machine is, by /etc/machine-id',
  mends: [deeperJournal],
  async check(machine) {
    const kept = await journalIn(machine, '/var/log/journal');
    if (kept === undefined) return cannotSee('there is no journal on disk');
    const begins = [...kept.files].map(([name, facts]) => beginOf(name, facts));
    const days = (machine.now - Math.min(...begins)) / daySeconds;
    const text = `${durationText(Math.max(0, days * daySeconds))} of it`;
    if (days >= shortestHistoryDays) return pass(text);
    const id = await logs(machine).facts('/etc/machine-id');
    const machineDays = id === undefined ? Infinity : (machine.now - id.changedAt) / daySeconds;
    if (machineDays < shortestHistoryDays) return pass(`${text}; the machine is not older`);
    const dropped = kept.files.size > 1;
    return dropped
      ? warn(`only ${text}`, deeperJournal)
      : pass(`${text}, and nothing was dropped yet`);
  },
};

const collect = tried(`sed -i 's/^ENABLED=.*/ENABLED="true"/' /etc/default/sysstat`).concat(
  notTried('systemctl enable --now sysstat'),
);
const installSysstat = notTried('apt-get install sysstat').concat(collect);
const sysstatFolders = ['/var/log/sysstat', '/var/log/sa'] as const;
/** It collects every ten minutes, unless it was told otherwise. */
const freshSeconds = 20 * 60;

/** When the newest file of sysstat was written; undefined where there is none. */
async function newestSample(machine: Machine): Promise<number | undefined> {
  let newest: number | undefined;
  for (const folder of sysstatFolders) {
    const names = (await logs(machine).names(folder)) ?? [];
    for (const name of names.filter((one) => /^sa\d{2,8}$/.test(one)).slice(-40)) {
      const facts = await logs(machine).facts(`${folder}/${name}`);
      if (facts?.kind === 'file') newest = Math.max(newest ?? 0, facts.changedAt);
    }
  }
  return newest;
}

const sysstat: Check = {
  id: 'sysstat',
  title: 'sysstat collects',
  why: 'Steal, load, memory and disks of the last days, in a file that outlives the reset: what a provider cannot wave away. Debian and Ubuntu install it switched off.',
  source: 'the newest sa file in /var/log/sysstat or /var/log/sa; /etc/default/sysstat',
  mends: [collect, installSysstat],
  async check(machine) {
    const newest = await newestSample(machine);
    if (newest !== undefined) {
      const age = machine.now - newest;
      if (isAhead(age)) return cannotSee(aheadText('its last sample', age));
      if (age <= freshSeconds)
        return pass(`the last sample is ${durationText(Math.max(0, age))} old`);
      return warn(`the last sample is ${durationText(age)} old`, collect);
    }
    const settings = await machine.files('settings').text('/etc/default/sysstat');
    if (settings === undefined) return warn('it is not installed', installSysstat);
    const off = /^ENABLED="?false/m.test(settings);
    return warn(off ? 'it is installed and switched off' : 'it has no file yet', collect);
  },
};

const withInterrupts = tried(
  `sed -i 's/^SADC_OPTIONS=.*/SADC_OPTIONS="-S DISK,INT"/' /etc/sysstat/sysstat`,
);
const optionFiles = ['/etc/sysstat/sysstat', '/etc/sysconfig/sysstat'] as const;

const sysstatInterrupts: Check = {
  id: 'sysstat-interrupts',
  title: "sysstat keeps the host's page-ins",
  why: 'With -S INT the HYP row is in its file: the page-ins of the host, minute by minute, through a reboot, with no software of ours.',
  source: 'SADC_OPTIONS in /etc/sysstat/sysstat or /etc/sysconfig/sysstat',
  mends: [withInterrupts],
  async check(machine) {
    for (const path of optionFiles) {
      const text = await machine.files('settings').text(path);
      const options = text?.match(/^SADC_OPTIONS=(.*)$/m)?.[1];
      if (options === undefined) continue;
      const kept = /\b(?:INT|XALL|ALL)\b/.test(options);
      if (kept) return pass(`SADC_OPTIONS=${options}`);
      return path === optionFiles[0]
        ? warn(`SADC_OPTIONS=${options}`, withInterrupts)
        : warn(`SADC_OPTIONS=${options} in ${path}: add INT`);
    }
    return cannotSee('sysstat is not installed');
  },
};

export const proofKept: readonly Check[] = [journal, journalDepth, sysstat, sysstatInterrupts];
