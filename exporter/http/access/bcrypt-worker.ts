/** One bcrypt comparison at a time, on a thread of its own. See bcrypt.ts. */
import { compareSync } from 'bcryptjs';
import { parentPort } from 'node:worker_threads';

parentPort?.on('message', ({ password, hash }: { password: string; hash: string }) => {
  parentPort?.postMessage(compareSync(password, hash));
});
