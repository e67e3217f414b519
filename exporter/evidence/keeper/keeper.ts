/**
 * The watcher's half of the flight recorder: it looks at /evidence of each agent every 15 s, every 5
 * while an incident is open there, and keeps what it finds on its own disk, where it outlasts the
 * reset of the machine it is about.
 *
 * Of each agent one call is under way at most, of all together a few, and one write. Nothing here
 * waits for an agent or for the disk but what asked it.
 */
import type { Clock } from '../../measure/clock.ts';
import { codeOf, messageOf } from '../../measure/errors.ts';
import { readSmallFile } from '../../core/read-file.ts';
import type { EvidenceAnswer } from '../format.ts';
import { type Agent, readAgents } from './agents.ts';
import { type Asked, type Fetched, fetchEvidence } from './fetch.ts';
import { createShelf, folderOf, type Shelf } from './shelf.ts';

const quietSeconds = 15;
const openSeconds = 5;
const listSeconds = 15;
const mostUnderWay = 8;
/** A disk that has not taken a file for so long is told. */
const slowDiskSeconds = 30;

export interface KeeperSettings {
  readonly directory: string;
  /** Where Prometheus finds its agents. */
  readonly agents: string;
  readonly authorization: string | undefined;
  readonly caFile: string | undefined;
}

export interface KeeperDependencies {
  readonly clock: Clock;
  readonly fetch?: (asked: Asked) => Promise<Fetched>;
  readonly shelf?: Shelf;
}

export interface AgentStatus {
  readonly host: string;
  /** Incidents of it that are kept. */
  readonly incidents: number;
  readonly failures: number;
  /** Why its evidence could not be had or kept the last time. */
  readonly problem: string | undefined;
}

export interface Keeper {
  agents(): readonly AgentStatus[];
  /** What is wrong with the list or the disk. */
  problems(): readonly string[];
  close(): void;
}

interface State {
  agent: Agent;
  dueAt: number;
  busy: boolean;
  etag: string | undefined;
  failures: number;
  problem: string | undefined;
  /** As JSON, by id, what was written of its incidents: what has not changed is not written again. */
  written: Map<string, string>;
}

const keyOf = ({ host, url }: Agent) => `${host} ${url.href}`;

function newState(agent: Agent, dueAt: number): State {
  return {
    agent,
    dueAt,
    busy: false,
    etag: undefined,
    failures: 0,
    problem: undefined,
    written: new Map(),
  };
}

function digestOf(value: unknown): string {
  const { createHash } = process.getBuiltinModule('node:crypto');
  return createHash('sha256').update(JSON.stringify(value)).digest('base64');
}

function diskProblem(directory: string, error: unknown): string {
  return `${directory} does not take what is to be kept (${codeOf(error) ?? messageOf(error)})`;
}

