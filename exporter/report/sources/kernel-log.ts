/** Text kernel logs: kern.log, syslog, messages and saved `dmesg`, with what they were rotated into. */
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import type { Gathered, Source } from '../facts/facts.ts';
import type { ReadContext } from './context.ts';
import { createKernelBoots } from './kernel-boots.ts';
import { readKernelFile } from './kernel-file.ts';
import type { KernelLine } from './kernel-line.ts';
import { logFamily, newestOf } from './log-family.ts';
import { places, refusedIn } from './permission.ts';
import { createSystemEvents } from './system-events.ts';

/** Where distributions keep the kernel's lines; the first ones hold nothing else. */
const usualPlaces = ['kern.log', 'messages', 'syslog', 'dmesg', 'dmesg.0'];

/** Of one log with all it was rotated into. */
const mostBytesOfLog = 256 * 1024 * 1024;

interface Log {
  readonly path: string;
  readonly files: readonly string[];
  readonly problems: readonly string[];
}

const inOrder = (path: string, problem: string, log: string) =>
  path === log ? problem : `${path}: ${problem}`;

async function readOne(
  { path: log, files, problems }: Log,
  context: ReadContext,
): Promise<Gathered> {
  const id = `kernel_log ${log}`;
  // What lies among the logs of the machine has its zone and its daemon's word; a copy may be from anywhere.
  const inPlace = log.startsWith(join(context.options.root, 'var/log/'));
  const boots = createKernelBoots({ id, path: log, inPlace });
  const hash = createHash('sha256');
  const told = [...problems, ...(context.zoneProblem === undefined ? [] : [context.zoneProblem])];
  let saved = 0;
  let since: number | undefined;
  let isAnyLog = files.length === 0;
  const programs = createSystemEvents(id);
  function take(line: KernelLine): void {
    // Where only a part is read nobody looked at its beginning.
    if (context.range.from === undefined) since ??= line.stamp;
    if (line.tag === 'kernel') boots.kernel(line);
    else boots.program(line);
    if (line.tag !== 'kernel' && line.stamp !== undefined)
      programs.line(line.tag, line.text, line.stamp, undefined);
  }
  for (const path of files) {
    const { read, isLog, later, problems } = await readKernelFile(path, context, hash, take);
    if (later) boots.later();
    isAnyLog ||= isLog;
    told.push(...problems.map((problem) => inOrder(path, problem, log)));
    saved = Math.max(saved, read?.mtime ?? 0);
  }
  const { running, boots: known } = context;
  const zone = { name: context.zone.name, sure: inPlace };
  const {
    problems: doubts,
    timeDoubt,
    forgeable,
    ...facts
  } = boots.end({ running, saved, known, zone });
  const source: Source = {
    id,
    kind: 'kernel_log',
    name: files.length > 1 ? `${log} and ${files.length - 1} rotated` : log,
    records: boots.records(),
    ...(isAnyLog && boots.records() === 0 ? { outside: true } : {}),
    ...(since === undefined ? {} : { since }),
    sha256: hash.digest('hex'),
    ...(timeDoubt === undefined ? { timeErrorSeconds: 1 } : { timeDoubt }),
    ...(forgeable ? { forgeable } : {}),
    problems: [...told, ...doubts],
  };
  const systemEvents = [...(facts.systemEvents ?? []), ...programs.all()];
  return { ...facts, systemEvents, sources: [source] };
}

/** In the usual place; undefined where there is none. */
function usual(path: string, { range }: ReadContext): Log[] {
  const { taken, leftOut } = newestOf(logFamily(path, range.from), mostBytesOfLog);
  const problems =
    leftOut.length > 0
      ? [`the ${leftOut.length} oldest of its files were left out: too large`]
      : [];
  if (taken.length > 0) return [{ path, files: taken.map((file) => file.path), problems }];
  const older = logFamily(path, undefined).length > 0;
  return older
    ? [{ path, files: [], problems: ['it was last written before the times that were asked for'] }]
    : [];
}

/** Files that were named, or those in the usual places that are there. */
export async function readKernelLogs(context: ReadContext): Promise<Gathered[]> {
  const { kernLog, root } = context.options;
  const logs =
    kernLog.length > 0
      ? kernLog.map((path): Log => ({ path, files: [path], problems: [] }))
      : usualPlaces.flatMap((name) => usual(join(root, 'var/log', name), context));
  const refused = kernLog.length > 0 ? [] : refusedIn(root, places.kernel);
  const gathered: Gathered[] = refused.length > 0 ? [{ missing: refused }] : [];
  for (const log of logs) gathered.push(await readOne(log, context));
  return gathered;
}
