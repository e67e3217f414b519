/**
 * A connection as ioredis is given it. ioredis would connect by itself: without the server's name,
 * and with nobody who looks at what comes before it is read.
 */
import { Duplex } from 'node:stream';
import type { Socket } from 'node:net';
import { AbstractConnector, type RedisOptions } from 'ioredis';

export interface HandedStream {
  readonly Connector: NonNullable<RedisOptions['Connector']>;
  /** What ioredis is to read. */
  push(chunk: Buffer): void;
  /** ioredis sees a connection that was closed. */
  destroy(): void;
}

/** `write` is given what ioredis sends. */
export function createHandedStream(write: (chunk: Buffer) => void): HandedStream {
  const stream = new Duplex({
    // What comes is bounded, and read at once.
    read: () => undefined,
    write(chunk: Buffer, _encoding, done) {
      write(chunk);
      done();
    },
  });
  // ioredis sets these on what it takes for a socket; they were set when it was opened.
  const settings = { setNoDelay: () => undefined, setKeepAlive: () => undefined };
  const socket = Object.assign(stream, settings) as unknown as Socket;
  return {
    Connector: class extends AbstractConnector {
      constructor() {
        super(0);
      }

      async connect(): Promise<Socket> {
        this.stream = socket;
        return socket;
      }
    },
    push(chunk) {
      if (!stream.destroyed) stream.push(chunk);
    },
    destroy() {
      stream.destroy();
    },
  };
}
