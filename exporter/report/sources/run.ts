/**
 * Asks another program: with a deadline, with a bound on what it may say, in one language and
 * one zone, and its lines taken as they come. It is gone when the answer is there.
 *
 * Never `docker` and never `ps`: on the machines this is for they may hang.
 */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { codeOf } from '../../measure/errors.ts';
import { createLineSplitter, type OnLine } from './lines.ts';

export interface Question {
  /** An absolute path, or a name to be looked for on PATH. */
  readonly program: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  /** What to install where there is no such program. */
  readonly package: string;
  readonly deadlineMs: number;
  readonly mostBytes: number;
  /** Takes its output as it comes; false when that is enough. */
  readonly onChunk: (chunk: Buffer) => boolean;
}

/** A question whose answer is lines. */
export type LineQuestion = Omit<Question, 'onChunk'> & { readonly onLine: OnLine };

export interface Answer {
  /** Undefined when it was ended by a signal, ours or another's. */
  readonly code: number | undefined;
  /** The beginning of what it complained, on one line. */
  readonly complaint: string;
  readonly bytes: number;
  /** Of all that was taken of its output. */
  readonly sha256: string;
  /** Why not all of its output was taken, as a sentence; undefined when all was. */
  readonly cut: string | undefined;
}

const mostComplaint = 4096;
/** Where distributions keep what is for administrators, which PATH need not hold. */
const moreDirectories = ['/usr/local/bin', '/usr/bin', '/bin', '/usr/sbin', '/sbin'];

function environment(env: Question['env']): NodeJS.ProcessEnv {
  const path = [env['PATH'] ?? '', ...moreDirectories].filter((part) => part.startsWith('/'));
  return { PATH: path.join(':'), LC_ALL: 'C', TZ: 'UTC', SYSTEMD_COLORS: '0' };
}

const said = (text: string): string => text.replace(/\p{Cc}+/gu, ' ').trim();

const inMegabytes = (bytes: number): string => `${Math.round(bytes / 1024 / 1024)} MB`;

/** Rejects, with a sentence, where the program cannot be started; all else is an answer. */
export function ask(question: Question): Promise<Answer> {
  const { program, args, env, deadlineMs, mostBytes, onChunk } = question;
  return new Promise((resolve, reject) => {
    const child = spawn(program, [...args], {
      stdio: ['ignore', 'pipe', 'pipe'],
      // In our directory: the paths that it is handed may be relative.
      env: environment(env),
    });
    const hash = createHash('sha256');
    let complaint = '';
    let bytes = 0;
    let cut: string | undefined;
    let enough = false;
    let done = false;

    function stop(why: string | undefined): void {
      enough = true;
      cut ??= why;
      child.kill('SIGKILL');
      child.stdout.destroy();
      child.stderr.destroy();
      // In an uninterruptible sleep no signal reaches it: we do not wait for that.
      child.unref();
      finish(undefined);
    }

    function finish(code: number | undefined): void {
      if (done) return;
      done = true;
      clearTimeout(timer);
      resolve({ code, complaint: said(complaint), bytes, sha256: hash.digest('hex'), cut });
    }

    const timer = setTimeout(
      () => stop(`${program} did not end within ${deadlineMs / 1000} s: what came before is used`),
      deadlineMs,
    );
    child.once('error', (error) => {
      clearTimeout(timer);
      done = true;
      reject(
        codeOf(error) === 'ENOENT'
          ? new Error(
              `${program} is not installed here: install the package ${question.package}, or run the report where it is`,
            )
          : new Error(`${program} cannot be started: ${codeOf(error) ?? 'unknown error'}`),
      );
    });
    child.stdout.on('data', (chunk: Buffer) => {
      if (enough) return;
      const room = mostBytes - bytes;
      const taken = chunk.subarray(0, room);
      bytes += taken.length;
      hash.update(taken);
      if (!onChunk(taken)) stop(undefined);
      else if (chunk.length > room)
        stop(`${program} said more than ${inMegabytes(mostBytes)}: the rest was left out`);
    });
    child.stderr.on('data', (chunk: Buffer) => {
      if (complaint.length < mostComplaint)
        complaint += chunk.toString('latin1', 0, mostComplaint - complaint.length);
    });
    child.once('close', (code) => finish(code ?? undefined));
  });
}

/** The same, line by line; what stands behind the last line feed is a line as well. */
export async function askLines({ onLine, ...question }: LineQuestion): Promise<Answer> {
  let wantsMore = true;
  const splitter = createLineSplitter(onLine);
  const onChunk = (chunk: Buffer) => (wantsMore = splitter.push(chunk));
  const answer = await ask({ ...question, onChunk });
  if (wantsMore) splitter.end();
  const long = splitter.tooLong();
  if (long === 0 || answer.cut !== undefined) return answer;
  return { ...answer, cut: `${long} lines of over 1 MB were left out` };
}
