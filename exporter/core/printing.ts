/**
 * What becomes of a program whose output nobody takes: Node ends it with a trace of its own inside. A
 * pipe that is closed early (`| head`) is no fault of anybody and changes no exit code; a disk that is
 * full is told, because what was printed there is not whole.
 */
import { codeOf } from '../measure/errors.ts';

/** Also for doctor and status the worst: what was to be read is not there. */
const notPrinted = 2;

/** `name`: who says that it could not be printed. */
export function bearDeafOutput(name: string): void {
  process.stdout.on('error', (error) => {
    const code = codeOf(error) ?? 'unknown error';
    if (code === 'EPIPE') return;
    process.exitCode = notPrinted;
    process.stderr.write(`${name}: what it says could not be written (${code})\n`);
  });
  // Of this one there is nobody left to tell.
  process.stderr.on('error', () => undefined);
}
