/** Of which machine a file of sysstat is: every row of sadf begins with its name. */
import { askLines } from './run.ts';
import { readable, sysstatFiles } from './sysstat-files.ts';
import { readLog } from './text-file.ts';

type Env = Readonly<Record<string, string | undefined>>;

const deadlineMs = 10_000;
const mostBytes = 64 * 1024 * 1024;

/** Rows and headers alike; not the name that is missing, nor a text that is none of it. */
const beginning = /^(?:# )?([\w.-]{1,253});-?\d{1,6};/;

/** In the header, which an older sadf reads of a file whose rows it cannot. */
const inHeader = /^Host: \S+ \S+ \(([\w.-]{1,253})\)/;

const askSadf = async (args: readonly string[], env: Env, onLine: (line: string) => boolean) =>
  askLines({ program: 'sadf', package: 'sysstat', args, env, deadlineMs, mostBytes, onLine });

async function hostIn(path: string, env: Env): Promise<string | undefined> {
  let host: string | undefined;
  const onLine = (line: string): boolean => (host ??= beginning.exec(line)?.[1]) === undefined;
  const file = await readable(path, env);
  try {
    if (file.isText) await readLog(file.path, { env, mostBytes }, onLine);
    else await askSadf(['-d', '-U', file.path, '--', '-u'], env, onLine);
    if (host === undefined && !file.isText) {
      const onHeader = (line: string): boolean => (host ??= inHeader.exec(line)?.[1]) === undefined;
      await askSadf(['-H', file.path], env, onHeader);
    }
  } finally {
    file.done();
  }
  return host;
}

/** By the newest file of each that was named; none where nothing tells, which is said when it is read. */
export async function sysstatHosts(
  named: readonly string[],
  root: string,
  env: Env,
): Promise<string[]> {
  const hosts: string[] = [];
  for (const place of named) {
    const newest = sysstatFiles([place], root, { from: -Infinity, to: Infinity }).at(-1);
    try {
      const host = newest === undefined ? undefined : await hostIn(newest.path, env);
      if (host !== undefined) hosts.push(host);
    } catch {
      // No sadf, no permission, no file: the reader says which.
    }
  }
  return hosts;
}
