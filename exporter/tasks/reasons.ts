/**
 * Why a thread sleeps in D state, from the kernel function it sleeps in. One table
 * (reason-table.ts) serves the wait channel of /proc/PID/wchan and the frames of a hung task's
 * call trace, so both say the same.
 *
 * A wait channel is the first frame that is not one of the scheduler's own functions. A trace is
 * read the same way, from the top, where the thread sleeps: what only says *how* it sleeps is
 * stepped over, and the first frame in the table decides. A trace can say more than a wait
 * channel in two cases: `io_schedule` on top means I/O whatever called it, and a frame further
 * down can name the file system that waits.
 */
import {
  modules,
  type Primitive,
  primitives,
  type Reason,
  type Row,
  rows,
} from './reason-table.ts';

export { type Reason, reasons } from './reason-table.ts';

/** What a blocked thread is doing, as the end of a sentence. */
export const reasonInWords: Readonly<Record<Reason, string>> = {
  host_page_in: 'waiting for the host to bring a page back',
  disk: 'waiting for the disk',
  filesystem: 'waiting for a file system (frozen, or its journal or server does not answer)',
  lock: 'waiting for a lock that another thread holds',
  other: 'waiting for something else in the kernel',
  unknown: 'and the kernel does not say what it waits for',
};

interface Named<T> {
  /** In the order of the table, by its first letter: what a symbol is compared with. */
  readonly entries: readonly (readonly [name: string, whole: boolean, value: T])[];
}

function tableOf<T extends { readonly names: string }>(values: readonly T[]): Named<T> {
  return {
    entries: values.flatMap((value) =>
      value.names.split(' ').map((name) => {
        const whole = name.endsWith('$');
        return [whole ? name.slice(0, -1) : name, whole, value] as const;
      }),
    ),
  };
}

const rowTable = tableOf<Row>(rows);
const primitiveTable = tableOf<Primitive>(primitives);
const moduleTable = tableOf(modules);

function find<T>({ entries }: Named<T>, name: string): T | undefined {
  return entries.find(([start, whole]) => (whole ? name === start : name.startsWith(start)))?.[2];
}

/** What compilers and linkers append to the name of a function that they split or copied. */
const compilerSuffix = /\.(?:isra|constprop|part|cold|llvm|lto_priv|localalias|clone)\b.*$/;

function plainName(symbol: string): string {
  return symbol.replace(/^[._]+/, '').replace(compilerSuffix, '');
}

/** From /proc/PID/wchan. Empty and `0` mean that the kernel did not name a function. */
export function reasonOfWaitChannel(symbol: string): Reason {
  if (symbol === '' || symbol === '0') return 'unknown';
  const name = plainName(symbol);
  return find(rowTable, name)?.reason ?? find(primitiveTable, name)?.reason ?? 'other';
}

/** A line of a trace that names a function. */
export interface Frame {
  /** As in the tables. */
  readonly name: string;
  readonly module: string | undefined;
  /** False for a word that the unwinder found on the stack and could not account for. */
  readonly sure: boolean;
}

/**
 * ` schedule+0x23/0xa0`, ` [<ffffffff817203fd>] io_schedule+0x9d/0x140`, `[<0>] vfs_write+...`;
 * a module may follow in brackets. On 32-bit ARM ` (__schedule) from [<80776938>] (schedule+...)`
 * and, since 5.18, ` __schedule from schedule+0x20/0xac`; on 64-bit PowerPC of old `.schedule`.
 */
const framePattern =
  /^\s*\(?(?:\[[^\]]*\]\s*)*(\? )?(?:\(?\.?([A-Za-z_][\w.$]*)(?: \[([\w-]+)[^\]]*\])?\)? from (?=\[<|\w+\+0x)|\.?([A-Za-z_][\w.$]*)\+0x([0-9a-f]+)\/0x([0-9a-f]+)(?:.*? \[([A-Za-z][\w-]*)(?: [0-9a-f]+)?\])?|\.?([A-Za-z_][\w.$]*)\+0x)/;

/** In front of functions since 6.2, where no call returns to. */
const padding = /^__pfx_/;

/**
 * The function of a trace line, or undefined when the line names none. `? name` and
 * `(unreliable)` mark guesses: leftovers of earlier calls, often. Of these, an address past the
 * end of a function is no return address at all.
 */
