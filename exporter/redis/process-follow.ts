/**
 * Finds the Redis process and stays with it: looks each second whether it is still the same one
 * and how its threads fare, and searches when there is none. A search reads one small file of
 * every process, so it runs seldom: every 2 s in the minute after the process vanished, when a
 * successor is expected, and every 10 s (after two minutes in vain every 30 s) otherwise. A search
 * among very many processes goes on for as many seconds as it takes, a few milliseconds in each.
 */
import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import type { Clock } from '../measure/clock.ts';
import type { PseudoFs } from '../procfs/reader.ts';
import { parseTaskStat } from '../procfs/task-stat.ts';
import { listFirst, readVisible } from '../tasks/process-files.ts';
import { createSpells, type Spells } from '../tasks/spells.ts';
import type { RedisAddress } from './address.ts';
import type { RedisProcess } from './process-candidates.ts';
import { redisProcessSearch, type SearchResult } from './process-search.ts';

export const processStates = ['R', 'S', 'D', 'T', 'Z', 'gone'] as const;
export type ProcessState = (typeof processStates)[number];

export type Resolve = (host: string) => Promise<readonly string[]>;

const systemResolve: Resolve = async (host) =>
  (await lookup(host, { all: true })).map(({ address }) => address);

const mostThreads = 64;
/** Of a search, in one second: a few hundred processes; the first time nobody waits for us yet. */
const searchSecondsPerStep = 0.02;
const searchSecondsAtFirst = 0.25;

export interface RedisFollower {
  /** One second's work; ends with the state. */
  step(): ProcessState | undefined;
  /** Look at the process now; undefined as long as none has ever been found. */
  state(): ProcessState | undefined;
  /** It is stopped, and a debugger holds it: no signal lets it go on. */
  traced(): boolean;
  /** The process that is followed, or the last one that was. */
  process(): RedisProcess | undefined;
  /** Why there is none, as of the last search. */
  reason(): string;
  readonly spells: Spells;
}

export interface RedisFollowerOptions {
  readonly procfs: PseudoFs;
  readonly clock: Clock;
  readonly address: RedisAddress;
  readonly resolve?: Resolve | undefined;
  /** INFO's process_id, once Redis has answered. */
  readonly processIdHint?: (() => number | undefined) | undefined;
}

/** The letters of fs/proc/array.c; a traced thread (t) is stopped, a dead one (X) is gone. */
function stateOf(letter: string): ProcessState {
  if (letter === 't') return 'T';
  if (letter === 'X') return 'gone';
  const state = processStates.find((known) => known === letter);
  if (state === undefined) throw new Error(`stat of Redis: unexpected state ${letter}`);
  return state;
}

/** IP addresses of a host as far as they are known, looked up in the background. */
function addressBook(host: string, resolve: Resolve) {
  let known: readonly string[] = isIP(host) > 0 ? [host] : [];
  if (host === 'localhost') known = ['127.0.0.1', '::1'];
  const fixed = known.length > 0 || host === '';
  let asking = false;
  return {
    known: () => known,
    /**
     * One question at a time: a name server that does not answer must not use up libuv's pool.
     * True when the first addresses have come.
     */
    async refresh(): Promise<boolean> {
      if (fixed || asking) return false;
      asking = true;
      const before = known;
      try {
        known = await resolve(host);
        return before.length === 0 && known.length > 0;
      } catch {
        // What was known may still be right, and the search says so if nothing is.
        return false;
      } finally {
        asking = false;
      }
    },
  };
}

export function createRedisFollower(options: RedisFollowerOptions): RedisFollower {
  const { procfs, clock, address, processIdHint } = options;
  const spells = createSpells({ procfs, clock });
  const addresses = addressBook(address.host, options.resolve ?? systemResolve);
  let process: RedisProcess | undefined;
  let state: ProcessState | undefined;
  let traced = false;
  let reason = 'No search for the Redis process has been made yet.';
  let alone = clock.monotonic();
  let lastSearch = -Infinity;
  let hintAtSearch: number | undefined;
  let atFirst = true;
  /** The search under way. */
  let searching: Generator<undefined, SearchResult> | undefined;

  function waitSeconds(): number {
    const seconds = clock.monotonic() - alone;
    if (state === 'gone' && seconds < 60) return 2;
    return seconds < 120 ? 10 : 30;
  }

  function beginSearch(): void {
    lastSearch = clock.monotonic();
    hintAtSearch = processIdHint?.();
    const ips = addresses.known();
    if (ips.length === 0 && address.socketPath === undefined) {
      reason =
        'The name of the Redis host has not been resolved, so it is not known whether it is this machine.';
    } else {
      searching = redisProcessSearch({ procfs, address, ips, processId: hintAtSearch });
    }
    void addresses.refresh().then((first) => {
      if (first) lastSearch = -Infinity;
    });
  }

  function endSearch(result: SearchResult): void {
    lastSearch = clock.monotonic();
    if (result.found === undefined) {
      reason = result.reason;
    } else {
      process = result.found;
      look();
    }
  }

  function search(): void {
    const seconds = atFirst ? searchSecondsAtFirst : searchSecondsPerStep;
    const until = clock.monotonic() + seconds;
    atFirst = false;
    try {
      while (searching !== undefined) {
        const { done, value } = searching.next();
        if (done === true) {
          searching = undefined;
          endSearch(value);
        } else if (clock.monotonic() >= until) {
          return;
        }
      }
    } catch (error) {
      searching = undefined;
      throw error;
    }
  }

  function look(): void {
    if (process === undefined) return;
    const text = readVisible(procfs, `${process.pid}/stat`);
    const stat = text === undefined ? undefined : parseTaskStat(text);
    const same = stat?.startTicks === process.startTicks;
    const now = stat !== undefined && same ? stateOf(stat.state) : 'gone';
    if (now === 'gone' && state !== 'gone') {
      alone = clock.monotonic();
      lastSearch = -Infinity;
      reason = `${process.comm} (pid ${process.pid}) has ended.`;
    }
    state = now;
    traced = same && stat.state === 't';
  }

  function lookAtThreads(): void {
    if (process === undefined) return;
    spells.recheck(mostThreads);
    if (state === 'gone') return;
    const { pid, comm } = process;
    for (const tid of listFirst(procfs, `${pid}/task`, mostThreads) ?? []) {
      spells.look({ pid, tid: Number(tid), process: comm });
    }
  }

  /** A hint that came or changed may tell apart what could not be told apart before. */
  function hintChanged(): boolean {
    const hint = processIdHint?.();
    return hint !== undefined && hint !== hintAtSearch;
  }

  return {
    spells,
    step() {
      look();
      const lost = state === undefined || state === 'gone';
      const due = lost && clock.monotonic() - lastSearch >= waitSeconds() - 0.5;
      if (hintChanged() || (due && searching === undefined)) beginSearch();
      search();
      lookAtThreads();
      return state;
    },
    state() {
      look();
      spells.recheck(mostThreads);
      return state;
    },
    traced: () => traced,
    process: () => process,
    reason: () => reason,
  };
}
