/**
 * Notices that the web configuration file or a file it names has changed. Certificates are
 * renewed under a running process, and a password that leaked is changed in a hurry.
 *
 * By content, not by time stamp: renewals swap symbolic links. One look is under way at a time,
 * off the main thread, because a disk that stands still must not stop the clock that reports it.
 */
import { createHash } from 'node:crypto';
import type { Clock } from '../../measure/clock.ts';
import { readSmallFile, whyUnreadable } from '../../core/read-file.ts';
import { readWebConfig, type WebConfig } from './config.ts';
import { asError } from '../../measure/errors.ts';

export interface Following {
  /** Look now and say what is there, changed or not. */
  look(): void;
  stop(): void;
}

export interface FollowedWebConfig {
  readonly first: WebConfig;
  /** Look every 10 s and report what is new. */
  follow(changed: (config: WebConfig) => void, failed: (error: Error) => void): Following;
}

const periodSeconds = 10;
/** A small file that takes longer lies on a disk that stands still. */
const patienceSeconds = 20;

type Digests = Map<string, string>;
type Read = (path: string) => Promise<Buffer>;

const digestOf = (content: Buffer) => createHash('sha256').update(content).digest('hex');

/** Rejects as readWebConfig does. `digests` then holds every file that was looked at. */
async function load(path: string, digests: Digests, read: Read): Promise<WebConfig> {
  digests.clear();
  return readWebConfig(path, async (file) => {
    const content = await read(file).catch((error: unknown) => {
      digests.set(file, whyUnreadable(error));
      throw error;
    });
    digests.set(file, digestOf(content));
    return content.toString('utf8');
  });
}

async function hasChanged(digests: Digests, read: Read): Promise<boolean> {
  for (const [path, digest] of digests) {
    if ((await read(path).then(digestOf, whyUnreadable)) !== digest) return true;
  }
  return false;
}

/** Rejects with every problem of the file, as readWebConfig does. */
export async function followWebConfig(
  path: string,
  clock: Clock,
  read: Read = readSmallFile,
): Promise<FollowedWebConfig> {
  const digests: Digests = new Map();
  const first = await load(path, digests, read);
  return {
    first,
    follow(changed, failed) {
      let lookingSince: number | undefined;
      let late = false;

      async function look(anyway: boolean): Promise<void> {
        const is = anyway || (await hasChanged(digests, read));
        // One that ended late after all takes back what was said of it.
        if (is || late) changed(await load(path, digests, read));
      }

      function begin(anyway: boolean): void {
        if (lookingSince !== undefined) {
          if (late || clock.monotonic() - lookingSince < patienceSeconds) return;
          late = true;
          failed(new Error(`${path}: cannot be read, a read does not end`));
          return;
        }
        lookingSince = clock.monotonic();
        look(anyway)
          .catch((error: unknown) => failed(asError(error)))
          .finally(() => {
            lookingSince = undefined;
            late = false;
          });
      }

      return { look: () => begin(true), stop: clock.every(periodSeconds, () => begin(false)) };
    },
  };
}
