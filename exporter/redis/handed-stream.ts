/**
 * A connection as ioredis is given it. ioredis would connect by itself: without the server's name,
 * and with nobody who looks at what comes before it is read.
 */
import { Duplex } from 'node:stream';
import type { Socket } from 'node:net';
import { AbstractConnector, type RedisOptions } from 'ioredis';

export interface HandedStream {
  readonly Connector: NonNullable<RedisOptions['Connector']>;
  /** What ioredis sends in the course of `work` is written at once. */
  inOneGo<T>(work: () => T): T;
  /** What ioredis is to read. */
  push(chunk: Buffer): void;
  /** ioredis sees a connection that was closed. */
  destroy(): void;
}

function joined(chunks: readonly (string | Buffer)[]): string | Buffer {
  return chunks.every((chunk) => typeof chunk === 'string')
    ? chunks.join('')
    : Buffer.concat(chunks.map((chunk) => Buffer.from(chunk)));
}

/** `write` is given what ioredis sends. */
export function createHandedStream(write: (data: string | Buffer) => void): HandedStream {
  const stream = new Duplex({
    decodeStrings: false,
    // What comes is bounded, and read at once.
    read: () => undefined,
    write(chunk: string | Buffer, _encoding, done) {
      write(chunk);
      done();
    },
    writev(chunks: { chunk: string | Buffer }[], done) {
      write(joined(chunks.map(({ chunk }) => chunk)));
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
    inOneGo(work) {
      stream.cork();
      try {
        return work();
      } finally {
        stream.uncork();
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
