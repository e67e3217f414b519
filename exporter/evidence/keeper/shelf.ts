/**
 * The folder in which the prober keeps what it fetched: HOST/INCIDENT.json, each written beside
 * itself and renamed, so that a reader finds a whole one or none. Bounded: of a host and in all the
 * oldest go first, an incident that is open last.
 */
import { readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { makeDirectory } from '../../core/make-directory.ts';
import { writeSynced } from '../../core/write-synced.ts';
import type { EvidenceAnswer, EvidenceFile, EvidenceIncident } from '../format.ts';
import { parseEvidenceFile } from '../parse.ts';
import { merged } from './merge.ts';

export interface ShelfLimits {
  readonly filesOfHost: number;
  /** One that is broken into takes nothing from the others. */
  readonly bytesOfHost: number;
  readonly bytes: number;
}

const mib = 1024 * 1024;
const shelfLimits: ShelfLimits = { filesOfHost: 50, bytesOfHost: 16 * mib, bytes: 64 * mib };
/** Not read back: it is none of ours. */
const largestFile = 4 * mib;
/** What is put together may not grow beyond this: then the last answer alone is kept. */
const largestText = mib;
const mostFolders = 2000;
const folderMode = 0o750;

interface Kept {
  readonly folder: string;
  readonly id: string;
  readonly bytes: number;
  /** When it was written last, Unix time in seconds. */
  readonly at: number;
  readonly open: boolean;
}

export interface Shelf {
  /** What is there from before. Rejects when the folder cannot be read. */
  load(): Promise<void>;
  /** One at a time. Rejects when the disk does not take it; what was there stays. */
  save(host: string, fetched: number, answer: EvidenceAnswer, one: EvidenceIncident): Promise<void>;
  /** Files by folder. */
  counts(): ReadonlyMap<string, number>;
}

/** What we write, and nothing else: what people put beside it is theirs. */
const fileName = /^([0-9a-z][0-9a-z-]*)\.json(\.tmp)?$/;
const plainName = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;

/** A label may hold anything; a folder is called by it where it can be, and two are never one. */
export function folderOf(host: string): string {
  if (plainName.test(host)) return host;
  const { createHash } = process.getBuiltinModule('node:crypto');
  const digits = createHash('sha256').update(host).digest('hex').slice(0, 12);
  const letters = host.replaceAll(/[^A-Za-z0-9_-]/g, '_').slice(0, 40);
  return `h-${letters}~${digits}`;
}

const textOf = (file: EvidenceFile): string => `${JSON.stringify(file)}\n`;

async function writeWhole(path: string, text: string): Promise<void> {
  const beside = `${path}.tmp`;
  try {
    // A name that leads to nothing after a power cut would have taken the place of what was there.
    await writeSynced(beside, text, { flags: 'w', mode: 0o640 });
    await rename(beside, path);
  } catch (error) {
    // Half a file on a full disk is half a file less for whoever comes next.
    await rm(beside, { force: true }).catch(() => undefined);
    throw error;
  }
}

export function createShelf(directory: string, limits: ShelfLimits = shelfLimits): Shelf {
  const kept = new Map<string, Kept>();

  const pathOf = ({ folder, id }: Pick<Kept, 'folder' | 'id'>) =>
    join(directory, folder, `${id}.json`);

  async function note(folder: string, name: string): Promise<void> {
    const path = join(directory, folder, name);
    const [, id, beside] = fileName.exec(name) ?? [];
    if (id === undefined) return;
    if (beside !== undefined) {
      // Left by one that was ended while it wrote.
      await rm(path, { force: true });
      return;
    }
    const { size, mtimeMs } = await stat(path);
    kept.set(path, { folder, id, bytes: size, at: mtimeMs / 1000, open: false });
  }

  /** What was written of it before, by this name or one that it had. */
  async function earlierOf(folder: string, id: string): Promise<EvidenceIncident | undefined> {
    const path = pathOf({ folder, id });
    const known = kept.get(path);
    if (known === undefined || known.bytes > largestFile) return undefined;
    try {
      return parseEvidenceFile(await readFile(path, 'utf8')).incidents[0];
    } catch {
      return undefined;
    }
  }

  async function remove(path: string): Promise<void> {
    await rm(path, { force: true });
    kept.delete(path);
  }

  function oldest(of: (one: Kept) => boolean): string | undefined {
    const found = [...kept].filter(([, one]) => of(one));
    found.sort(([, a], [, b]) => Number(a.open) - Number(b.open) || a.at - b.at);
    return found[0]?.[0];
  }

  /** Of the others, the oldest go until so many files and bytes are left. */
  async function shrink(
    others: (one: Kept) => boolean,
    files: number,
    bytes: number,
  ): Promise<void> {
    for (;;) {
      const left = [...kept.values()].filter(others);
      const sum = left.reduce((all, one) => all + one.bytes, 0);
      const least = oldest(others);
      if (least === undefined || (left.length <= files && sum <= bytes)) return;
      await remove(least);
    }
  }

  async function makeRoom(path: string, folder: string, needed: number): Promise<void> {
    const others = (one: Kept) => pathOf(one) !== path;
    await shrink(
      (one) => one.folder === folder && others(one),
      limits.filesOfHost - 1,
      limits.bytesOfHost - needed,
    );
    await shrink(others, Infinity, limits.bytes - needed);
  }

  /** A machine has one open incident: of who tells of more the last one counts. */
  function closeOthers(folder: string): void {
    for (const [path, one] of kept) {
      if (one.folder === folder && one.open) kept.set(path, { ...one, open: false });
    }
  }

  return {
    async load() {
      await makeDirectory(directory, folderMode);
      const entries = await readdir(directory, { withFileTypes: true });
      const folders = entries.filter((entry) => entry.isDirectory()).slice(0, mostFolders);
      for (const { name: folder } of folders) {
        for (const name of await readdir(join(directory, folder))) await note(folder, name);
      }
    },
    async save(host, fetched, answer, one) {
      const folder = folderOf(host);
      const path = pathOf({ folder, id: one.id });
      let incident = one;
      for (const id of [...one.formerIds, one.id]) {
        const earlier = await earlierOf(folder, id);
        if (earlier !== undefined) incident = merged(earlier, incident);
      }
      const whole = textOf({ ...answer, host, fetched, incidents: [incident] });
      const text =
        whole.length <= largestText
          ? whole
          : textOf({ ...answer, host, fetched, incidents: [one] });
      const length = Buffer.byteLength(text);
      await makeDirectory(join(directory, folder), folderMode);
      await makeRoom(path, folder, length);
      await writeWhole(path, text);
      if (one.state === 'open') closeOthers(folder);
      kept.set(path, {
        folder,
        id: one.id,
        bytes: length,
        at: fetched,
        open: one.state === 'open',
      });
      for (const id of one.formerIds) await remove(pathOf({ folder, id }));
    },
    counts() {
      const counts = new Map<string, number>();
      for (const { folder } of kept.values()) counts.set(folder, (counts.get(folder) ?? 0) + 1);
      return counts;
    },
  };
}
