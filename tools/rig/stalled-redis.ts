/**
 * The recorded /proc of a KVM guest whose host had swapped redis-server out (Linux 6.12, see
 * fixtures/kvm-async-pf): before the stall, in it, and after. What was recorded is the process
 * and, of its threads, only number, name, state and wait channel (redis-threads-stalled.txt), so
 * their stat and status files are the process's own with these put in.
 */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { writeTree } from './fixture-tree.ts';

export type Moment = 'before' | 'stalled' | 'healed';

const recordings = fileURLToPath(new URL('../../exporter/fixtures/kvm-async-pf/', import.meta.url));
const stalledRedisPid = 160;

export function recorded(moment: Moment, path: string): string {
  return readFileSync(`${recordings}${moment}/proc/${path}`, 'utf8');
}

interface RecordedThread {
  readonly tid: string;
  readonly comm: string;
  readonly waitChannel: string;
  readonly state: string;
}

function threads(moment: Moment): RecordedThread[] {
  const lines = readFileSync(`${recordings}redis-threads-stalled.txt`, 'utf8').trim().split('\n');
  return lines.map((line) => {
    const [tid = '', comm = '', waitChannel = '', state = ''] = line.split(' ');
    if (moment === 'stalled') return { tid, comm, waitChannel, state };
    return { tid, comm, waitChannel: 'futex_wait_queue', state: 'S' };
  });
}

/** Make the /proc below `root` what it was at `moment`. */
export function writeStalledRedis(root: string, moment: Moment): void {
  const own = (name: string) => recorded(moment, `${stalledRedisPid}/${name}`);
  const files: Record<string, string> = { loadavg: recorded(moment, 'loadavg') };
  for (const name of ['comm', 'stat', 'status', 'wchan']) {
    files[`${stalledRedisPid}/${name}`] = own(name);
  }
  for (const { tid, comm, waitChannel, state } of threads(moment)) {
    const main = Number(tid) === stalledRedisPid;
    const folder = `${stalledRedisPid}/task/${tid}`;
    files[`${folder}/stat`] = main
      ? own('stat')
      : own('stat').replace(/^160 \(redis-server\) ./, `${tid} (${comm}) ${state}`);
    files[`${folder}/status`] = own('status');
    files[`${folder}/wchan`] = main ? own('wchan') : waitChannel;
  }
  writeTree(root, files);
}
