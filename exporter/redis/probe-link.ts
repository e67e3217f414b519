/**
 * The probe's connection: one socket, AUTH and PING, replies of one line.
 *
 * A raw socket and not ioredis, because the difference between "TCP accepted" and "answered" is
 * what the probe is about, because a frozen Redis must keep seeing this one connection, and
 * because every reply to AUTH and PING is a single line, so nothing is saved by a library.
 */
import { lookup, type LookupAddress } from 'node:dns';
import { connect, isIP, type Socket, type TcpNetConnectOpts } from 'node:net';
import type { RedisAddress, RedisPlace } from './address.ts';
import { findMaster, followMs } from './sentinel.ts';
import type { TcpEnds } from './unacknowledged.ts';

export interface LinkEvents {
  /** TCP, and TLS if it is asked for, are up: now it may be written to. */
  ready(): void;
  /** One line of a reply, without its line break. */
  line(text: string): void;
  /** Once, last, unless `close` was called. Without an error the peer closed. */
  ended(error: Error | undefined): void;
}

export interface ProbeLink {
  /** `resolving` and `connecting` end without an answer on a dead network only. */
  stage(): 'resolving' | 'connecting' | 'connected';
  write(commands: readonly (readonly string[])[]): void;
  /** Undefined for a Unix socket, and before there is a connection. */
  ends(): TcpEnds | undefined;
  close(): void;
}

/** A reply line of Redis is far shorter; whoever sends more is no Redis. */
const longestLine = 1024;

/** As an array of bulk strings, the form in which an argument may hold any byte. */
function encode(commands: readonly (readonly string[])[]): string {
  return commands
    .map(
      (args) =>
        `*${args.length}\r\n${args.map((arg) => `$${Buffer.byteLength(arg)}\r\n${arg}\r\n`).join('')}`,
    )
    .join('');
}

function openSocket(
  { socketPath, tls }: RedisAddress,
  { host, port }: RedisPlace,
  addresses: readonly LookupAddress[],
): Socket {
  if (socketPath !== undefined) return connect({ path: socketPath });
  const options: TcpNetConnectOpts = {
    host,
    port,
    noDelay: true,
    ...(addresses.length === 0
      ? {}
      : {
          autoSelectFamily: true,
          lookup: (_name, _options, done) => done(null, [...addresses]),
        }),
  };
  if (!tls) return connect(options);
  // Costs 4 MB of memory: not before somebody uses it.
  const { connect: connectTls } = process.getBuiltinModule('node:tls');
  return connectTls({ ...options, ...(isIP(host) === 0 ? { servername: host } : {}) });
}

export function openProbeLink(address: RedisAddress, events: LinkEvents): ProbeLink {
  let socket: Socket | undefined;
  let connected = false;
  let closed = false;
  let failure: Error | undefined;
  let rest = '';
  let following: NodeJS.Timeout | undefined;
  const stopped = new AbortController();

  function end(error: Error | undefined): void {
    if (closed) return;
    closed = true;
    stopFollowing();
    socket?.destroy();
    events.ended(error);
  }

  function read(chunk: string): void {
    const lines = (rest + chunk).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) {
      if (closed) return;
      events.line(line.replace(/\r$/, ''));
    }
    if (rest.length <= longestLine || closed) return;
    events.line(rest.slice(0, longestLine));
    end(undefined);
  }

  function stopFollowing(): void {
    clearTimeout(following);
    stopped.abort();
  }

  function open(place: RedisPlace, addresses: readonly LookupAddress[]): void {
    if (closed) return;
    socket = openSocket(address, place, addresses);
    socket.unref();
    socket.setEncoding('latin1');
    socket.on('connect', () => {
      connected = true;
    });
    socket.on(address.tls ? 'secureConnect' : 'connect', () => {
      if (!closed) events.ready();
    });
    socket.on('data', (chunk: string) => {
      if (!closed) read(chunk);
    });
    socket.on('error', (error) => {
      failure = error;
    });
    socket.on('close', () => end(failure));
  }

  function resolve(place: RedisPlace): void {
    if (address.socketPath !== undefined || isIP(place.host) !== 0) open(place, []);
    else {
      // One look-up per link, awaited by the probe: each holds one of libuv's four threads.
      lookup(place.host, { all: true }, (error, addresses) => {
        if (error === null) open(place, addresses);
        else end(error);
      });
    }
  }

  /** Ends the link when Sentinel has made another one the master: the next link finds it. */
  function follow(place: RedisPlace): void {
    following = setTimeout(() => {
      findMaster(address, stopped.signal).then(
        ({ host, port }) => {
          if (host === place.host && port === place.port) follow(place);
          else end(undefined);
        },
        () => {
          if (!closed) follow(place);
        },
      );
    }, followMs);
    following.unref();
  }

  if (address.sentinel === undefined) resolve(address);
  else {
    findMaster(address, stopped.signal).then(
      (place) => {
        resolve(place);
        if (!closed) follow(place);
      },
      (error: unknown) => end(error instanceof Error ? error : new Error(String(error))),
    );
  }

  return {
    stage() {
      if (socket === undefined) return 'resolving';
      return connected ? 'connected' : 'connecting';
    },
    write(commands) {
      if (!closed) socket?.write(encode(commands));
    },
    ends() {
      const { localPort, remotePort } = socket ?? {};
      return localPort === undefined || remotePort === undefined
        ? undefined
        : { localPort, remotePort };
    },
    close() {
      closed = true;
      stopFollowing();
      socket?.destroy();
    },
  };
}
