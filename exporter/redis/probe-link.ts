/**
 * The probe's connection: one socket, AUTH and PING, replies of one line.
 *
 * A raw socket and not ioredis, because the difference between "TCP accepted" and "answered" is
 * what the probe is about, because a frozen Redis must keep seeing this one connection, and
 * because every reply to AUTH and PING is a single line, so nothing is saved by a library.
 */
import { lookup, type LookupAddress } from 'node:dns';
import { connect, isIP, type Socket, type TcpNetConnectOpts } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { RedisAddress } from './address.ts';
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

function openSocket(address: RedisAddress, addresses: readonly LookupAddress[]): Socket {
  const { host, port, socketPath, tls } = address;
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
  return connectTls({ ...options, ...(isIP(host) === 0 ? { servername: host } : {}) });
}

export function openProbeLink(address: RedisAddress, events: LinkEvents): ProbeLink {
  let socket: Socket | undefined;
  let connected = false;
  let closed = false;
  let failure: Error | undefined;
  let rest = '';

  function end(error: Error | undefined): void {
    if (closed) return;
    closed = true;
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

  function open(addresses: readonly LookupAddress[]): void {
    if (closed) return;
    socket = openSocket(address, addresses);
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

  if (address.socketPath !== undefined || isIP(address.host) !== 0) open([]);
  else {
    // One look-up per link, awaited by the probe: each holds one of libuv's four threads.
    lookup(address.host, { all: true }, (error, addresses) => {
      if (error === null) open(addresses);
      else end(error);
    });
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
      socket?.destroy();
    },
  };
}
