/**
 * Whose the logs are that somebody named. Figures, names and other logs of the machine that runs the
 * report must not stand beside the trace of another one.
 */
import { join } from 'node:path';
import { readSmallFileSync } from '../../core/read-file.ts';
import type { Machine, Missing } from '../facts/facts.ts';
import type { ReadContext } from './context.ts';
import { hostsIn } from './kernel-file.ts';
import { placeCalled } from './journal.ts';
import { journalOwner } from './journal-boots.ts';
import type { GatherOptions } from './options.ts';

/** What a log says of the machine that wrote it. */
export interface Owner {
  readonly machineId?: string;
  readonly hostname?: string;
}

export type Whose = 'own' | 'other' | 'unknown';

const short = (hostname: string): string => hostname.replace(/\..*$/, '').toLowerCase();

/** An id is unique where a name need not be. */
export function whoseIs(owner: Owner, own: Owner): Whose {
  if (owner.machineId !== undefined && own.machineId !== undefined)
    return owner.machineId === own.machineId ? 'own' : 'other';
  if (owner.hostname === undefined || own.hostname === undefined) return 'unknown';
  return short(owner.hostname) === short(own.hostname) ? 'own' : 'other';
}

function machineIdOf(root: string): string | undefined {
  try {
    const text = readSmallFileSync(join(root, 'etc/machine-id')).toString().trim();
    return /^[0-9a-f]{32}$/.test(text) ? text : undefined;
  } catch {
    return undefined;
  }
}

async function ownersOf({ options, surroundings }: ReadContext): Promise<Owner[]> {
  const { journal, kernLog } = options;
  const owners: Owner[] = [];
  if (journal !== undefined)
    owners.push(await journalOwner(placeCalled(journal), surroundings.env));
  for (const path of kernLog) {
    const hosts = [...(await hostsIn(path, surroundings.env))];
    owners.push(...(hosts.length === 0 ? [{}] : hosts.map((hostname) => ({ hostname }))));
  }
  return owners;
}

export interface Named {
  /** Nothing of the machine below the root is to be read but what was named. */
  readonly foreign: boolean;
  readonly machine: Partial<Machine>;
  readonly missing: readonly Missing[];
}

const what = 'the machine itself, and its other logs';
const more = '--root DIR, where the root of that machine is mounted, adds what is there';

const ours: Named = { foreign: false, machine: {}, missing: [] };

const nameOf = ({ hostname, machineId = '' }: Owner): string =>
  hostname ?? `the machine ${machineId.slice(0, 8)}`;

/** A root that somebody named is believed where the logs do not say. */
function judged(owners: readonly Owner[], own: Owner, { rootNamed, root }: GatherOptions): Named {
  const other = owners.find((owner) => whoseIs(owner, own) === 'other');
  const isOwn = owners.some((owner) => whoseIs(owner, own) === 'own');
  if (isOwn || (other === undefined && (rootNamed === true || root !== '/'))) return ours;
  const names = new Set(owners.flatMap(({ hostname }) => hostname ?? []));
  const [hostname] = names;
  const machine = hostname !== undefined && names.size === 1 ? { hostname } : {};
  const why =
    other === undefined
      ? 'what was named does not say of which machine it is: nothing of this one was added. If it is of this one, say so with --root /'
      : `what was named is of ${nameOf(other)}, which is not this machine: nothing of this one was added. ${more}`;
  return { foreign: true, machine, missing: [{ what, why }] };
}

/** Whether a journal or kernel logs that were named are of the machine below the root. */
export async function whoseAreNamed(context: ReadContext): Promise<Named> {
  const { options, hostname } = context;
  if (options.journal === undefined && options.kernLog.length === 0) return ours;
  const machineId = machineIdOf(options.root);
  const own = {
    ...(machineId === undefined ? {} : { machineId }),
    ...(hostname === undefined ? {} : { hostname }),
  };
  return judged(await ownersOf(context), own, options);
}
