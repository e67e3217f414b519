/**
 * bcrypt without stopping anything else.
 *
 * A comparison of cost 10 takes 85 ms of JavaScript under V8's optimising compiler and 2.5 s
 * without it, and this process runs without it (docs/adr/0004). On the main thread the first
 * would be a false latency in the Redis probe, the second a false stall. So it runs on a thread
 * that exists only while passwords are being checked, and the compiler is switched on for just
 * as long. Measured: 12 MB more resident while it lasts, 6 MB after the first time.
 */
import { extname, join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { Worker } from 'node:worker_threads';

export interface BcryptVerifier {
  /** Whether the password has this hash. The caller waits for the answer before the next call. */
  readonly verify: (password: string, hash: string) => Promise<boolean>;
  readonly close: () => Promise<void>;
}

/** A watcher that was let in is remembered, so the thread has nothing to stay for. */
const idleMs = 10_000;

/** Beside this file: .ts in the sources, .cjs in what ships. */
const workerPath = join(
  import.meta.dirname,
  `bcrypt-worker${extname(import.meta.filename) || '.cjs'}`,
);

const withoutCompiler = process.execArgv.includes('--no-opt');

interface Thread {
  readonly worker: Worker;
  /** The comparison under way. */
  pending: PromiseWithResolvers<boolean> | undefined;
}

function startThread(ended: (thread: Thread) => void): Thread {
  if (withoutCompiler) setFlagsFromString('--opt');
  const worker = new Worker(workerPath, {
    resourceLimits: { maxYoungGenerationSizeMb: 1, maxOldGenerationSizeMb: 32, stackSizeMb: 1 },
  });
  worker.unref();
  const thread: Thread = { worker, pending: undefined };
  worker.on('message', (matches: boolean) => thread.pending?.resolve(matches));
  function end(error: Error): void {
    // First, so that whoever asks again gets a new thread.
    ended(thread);
    thread.pending?.reject(error);
  }
  worker.on('error', end);
  worker.on('exit', () => end(new Error('the thread that checks passwords ended')));
  return thread;
}

export function createBcryptVerifier(): BcryptVerifier {
  let thread: Thread | undefined;
  let idle: NodeJS.Timeout | undefined;

  function ended(which: Thread): void {
    if (thread !== which) return;
    thread = undefined;
    if (withoutCompiler) setFlagsFromString('--no-opt');
  }

  async function close(): Promise<void> {
    clearTimeout(idle);
    await thread?.worker.terminate();
  }

  return {
    async verify(password, hash) {
      clearTimeout(idle);
      thread ??= startThread(ended);
      const { worker } = thread;
      const pending = Promise.withResolvers<boolean>();
      thread.pending = pending;
      worker.postMessage({ password, hash });
      try {
        return await pending.promise;
      } finally {
        idle = setTimeout(() => void close(), idleMs);
        idle.unref();
      }
    },
    close,
  };
}
