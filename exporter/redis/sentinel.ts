/**
 * Where the master is that Sentinel speaks of: asked in the background, every few seconds, on one
 * connection to each Sentinel that is kept while it is frozen. Probe and collectors of one address
 * share what is known, so they follow a failover together; none of them waits for a Sentinel once
 * a master is known, and with all Sentinels gone the master of before is still the best guess.
 */
import type { RedisAddress, RedisPlace } from './address.ts';
import { reachable } from './address-settings.ts';
import { createRedisClient, type RedisClient } from './client.ts';
import { messageOf } from '../measure/errors.ts';

const sentinelTimeoutMs = 500;
/** How often it is asked whether the master is still the master. */
const followMs = 5000;
/** The same while none is known. */
const searchMs = 1000;

export interface Masters {
  /** Undefined until a Sentinel has named one. */
  place(): RedisPlace | undefined;
  /** The same, once the search that is under way has ended; rejects with why there is none. */
  known(): Promise<RedisPlace>;
  /** Tells when another one has become the master; returns what ends that. */
  onMove(listener: () => void): () => void;
  /** It is asked for as long as anybody holds it; returns what lets go of it, once. */
  hold(): () => void;
}

export function samePlace(a: RedisPlace | undefined, b: RedisPlace | undefined): boolean {
  return a?.host === b?.host && a?.port === b?.port;
}

/** A Sentinel that wants a password says so like a Redis; who reads the sentence must know which. */
function sentinelFailure(display: string, words: string): Error {
  const locked = /\b(?:NOAUTH|WRONGPASS|NOPERM)\b|invalid password/.test(words);
  const advice = locked
    ? '. Its user name and password go into --redis-sentinel-username and STEALWATCH_REDIS_SENTINEL_PASSWORD'
    : '';
  const said = words.startsWith(display) ? words : `${display}: ${words}`;
  return Object.assign(new Error(`${said.slice(0, 200)}${advice}`), {
    code: locked ? 'SENTINEL_LOCKED' : 'SENTINEL',
  });
}

interface Sentinel {
  readonly display: string;
  readonly client: RedisClient;
}

function createMasters(address: RedisAddress): Masters {
  const { places, master, login } = address.sentinel ?? { places: [], master: '' };
  const listeners = new Set<() => void>();
  let sentinels: Sentinel[] = [];
  let current: RedisPlace | undefined;
  let failure: unknown;
  let asking: Promise<void> | undefined;
  let timer: NodeJS.Timeout | undefined;
  let holders = 0;

  function open(place: RedisPlace): Sentinel {
    const { tls, tlsSettings } = address;
    const display = `Sentinel ${place.host}:${place.port}`;
    const own: RedisAddress = {
      tls,
      ...(tlsSettings === undefined ? {} : { tlsSettings }),
      ...place,
      ...login,
      db: 0,
      display,
    };
    return {
      display,
      client: createRedisClient(own, { timeoutMs: sentinelTimeoutMs, watched: false }),
    };
  }

  async function ask({ display, client }: Sentinel): Promise<RedisPlace> {
    const question = ['SENTINEL', 'GET-MASTER-ADDR-BY-NAME', master] as const;
    const [reply] = await client
      .send([question], AbortSignal.timeout(2 * sentinelTimeoutMs))
      .catch((error: unknown) => {
        throw sentinelFailure(display, messageOf(error));
      });
    if (reply instanceof Error) throw sentinelFailure(display, reply.message);
    const [host, port]: unknown[] = Array.isArray(reply) ? reply : [];
    if (typeof host !== 'string' || !/^\d{1,5}$/.test(String(port))) {
      throw sentinelFailure(display, `it knows no master ${JSON.stringify(master)}`);
    }
    return reachable({ host, port: Number(port) }, address.addressMap);
  }

  /** The first that knows counts; one that is known to be frozen fails at once. */
  async function search(): Promise<void> {
    let problem: unknown = new Error(`${address.display}: no Sentinel to ask`);
    for (const sentinel of sentinels) {
      try {
        const place = await ask(sentinel);
        const moved = current !== undefined && !samePlace(place, current);
        current = place;
        failure = undefined;
        if (moved) for (const listener of listeners) listener();
        return;
      } catch (error) {
        problem = error;
      }
    }
    failure = problem;
  }

  function round(): Promise<void> {
    asking ??= search().finally(() => {
      asking = undefined;
      if (holders === 0) return;
      timer = setTimeout(() => void round(), current === undefined ? searchMs : followMs);
      timer.unref();
    });
    return asking;
  }

  async function stop(): Promise<void> {
    clearTimeout(timer);
    const old = sentinels;
    sentinels = [];
    await Promise.all(old.map(({ client }) => client.close()));
  }

  return {
    place: () => current,
    async known() {
      if (current === undefined && failure === undefined) await (asking ?? round());
      if (current !== undefined) return current;
      throw failure instanceof Error ? failure : new Error('no Sentinel was asked');
    },
    onMove(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    hold() {
      if (holders++ === 0) {
        failure = undefined;
        sentinels = places.map(open);
        void round();
      }
      let held = true;
      return () => {
        if (held && --holders === 0) void stop();
        held = false;
      };
    },
  };
}

/** One for each address that was parsed, whoever asks: an address is copied, its Sentinels are not. */
const known = new WeakMap<object, Masters>();

export function mastersOf(address: RedisAddress): Masters {
  const key = address.sentinel ?? address;
  const masters = known.get(key) ?? createMasters(address);
  known.set(key, masters);
  return masters;
}
