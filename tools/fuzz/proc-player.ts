/**
 * A /proc and a /sys of files that a bad kernel, a container's file system or a local user writes:
 * texts mangled in place, files gone or of another kind, crowds of processes with Redis's name.
 */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { processFiles } from '../rig/task-files.ts';
import { flood, mangle } from './mangle.ts';
import type { Player } from './player.ts';
import type { Random } from './random.ts';

const fixtures = fileURLToPath(new URL('../../exporter/fixtures/', import.meta.url));

function filesBelow(root: string): Record<string, string> {
  const entries = readdirSync(root, { recursive: true, withFileTypes: true });
  return Object.fromEntries(
    entries
      .filter((entry) => entry.isFile())
      .map((entry) => {
        const whole = join(entry.parentPath, entry.name);
        return [relative(root, whole), readFileSync(whole, 'latin1')];
      }),
  );
}

/** A recorded machine, and what the recording left out. */
function healthy(): Record<string, string> {
  const one = processFiles(1, { comm: 'systemd' });
  return {
    ...filesBelow(join(fixtures, 'kvm-async-pf/stalled/proc')),
    diskstats: readFileSync(join(fixtures, 'firecracker-6.18/proc/diskstats'), 'latin1'),
    meminfo: readFileSync(join(fixtures, 'firecracker-6.18/proc/meminfo'), 'latin1'),
    uptime: '90000.00 170000.00\n',
    cpuinfo: 'processor\t: 0\nmodel name\t: Some CPU\nflags\t\t: fpu hypervisor\n',
    'sys/kernel/osrelease': '6.12.0\n',
    'sys/kernel/hung_task_timeout_secs': '120\n',
    'sys/kernel/hung_task_warnings': '10\n',
    ...one,
    ...Object.fromEntries(
      Object.entries(processFiles(12, { comm: 'node' })).map(([path, text]) => [
        path.replace(/^12\//, 'self/'),
        text,
      ]),
    ),
    ...processFiles(900, { comm: 'redis-server' }),
  };
}

export interface ProcPlayer extends Player {
  readonly procfs: string;
  readonly sysfs: string;
}

/** As many processes as a user may start; more would only be slower to write. */
const crowd = 300;

export function procPlayer(random: Random): ProcPlayer {
  const top = mkdtempSync(join(tmpdir(), 'stealwatch-fuzz-'));
  const procfs = join(top, 'proc');
  const sysfs = join(top, 'sys');
  const files = healthy();
  const paths = Object.keys(files);
  const clocksource = 'devices/system/clocksource/clocksource0';
  let playing = false;

  function put(path: string, text: string): void {
    const whole = join(procfs, path);
    mkdirSync(dirname(whole), { recursive: true });
    writeFileSync(whole, text, 'latin1');
  }

  function restore(path: string): void {
    // What took its place may be a directory; in place otherwise, as descriptors stay open.
    try {
      put(path, files[path] ?? '');
    } catch {
      rmSync(join(procfs, path), { recursive: true, force: true });
      put(path, files[path] ?? '');
    }
  }

  for (const path of paths) restore(path);
  mkdirSync(join(sysfs, clocksource), { recursive: true });
  mkdirSync(join(sysfs, 'block/vda/device'), { recursive: true });
  writeFileSync(join(sysfs, clocksource, 'available_clocksource'), 'kvm-clock tsc\n');
  writeFileSync(join(sysfs, clocksource, 'current_clocksource'), 'kvm-clock\n');

  function worsen(path: string): void {
    const text = files[path] ?? '';
    const dice = random.next();
    if (dice < 0.8) put(path, mangle(text, random));
    else if (dice < 0.9) put(path, text + flood(random.int(1e4, 1e6), random));
    else {
      rmSync(join(procfs, path), { recursive: true, force: true });
      if (random.chance(0.3)) mkdirSync(join(procfs, path));
    }
  }

  function gather(): void {
    for (let pid = 2000; pid < 2000 + crowd; pid++) {
      const comm = random.pick(['redis-server', 'valkey-server', ') R 1 (', '__proto__', '\n']);
      const state = random.pick(['S', 'D', 'D', 'Z', '?']);
      for (const [path, text] of Object.entries(processFiles(pid, { comm, state })))
        put(path, text);
    }
  }

  function disperse(): void {
    for (let pid = 2000; pid < 2000 + crowd; pid++) {
      rmSync(join(procfs, String(pid)), { recursive: true, force: true });
    }
  }

  return {
    name: 'proc',
    procfs,
    sysfs,
    start() {
      playing = true;
    },
    step() {
      if (!playing) return;
      const path = paths[random.int(0, paths.length - 1)] ?? 'stat';
      if (random.chance(0.5)) {
        restore(path);
        worsen(path);
      } else restore(path);
      if (random.chance(0.01)) gather();
      if (random.chance(0.01)) disperse();
    },
    calm() {
      playing = false;
      disperse();
      for (const path of paths) restore(path);
    },
    close() {
      rmSync(top, { recursive: true, force: true });
    },
  };
}
