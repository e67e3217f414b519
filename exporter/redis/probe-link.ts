/**
 * The probe's connection: one socket, commands out, replies of one line in.
 *
 * Not the collectors' client, because the difference between "TCP accepted" and "answered" is what
 * the probe is about, because a frozen Redis must keep seeing this one connection, and because
 * every reply to AUTH, SELECT and PING is a single line.
 */
import type { RedisAddress, RedisPlace } from './address.ts';
import { encode, type RedisCommand } from './commands.ts';
import { mastersOf } from './sentinel.ts';
import { dial, type Dialled } from './socket.ts';
import type { TcpEnds } from './unacknowledged.ts';
import { asError } from '../measure/errors.ts';

export interface LinkEvents {
  /** TCP, and TLS if it is asked for, are up: now it may be written to. */
  ready(): void;
  /** One line of a reply, without its line break. */
  line(text: string): void;
  /** Once, last, unless `close` was called. Without an error the peer closed. */
  ended(error: Error | undefined): void;
}

export interface ProbeLink {
  /** All but `connected` end without an answer on a dead network, or with silent Sentinels, only. */
  stage(): 'searching' | 'resolving' | 'reading' | 'connecting' | 'connected';
  write(commands: readonly RedisCommand[]): void;
  /** Undefined for a Unix socket, and before there is a connection. */
  ends(): TcpEnds | undefined;
  close(): void;
}

/** A reply line of Redis is far shorter; whoever sends more is no Redis. */
const longestLine = 1024;

export function openProbeLink(address: RedisAddress, events: LinkEvents): ProbeLink {
  let dialled: Dialled | undefined;
  let connected = false;
  let closed = false;
  let rest = '';
  let stopFollowing: (() => void) | undefined;

  function close(): void {
    closed = true;
    stopFollowing?.();
    dialled?.close();
  }

  function end(error: Error | undefined): void {
    if (closed) return;
    close();
    events.ended(error);
  }

  function read(chunk: Buffer): void {
    const lines = (rest + chunk.toString('latin1')).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) {
      if (closed) return;
      events.line(textOf(line.replace(/\r$/, '')));
    }
    if (rest.length <= longestLine || closed) return;
    events.line(textOf(rest.slice(0, longestLine)));
    end(undefined);
  }

  function open(place: RedisPlace): void {
    if (closed) return;
    dialled = dial(address, place, {
      connected() {
        connected = true;
      },
      ready: () => events.ready(),
      data: read,
      ended: end,
    });
  }

  /** The probe holds the masters. Ends the link when Sentinel has made another one the master: the next link goes there. */
  function follow(): void {
    const masters = mastersOf(address);
    stopFollowing = masters.onMove(() => end(undefined));
    const place = masters.place();
    if (place !== undefined) open(place);
    else {
      masters.known().then(open, (error: unknown) => {
        end(asError(error));
      });
    }
  }

  if (address.sentinel === undefined) open(address);
  else follow();

  return {
    stage() {
      if (dialled === undefined) return 'searching';
      if (dialled.socket() === undefined) return dialled.reading() ? 'reading' : 'resolving';
      return connected ? 'connected' : 'connecting';
    },
    write(commands) {
      if (!closed) dialled?.socket()?.write(encode(commands));
    },
    ends() {
      const { localPort, remotePort } = dialled?.socket() ?? {};
      return localPort === undefined || remotePort === undefined
        ? undefined
        : { localPort, remotePort };
    },
    close,
  };
}

/** Bytes are cut into lines as they are, and are text only then. */
function textOf(line: string): string {
  return Buffer.from(line, 'latin1').toString();
}
