/** A kernel log of recorded reports, some of them mangled, some repeated without end. */
import {
  appendFileSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { flood, mangle } from './mangle.ts';
import type { Player } from './player.ts';
import type { Random } from './random.ts';

const folder = new URL('../../exporter/fixtures/kmsg/', import.meta.url);
const logs = readdirSync(folder)
  .filter((name) => /^\d.*\.txt$/.test(name))
  .map((name) => readFileSync(new URL(name, folder), 'latin1'));

export interface KmsgPlayer extends Player {
  readonly file: string;
}

/** Records as they are, their sequence numbers from 0: the caller counts on. */
function renumbered(text: string, from: number): string {
  let sequence = from;
  return text.replaceAll(/^(\d+),\d+,/gm, (_, priority: string) => `${priority},${sequence++},`);
}

export function kmsgPlayer(random: Random): KmsgPlayer {
  const directory = mkdtempSync(join(tmpdir(), 'stealwatch-fuzz-kmsg-'));
  const file = join(directory, 'kmsg');
  writeFileSync(file, '');
  let playing = false;
  let sequence = 0;

  function write(text: string): void {
    appendFileSync(file, text, 'latin1');
  }

  return {
    name: 'kmsg',
    file,
    start() {
      playing = true;
    },
    step() {
      if (!playing || random.chance(0.6)) return;
      const log = renumbered(logs[random.int(0, logs.length - 1)] ?? '', sequence);
      sequence += 1000;
      if (random.chance(0.5)) write(log);
      else if (random.chance(0.9)) write(`${mangle(log, random)}\n`);
      // No more lines than are read in ten seconds: it is to catch up afterwards.
      else write(`3,${sequence},1,-;${flood(random.int(1e4, 4e4), random)}\n`);
    },
    calm() {
      playing = false;
      // A record that was cut ends here; until a whole one comes, it is a file that holds none.
      write(`\n6,${sequence},1,-;all is well\n`);
    },
    close() {
      rmSync(directory, { recursive: true, force: true });
    },
  };
}