export function frameOf(line: string): Frame | undefined {
  const match = framePattern.exec(line);
  if (match === null) return undefined;
  const [, guess, caller, callerModule, symbol, offset, size, module, bare] = match;
  const name = caller ?? symbol ?? bare ?? '';
  const sure = guess === undefined && !line.endsWith('(unreliable)');
  if (!sure && (padding.test(name) || (offset !== undefined && offset === size))) return undefined;
  return { name: plainName(name), module: callerModule ?? module, sure };
}

/** The function that a trace line names for certain. */
export function symbolOfFrame(line: string): string | undefined {
  const frame = frameOf(line);
  return frame?.sure === true ? frame.name : undefined;
}

export interface TraceReason {
  readonly reason: Reason;
  /** False where the trace holds nothing but guesses beyond the scheduler's own functions. */
  readonly sure: boolean;
}

type Meaning = Pick<Row, 'reason' | 'onTopOnly' | 'freeze' | 'remote'>;

function meaningOf({ name, module }: Frame): Meaning | undefined {
  // Client and server of one protocol share names; the module tells them apart.
  if (module !== undefined && serverModules.has(module)) return find(moduleTable, module);
  return find(rowTable, name) ?? (module === undefined ? undefined : find(moduleTable, module));
}

const serverModules = new Set(['nfsd', 'ksmbd']);
/**
 * Servers that are no module: at the bottom of their traces they call themselves so, and what of
 * their own is called like the client's. An NFS server that hands on what another server gives it
 * has functions of the client besides.
 */
const builtInServers = [
  { bottom: /^(?:ksmbd_|handle_ksmbd)/, own: /^smb/i },
  { bottom: /^nfsd/, own: /^nfs4_/ },
];

/** From the lines of a call trace or of /proc/PID/stack, the innermost frame first. */
export function readTrace(lines: readonly string[]): TraceReason {
  const frames = lines.map(frameOf).filter((frame) => frame !== undefined);
  const certain = frames.filter(({ sure }) => sure);
  const sure = certain.length === frames.length || certain.some(tellsMoreThanHow);
  return { reason: reasonOfFrames(sure ? certain : frames), sure };
}

export function reasonOfTrace(lines: readonly string[]): Reason {
  return readTrace(lines).reason;
}

/** The scheduler's own functions are on top of every trace, also of one that was lost below. */
function tellsMoreThanHow(frame: Frame): boolean {
  const primitive = find(primitiveTable, frame.name);
  return primitive === undefined || primitive.reason !== undefined;
}

function reasonOfFrames(frames: readonly Frame[]): Reason {
  if (frames.length === 0) return 'unknown';
  const reason = firstReason(frames);
  return reason === 'disk' && isRemote(frames) ? 'filesystem' : reason;
}

function isRemote(frames: readonly Frame[]): boolean {
  const servers = builtInServers.filter(({ bottom }) =>
    frames.some(({ name }) => bottom.test(name)),
  );
  return frames.some(
    (frame) =>
      meaningOf(frame)?.remote === true && !servers.some(({ own }) => own.test(frame.name)),
  );
}

/** A freeze is waited for by the semaphore per CPU; below another lock it is that lock. */
function holds(meaning: Meaning, onTop: boolean, last: Primitive | undefined): boolean {
  if (meaning.onTopOnly === true && !onTop) return false;
  return meaning.freeze !== true || last?.reason !== 'lock' || last.perCpu === true;
}

function firstReason(frames: readonly Frame[]): Reason {
  let how: Reason | undefined;
  let last: Primitive | undefined;
  let onTop = true;
  for (const frame of frames) {
    const primitive = onTop ? find(primitiveTable, frame.name) : undefined;
    if (primitive !== undefined) {
      how ??= primitive.reason;
      last = primitive;
      if (how === 'disk') return how;
      continue;
    }
    const meaning = meaningOf(frame);
    const reason =
      meaning !== undefined && holds(meaning, onTop, last) ? meaning.reason : undefined;
    // A lock is a better answer than nothing in particular.
    if (reason !== undefined && !(reason === 'other' && how !== undefined)) return reason;
    if (how !== undefined) return how;
    onTop = false;
  }
  // The trace was cut before it named a caller: say what the wait channel would.
  const cut = onTop ? frames.map(({ name }) => find(rowTable, name)).find(Boolean) : undefined;
  return cut?.reason ?? how ?? 'other';
}
