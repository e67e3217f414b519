/** What `stealwatch WORD` does besides serving metrics: each once, and then it ends. */
import type { commandNames } from './core/command-names.ts';
import type { OneShot } from './core/one-shot.ts';
import { bearDeafOutput } from './core/printing.ts';
import { messageOf } from './measure/errors.ts';
import { doctor } from './doctor/command.ts';
import { files } from './files/command.ts';
import { report } from './report/command.ts';
import { rescue } from './rescue/command.ts';
import { status } from './status/command.ts';

const known: Readonly<Record<(typeof commandNames)[number], OneShot>> = {
  doctor,
  files,
  report,
  rescue,
  status,
};
const commands: Readonly<Record<string, OneShot>> = known;

/** What is left open closes by itself within this time, unless something stands still. */
const graceMs = 200;

/**
 * A thread that waits for a disk or a name server keeps this process from ending, and `process.exit`
 * waits for it as well. Another program in its place does not, unless the thread sleeps in D state.
 */
function endSoon(code: number): void {
  process.exitCode ??= code;
  setTimeout(() => {
    process.execve?.('/bin/sh', ['sh', '-c', `exit ${process.exitCode}`], {});
  }, graceMs).unref();
}

/** https://no-color.org */
function showsColour(): boolean {
  const { NO_COLOR = '', TERM = '' } = process.env;
  return process.stdout.isTTY && NO_COLOR === '' && TERM !== 'dumb';
}

bearDeafOutput('stealwatch');
const [word = '', ...argv] = process.argv.slice(2);
const command = Object.hasOwn(commands, word) ? commands[word] : undefined;
if (command === undefined) {
  process.stderr.write(
    `stealwatch: no command ${JSON.stringify(word.slice(0, 40))}; there are ${Object.keys(commands).join(', ')}\n`,
  );
  process.exitCode = 2;
} else {
  command({
    argv,
    env: process.env,
    print: (text) => void process.stdout.write(text),
    complain: (text) => void process.stderr.write(text),
    colour: showsColour(),
    ...(process.stdout.isTTY ? { columns: process.stdout.columns } : {}),
  }).then(endSoon, (error: unknown) => {
    process.stderr.write(`stealwatch ${word}: ${messageOf(error)}\n`);
    endSoon(1);
  });
}
