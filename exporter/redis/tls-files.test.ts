import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createTlsFiles } from './tls-files.ts';
import { stopwatch } from '../../tools/rig/waited.ts';

const settings = { caFile: '/ca.pem', certFile: '/cert.pem', keyFile: '/key.pem' };

/** A disk with a text for each path, that can be stopped. */
function createDisk() {
  const reads: { readonly path: string; readonly answer: () => void }[] = [];
  let version = 1;
  let stands = false;
  return {
    reads,
    tlsFiles: createTlsFiles(async (path) => {
      const text = `${path} ${version}`;
      await new Promise<void>((answer) => {
        reads.push({ path, answer });
        if (!stands) answer();
      });
      if (version === 0) throw new Error(`ENOENT ${path}`);
      return Buffer.from(text);
    }),
    renew: (to: number) => (version = to),
    stop: () => (stands = true),
    goOn: () => {
      stands = false;
      for (const { answer } of reads) answer();
    },
  };
}

const turn = () => new Promise<void>((resolve) => setImmediate(resolve));
const textsOf = (files: object) => Object.values(files).map(String);

test('TLS files: each is read again for each connection, those that are set', async () => {
  const { tlsFiles, renew, reads } = createDisk();
  assert.deepEqual(textsOf(await tlsFiles(settings)), ['/ca.pem 1', '/cert.pem 1', '/key.pem 1']);
  renew(2);
  assert.deepEqual(textsOf(await tlsFiles(settings)), ['/ca.pem 2', '/cert.pem 2', '/key.pem 2']);
  assert.deepEqual(await tlsFiles({}), {});
  assert.deepEqual(textsOf(await tlsFiles({ caFile: '/other.pem' })), ['/other.pem 2']);
  assert.equal(reads.length, 7);
  renew(0);
  await assert.rejects(tlsFiles(settings), /ENOENT \/ca\.pem/);
});

test('TLS files: on a disk that stands still, one read waits and what was read last is used', async () => {
  const { tlsFiles, renew, reads, stop, goOn } = createDisk();
  await tlsFiles(settings);
  stop();
  renew(2);
  const before = reads.length;
  const watch = stopwatch();
  const all = await Promise.all([1, 2, 3].map(() => tlsFiles(settings)));
  watch.within(2000);
  for (const files of all) assert.deepEqual(textsOf(files)[2], '/key.pem 1');
  assert.equal(reads.length - before, 1, 'one read, whoever waits');
  goOn();
  await turn();
  assert.deepEqual(textsOf(await tlsFiles(settings))[2], '/key.pem 2');
});

test('TLS files: with nothing read before, a connection waits without the others', async () => {
  const { tlsFiles, stop, goOn } = createDisk();
  stop();
  const first = tlsFiles(settings);
  assert.equal(await Promise.race([first, turn()]), undefined);
  goOn();
  assert.equal(textsOf(await first).length, 3);
});

test('TLS files: a key where a certificate belongs is told by the name of its setting', async () => {
  const texts = new Map([
    ['/ca.pem', '-----BEGIN CERTIFICATE-----'],
    ['/cert.pem', '-----BEGIN EC PRIVATE KEY-----'],
    ['/key.pem', '-----BEGIN CERTIFICATE-----'],
  ]);
  const tlsFiles = createTlsFiles(async (path) => Buffer.from(texts.get(path) ?? ''));
  await assert.rejects(
    tlsFiles(settings),
    /^Error: --redis-tls-cert-file: expected a certificate, \/cert\.pem holds a private key$/,
  );
  const names = { caFile: 'A', certFile: 'STEALWATCH_X', keyFile: 'C' };
  await assert.rejects(tlsFiles({ ...settings, names }), /^Error: STEALWATCH_X: expected a cert/);
  texts.set('/cert.pem', '-----BEGIN PRIVATE KEY-----\n-----BEGIN CERTIFICATE-----');
  await assert.rejects(tlsFiles(settings), /-key-file: expected a private key, .* a certificate$/);
  texts.set('/ca.pem', '-----BEGIN RSA PRIVATE KEY-----');
  await assert.rejects(tlsFiles(settings), /-ca-file: expected a certificate, /);
});
