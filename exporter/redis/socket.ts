/**
 * One way to a Redis for all that connect: name look-up, TCP or Unix socket, TLS with the server's
 * name, so that probe and collectors meet the same server behind a router that goes by name.
 */
import { lookup, type LookupAddress } from 'node:dns';
import { connect, isIP, type Socket, type TcpNetConnectOpts } from 'node:net';
import type { ConnectionOptions } from 'node:tls';
import type { RedisAddress, RedisPlace } from './address.ts';
import { createTlsFiles } from './tls-files.ts';
import { asError } from '../measure/errors.ts';

export interface DialEvents {
  /** TCP is there: from now on the other side has the connection in its queue. */
  connected(): void;
  /** TCP, and TLS if it is asked for, are up: now it may be written to. */
  ready(): void;
  data(chunk: Buffer): void;
  /** Once, last, unless `close` was called. Without an error the peer closed. */
  ended(error: Error | undefined): void;
}

export interface Dialled {
  /** Undefined while the name is looked up and certificates are read. */
  socket(): Socket | undefined;
  /** Certificates are being read. */
  reading(): boolean;
  close(): void;
}

const tlsFiles = createTlsFiles();

/**
 * A name that stands for several servers gives them in another order each time: always the same one
 * first, or the probe would watch one node and the collectors ask another. Families stay in the
 * order of the resolver.
 */
function inOrder(addresses: readonly LookupAddress[]): LookupAddress[] {
  const families = [...new Set(addresses.map(({ family }) => family))];
  const rank = ({ family }: LookupAddress) => families.indexOf(family);
  return addresses.toSorted(
    (a, b) => rank(a) - rank(b) || (a.address < b.address ? -1 : Number(a.address > b.address)),
  );
}

function openSocket(
  { socketPath, tls, tlsSettings }: RedisAddress,
  { host, port }: RedisPlace,
  addresses: readonly LookupAddress[],
  files: ConnectionOptions,
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
  const servername = tlsSettings?.serverName ?? (isIP(host) === 0 ? host : undefined);
  // Costs 4 MB of memory: not before somebody uses it.
  const { connect: connectTls } = process.getBuiltinModule('node:tls');
  return connectTls({ ...options, ...files, ...(servername === undefined ? {} : { servername }) });
}

/** Connect to `place` in the way of `address`. */
export function dial(address: RedisAddress, place: RedisPlace, events: DialEvents): Dialled {
  let socket: Socket | undefined;
  let closed = false;
  let reading = false;
  let failure: Error | undefined;

  function end(error: Error | undefined): void {
    if (closed) return;
    closed = true;
    socket?.destroy();
    events.ended(error);
  }

  function open(addresses: readonly LookupAddress[], files: ConnectionOptions = {}): void {
    reading = false;
    if (closed) return;
    try {
      socket = openSocket(address, place, addresses, files);
    } catch (error) {
      // A certificate that is none. Not before the caller has what is returned here.
      setImmediate(end, asError(error));
      return;
    }
    socket.unref();
    socket.on('connect', () => {
      if (!closed) events.connected();
    });
    socket.on(address.tls ? 'secureConnect' : 'connect', () => {
      if (!closed) events.ready();
    });
    socket.on('data', (chunk: Buffer) => {
      if (!closed) events.data(chunk);
    });
    // Before `close`: whoever writes after the other side has ended gets EPIPE.
    socket.on('end', () => end(failure));
    socket.on('error', (error) => {
      failure = error;
    });
    socket.on('close', () => end(failure));
  }

  function openWithFiles(addresses: readonly LookupAddress[]): void {
    const { tls, tlsSettings } = address;
    if (!tls || tlsSettings === undefined) {
      open(addresses);
      return;
    }
    reading = true;
    tlsFiles(tlsSettings).then((files) => open(addresses, files), end);
  }

  if (address.socketPath !== undefined || isIP(place.host) !== 0) openWithFiles([]);
  else {
    // One look-up per connection, and whoever dials awaits it: each holds one of libuv's four threads.
    lookup(place.host, { all: true }, (error, addresses) => {
      if (error === null) openWithFiles(inOrder(addresses));
      else end(error);
    });
  }

  return {
    socket: () => socket,
    reading: () => reading,
    close() {
      closed = true;
      socket?.destroy();
    },
  };
}
