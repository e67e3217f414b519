/**
 * One PING a second on a connection of its own, and what that says about Redis.
 *
 * Every second gives exactly one result. A PING that is not answered by the next tick means
 * frozen; the connection stays and its PING stays the only one, for two reasons. Each new
 * connection would stay in the accept queue of a frozen Redis, closed by us or not, until it
 * thaws. And the old PING's answer is the first sign that it did. Only a connection whose other
 * end does not even acknowledge is given up: there is no Redis there to burden.
 *
 * A tick that comes late means that we ourselves stood still, and maybe the whole machine: it
 * judges nothing. The others judge after the sockets have been read once, so an answer that is
 * already here counts. How long an answer took while our own event loop was busy is not known;
 * it is not put into the histogram.
 */
import { performance } from 'node:perf_hooks';
import type { Clock } from '../measure/clock.ts';
import { createPseudoFs } from '../procfs/reader.ts';
import type { RedisAddress } from './address.ts';
import { openProbeLink, type ProbeLink } from './probe-link.ts';
import type { RedisCommand } from './commands.ts';
import { authCommand, isNeedlessPassword, selectCommand, wantsPasswordAlone } from './login.ts';
import { mastersOf } from './sentinel.ts';
import type { RedisHealth } from './state.ts';
import { unacknowledgedBytes } from './unacknowledged.ts';
import {
  disconnected,
  noDatabase,
  notRedis,
  pong,
  type ProbeResult,
  probeResults,
  refusal,
  silent,
  unacknowledged,
  unconnected,
  type ProbeVerdict,
} from './verdict.ts';
import { zeroes } from '../measure/zeroes.ts';

const periodSeconds = 1;
/** A tick this long after the one before it is late: we stood still. */
const lateSeconds = 1.5;
/** Our own loop was busy this long while an answer was awaited: its time says nothing. */
const busySeconds = 0.1;
/** Wrong passwords are tried again this rarely: Redis logs each one. */
const authEverySeconds = 10;
/** The table of connections may be long: read from the second silent second on, and rarely. */
const acknowledgedEveryTicks = 5;

export interface ProbeEvents {
  /** A PING was answered, in seconds, by an event loop that was free to notice. */
  answered(seconds: number): void;
  /** Once a second. */
  result(result: ProbeResult): void;
}

export interface RedisProbe extends RedisHealth {
  /** The latest; undefined until the first second is over. */
  verdict(): ProbeVerdict | undefined;
  /** Resolves when there is a verdict, which the first second brings; rejects on abort. */
  judged(signal: AbortSignal): Promise<void>;
  /** How long the state has been what it is, in seconds. */
  stateSeconds(): number;
  /** Redis has answered PONG since this probe was made. */
  everUp(): boolean;
  /** Age of the last tick in seconds. */
  tickAgeSeconds(): number;
  /** How long the last answer took, or has been waited for; NaN before there is a verdict. */
  lastSeconds(): number;
  /** The probe runs while anybody holds it; returns what lets go of it, once. */
  hold(): () => void;
  listen(events: ProbeEvents): void;
}

async function orAborted(first: Promise<void>, signal: AbortSignal): Promise<void> {
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const abort = () => reject(new Error('the first PING is still under way'));
  signal.addEventListener('abort', abort);
  try {
    await Promise.race([first, aborted]);
  } finally {
    signal.removeEventListener('abort', abort);
  }
}

