/**
 * The files that TLS needs, read again for each connection because certificates are renewed under a
 * running process. Off the main thread, one read at a time: a disk that stands still costs one
 * thread of libuv's four, and the connections are made with what was read before.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { SecureContextOptions } from 'node:tls';
import { readSmallFile } from '../core/read-file.ts';
import type { RedisTls } from './address.ts';

/** A small file that takes longer lies on a disk that stands still. */
const patienceMs = 200;

type Read = (path: string) => Promise<Buffer>;
type TlsFiles = Pick<SecureContextOptions, 'ca' | 'cert' | 'key'>;

interface Known {
  last: TlsFiles | undefined;
  reading: Promise<TlsFiles> | undefined;
}

const holds = (file: Buffer, what: RegExp) => what.test(file.toString('latin1'));
const certificate = /-----BEGIN (?:TRUSTED |X509 )?CERTIFICATE-----/;
const privateKey = /-----BEGIN (?:[A-Z]+ )?PRIVATE KEY-----/;

/** OpenSSL's own words for a file that holds the other name neither the file nor the setting. */
async function readPem(
  read: Read,
  path: string,
  part: keyof TlsFiles,
  name = `--redis-tls-${part}-file`,
): Promise<Buffer> {
  const file = await read(path);
  const isKey = part === 'key';
  const [wanted, other] = isKey ? [privateKey, certificate] : [certificate, privateKey];
  if (holds(file, wanted) || !holds(file, other)) return file;
  const words = ['a certificate', 'a private key'];
  const [expected, found] = isKey ? words.toReversed() : words;
  throw new Error(`${name}: expected ${expected}, ${path} holds ${found}`);
}

export function createTlsFiles(read: Read = readSmallFile) {
  /** By their paths: one set of settings, or a few. */
  const known = new Map<string, Known>();

  /** One after the other, so that never more than one waits for the disk. */
  async function readAll({ caFile, certFile, keyFile, names }: RedisTls): Promise<TlsFiles> {
    return {
      ...(caFile === undefined ? {} : { ca: await readPem(read, caFile, 'ca', names?.caFile) }),
      ...(certFile === undefined
        ? {}
        : { cert: await readPem(read, certFile, 'cert', names?.certFile) }),
      ...(keyFile === undefined
        ? {}
        : { key: await readPem(read, keyFile, 'key', names?.keyFile) }),
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
