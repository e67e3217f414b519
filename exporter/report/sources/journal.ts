/** The journal: records of the kernel of all its boots, and of programs what the timeline needs. */
import { messageOf } from '../../measure/errors.ts';
import type { Gathered, Instant, Source } from '../facts/facts.ts';
import type { ReadContext } from './context.ts';
import { isFarewell } from './farewell.ts';
import {
  createJournalBoot,
  type JournalBoot,
  journalStopped,
  shutdownAsked,
} from './journal-boot.ts';
import { type BootList, listBoots, type ListedBoot } from './journal-boots.ts';
import { journalPlace, noJournal } from './journal-place.ts';
import { createJournalReader, journalFields, type JournalRecord } from './journal-record.ts';
import { type Answer, ask } from './run.ts';
import { createSystemEvents, type SystemEvents } from './system-events.ts';
import { anySystemShape } from './system-shapes.ts';

const day = 86_400;
/** Without a range: what is older is another story. */
const usualDays = 31;
const mostBytes = 512 * 1024 * 1024;
const deadlineMs = 30_000;

/** Records of the kernel, and those that tell how a boot ended. */
const kernelAndEnds = [
  '_TRANSPORT=kernel',
  '_TRANSPORT=driver',
  'SYSLOG_IDENTIFIER=systemd-journald',
  'SYSLOG_IDENTIFIER=systemd-shutdown',
  // Where /var is a mount of its own, journald has left it before it stops.
  'UNIT=shutdown.target',
  'UNIT=umount.target',
  'UNIT=systemd-journal-flush.service',
  `MESSAGE_ID=${shutdownAsked}`,
  `MESSAGE_ID=${journalStopped}`,
]
  .join(' + ')
  .split(' ');

const unseen =
  'not run as root, nor as a member of the group systemd-journal: the journal gave only a part';

/** What journalctl complained, where that says something of what was read. */
function complaints(
  { complaint }: { readonly complaint: string },
  uid: number | undefined,
): string[] {
  if (complaint === '') return [];
  const hint = /not seeing messages from other users|insufficient permissions|Permission denied/i;
  if (hint.test(complaint) && uid !== 0) return [unseen];
  return [`journalctl says: ${complaint.slice(0, 300)}`];
}

interface Window {
  readonly from: Instant;
  readonly to: Instant | undefined;
}

/** The last boots that are of interest, and from when to when. */
function windowOf({ boots }: BootList, context: ReadContext): Window | undefined {
  const { options, range } = context;
  const newest = boots.at(-1);
  if (newest === undefined) return undefined;
  // Of a journal from elsewhere the newest boot may be the last one, or the one after it: both are read.
  const before = options.lastBoot ? (boots.at(-2) ?? newest) : undefined;
  const earliest = before === undefined ? newest.last - usualDays * day : before.first;
  return { from: range.from ?? earliest, to: range.to };
}

const isWithin = ({ first, last }: ListedBoot, { from, to }: Window): boolean =>
  last >= from && (to === undefined || first <= to);

export interface Reading {
  readonly place: readonly string[];
  readonly window: Window;
  readonly context: ReadContext;
}

/** Records that match, in order. Rejects where there is no journalctl. */
export async function journalRecords(
  { place, window, context }: Reading,
  matches: readonly string[],
  onRecord: (record: JournalRecord) => void,
): Promise<Answer & { readonly torn: number }> {
  const { from, to } = window;
  const reader = createJournalReader(onRecord);
  const answer = await ask({
    program: 'journalctl',
    args: [
      ...place,
      '--output=export',
      '--all',
      '--no-pager',
      `--output-fields=${journalFields.join(',')}`,
      `--since=@${Math.floor(from)}`,
      ...(to === undefined ? [] : [`--until=@${Math.ceil(to)}`]),
      ...matches,
    ],
    env: context.surroundings.env,
    package: 'systemd',
    deadlineMs,
    mostBytes,
    onChunk(chunk) {
      reader.push(chunk);
      return true;
    },
  });
  return { ...answer, torn: reader.torn() };
}

function* problemsOf(answer: Answer & { readonly torn: number }, uid: number | undefined) {
  yield* complaints(answer, uid);
  if (answer.cut !== undefined) yield answer.cut;
  if (answer.torn > 0) yield `${answer.torn} records could not be read`;
}

