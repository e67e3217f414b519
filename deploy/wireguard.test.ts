/**
 * The WireGuard way of docs/watching-from-outside.md, with its own configuration files: two network
 * namespaces, a tunnel, the shipped exporter at one end. Needs root, wireguard-tools, and WireGuard in
 * the kernel or wireguard-go.
 */
import assert from 'node:assert/strict';
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { test, type TestContext } from 'node:test';
import { blocksOf } from '../tools/documents/blocks.ts';
import { launcher } from '../tools/rig/exporter-process.ts';
import { until } from '../tools/rig/redis-server.ts';
import { placed, temporaryRoot } from '../tools/rig/temporary-root.ts';

const guide = 'docs/watching-from-outside.md';
const agent = '10.8.0.7:10190';
const outside = { vps: '198.51.100.7', watcher: '198.51.100.8' };
type Side = keyof typeof outside;
const sides: readonly Side[] = ['vps', 'watcher'];

const ns = (side: Side) => `stealwatch-${side}-${process.pid}`;
/** Both ends of a link have a name of at most 15 characters. */
const link = (side: Side) => `sw${side.slice(0, 1)}${process.pid}`;
const tunnel = (side: Side) => `wg${side.slice(0, 1)}${process.pid}`;

const works = (program: string, ...args: readonly string[]) =>
  spawnSync(program, args, { stdio: 'ignore' }).status === 0;
const ip = (...args: readonly string[]) => execFileSync('ip', args, { stdio: 'pipe' });
const inside = (side: Side, ...args: readonly string[]) =>
  execFileSync('ip', ['netns', 'exec', ns(side), ...args], { encoding: 'utf8', stdio: 'pipe' });

function whyNot(): string | undefined {
  if (process.getuid?.() !== 0) return 'needs root';
  if (!works('ip', 'netns', 'list')) return 'no ip, which makes network namespaces';
  if (!works('wg', '--version')) return 'no wg: apt install wireguard-tools';
  if (works('sh', '-c', 'command -v wireguard-go')) return undefined;
  const name = link('vps');
  if (!works('ip', 'link', 'add', name, 'type', 'wireguard'))
    return 'neither WireGuard in the kernel nor wireguard-go';
  ip('link', 'del', name);
  return undefined;
}

/** Two machines that reach one another. */
function machines(t: TestContext): void {
  t.after(() => {
    for (const side of sides) {
      // wireguard-go ends with its interface, and a namespace lives as long as that does.
      works('ip', '-n', ns(side), 'link', 'del', tunnel(side));
      works('ip', 'netns', 'del', ns(side));
    }
  });
  for (const side of sides) ip('netns', 'add', ns(side));
  const [a, b] = [link('vps'), link('watcher')];
  ip('link', 'add', a, 'netns', ns('vps'), 'type', 'veth', 'peer', b, 'netns', ns('watcher'));
  for (const side of sides) {
    ip('-n', ns(side), 'addr', 'add', `${outside[side]}/24`, 'dev', link(side));
    for (const name of [link(side), 'lo']) ip('-n', ns(side), 'link', 'set', name, 'up');
  }
}

/** The files of the guide, with keys for what it leaves to its reader. */
function configurations(t: TestContext): Record<Side, string> {
  const keys = sides.map((side) => {
    const secret = execFileSync('wg', ['genkey'], { encoding: 'utf8' }).trim();
    const open = execFileSync('wg', ['pubkey'], { encoding: 'utf8', input: secret }).trim();
    return [side, { secret, open }] as const;
  });
  const { vps, watcher } = Object.fromEntries(keys);
  assert.ok(vps !== undefined && watcher !== undefined);
  const directory = temporaryRoot(t);
  function written(side: Side, own: typeof vps, other: typeof vps): string {
    const found = blocksOf(guide, readFileSync(guide, 'utf8')).find(({ text }) =>
      text.startsWith(`# /etc/wireguard/wg0.conf on the ${side === 'vps' ? 'VPS' : side}`),
    );
    assert.ok(found !== undefined, `${guide} has no wg0.conf for ${side}`);
    const text = found.text
      .replace(/^PrivateKey = .*/m, `PrivateKey = ${own?.secret}`)
      .replace(/^PublicKey = .*/m, `PublicKey = ${other?.open}`)
      .replace(/^Endpoint = .*/m, `Endpoint = ${outside.vps}:51820`);
    return placed(directory, `${tunnel(side)}.conf`, `${text}\n`);
  }
  return { vps: written('vps', vps, watcher), watcher: written('watcher', watcher, vps) };
}

function startAgent(t: TestContext) {
  const child = spawn('ip', ['netns', 'exec', ns('vps'), launcher, '--listen', agent], {
    env: { PATH: process.env['PATH'], STEALWATCH_REDIS_URL: 'none' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let log = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (text) => (log += text));
  const ended = new Promise<number | null>((resolve) => child.once('exit', resolve));
  t.after(async () => {
    child.kill('SIGKILL');
    await ended;
  });
  return { ended, log: () => log };
}

/** Asked on the watcher: an exporter's answer, or none. */
function answers(address: string): boolean {
  const asked = `curl -sf -m 2 -o /dev/null http://${address}/metrics`;
  return works('ip', 'netns', 'exec', ns('watcher'), ...asked.split(' '));
}

test('WireGuard: the agent answers through the tunnel only, and again when that comes back', async (t) => {
  const why = whyNot();
  if (why !== undefined) return t.skip(why);
  machines(t);
  const files = configurations(t);
  const early = startAgent(t);
  assert.equal(await early.ended, 1, 'no tunnel yet: the unit starts it again');
  assert.match(early.log(), /--listen: .*10\.8\.0\.7/);

  for (const side of sides) inside(side, 'wg-quick', 'up', files[side]);
  const { log } = startAgent(t);
  await until('the agent listens', () => log().includes('"listening"'), 20);
  await until('the watcher scrapes it', () => answers(agent));
  assert.equal(answers(`${outside.vps}:10190`), false, 'not from outside the tunnel');

  ip('-n', ns('vps'), 'link', 'del', tunnel('vps'));
  assert.equal(answers(agent), false, 'without a tunnel there is silence, and Prometheus pages');
  await until(
    'the tunnel can be made anew',
    () => works('ip', 'netns', 'exec', ns('vps'), 'wg-quick', 'up', files.vps),
    20,
  );
  await until('the same agent answers', () => answers(agent), 30);
});