/** `ownProcfs` shows our own connections, wherever the host's proc file system is mounted. */
export function createRedisProbe(
  address: RedisAddress,
  clock: Clock,
  ownProcfs = createPseudoFs('/proc'),
): RedisProbe {
  const { promise: first, resolve: haveFirst } = Promise.withResolvers<void>();
  const listeners: ProbeEvents[] = [];
  let holders = 0;
  let stopTicks: (() => void) | undefined;
  let immediate: NodeJS.Immediate | undefined;

  let verdict: ProbeVerdict | undefined;
  let everUp = false;
  let since = clock.monotonic();
  let lastAlive = since;
  let lastTick = since;

  let link: ProbeLink | undefined;
  /** Something is under way on the link: a connect, an AUTH or a PING. */
  let waiting = false;
  /** Why PING's answer does not count: AUTH or SELECT was refused on this connection. */
  let refused: ProbeVerdict | undefined;
  let loginSent = 0;
  /** Redis before 6 was found to take no user name. */
  let passwordAlone = false;
  let askAgain = false;
  let overdueTicks = 0;
  let expected: ('auth' | 'select' | 'ping')[] = [];
  let lastTook = Number.NaN;
  let letGoMasters: (() => void) | undefined;
  let sent = { at: 0, load: performance.eventLoopUtilization() };

  function settle(next: ProbeVerdict): void {
    const now = clock.monotonic();
    if (next.state !== verdict?.state) since = now;
    if (next.alive) lastAlive = now;
    if (next.state === 'up' || next.state === 'slow') everUp = true;
    verdict = next;
    lastTook = now - sent.at;
    for (const listener of listeners) listener.result(next.result);
    haveFirst();
  }

  /** AUTH and SELECT, on each connection once; refused ones again, and rarely. */
  function login(): RedisCommand[] {
    const now = clock.monotonic();
    const auth = authCommand(address, passwordAlone);
    const select = selectCommand(address);
    const due = loginSent === 0 || (refused !== undefined && now - loginSent >= authEverySeconds);
    if (!due || (auth === undefined && select === undefined)) return [];
    refused = undefined;
    loginSent = now;
    if (auth !== undefined) expected.push('auth');
    if (select !== undefined) expected.push('select');
    return [auth, select].filter((command) => command !== undefined);
  }

  function ask(): void {
    expected = [];
    const commands: RedisCommand[] = [...login(), ['PING']];
    expected.push('ping');
    waiting = true;
    overdueTicks = 0;
    sent = { at: clock.monotonic(), load: performance.eventLoopUtilization() };
    link?.write(commands);
  }

  function answeredVerdict(): ProbeVerdict {
    const seconds = clock.monotonic() - sent.at;
    const busy = performance.eventLoopUtilization(sent.load).active / 1000;
    if (busy < busySeconds) for (const listener of listeners) listener.answered(seconds);
    return pong(busy < busySeconds ? seconds : Math.max(0, seconds - busy), address);
  }

  function loginAnswered(to: 'auth' | 'select', text: string): void {
    if (!text.startsWith('-') || isNeedlessPassword(text)) return;
    if (to === 'auth' && wantsPasswordAlone(text) && !passwordAlone) {
      passwordAlone = true;
      askAgain = true;
    }
    // Without a login SELECT is refused as well: the first refusal says why.
    refused ??= to === 'auth' ? refusal(text, address) : noDatabase(text, address);
  }

  function line(text: string): void {
    const reply = expected.shift();
    // What comes unasked is no reply of ours; an error on accept is followed by the end.
    if (reply === undefined) return;
    if (reply !== 'ping' && /^[+-]/.test(text)) {
      loginAnswered(reply, text);
      return;
    }
    waiting = false;
    if (askAgain) {
      askAgain = false;
      refused = undefined;
      loginSent = 0;
      ask();
    } else if (text === '+PONG') settle(refused ?? answeredVerdict());
    else if (text.startsWith('-')) settle(refused ?? refusal(text, address));
    else {
      drop();
      settle(notRedis(text, address));
    }
  }

  function drop(): void {
    link?.close();
    link = undefined;
    waiting = false;
  }

  function ended(error: Error | undefined): void {
    const asked = waiting;
    drop();
    // Closed between two PINGs, as on a restart: the next tick connects and knows.
    if (asked) settle(refused ?? disconnected(error, address, everUp));
  }

  function open(): void {
    waiting = true;
    refused = undefined;
    loginSent = 0;
    askAgain = false;
    expected = [];
    sent = { at: clock.monotonic(), load: performance.eventLoopUtilization() };
    link = openProbeLink(address, { ready: ask, line, ended });
  }

  function judge(late: boolean): void {
    if (link === undefined) open();
    else if (!waiting) ask();
    else if (!late) overdue(link);
  }

  function isCutOff(on: ProbeLink): boolean {
    const ends = on.ends();
    if (ends === undefined || overdueTicks % acknowledgedEveryTicks !== 2) return false;
    try {
      return (unacknowledgedBytes(ownProcfs, ends) ?? 0) > 0;
    } catch {
      // A table we cannot read says nothing; then silence is what we know.
      return false;
    }
  }

  function overdue(on: ProbeLink): void {
    const stage = on.stage();
    overdueTicks += 1;
    const cutOff = stage === 'connected' && isCutOff(on);
    if (cutOff) settle(unacknowledged(address.display));
    else if (stage === 'connected') settle(silent(address.display));
    else settle(unconnected(address, stage));
    // Nothing of it is left at the other end, which never saw it; a look-up cannot be taken back.
    if (cutOff || stage === 'connecting') {
      drop();
      open();
    }
  }

  function tick(): void {
    const now = clock.monotonic();
    const late = now - lastTick > lateSeconds;
    lastTick = now;
    immediate = setImmediate(judge, late);
  }

  function start(): void {
    lastTick = clock.monotonic();
    // As long as the probe runs, and not each of its links: a Sentinel that is frozen is met once.
    if (address.sentinel !== undefined) letGoMasters = mastersOf(address).hold();
    stopTicks = clock.every(periodSeconds, tick);
    open();
  }

  function stop(): void {
    stopTicks?.();
    clearImmediate(immediate);
    drop();
    letGoMasters?.();
  }

  return {
    state: () => verdict?.state ?? 'unreachable',
    unresponsiveSeconds: () => (verdict?.alive === true ? 0 : clock.monotonic() - lastAlive),
    // Who is turned away alone, by a password or the limit of clients, gets no other answer either.
    refusesAllSeconds: () =>
      verdict?.state === 'error' && verdict.answers ? clock.monotonic() - since : 0,
    answers: () => verdict?.answers === true,
    verdict: () => verdict,
    judged: (signal) => (verdict === undefined ? orAborted(first, signal) : first),
    stateSeconds: () => clock.monotonic() - since,
    everUp: () => everUp,
    tickAgeSeconds: () => clock.monotonic() - lastTick,
    lastSeconds: () => lastTook,
    hold() {
      if (holders++ === 0) start();
      let held = true;
      return () => {
        if (held && --holders === 0) stop();
        held = false;
      };
    },
    listen: (events) => listeners.push(events),
  };
}

/** All results at 0, so that `increase()` sees the first of each. */
export const noResults = () => zeroes(probeResults);
