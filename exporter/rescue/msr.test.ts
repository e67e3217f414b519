/** The device of a vCPU is a file here: eight bytes at the number of the MSR. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  closeSync,
  mkdirSync,
  openSync,
  readSync,
  statSync,
  truncateSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { test, type TestContext } from 'node:test';
import { fixtureTree } from '../../tools/rig/fixture-tree.ts';
import { asyncPageFaultMsr, createMsrs, isMsrDevice, type MsrOptions } from './msr.ts';
import { codeOf } from '../measure/errors.ts';

const isDevice = () => true;
const right = 0x1_bd21_4c09n;

function put(path: string, value: bigint): void {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(value);
  const fd = openSync(path, 'r+');
  writeSync(fd, bytes, 0, 8, asyncPageFaultMsr);
  closeSync(fd);
}

function valueAt(path: string): bigint {
  const bytes = Buffer.alloc(8);
  const fd = openSync(path, 'r');
  readSync(fd, bytes, 0, 8, asyncPageFaultMsr);
  closeSync(fd);
  return bytes.readBigUInt64LE();
}

function device(t: TestContext, value?: bigint) {
  const directory = fixtureTree(t, { '3/msr': '' });
  const path = join(directory, '3/msr');
  if (value !== undefined) put(path, value);
  return { directory, path, msrs: createMsrs({ directory, isDevice, seconds: 0.3 }) };
}

test('rescue msr: eight bytes at its number are read, and the same written back', async (t) => {
  const { path, msrs } = device(t, right);
  assert.equal(await msrs.read(3), right);
  assert.equal(await msrs.rewrite(3, right), right);
  assert.equal(valueAt(path), right);
});

test('rescue msr: what is another value by now, or none of a kernel, is not written', async (t) => {
  const { path, msrs } = device(t, right);
  await assert.rejects(msrs.rewrite(3, right + 64n), /held 0x1bd214c49 and holds 0x1bd214c09 now/);
  put(path, 0n);
  await assert.rejects(msrs.rewrite(3, 0n), /holds 0:/);
  assert.equal(valueAt(path), 0n);
});

test('rescue msr: a short answer is no value', async (t) => {
  const { path, msrs } = device(t);
  await assert.rejects(msrs.read(3), /answers 0 bytes, expected 8/);
  truncateSync(path, asyncPageFaultMsr + 5);
  await assert.rejects(msrs.read(3), /answers 5 bytes, expected 8/);
  await assert.rejects(msrs.rewrite(3, right), /answers 5 bytes/);
});

test('rescue msr: what is not there, and what is no device of this vCPU', async (t) => {
  const { directory, msrs } = device(t, right);
  await assert.rejects(msrs.read(4), /4\/msr is not there/);
  await assert.rejects(msrs.read(4), ({ cause }: Error) => codeOf(cause) === 'ENOENT');
  mkdirSync(join(directory, '5/msr'), { recursive: true });
  await assert.rejects(msrs.read(5), /5\/msr fails: EISDIR/);
  await assert.rejects(createMsrs({ directory }).read(3), /3\/msr is no MSR device of this vCPU/);
});

test('rescue msr: numbers of the device as the kernel makes them', () => {
  assert.ok(isMsrDevice({ rdev: (202 << 8) | 3 }, 3));
  // Linux: minor numbers above 255 have their upper bits above the major's.
  assert.ok(isMsrDevice({ rdev: (1 << 20) | (202 << 8) | 0x2c }, 0x12c));
  for (const rdev of [(202 << 8) | 4, (203 << 8) | 3, 0]) assert.ok(!isMsrDevice({ rdev }, 3));
});

/** A device that answers as it is told. */
function told(read: () => Promise<bigint>, failure?: string) {
  const written: bigint[] = [];
  const fail = () => {
    if (failure !== undefined) throw Object.assign(new Error(failure), { code: failure });
  };
  const openDevice = async () => ({
    stat: async () => statSync('.'),
    async read(buffer: Buffer) {
      buffer.writeBigUInt64LE(await read());
      return { bytesRead: 8, buffer };
    },
    async write(buffer: Buffer) {
      fail();
      written.push(buffer.readBigUInt64LE());
      return { bytesWritten: 8, buffer };
    },
    close: async () => undefined,
  });
  // Of what a file handle is, a device needs these.
  const options = { isDevice, seconds: 0.1, openDevice } as unknown as MsrOptions;
  return { written, msrs: createMsrs(options) };
}

test('rescue msr: why the kernel or the host says no', async () => {
  const words: Readonly<Record<string, RegExp>> = {
    EPERM: /refused by the kernel \(EPERM\): lockdown/,
    EIO: /the host offers no such MSR/,
    ENXIO: /this CPU is offline/,
    EINVAL: /fails: EINVAL/,
  };
  for (const [code, said] of Object.entries(words)) {
    const { msrs, written } = told(async () => right, code);
    await assert.rejects(msrs.rewrite(1, right), said);
    assert.deepEqual(written, []);
  }
});

test('rescue msr: a vCPU that stands still is asked once, and not written when it comes back', async () => {
  const late = Promise.withResolvers<bigint>();
  const { msrs, written } = told(() => late.promise);
  await assert.rejects(
    msrs.rewrite(1, right),
    /does not answer within 0\.1 s: that vCPU may stand/,
  );
  await assert.rejects(msrs.read(1), /has not answered the last question yet/);
  late.resolve(right);
  await sleep(20);
  assert.deepEqual(written, []);
  assert.equal(await msrs.read(1), right);
});

test('rescue msr: a pipe in its place, and one question at a time', async (t) => {
  const { directory } = device(t);
  mkdirSync(join(directory, '6'));
  execFileSync('mkfifo', [join(directory, '6/msr')]);
  const msrs = createMsrs({ directory, isDevice, seconds: 0.3 });
  await assert.rejects(msrs.read(6), /6\/msr fails: ESPIPE/);
});
