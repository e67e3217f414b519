/**
 * Whose the logs are that somebody named. Figures, names and other logs of the machine that runs the
 * report must not stand beside the trace of another one.
 */
import { join } from 'node:path';
import { readSmallFileSync } from '../../core/read-file.ts';
import type { Machine, Missing } from '../facts/facts.ts';
import type { ReadContext } from './context.ts';
import { hostsIn } from './kernel-file.ts';

import { journalOwner } from './journal-boots.ts';
import { placeCalled } from './journal-place.ts';
import type { GatherOptions } from './options.ts';
import { sysstatHosts } from './sysstat-owner.ts';

type Env = ReadContext['surroundings']['env'];

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

/** What was named of one kind, of kernel logs one of them, and whose it says it is. */
interface Group {
  readonly what: string;
  /** Of several of one kind. */
  readonly path?: string;
  readonly option: 'journal' | 'kernLog' | 'sysstat';
  /** Of each file one at least; of a file that names none an empty one. */
  readonly owners: readonly Owner[];
}

async function kernelOwners(path: string, env: Env): Promise<Owner[]> {
  const hosts = [...(await hostsIn(path, env))];
  return hosts.length === 0 ? [{}] : hosts.map((hostname) => ({ hostname }));
}

/** In the order in which they are believed: an id before a name. */
async function groupsOf({ options, surroundings }: ReadContext): Promise<Group[]> {
  const { journal, kernLog, sysstat, root } = options;
  const { env } = surroundings;
  const groups: Group[] = [];
  if (journal !== undefined) {
    const { args } = placeCalled(journal);
    const owner = args === undefined ? {} : await journalOwner(args, env);
    groups.push({ what: 'the journal', option: 'journal', owners: [owner] });
  }
  for (const path of kernLog) {
    const owners = await kernelOwners(path, env);
    const what = kernLog.length > 1 ? `the kernel log ${path}` : 'the kernel log';
    groups.push({ what, path, option: 'kernLog', owners });
  }
  const hosts = await sysstatHosts(sysstat, root, env);
  if (hosts.length > 0) {
    const owners = hosts.map((hostname) => ({ hostname }));
    groups.push({ what: 'sysstat', option: 'sysstat', owners });
  }
  return groups;
}

export interface Named {
  /** Nothing of the machine below the root is to be read but what was named. */
  readonly foreign: boolean;
  readonly machine: Partial<Machine>;
  readonly missing: readonly Missing[];
  /** As they were given, without what is of yet another machine. */
  readonly options: GatherOptions;
}

const what = 'the machine itself, and its other logs';
const more = '--root DIR, where the root of that machine is mounted, adds what is there';

type Judged = Omit<Named, 'options'>;
const ours: Judged = { foreign: false, machine: {}, missing: [] };

const nameOf = ({ hostname, machineId = '' }: Owner): string =>
  hostname ?? `the machine ${machineId.slice(0, 8)}`;

/** A root that somebody named is believed where the logs do not say. */
function judged(owners: readonly Owner[], own: Owner, { rootNamed, root }: GatherOptions): Judged {
  const other = owners.find((owner) => whoseIs(owner, own) === 'other');
  const isOwn = owners.some((owner) => whoseIs(owner, own) === 'own');
  if (isOwn || (other === undefined && (rootNamed === true || root !== '/'))) return ours;
  const names = new Set(owners.flatMap(({ hostname }) => hostname ?? []));
  const [hostname] = names;
  const machine = hostname !== undefined && names.size === 1 ? { hostname } : {};
  const why =
    other === undefined
      ? 'what was named does not say of which machine it is, or cannot be read: nothing of this one was added. If it is of this one, say so with --root /'
      : `what was named is of ${nameOf(other)}, which is not this machine: nothing of this one was added. ${more}`;
  return { foreign: true, machine, missing: [{ what, why }] };
}

/** Of no machine that the first names: one report is of one machine. */
function isStranger({ owners }: Group, first: Group): boolean {
  const pairs = owners.flatMap((owner) => first.owners.map((known) => whoseIs(owner, known)));
  return pairs.length > 0 && pairs.every((whose) => whose === 'other');
}

const leftOut = ({ what: left, owners: [owner = {}] }: Group, first: Group): Missing => ({
  what: left,
  why: `what was named is of ${nameOf(owner)}, and ${first.what} of ${nameOf(first.owners[0] ?? {})}: two machines are not mixed, and it was left out. Report each by itself`,
  named: true,
});

function without(options: GatherOptions, groups: readonly Group[]): GatherOptions {
  const left = new Set(groups.map(({ option }) => option));
  const paths = new Set(groups.map(({ path }) => path));
  return {
    ...options,
    kernLog: options.kernLog.filter((path) => !paths.has(path)),
    ...(left.has('sysstat') ? { sysstat: [] } : {}),
  };
}

/** Figures that were named beside what was told from afar, of another machine than that. */
export async function strangersTo(
  { hostname }: Owner,
  { options, surroundings }: ReadContext,
): Promise<Missing | undefined> {
  if (hostname === undefined) return undefined;
  const hosts = await sysstatHosts(options.sysstat, options.root, surroundings.env);
  if (hosts.length === 0) return undefined;
  const own = { what: 'the flight recorder', option: 'journal', owners: [{ hostname }] } as const;
  const owners = hosts.map((host) => ({ hostname: host }));
  const group: Group = { what: 'sysstat', option: 'sysstat', owners };
  return isStranger(group, own) ? leftOut(group, own) : undefined;
}

/** Whether a journal, kernel logs or figures that were named are of the machine below the root, and of one machine. */
export async function whoseAreNamed(context: ReadContext): Promise<Named> {
  const { options, hostname } = context;
  const groups = await groupsOf(context);
  // One that names nobody tells nothing of the others.
  const first =
    groups.find(({ owners }) => owners.some(({ hostname, machineId }) => hostname ?? machineId)) ??
    groups[0];
  if (first === undefined) return { ...ours, options };
  const strangers = groups.filter((group) => isStranger(group, first));
  const machineId = machineIdOf(options.root);
  const own = {
    ...(machineId === undefined ? {} : { machineId }),
    ...(hostname === undefined ? {} : { hostname }),
  };
  const owners = groups
    .filter((group) => !strangers.includes(group))
    .flatMap((group) => group.owners);
  const found = judged(owners, own, options);
  const missing = [...found.missing, ...strangers.map((group) => leftOut(group, first))];
  return { ...found, missing, options: without(options, strangers) };
}
