/**
 * Where a journal lies, in the words of journalctl. Of a directory it reads the files in it, and those in
 * folders named by the id of a machine: copies, collected journals (`remote`) and those of name spaces lie in others.
 */
import { type Dirent, existsSync, readdirSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import type { Missing } from '../facts/facts.ts';
import type { ReadContext } from './context.ts';
import { places, refusedIn } from './permission.ts';

/** `var/log` of a copy has `journal`, and that the folder. */
const deepest = 2;
const mostFolders = 256;
const mostNamed = 5;

const isJournal = (entry: Dirent): boolean =>
  !entry.isDirectory() && /\.journal~?$/.test(entry.name);

function entriesOf(directory: string): Dirent[] {
  try {
    return readdirSync(directory, { withFileTypes: true });
  } catch {
    // Why it cannot be read is said by journalctl.
    return [];
  }
}

/** The directory itself and folders below it that hold files of a journal. */
function foldersWithJournals(directory: string): string[] {
  const found: string[] = [];
  let level = [directory];
  for (let depth = 0; depth <= deepest; depth += 1) {
    const next: string[] = [];
    for (const folder of level) {
      const entries = entriesOf(folder);
      if (entries.some(isJournal)) found.push(folder);
      const below = entries.filter((entry) => entry.isDirectory());
      next.push(...below.map(({ name }) => join(folder, name)));
    }
    level = next.sort().slice(0, mostFolders);
  }
  return found;
}

const isId = (name: string): boolean =>
  /^[0-9a-f]{32}$|^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(name);

/** journalctl comes there by itself. */
const isReached = (folder: string, directory: string): boolean =>
  folder === directory || (dirname(folder) === directory && isId(basename(folder)));

export interface Place {
  /** Undefined where nobody can say which of several is meant. */
  readonly args?: readonly string[];
  /** It holds none where journalctl looks, and these. */
  readonly folders: readonly string[];
}

/** A directory, or a single file of one. Of one folder that journalctl would pass over, that. */
export function placeCalled(path: string): Place {
  if (statSync(path, { throwIfNoEntry: false })?.isFile() === true)
    return { args: ['--file', path], folders: [] };
  const directory = join(path, '.');
  const folders = foldersWithJournals(directory);
  const [only] = folders;
  if (only === undefined || folders.some((folder) => isReached(folder, directory)))
    return { args: ['-D', path], folders: [] };
  return folders.length === 1 ? { args: ['-D', only], folders } : { folders };
}

/** There systemd-journal-remote keeps those of other machines. */
const isOthers = (folder: string): boolean => basename(folder) === 'remote';

const withoutOthers = (place: Place): Place =>
  place.folders.some(isOthers) ? { folders: place.folders } : place;

const usual = ['var/log/journal', 'run/log/journal'];

/** Undefined where there is none. */
export function journalPlace({ options }: ReadContext): Place | undefined {
  if (options.journal !== undefined) return placeCalled(options.journal);
  // By the id of this machine: a folder of another one is of another machine, or of this one before it was given a new id.
  if (options.root === '/') return { args: [], folders: [] };
  const there = usual.map((path) => join(options.root, path)).filter((path) => existsSync(path));
  const called = there.map(placeCalled).map(withoutOthers);
  const plain = called.filter(({ folders }) => folders.length === 0);
  if (plain.length === 2) return { args: [`--root=${options.root}`], folders: [] };
  return called.find(({ folders }) => folders.length > 0) ?? plain[0];
}

const listed = (folders: readonly string[]): string =>
  `${folders.slice(0, mostNamed).join(', ')}${folders.length > mostNamed ? ', ...' : ''}`;

const keep =
  'mkdir -p /var/log/journal && systemd-tmpfiles --create --prefix /var/log/journal && journalctl --flush';
const what = 'the journal of earlier boots';

const several = (folders: readonly string[]): string =>
  `it lies in ${folders.length} folders, and none is called by the id of the machine, so that which of them is meant does not show: name one with --journal (${listed(folders)})`;

/** Of a journal that was named no advice to keep one is of use. */
function noneNamed(path: string, { folders }: Place, said: string | undefined): Missing {
  const why = !existsSync(path)
    ? 'it is not there'
    : folders.length > 1
      ? several(folders)
      : (said ?? 'it holds no records of a journal');
  return { what: `the journal ${path}`, why, named: true };
}

function whyNone(root: string): Missing {
  const path = join(root, 'var/log/journal');
  const [refused] = refusedIn(root, places.journal);
  if (refused !== undefined) return refused;
  if (!existsSync(path))
    return {
      what,
      why: 'the journal is not kept over a reboot here: /var/log/journal is not there',
      command: keep,
    };
  const folders = foldersWithJournals(path);
  if (folders.length > 1 && root !== '/') return { what, why: several(folders) };
  if (folders.length > 0)
    return {
      what,
      why: `${path} holds nothing of the machine as it is called now (/etc/machine-id), but what lies in ${listed(folders)}: --journal reads one of them`,
    };
  return { what, why: `${path} is there, and holds no file of a journal`, command: keep };
}

/** Why nothing came of it; `said`: by journalctl. */
export function noJournal(
  { options: { journal, root } }: ReadContext,
  place: Place | undefined,
  said: string | undefined,
): Missing {
  if (journal !== undefined) return noneNamed(journal, place ?? { folders: [] }, said);
  return said === undefined ? whyNone(root) : { what, why: said, command: keep };
}
