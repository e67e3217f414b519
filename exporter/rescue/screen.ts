/** What a rescue says to a person: what is, what it would do, what that risks, and what came of it. */
import { durationText } from '../measure/duration.ts';
import { asyncPageFaultMsr } from './msr.ts';
import { hypMoved, type Look, type Vcpu, type Waiting } from './look.ts';
import type { Released } from './release.ts';
import type { Fate } from './parked.ts';
import { valueText } from './value.ts';

const mostThreads = 20;
const msr = `0x${asyncPageFaultMsr.toString(16)}`;

/** Of a whole line: parts of it are the words of others. */
export const shown = (text: string) => text.replaceAll(/\p{C}/gu, '?');

function threadLine({ pid, tid, process, comm, cpu, since, waitChannel }: Waiting): string {
  const thread = comm === process ? `thread ${tid}` : `thread ${tid}, ${comm}`;
  const where = cpu === undefined ? 'on a vCPU that is not said' : `on vCPU ${cpu}`;
  const long = `for ${durationText(since.seconds)} at least (seen by ${since.by})`;
  const channel = waitChannel === '' || waitChannel === '0' ? 'by its stack' : waitChannel;
  return `  ${process}, process ${pid}, ${thread}: ${where}, ${long}, ${channel}`;
}

function threadLines({ threads, blindness }: Look): string[] {
  if (threads.length === 0 && blindness !== undefined) {
    return [`Whether a thread is parked for a page of the host may not be told: ${blindness}.`];
  }
  if (threads.length === 0) return ['No thread is parked for a page of the host.'];
  const some = threads.length === 1 ? 'One thread is' : `${threads.length} threads are`;
  const left = threads.length - mostThreads;
  return [
    `${some} parked until the host says that a page is back:`,
    ...threads.slice(0, mostThreads).map(threadLine),
    ...(left > 0 ? [`  and ${left} more`] : []),
  ];
}

const pageInWords: Readonly<Record<Look['pageIn'], string>> = {
  lost: 'the host pages, and has probably lost the message that theirs is there',
  stuck:
    'the message was lost, or the swap of the host stands still: from here the two look the same',
  slow: 'others come back, and it is too early to call this one lost',
  none: 'these were seen for too short a time to tell a slow page from a lost one',
};

function pageInLine({ hyp, watchedSeconds, pageIn, threads }: Look): string[] {
  if (hyp.after === undefined || threads.length === 0) return [];
  const moved = hypMoved(hyp.before, hyp.after);
  const pages = moved === 1 ? 'one page' : `${moved === 0 ? 'no' : moved} pages`;
  const text = `In ${durationText(watchedSeconds)} ${pages} came back (HYP in /proc/interrupts)`;
  return [`${text}: ${pageInWords[pageIn]}.`];
}

function exporterLine({ exporter }: Look): string {
  return typeof exporter === 'string'
    ? `The exporter was not heard: ${exporter}.`
    : `The exporter says (${exporter.verdict}): ${exporter.text}`;
}

function vcpuLine({ cpu, value, problem }: Vcpu): string {
  if (problem !== undefined) return `  vCPU ${cpu}: ${problem}`;
  return `  vCPU ${cpu}: ${valueText(value ?? 0n)}, as a kernel writes it (on, by interrupt, aligned)`;
}

const names = (cpus: readonly number[]) =>
  cpus.length === 1 ? `vCPU ${cpus[0]}` : `vCPUs ${cpus.join(', ')}`;

/** What there is besides, in the order of the runbook. */
const otherWays = [
  'What else there is, in this order (docs/runbooks/PageInStuck.md has the risks):',
  '  only while HYP moves: a vCPU above 0 offline and online again; never while the swap of the host stands still',
  '  the provider migrates the VM live: the new host is told the same',
  '  a reset from the panel of the provider: what is not saved is gone',
];

function planLines({ targets, threads }: Look): string[] {
  const whose = threads.length === 0 ? '' : ', where they are parked';
  return [
    `With --write: the evidence is kept, then what ${msr} holds is read and written back on ${names(targets)}${whose}, 2 s apart.`,
    'The host answers by waking every thread that is parked on that vCPU; each touches its page again.',
    'Risk: the kernel counts as tainted until the next boot. If the swap of the host stands still, they wake and',
    'wait for the same page again, asleep or using a CPU, and nothing else changes: shown in a lab.',
  ];
}

/** To be mended at noon. */
function obstacleLine({ refusal, obstacle, threads }: Look): string[] {
  if (obstacle === undefined || obstacle === refusal || threads.length > 0) return [];
  return [`Were one parked, it could not be written: ${obstacle}.`];
}

/** Without `--write`, and before it. */
export function lookText(look: Look): string {
  return [
    ...threadLines(look),
    ...pageInLine(look),
    exporterLine(look),
    ...look.doubts.map((doubt) => `Not all could be seen: ${doubt}.`),
    ...(look.vcpus.length === 0 ? [] : [`MSR ${msr}:`, ...look.vcpus.map(vcpuLine)]),
    ...(look.refusal === undefined
      ? planLines(look)
      : [`Nothing can be written: ${look.refusal}.`, ...obstacleLine(look)]),
    ...(look.threads.length === 0 ? [] : otherWays),
    '',
  ]
    .map(shown)
    .join('\n');
}

const fateWords: Readonly<Record<Fate, string>> = {
  asleep: 'sleeps as before',
  again: 'woke, and waits for a page again',
  awake: 'woke',
  gone: 'woke and ended',
};

function nextLines({ result }: Released, { pageIn }: Look): string[] {
  if (result === 'released' || result === 'refused') {
    return [
      'What Redis owes its clients: docs/runbooks/RedisFrozen.md. A report for the provider: stealwatch report.',
    ];
  }
  const flat =
    pageIn === 'lost'
      ? 'Pages come back and these do not.'
      : 'The swap of the host probably stands still: only the host can end that.';
  return [`${flat} ${otherWays[0]}`, ...otherWays.slice(1)];
}

/** After `--write`. */
export function releasedText(released: Released, look: Look): string {
  const { fates, redis, text } = released;
  return [
    ...fates.map(
      ({ thread, fate }) => `  ${thread.process}, thread ${thread.tid}: ${fateWords[fate]}`,
    ),
    redis,
    text,
    ...nextLines(released, look),
    '',
  ]
    .map(shown)
    .join('\n');
}