/** Boots by their id; one that the list does not know begins with its first record. */
function createBoots(listed: readonly ListedBoot[], source: string, programs: SystemEvents) {
  const boots = new Map<string, JournalBoot>();
  const open = (boot: ListedBoot): JournalBoot => {
    const opened = createJournalBoot(boot, source, programs);
    boots.set(boot.id, opened);
    return opened;
  };
  listed.forEach(open);
  return {
    take(record: JournalRecord): void {
      const { boot: id, received } = record;
      (boots.get(id) ?? open({ id, first: received, last: received })).record(record);
    },
    all: () => [...boots],
  };
}

const runningId = ({ surroundings }: ReadContext): string => {
  try {
    const id = surroundings.procfs.read('sys/kernel/random/boot_id') ?? '';
    return id.trim().replaceAll('-', '');
  } catch {
    return '';
  }
};

async function readBoots(list: BootList, reading: Reading): Promise<Gathered> {
  const { context, place, window } = reading;
  const { uid } = context.surroundings;
  const id = `journal ${place.join(' ')}`.trim();
  const programs = createSystemEvents(id);
  const boots = createBoots(
    list.boots.filter((boot) => isWithin(boot, window)),
    id,
    programs,
  );
  const kernel = await journalRecords(reading, kernelAndEnds, (record) => boots.take(record));
  const running = runningId(context);
  const hidden = kernel.cut !== undefined || complaints(kernel, uid).includes(unseen);
  const { to = Infinity } = window;
  const parts = boots.all().map(([boot, taken]) => {
    const { last = Infinity } = list.boots.find(({ id }) => id === boot) ?? {};
    const isNewest = boot === list.boots.at(-1)?.id;
    return taken.end({ isRunning: boot === running, isWhole: !hidden && last <= to, isNewest });
  });
  const records = boots.all().reduce((sum, [, boot]) => sum + boot.records(), 0);
  const source: Source = {
    id,
    kind: 'journal',
    name: place.length === 0 ? 'journal' : `journal, ${place.at(-1) ?? ''}`,
    records,
    // That it holds boots is known: they were listed.
    ...(records === 0 && kernel.cut === undefined ? { outside: true } : {}),
    sha256: kernel.sha256,
    timeErrorSeconds: 0.1,
    problems: [...problemsOf(kernel, uid), ...parts.flatMap(({ problems }) => problems)],
  };
  return {
    sources: [source],
    boots: parts.map(({ boot }) => boot),
    kernelReports: parts.flatMap(({ kernelReports = [] }) => kernelReports),
    kernelEvents: parts.flatMap(({ kernelEvents = [] }) => kernelEvents),
    systemEvents: [...parts.flatMap(({ systemEvents = [] }) => systemEvents), ...programs.all()],
  };
}

/** Records of the kernel and how each boot ended. */
export async function readJournal(context: ReadContext): Promise<Gathered> {
  const where = journalPlace(context);
  const place = where?.args;
  if (place === undefined) return { missing: [noJournal(context, where, undefined)] };
  try {
    const list = await listBoots(place, context.surroundings.env);
    const window = windowOf(list, context);
    if (window === undefined) {
      const said = complaints(list, context.surroundings.uid)[0];
      return { missing: [noJournal(context, where, said)] };
    }
    return await readBoots(list, { place, window, context });
  } catch (error) {
    return { missing: [{ what: 'the journal', why: messageOf(error) }] };
  }
}

const alreadyTaken = ({ transport, identifier, messageId, text }: JournalRecord): boolean =>
  transport === 'kernel' ||
  transport === 'driver' ||
  messageId === shutdownAsked ||
  (identifier === 'systemd' && isFarewell(identifier, text)) ||
  identifier === 'systemd-journald' ||
  identifier === 'systemd-shutdown';

/** What programs said in a range of time: logins, shutdowns, failures. */
export async function readJournalPrograms(context: ReadContext, window: Window): Promise<Gathered> {
  const place = journalPlace(context)?.args;
  if (place === undefined) return {};
  const id = `journal ${place.join(' ')}`.trim();
  const programs = createSystemEvents(id);
  const matches = [`--grep=${anySystemShape}`, '--case-sensitive=no'];
  try {
    await journalRecords({ place, window, context }, matches, (record) => {
      const { identifier, text, received, boot } = record;
      if (!alreadyTaken(record)) programs.line(identifier, text, received, boot);
    });
  } catch {
    return {};
  }
  return { systemEvents: programs.all() };
}
