/**
 * The machine in the machine: QEMU emulates a processor with AMD-V in software, on which a small
 * Debian kernel plays the provider's host with KVM and swap; on that KVM runs the VPS. No
 * /dev/kvm of the machine we are on is used, and no root is needed.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { openSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePort } from '../rig/redis-server.ts';
import { type Console, openConsole } from './console.ts';
import type { Images } from './images.ts';
import { labDirectory, type Unpacked } from './packages.ts';

/** What of the VPS is reached from outside: `exporter`, `redis`, and what it keeps (vps-init). */
const forwarded = { exporter: 10190, redis: 6379, kmsg: 7001, redisLog: 7002, sysstat: 7003 };
type Forwarded = keyof typeof forwarded;
/** Where, on the machine we are on. */
export type Ports = Readonly<Record<Forwarded, number>>;

export async function freePorts(): Promise<Ports> {
  const ports = { ...forwarded };
  for (const name of Object.keys(ports) as Forwarded[]) ports[name] = await freePort();
  return ports;
}

export interface Machine {
  readonly provider: Console;
  readonly vps: Console;
  readonly ports: Ports;
  /** Start the VPS with this CPU model and wait for its shell. */
  startVps(cpu: string): Promise<void>;
  /** As the button of a provider's panel does: it ends where it stands, and boots with new memory. */
  resetVps(): Promise<void>;
  /** Reads of the provider's swap: at full speed, this many a second, or none at all. */
  swapReads(perSecond: number | 'all' | 'none'): Promise<void>;
  close(): Promise<void>;
}

const providerMib = 1536;
const vpsMib = 448;
const bootSeconds = 300;

const forwards = (ports: Ports) =>
  Object.entries(forwarded)
    .map(([name, guest]) => `hostfwd=tcp:127.0.0.1:${ports[name as Forwarded]}-:${guest}`)
    .join();
const socket = (id: string) =>
  `socket,id=${id},path=${id}.sock,server=on,wait=off,logfile=${id}.log`;

function qemuArguments({ kernel, provider }: Images, ports: Ports): string[] {
  return [
    ['-machine', 'pc,usb=off', '-accel', 'tcg,thread=multi,tb-size=512', '-cpu', 'max,la57=off'],
    ['-smp', '2', '-m', String(providerMib), '-nographic', '-no-reboot', '-vga', 'none'],
    ['-kernel', kernel, '-initrd', provider],
    ['-append', 'console=ttyS0 nokaslr mitigations=off transparent_hugepage=never loglevel=4'],
    ['-netdev', `user,id=n,restrict=on,${forwards(ports)}`],
    ['-device', 'virtio-net-pci,netdev=n,romfile='],
    ['-chardev', socket('provider'), '-serial', 'chardev:provider'],
    [
      '-device',
      'virtio-serial-pci',
      '-chardev',
      socket('vps'),
      '-device',
      'virtconsole,chardev=vps',
    ],
    ['-drive', 'file=swap.img,format=raw,if=none,id=sw,cache=unsafe'],
    ['-device', 'virtio-blk-pci,drive=sw'],
    ['-monitor', 'unix:monitor.sock,server=on,wait=off'],
  ].flat();
}

function start({ root, libraries }: Unpacked, images: Images, ports: Ports): ChildProcess {
  for (const name of ['provider', 'vps', 'monitor']) {
    rmSync(join(labDirectory, `${name}.sock`), { force: true });
  }
  const swap = join(labDirectory, 'swap.img');
  writeFileSync(swap, '');
  truncateSync(swap, 1024 ** 3);
  const log = openSync(join(labDirectory, 'qemu.log'), 'w');
  return spawn(
    join(libraries, 'ld-linux-x86-64.so.2'),
    [
      ['--library-path', libraries, join(root, 'usr/bin/qemu-system-x86_64')],
      ['-L', join(root, 'usr/share/qemu'), '-L', join(root, 'usr/share/seabios')],
      qemuArguments(images, ports),
    ].flat(),
    { cwd: labDirectory, stdio: ['ignore', log, log] },
  );
}

const open = (name: string) => openConsole(join(labDirectory, `${name}.sock`));

export async function bootMachine(
  unpacked: Unpacked,
  images: Images,
  ports: Ports,
): Promise<Machine> {
  const qemu = start(unpacked, images, ports);
  const ended = new Promise((resolve) => qemu.once('exit', resolve));
  const kill = () => void qemu.kill('SIGKILL');
  process.once('exit', kill);
  const [provider, vps, monitor] = await Promise.all([
    open('provider'),
    open('vps'),
    open('monitor'),
  ]);
  await provider.waitFor('provider is up', bootSeconds);
  await provider.run('true');

  let model = '';

  async function startVps(cpu: string): Promise<void> {
    model = cpu;
    await provider.run(`(setsid vm ${vpsMib} ${cpu} &)`);
    await vps.waitFor('vps is up', bootSeconds);
    await vps.run('true');
  }

  async function swapReads(perSecond: number | 'all' | 'none'): Promise<void> {
    // bytes per second of reads, then operations per second of reads; 0 is no limit.
    const limits = { all: '0 0 0 0 0 0', none: '0 1 0 0 0 0' };
    const limit = typeof perSecond === 'number' ? `0 0 0 0 ${perSecond} 0` : limits[perSecond];
    monitor.send(`block_set_io_throttle sw ${limit}`);
    await new Promise((resolve) => setTimeout(resolve, 500));
  }

  return {
    provider,
    vps,
    ports,
    startVps,
    swapReads,
    async resetVps() {
      await provider.run('kill -9 $(cat /tmp/vm.pid)');
      // What waits for the disk in the host dies only when that is back; the guest runs no more.
      await swapReads('all');
      await provider.run(
        'while grep -q VmRSS /proc/$(cat /tmp/vm.pid)/status 2> /dev/null; do sleep 1; done',
        120,
      );
      await startVps(model);
    },
    async close() {
      for (const one of [provider, vps, monitor]) one.close();
      kill();
      await ended;
      process.off('exit', kill);
    },
  };
}
