/**
 * `stealwatch report` on much: a journal of 100,000 records of the kernel, a week of sysstat, 500 MB
 * of a log of Redis. How long it takes, and how much memory it and the programs it asks hold.
 */
import { spawn } from 'node:child_process';
import { closeSync, openSync, readdirSync, readFileSync, utimesSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { type JournalEntry, kernelEntry, makeJournal, whyNoJournal } from '../rig/journal.ts';
import { recordsOf, rfc3164 } from '../rig/kernel-log-forms.ts';
import { placed, temporaryRoot } from '../rig/temporary-root.ts';
import { inScope } from './figures.ts';

const now = Math.floor(Date.now() / 1000);
const day = 86_400;
const boot = { boot: 'a'.repeat(32), start: now - 7 * day };
const froze = now - 6 * 3600;

const launcher = join(import.meta.dirname, '../../exporter/stealwatch');

const records = 100_000;
const redisBytes = 500e6;
const linesAtATime = 5000;

/** A firewall that logs what it drops, and in the end the recorded reports of a frozen Redis. */
function journalEntries(): JournalEntry[] {
  const trace = recordsOf('6.12-redis-kvm-async-pf');
  const noise = Array.from({ length: records - trace.length }, (_, index) =>
    kernelEntry(
      boot,
      (index * (froze - boot.start)) / records,
      `[UFW BLOCK] IN=eth0 OUT= MAC=52:54:00:12:34:56 SRC=192.0.2.${index % 250} DST=198.51.100.7 LEN=40 TTL=241 PROTO=TCP SPT=${index % 65_536} DPT=23 SYN`,
    ),
  );
  const first = trace[0]?.microseconds ?? 0;
  const reports = trace.map(({ microseconds, text }) =>
    kernelEntry(boot, froze - boot.start + (microseconds - first) / 1e6, text),
  );
  return [...noise, ...reports];
}

/** A line every half second, the same for a month but for its time. */
function writeRedisLog(path: string): void {
  const fd = openSync(path, 'w');
  const line =
    'Client closed connection id=12 addr=192.0.2.7:51234 laddr=198.51.100.7:6379 name=worker';
  const lines = Math.floor(redisBytes / (line.length + 37));
  const from = froze - lines / 2;
  for (let index = 0; index < lines; index += linesAtATime) {
    const at = from + index / 2;
    const [month, date = '', clock] = rfc3164(at).split(/ +/);
    const stamp = `${date.padStart(2, '0')} ${month} ${new Date(at * 1000).getUTCFullYear()} ${clock}.000`;
    writeSync(fd, `812:M ${stamp} - ${line}\n`.repeat(Math.min(linesAtATime, lines - index)));
  }
  closeSync(fd);
  utimesSync(path, froze, froze);
}

/** Ten minutes a row, of two CPUs and a disk, as sadf prints them. */
function sadfText(): string {
  const blocks: readonly (readonly [header: string, rows: readonly string[]])[] = [
    [
      'CPU;%usr;%nice;%sys;%iowait;%steal;%irq;%soft;%guest;%gnice;%idle',
      ['-1', '0', '1'].map((cpu) => `${cpu};5.00;0.00;2.00;1.00;2.00;0.00;0.00;0.00;0.00;90.00`),
    ],
    ['INTR;CPU*', ['HYP;0.02;0.01;0.01']],
    ['pswpin/s;pswpout/s', ['0.00;0.00']],
    ['kbmemfree;kbavail;kbmemused;%memused;kbbuffers', ['100000;750000;400000;40.00;1000']],
    ['runq-sz;plist-sz;ldavg-1;ldavg-5;ldavg-15;blocked', ['1;300;0.50;0.40;0.30;0']],
    ['DEV;tps;rkB/s;wkB/s;dkB/s;areq-sz;aqu-sz;await;%util', ['vda;3.00;0;0;0;0;0;1.00;0.40']],
  ];
  const times = Array.from({ length: 7 * 144 }, (_, index) => now - 7 * day + (index + 1) * 600);
  return blocks
    .map(([header, rows]) => {
      const lines = times.flatMap((at) => rows.map((row) => `vm;600;${at};${row}\n`));
      return `# hostname;interval;timestamp;${header}\n${lines.join('')}`;
    })
    .join('');
}

/** Real files too: what it costs to start sadf for each day. */
function sysstatFiles(root: string): string[] {
  const fixture = new URL('../../exporter/fixtures/sysstat/12.6.1.gz', import.meta.url);
  const real = gunzipSync(readFileSync(fixture));
  const days = [1, 2, 3, 4, 5, 6, 7].map((index) => placed(root, `sa0${index}`, real));
  return [placed(root, 'week.sadf', sadfText()), ...days];
}

/** Most that a process has held, in bytes; 0 for one that is gone. */
function peakOf(pid: number | string): number {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    return Number(/^VmHWM:\s+(\d+) kB/m.exec(status)?.[1] ?? 0) * 1024;
  } catch {
    return 0;
  }
}

const isChildOf = (pid: string, parent: number): boolean => {
  try {
    return readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ')[1] === `${parent}`;
  } catch {
    return false;
  }
};

interface Run {
  readonly seconds: number;
  readonly ownBytes: number;
  /** Of the largest program that was asked. */
  readonly askedBytes: number;
}

function run(args: readonly string[]): Promise<Run> {
  const began = performance.now();
  const child = spawn(launcher, ['report', ...args], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const pid = child.pid ?? 0;
  let ownBytes = 0;
  let askedBytes = 0;
  const look = setInterval(() => {
    ownBytes = Math.max(ownBytes, peakOf(pid));
    const asked = readdirSync('/proc').filter((name) => /^\d+$/.test(name) && isChildOf(name, pid));
    askedBytes = Math.max(askedBytes, ...asked.map(peakOf));
  }, 20);
  return new Promise((resolve) => {
    child.on('close', () => {
      clearInterval(look);
      resolve({ seconds: (performance.now() - began) / 1000, ownBytes, askedBytes });
    });
  });
}

const inMegabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(0)} MB`;

export async function benchReport(): Promise<void> {
  const why = whyNoJournal();
  if (why !== undefined) {
    console.log(`left out: ${why}`);
    return;
  }
  await inScope(async (scope) => {
    const root = temporaryRoot(scope);
    const journal = join(root, 'journal');
    makeJournal(journal, journalEntries());
    const redis = join(root, 'redis.log');
    writeRedisLog(redis);
    const sysstat = sysstatFiles(root).flatMap((path) => ['--sysstat', path]);
    const sources: readonly (readonly [name: string, args: readonly string[]])[] = [
      ['journal of 100,000 records', ['--journal', journal]],
      ['with a week of sysstat', ['--journal', journal, ...sysstat]],
      ['with a Redis log of 500 MB', ['--journal', journal, ...sysstat, '--redis-log', redis]],
    ];
    for (const [index, [name, args]] of sources.entries()) {
      const out = join(root, `out${index}`);
      const { seconds, ownBytes, askedBytes } = await run([...args, '--root', root, '--out', out]);
      console.log(
        `${name}: ${seconds.toFixed(1)} s, ${inMegabytes(ownBytes)}, programs it asks ${inMegabytes(askedBytes)}`,
      );
    }
  });
}
