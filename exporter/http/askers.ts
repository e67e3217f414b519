/**
 * Whether another machine asks us: who is watched from his own machine alone is told nothing when it
 * freezes. By the address of whoever was answered, and how long ago; nothing else of it is kept.
 */
import { BlockList, isIPv6, type IPVersion } from 'node:net';
import { networkInterfaces } from 'node:os';
import { inContainer } from '../procfs/in-container.ts';
import { canonicalAddress, isLoopback } from '../procfs/local-addresses.ts';

/**
 * `hidden`: it came through the gateway of our container, behind which anybody may be, or which addresses are
 * ours cannot be told.
 */
export type Origin = 'here' | 'hidden' | 'elsewhere';

export interface Askers {
  /** One was answered with what a monitor comes for. */
  answered(address: string | undefined): void;
  /** Undefined for never. */
  secondsAgo(origin: Exclude<Origin, 'here'>): number | undefined;
}

type Interfaces = ReturnType<typeof networkInterfaces>;

/** Networks of containers on this machine, by the names of their bridges. */
const bridge = /^(?:docker|br-|podman|cni|virbr|lxc|lxd|veth)/;

const version = (address: string): IPVersion => (isIPv6(address) ? 'ipv6' : 'ipv4');

interface Networks {
  readonly own: ReadonlySet<string>;
  /** All who are in them are on this machine. */
  readonly local: BlockList;
}

function networksOf(interfaces: Interfaces, container: boolean): Networks {
  const own = new Set<string>();
  const local = new BlockList();
  for (const [name, addresses = []] of Object.entries(interfaces)) {
    for (const { address, cidr } of addresses) {
      own.add(canonicalAddress(address));
      const prefix = Number(cidr?.split('/')[1]);
      if (!(container || bridge.test(name)) || Number.isNaN(prefix)) continue;
      local.addSubnet(address.replace(/%.*$/, ''), prefix, version(address));
    }
  }
  return { own, local };
}

/** Docker and Podman give the first address of a network to the machine itself. */
const isGateway = (address: string): boolean => /(?:\.|:0*)1$/.test(address);

export function originOf(
  address: string,
  interfaces: Interfaces | undefined,
  container: boolean,
): Origin {
  const canonical = canonicalAddress(address);
  if (isLoopback(canonical)) return 'here';
  if (interfaces === undefined) return 'hidden';
  const { own, local } = networksOf(interfaces, container);
  if (own.has(canonical)) return 'here';
  if (!local.check(canonical, version(canonical))) return 'elsewhere';
  return container && isGateway(canonical) ? 'hidden' : 'here';
}

/** Addresses of this machine come and go; looked up anew so often. */
const keptSeconds = 60;
const mostKept = 64;

export function watchAskers(
  clock: { monotonic(): number },
  interfaces: () => Interfaces = networkInterfaces,
  container: () => boolean = inContainer,
): Askers {
  const last = new Map<Origin, number>();
  const known = new Map<string, Origin>();
  let knownSince = clock.monotonic();

  /** A sandbox without netlink sockets refuses; whoever was answered is no reason to end. */
  function named(): Interfaces | undefined {
    try {
      return interfaces();
    } catch {
      return undefined;
    }
  }

  function originNow(address: string): Origin {
    const old = clock.monotonic() - knownSince > keptSeconds || known.size >= mostKept;
    if (old) {
      known.clear();
      knownSince = clock.monotonic();
    }
    const origin = known.get(address) ?? originOf(address, named(), container());
    known.set(address, origin);
    return origin;
  }

  return {
    answered(address) {
      if (address !== undefined) last.set(originNow(address), clock.monotonic());
    },
    secondsAgo(origin) {
      const at = last.get(origin);
      return at === undefined ? undefined : clock.monotonic() - at;
    },
  };
}
