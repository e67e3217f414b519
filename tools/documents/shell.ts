/** Runs what a document says to type, as it stands there, in a folder of its own. */
import { spawn } from 'node:child_process';
import { chmodSync } from 'node:fs';
import { join } from 'node:path';
import type { Scope } from '../rig/redis-server.ts';
import { placed, temporaryRoot } from '../rig/temporary-root.ts';

export interface Ran {
  /** Exit code, or the signal that ended it. */
  readonly code: number | string;
  readonly out: string;
  readonly err: string;
  readonly seconds: number;
}

export interface Shell {
  /** Where it runs: what it writes is here. */
  readonly directory: string;
  /** A server ends once it has said `enough`. */
  run(script: string, enough?: RegExp): Promise<Ran>;
}

export interface ShellOptions {
  /** Programs that stand in for those of the PATH: their name, and the script that is run instead. */
  readonly programs?: Readonly<Record<string, string>>;
  readonly env?: Readonly<Record<string, string>>;
  /** Whoever takes longer is killed, with all that he started. */
  readonly mostSeconds: number;
}

const mostBytes = 4 * 1024 * 1024;

export function documentShell(t: Scope, options: ShellOptions): Shell {
  const root = temporaryRoot(t);
  const directory = join(root, 'here');
  placed(root, 'here/.keep', '');
  placed(root, 'programs/.keep', '');
  for (const [name, script] of Object.entries(options.programs ?? {})) {
    chmodSync(placed(root, `programs/${name}`, `#!/bin/sh\n${script}\n`), 0o755);
  }
  const env = {
    HOME: directory,
    LC_ALL: 'C',
    ...options.env,
    PATH: `${join(root, 'programs')}:${process.env['PATH']}:/usr/sbin:/sbin`,
  };
  return {
    directory,
    run: (script, enough) =>
      new Promise((resolve, reject) => {
        const began = performance.now();
        // A group of its own, so that nothing of it is left.
        const child = spawn('sh', ['-c', script], {
          cwd: directory,
          env,
          detached: true,
          stdio: ['ignore', 'pipe', 'pipe'],
        });
        const text = { out: '', err: '' };
        const kill = () => process.kill(-(child.pid ?? 0), 'SIGKILL');
        const late = setTimeout(kill, options.mostSeconds * 1000);
        for (const [stream, name] of [
          [child.stdout, 'out'],
          [child.stderr, 'err'],
        ] as const) {
          stream.setEncoding('utf8').on('data', (chunk: string) => {
            if (text[name].length < mostBytes) text[name] += chunk;
            if (enough?.test(text[name]) === true) kill();
          });
        }
        child.on('error', reject);
        child.on('close', (code, signal) => {
          clearTimeout(late);
          const seconds = (performance.now() - began) / 1000;
          resolve({ code: code ?? signal ?? -1, ...text, seconds });
        });
      }),
  };
}
