/** A shell on the other end of a serial line: one command at a time, its output as text. */
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

export interface Console {
  /** Everything that came so far. */
  seen(): string;
  /** Behind what was waited for before. */
  waitFor(text: string, seconds: number): Promise<void>;
  /** Run one line; resolves with what it printed. Rejects when it is not done in time. */
  run(command: string, seconds?: number): Promise<string>;
  /** Send a line whose end nobody waits for. */
  send(line: string): void;
  close(): void;
}

/**
 * After so much silence the shell gets an empty command. The line does half a kilobyte a second, and
 * once stood still in the middle of a listing of three, as if an interrupt had got lost: input makes
 * the driver look again.
 */
const nudgeMs = 5000;

/** Busybox's shell asks the terminal where its cursor is. */
const cursorQuestion = '\u001B[6n';

async function open(path: string): Promise<Socket> {
  for (let attempt = 0; ; attempt++) {
    const socket = connect(path);
    const connected = await new Promise<boolean>((resolve) => {
      socket.once('connect', () => resolve(true));
      socket.once('error', () => resolve(false));
    });
    if (connected) return socket;
    if (attempt >= 50) throw new Error(`nothing listens on ${path}`);
    await sleep(100);
  }
}

export async function openConsole(path: string): Promise<Console> {
  const socket = await open(path);
  let text = '';
  let count = 0;
  let heardAt = 0;
  let waited = 0;
  socket.on('error', () => undefined);
  socket.on('data', (chunk: Buffer) => {
    heardAt = performance.now();
    text += chunk.toString('latin1').replaceAll('\r', '');
  });

  function nudge(): void {
    if (performance.now() - heardAt < nudgeMs) return;
    heardAt = performance.now();
    socket.write('\n');
  }

  async function until<T>(what: string, find: () => T | undefined, seconds: number): Promise<T> {
    const end = performance.now() + seconds * 1000;
    for (;;) {
      const found = find();
      if (found !== undefined) return found;
      if (performance.now() > end)
        throw new Error(`not within ${seconds} s: ${what}\n${text.slice(-600)}`);
      await sleep(50);
    }
  }

  return {
    seen: () => text,
    async waitFor(wanted, seconds) {
      waited = await until(
        wanted,
        () => {
          const index = text.indexOf(wanted, waited);
          return index === -1 ? undefined : index + wanted.length;
        },
        seconds,
      );
    },
    async run(command, seconds = 60) {
      const from = text.length;
      heardAt = performance.now();
      const mark = `lab${String(count++)}`;
      // The mark is put together by the shell, so that an echo of the command is not its end.
      socket.write(`${command}; echo '<'${mark}'>'\n`);
      const end = `<${mark}>`;
      const at = await until(
        command,
        () => {
          const index = text.indexOf(end, from);
          if (index === -1) nudge();
          return index === -1 ? undefined : index;
        },
        seconds,
      );
      return text
        .slice(from, at)
        .replaceAll(cursorQuestion, '')
        .replaceAll(/^(?:[~/] # )+/gm, '')
        .trim();
    },
    send: (line) => {
      socket.write(`${line}\n`);
    },
    close: () => socket.destroy(),
  };
}
