/**
 * The files that TLS needs, read again for each connection because certificates are renewed under a
 * running process. Off the main thread, one read at a time: a disk that stands still costs one
 * thread of libuv's four, and the connections are made with what was read before.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { SecureContextOptions } from 'node:tls';
import { readSmallFile } from '../read-file.ts';
import type { RedisTls } from './address.ts';

/** A small file that takes longer lies on a disk that stands still. */
const patienceMs = 200;

type Read = (path: string) => Promise<Buffer>;
type TlsFiles = Pick<SecureContextOptions, 'ca' | 'cert' | 'key'>;

interface Known {
  last: TlsFiles | undefined;
  reading: Promise<TlsFiles> | undefined;
}

export function createTlsFiles(read: Read = readSmallFile) {
  /** By their paths: one set of settings, or a few. */
  const known = new Map<string, Known>();

  /** One after the other, so that never more than one waits for the disk. */
  async function readAll({ caFile, certFile, keyFile }: RedisTls): Promise<TlsFiles> {
    return {
      ...(caFile === undefined ? {} : { ca: await read(caFile) }),
      ...(certFile === undefined ? {} : { cert: await read(certFile) }),
      ...(keyFile === undefined ? {} : { key: await read(keyFile) }),
    };
  }

  function begin(files: Known, settings: RedisTls): Promise<TlsFiles> {
    const reading = readAll(settings)
      .then((all) => (files.last = all))
      .finally(() => {
        files.reading = undefined;
      });
    // Nobody may be waiting for it any more.
    reading.catch(() => undefined);
    return reading;
  }

  /** Rejects where one cannot be read. With nothing read yet it ends when the disk answers. */
  return async function tlsFiles(settings: RedisTls): Promise<TlsFiles> {
    const key = JSON.stringify([settings.caFile, settings.certFile, settings.keyFile]);
    const files = known.get(key) ?? { last: undefined, reading: undefined };
    known.set(key, files);
    files.reading ??= begin(files, settings);
    const { last, reading } = files;
    if (last === undefined) return reading;
    return Promise.race([reading, sleep(patienceMs, last, { ref: false })]);
  };
}
