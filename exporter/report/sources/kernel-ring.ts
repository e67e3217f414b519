/** The kernel's own ring of the boot that runs, where nothing on the disk holds it. */
import { readAll } from '../../kmsg/source.ts';
import { parseRecord } from '../../kmsg/record.ts';
import { codeOf } from '../../measure/errors.ts';
import type { Boot, Gathered } from '../facts/facts.ts';
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

/** `path`: /dev/kmsg, or a file of its records. */
export function readKernelRing(path: string, context: ReadContext): Gathered {
  const id = `kernel_log ${path}`;
  const zero = bootedAt(context);
  if (zero === undefined) return {};
  const facts = createKernelFacts();
  let records = 0;
  try {
    readAll(path, mostRecords, (raw) => {
      const record = parseRecord(raw);
      if (record === undefined) return;
      records++;
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
        records,
        timeErrorSeconds: 1,
        problems,
      },
    ],
  };
}
