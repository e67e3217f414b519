/** The kernel's own ring of the boot that runs, where nothing on the disk holds it. */
import { readAll } from '../../kmsg/source.ts';
import { parseRecord } from '../../kmsg/record.ts';
import { codeOf } from '../../measure/errors.ts';
import type { Boot, Gathered, Instant } from '../facts/facts.ts';
import type { ReadContext } from './context.ts';
import { createKernelFacts } from './kernel-facts.ts';

const mostRecords = 1_000_000;

/** The clock of its records less the one of the wall, now. */
function bootedAt({ surroundings }: ReadContext): number | undefined {
  try {
    const uptime = Number.parseFloat(surroundings.procfs.read('uptime') ?? '');
    return Number.isFinite(uptime) ? surroundings.now() - uptime : undefined;
  } catch {
    return undefined;
  }
}

/** Of the time before its first record it says nothing, whatever there was. */
function overwritten(first: Instant | undefined, { options }: ReadContext): string[] {
  const from = options.from ?? options.to;
  if (first === undefined || from === undefined || from >= first) return [];
  const since = new Date(first * 1000).toISOString().slice(0, 19).replace('T', ' ');
  return [`its first record is of ${since} UTC: what it said before was overwritten`];
}

const reach = (first: Instant | undefined, { options }: ReadContext, records: number) =>
  first !== undefined && options.to !== undefined && options.to < first
    ? { records: 0, outside: true }
    : { records };

/** `path`: /dev/kmsg, or a file of its records. */
export function readKernelRing(path: string, context: ReadContext): Gathered {
  const id = `kernel_log ${path}`;
  const zero = bootedAt(context);
  if (zero === undefined) return {};
  const facts = createKernelFacts();
  let records = 0;
  let first: number | undefined;
  try {
    readAll(path, mostRecords, (raw) => {
      const record = parseRecord(raw);
      if (record === undefined) return;
      records++;
      // Of one that was never full the first is of the start.
      if (records === 1 && record.sequence > 0) first = zero + record.microseconds / 1e6;
      facts.feed(record, undefined);
    });
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return {};
    const why = `${path} cannot be read (${codeOf(error) ?? 'it is no kernel log'}): it needs root`;
    return {
      missing: [
        { what: "the kernel's log of the running boot", why, command: 'sudo stealwatch report' },
      ],
    };
  }
  const boot = 'the running boot';
  const dateOf = (microseconds: number) => zero + microseconds / 1e6;
  const { problems, ...said } = facts.end({ boot, source: id, dateOf });
  const running: Boot = {
    id: boot,
    start: { earliest: zero - 1, latest: zero + 1 },
    endSaid: [],
    source: id,
    ...facts.said(),
  };
  return {
    ...said,
    boots: [running],
    sources: [
      {
        id,
        kind: 'kernel_log',
        name: `the kernel's ring, ${path}`,
        ...reach(first, context, records),
        ...(first === undefined ? {} : { since: first }),
        timeErrorSeconds: 1,
        problems: [...problems, ...overwritten(first, context)],
      },
    ],
  };
}
