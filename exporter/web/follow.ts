/**
 * Notices that the web configuration file or a file it names has changed. Certificates are
 * renewed under a running process, and a password that leaked is changed in a hurry.
 *
 * By content, not by time stamp: renewals swap symbolic links. One read is under way at a time,
 * off the main thread, because a disk that stands still must not stop the clock that reports it.
 */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import type { Clock } from '../clock.ts';
import { readWebConfig, type WebConfig } from './config.ts';

export interface FollowedWebConfig {
  readonly first: WebConfig;
  /** Look every 10 s and report what is new. Returns a function that ends it. */
  follow(changed: (config: WebConfig) => void, failed: (error: Error) => void): () => void;
}

const periodSeconds = 10;

type Digests = Map<string, string>;

async function digestOf(path: string): Promise<string> {
  try {
    return createHash('sha256')
      .update(await readFile(path))
      .digest('hex');
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/** Rejects as readWebConfig does. `digests` then holds every file that was looked at. */
async function load(path: string, digests: Digests): Promise<WebConfig> {
  digests.clear();
  return readWebConfig(path, async (file) => {
    digests.set(file, await digestOf(file));
    return readFile(file, 'utf8');
  });
}

async function hasChanged(digests: Digests): Promise<boolean> {
  for (const [path, digest] of digests) {
    if ((await digestOf(path)) !== digest) return true;
  }
  return false;
}

/** Rejects with every problem of the file, as readWebConfig does. */
export async function followWebConfig(path: string, clock: Clock): Promise<FollowedWebConfig> {
  const digests: Digests = new Map();
  const first = await load(path, digests);
  return {
    first,
    follow(changed, failed) {
      let looking = false;
      return clock.every(periodSeconds, () => {
        if (looking) return;
        looking = true;
        hasChanged(digests)
          .then(async (is) => {
            if (is) changed(await load(path, digests));
          })
          .catch((error: unknown) => {
            failed(error instanceof Error ? error : new Error(String(error)));
          })
          .finally(() => {
            looking = false;
          });
      });
    },
  };
}
