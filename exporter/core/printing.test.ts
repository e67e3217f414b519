/** Programs as they are started, with an output that takes nothing. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

const folder = join(import.meta.dirname, '..');

/** Its exit code and what it says on standard error. */
function run(script: string, ...args: readonly string[]) {
  const file = join(folder, args[0] ?? '');
  const { status, stderr } = spawnSync(
    'sh',
    ['-c', script, process.execPath, file, ...args.slice(1)],
    {
      encoding: 'utf8',
      env: {},
    },
  );
  return { code: status, stderr };
}

/** The reader is gone before the first word; the code is that of the program. */
const deaf = '{ sleep 0.3; "$0" "$@"; echo "code $?" >&2; } | true';
const full = '"$0" "$@" > /dev/full';

const sayings = [
  [0, 'main.ts', '--help'],
  [0, 'main.ts', '--check-config'],
  [2, 'commands.ts', 'status', '127.0.0.1:1'],
] as const;

test('printing: whoever stops reading ends nothing and changes no exit code', () => {
  for (const [code, ...args] of sayings) {
    const { stderr } = run(deaf, ...args);
    assert.equal(stderr, `code ${code}\n`, args.join(' '));
  }
});

test('printing: a disk that is full is told, and 2', { skip: !existsSync('/dev/full') }, () => {
  for (const [, ...args] of sayings) {
    const { code, stderr } = run(full, ...args);
    assert.equal(code, 2, args.join(' '));
    assert.equal(stderr, 'stealwatch: what it says could not be written (ENOSPC)\n');
  }
});
