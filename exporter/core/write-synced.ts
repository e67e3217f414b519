/** A file that is on the disk when this returns: a reset may be next, and a disk that is full may say so only then. */
import { open } from 'node:fs/promises';

/** `flags` as of open(2): `wx` for a file that must not be there yet. */
export async function writeSynced(
  path: string,
  text: string,
  { flags, mode }: { readonly flags: 'w' | 'wx'; readonly mode: number },
): Promise<void> {
  const file = await open(path, flags, mode);
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
}
