/** Which node of a cluster has which slot, from CLUSTER SLOTS. */
import { type AddressMap, parsePlace, type RedisPlace } from './address.ts';
import { reachable } from './address-settings.ts';
import { slotCount } from './slots.ts';

/** Slot to the name of its master, `host:port`. */
export type SlotMap = readonly (string | undefined)[];

export const nameOf = ({ host, port }: RedisPlace): string => `${host}:${port}`;

export interface MapContext {
  /** The node that was asked. */
  readonly asked: RedisPlace;
  /** Node ids that are known to answer at a place, whatever they announce. */
  readonly places: ReadonlyMap<string, RedisPlace>;
  readonly addressMap: AddressMap | undefined;
}

/** A node that does not know its own address leaves it empty or says `?`: the one that was asked. */
function placeOf(node: unknown, { asked, places, addressMap }: MapContext): RedisPlace {
  const [host, port, id]: unknown[] = Array.isArray(node) ? node : [];
  if (typeof port !== 'number') throw new Error('CLUSTER SLOTS: unexpected reply');
  const known = places.get(Buffer.isBuffer(id) || typeof id === 'string' ? id.toString() : '');
  if (known !== undefined) return known;
  const named = Buffer.isBuffer(host) || typeof host === 'string' ? host.toString() : '';
  if (named === '' || named === '?') return reachable({ host: asked.host, port }, addressMap);
  const text = named.includes(':') ? `[${named}]:${port}` : `${named}:${port}`;
  const place = parsePlace(text, port);
  if (place === undefined) throw new Error('CLUSTER SLOTS: a host that is none');
  return reachable(place, addressMap);
}

/** Who is in the cluster, by the ids that CLUSTER SLOTS gives; Redis before 4 gives none. */
export function membersIn(reply: unknown): ReadonlySet<string> {
  const rows = Array.isArray(reply) ? (reply as unknown[]) : [];
  const nodes = rows.flatMap((row) => (Array.isArray(row) ? (row as unknown[]).slice(2) : []));
  const ids = nodes.map((node) => (Array.isArray(node) ? (node as unknown[])[2] : undefined));
  return new Set(
    ids.filter((id) => typeof id === 'string' || Buffer.isBuffer(id)).map((id) => id.toString()),
  );
}

const isSlot = (slot: unknown): slot is number =>
  typeof slot === 'number' && slot >= 0 && slot < slotCount;

/** The rows of CLUSTER SLOTS: first slot, last slot, master, replicas. */
export function readSlots(reply: unknown, context: MapContext): SlotMap {
  if (reply instanceof Error) throw reply;
  if (!Array.isArray(reply)) throw new Error('CLUSTER SLOTS: no reply');
  const map: (string | undefined)[] = Array.from({ length: slotCount });
  let filled = 0;
  for (const row of reply as unknown[]) {
    const [first, last, master]: unknown[] = Array.isArray(row) ? row : [];
    if (!isSlot(first) || !isSlot(last) || last < first) {
      throw new Error('CLUSTER SLOTS: unexpected reply');
    }
    filled += last + 1 - first;
    if (filled > slotCount) throw new Error('CLUSTER SLOTS: slots that overlap');
    map.fill(nameOf(placeOf(master, context)), first, last + 1);
  }
  return map;
}