export function keepEvidence(
  { directory, agents: list, authorization, caFile }: KeeperSettings,
  { clock, fetch = fetchEvidence, shelf = createShelf(directory) }: KeeperDependencies,
): Keeper {
  const states = new Map<string, State>();
  let listProblems: readonly string[] = [];
  let disk: string | undefined;
  let ca: string | undefined;
  let caProblem: string | undefined;
  let loaded = false;
  let listing = false;
  let listedAt = -Infinity;
  let underWay = 0;
  let closed = false;
  let writes: Promise<void> = Promise.resolve();
  let writingSince: number | undefined;

  /** An agent's first turn comes within the period, and not with all others'. */
  function follow(agents: readonly Agent[]): void {
    const now = clock.monotonic();
    for (const [i, agent] of agents.entries()) {
      const key = keyOf(agent);
      if (!states.has(key)) states.set(key, newState(agent, now + (i % quietSeconds)));
    }
  }

  function forgetOthers(agents: readonly Agent[]): void {
    const keys = new Set(agents.map(keyOf));
    for (const key of states.keys()) if (!keys.has(key)) states.delete(key);
  }

  async function readList(): Promise<void> {
    const { agents, problems } = await readAgents(list);
    listProblems = problems;
    follow(agents);
    // A file that cannot be read changes nothing: agents that were known go on being asked.
    if (problems.length === 0) forgetOthers(agents);
  }

  async function load(): Promise<void> {
    if (loaded) return;
    try {
      await shelf.load();
      loaded = true;
    } catch (error) {
      disk = diskProblem(directory, error);
    }
  }

  /** One write at a time, in the order in which they were asked for. */
  async function inTurn(work: () => Promise<void>): Promise<void> {
    const mine = writes.then(async () => {
      writingSince = clock.monotonic();
      await work();
    });
    writes = mine.catch(() => undefined).finally(() => (writingSince = undefined));
    await mine;
  }

  async function keep({ agent, written }: State, answer: EvidenceAnswer): Promise<void> {
    for (const incident of answer.incidents) {
      const digest = digestOf(incident);
      if (written.get(incident.id) === digest) continue;
      try {
        await inTurn(async () => shelf.save(agent.host, clock.wall(), answer, incident));
      } catch (error) {
        disk = diskProblem(directory, error);
        throw new Error(disk, { cause: error });
      }
      disk = undefined;
      written.set(incident.id, digest);
    }
    const ids = new Set(answer.incidents.map(({ id }) => id));
    for (const id of written.keys()) if (!ids.has(id)) written.delete(id);
  }

  async function readCertificates(): Promise<void> {
    if (caFile === undefined) return;
    try {
      const text = (await readSmallFile(caFile)).toString();
      ca = text.trim() === '' ? undefined : text;
      caProblem = undefined;
    } catch (error) {
      // As for Prometheus: where there is none, the public ones are trusted.
      if (codeOf(error) === 'ENOENT') ca = undefined;
      else caProblem = `the agents' CA cannot be read (${codeOf(error) ?? messageOf(error)})`;
    }
  }

  async function look(state: State): Promise<void> {
    const { etag } = state;
    const { url } = state.agent;
    const fetched = await fetch({ url, etag, authorization, ca });
    const { answer } = fetched;
    if (answer !== undefined) {
      await keep(state, answer);
      const open = answer.incidents.some((incident) => incident.state === 'open');
      state.dueAt = clock.monotonic() + (open ? openSeconds : quietSeconds);
    }
    // Not before it is kept: what is not would never be asked for again.
    state.etag = fetched.etag;
    state.problem = undefined;
  }

  function begin(state: State): void {
    state.busy = true;
    underWay += 1;
    state.dueAt = clock.monotonic() + quietSeconds;
    look(state)
      .catch((error: unknown) => {
        state.failures += 1;
        state.problem = messageOf(error);
      })
      .finally(() => {
        state.busy = false;
        underWay -= 1;
      });
  }

  function readAgain(): void {
    const now = clock.monotonic();
    if (listing || now - listedAt < listSeconds) return;
    listing = true;
    listedAt = now;
    Promise.all([readList(), load(), readCertificates()])
      .catch((error: unknown) => (listProblems = [messageOf(error)]))
      .finally(() => (listing = false));
  }

  function tick(): void {
    if (closed) return;
    readAgain();
    // What is there from before is known first, or it would be written over.
    if (!loaded) return;
    const now = clock.monotonic();
    const due = [...states.values()].filter((state) => !state.busy && state.dueAt <= now);
    due.sort((a, b) => a.dueAt - b.dueAt);
    for (const state of due.slice(0, Math.max(0, mostUnderWay - underWay))) begin(state);
  }

  const stop = clock.every(1, tick);
  tick();

  function slowDisk(): string[] {
    const seconds = writingSince === undefined ? 0 : clock.monotonic() - writingSince;
    return seconds > slowDiskSeconds
      ? [`${directory} has not taken a file for ${slowDiskSeconds} s`]
      : [];
  }

  return {
    agents() {
      const counts = shelf.counts();
      return [...states.values()].map(({ agent: { host }, failures, problem }) => ({
        host,
        incidents: counts.get(folderOf(host)) ?? 0,
        failures,
        problem,
      }));
    },
    problems: () => [
      ...listProblems,
      ...[disk, caProblem].filter((problem) => problem !== undefined),
      ...slowDisk(),
    ],
    close() {
      closed = true;
      stop();
    },
  };
}
