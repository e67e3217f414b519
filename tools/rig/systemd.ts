/** A Debian 12 whose process 1 is systemd, in namespaces of its own: systemd.sh beside this file. */
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { until } from './redis-server.ts';

const cache = join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'stealwatch');
/** What a machine has on which the guide is followed: its npm, curl and sudo, a Redis, the rest of the stack. */
const packages =
  'systemd-sysv,dbus,sudo,npm,curl,procps,iproute2,redis-server,prometheus,prometheus-alertmanager';

export interface Systemd {
  /** As root, by bash, in its folder /root/package; standard output and error, whatever the status. */
  run(script: string): string;
  stop(): Promise<void>;
}

/** Made once, which takes five minutes and a gigabyte. */
function debian(): string {
  const root = join(cache, 'systemd-root');
  if (existsSync(root)) return root;
  const half = `${root}.half`;
  rmSync(half, { recursive: true, force: true });
  mkdirSync(cache, { recursive: true });
  const args = ['--mode=root', '--variant=minbase', `--include=${packages}`, 'bookworm', half];
  execFileSync('mmdebstrap', args, { stdio: 'inherit' });
  renameSync(half, root);
  return root;
}

/** An empty group of cgroup v2, without what a run that was killed has left in it. */
function freshGroup(): { path: string; remove(): void } {
  const mount = /^\S+ (\S+) cgroup2 /m.exec(readFileSync('/proc/mounts', 'utf8'))?.[1];
  if (mount === undefined) throw new Error('needs a mount of cgroup v2');
  const path = join(mount, 'stealwatch-try-systemd');
  const remove = () =>
    void spawnSync('find', [path, '-depth', '-type', 'd', '-exec', 'rmdir', '{}', '+']);
  remove();
  if (existsSync(path)) throw new Error(`${path} is in use: another one runs`);
  mkdirSync(path);
  return { path, remove };
}

/** `fill` puts into a folder what is in /root/package there. */
export async function startSystemd(fill: (folder: string) => void): Promise<Systemd> {
  const root = debian();
  const group = freshGroup();
  const changes = join(cache, 'systemd-changes');
  rmSync(changes, { recursive: true, force: true });
  const folder = join(changes, 'upper/root/package');
  mkdirSync(folder, { recursive: true });
  fill(folder);
  // It ends with us, also where we are killed.
  const script = join(import.meta.dirname, 'systemd.sh');
  const args = ['--pdeathsig', 'KILL', script, root, changes, group.path];
  const child = spawn('setpriv', args, { stdio: 'ignore' });
  const ended = new Promise((resolve) => child.once('exit', resolve));

  function run(text: string): string {
    const init = readFileSync(`/proc/${child.pid}/task/${child.pid}/children`, 'utf8').trim();
    const enter = ['-t', init, '-m', '-u', '-i', '-n', '-p', '-C', '-r', '-w', 'bash', '-c'];
    const env = { HOME: '/root', LANG: 'C', PATH: '/usr/sbin:/usr/bin:/sbin:/bin' };
    const whole = `cd /root/package && exec 2>&1\n${text}`;
    const { stdout } = spawnSync('nsenter', [...enter, whole], {
      encoding: 'utf8',
      env,
      timeout: 180_000,
    });
    return stdout;
  }

  async function stop(): Promise<void> {
    child.kill('SIGKILL');
    await ended;
    await until('its processes are gone', () => {
      group.remove();
      return !existsSync(group.path);
    });
    rmSync(changes, { recursive: true, force: true });
  }

  try {
    await until(
      'systemd is up',
      () => /^(?:running|degraded)/m.test(run('systemctl is-system-running')),
      60,
    );
  } catch (error) {
    await stop();
    throw error;
  }
  return { run, stop };
}
