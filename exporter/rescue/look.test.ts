/** What a look finds: since when somebody sleeps, by whom that is known, and what may not be written. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import type { AskExporter } from '../doctor/exporter.ts';
import { manualClock } from '../measure/clock.ts';
import { createPseudoFs } from '../procfs/reader.ts';
import { noMsr, parkedMachine, parkedPid } from '../../tools/rig/parked-machine.ts';
import { readKernelLog } from './kernel-log.ts';
import { hypMoved, look, placesOf } from './look.ts';
import { createParkedThreads } from './parked.ts';

const values = [0x1_bd21_4c09n, 0x1_bd21_4d09n] as const;

const status = JSON.stringify({
  verdict: { name: 'page_in_lost', text: 'A page is lost.' },
  checks: [{ name: 'sampler_blocked_tasks', ok: true }],
});
const waitOf = (process: string, reason: string, seconds: number) =>
  `stealwatch_blocked_process_seconds{process="${process}",reason="${reason}"} ${seconds}\n`;

const nothing: () => void = () => undefined;

function looking(t: TestContext, msrValues: readonly (bigint | Error)[] = values) {
  const machine = parkedMachine(t);
  const clock = manualClock();
  const place = {
    procfs: createPseudoFs(machine.procfs),
    sysfs: createPseudoFs(machine.sysfs),
    arch: 'x64',
  };
  const parked = createParkedThreads({ procfs: place.procfs, clock });
  const lookOnce = (metrics = '', { allCpus = false, now = 1000, during = nothing } = {}) =>
    look({
      place,
      msrs: machine.msrs(msrValues),
      parked,
      kernelLog: () => readKernelLog(join(machine.root, 'kmsg')),
      ask: async (): Promise<AskExporter> => async (path) =>
        path === '/status' ? status : metrics,
      async sleep(seconds) {
        clock.advance(seconds);
        during();
      },
      sinceBoot: () => now,
      watchedSeconds: 3,
      allCpus,
    });
  return { machine, lookOnce };
}

test('rescue look: a sleep is as old as the longest that anybody has seen of it', async (t) => {
  const { machine, lookOnce } = looking(t);
  machine.put({ tid: parkedPid, cpu: 1 });
  const since = async (metrics?: string) => (await lookOnce(metrics)).threads[0]?.since;
  assert.deepEqual(await since(), { by: 'us', seconds: 3 });
  const metrics =
    waitOf('redis-server', 'disk', 900) +
    waitOf('redis-server', 'host_page_in', 400) +
    waitOf('worker', 'host_page_in', 800);
  assert.deepEqual(await since(metrics), { by: 'the exporter', seconds: 400 });
  const unknown = waitOf('redis-server', 'host_page_in', NaN);
  assert.equal((await since(unknown))?.by, 'us');
  machine.report(parkedPid, 990, 490);
  assert.deepEqual(await since(metrics), { by: 'the kernel', seconds: 500 });
});

test('rescue look: what the kernel said of a sleep five minutes ago is not said of this one', async (t) => {
  const { machine, lookOnce } = looking(t);
  machine.put({ tid: parkedPid, cpu: 1 });
  machine.report(parkedPid, 500, 120);
  const by = async (now: number) => (await lookOnce('', { now })).threads[0]?.since.by;
  assert.equal(await by(800), 'the kernel');
  assert.equal(await by(801), 'us');
});

test('rescue look: a page that came back meanwhile is of its vCPU, and makes a lost message of it', async (t) => {
  const { machine, lookOnce } = looking(t);
  machine.put({ tid: parkedPid, cpu: 1 });
  const metrics = waitOf('redis-server', 'host_page_in', 400);
  assert.equal((await lookOnce(metrics)).pageIn, 'stuck');
  const back = await lookOnce(metrics, { during: () => machine.hyp(2, 1) });
  assert.equal(back.pageIn, 'lost');
  const before = new Map([
    ['0', 5],
    ['1', 7],
  ]);
  const after = new Map([
    ['0', 9],
    ['1', 6],
    ['2', 100],
  ]);
  assert.equal(hypMoved(before, after), 4, 'one that is new or went back has not moved');
  assert.equal(hypMoved(before, after, 0), 4);
  assert.equal(hypMoved(before, after, 1), 0);
  assert.equal(hypMoved(undefined, after), 0);
  assert.equal(hypMoved(before, undefined), 0);
});

test('rescue look: a vCPU that is wrong stands in the way of its own threads alone', async (t) => {
  const { machine, lookOnce } = looking(t, [values[0], noMsr(1)]);
  machine.put({ tid: parkedPid, cpu: 0 });
  const found = await lookOnce();
  assert.deepEqual(found.targets, [0]);
  assert.equal(found.refusal, undefined);
  assert.match(found.obstacle ?? '', /\/dev\/cpu\/1\/msr is not there/);
  assert.deepEqual((await lookOnce('', { allCpus: true })).targets, [0, 1]);
  assert.match((await lookOnce('', { allCpus: true })).refusal ?? '', /cpu\/1\/msr is not there/);
  assert.deepEqual(placesOf(found), [
    'vCPU 0: 0x1bd214c09, of the page at 0x1bd214c00',
    'vCPU 1: /dev/cpu/1/msr is not there',
  ]);
});

test('rescue look: a thread on a vCPU that went offline has nothing to be written on', async (t) => {
  const { machine, lookOnce } = looking(t);
  machine.put({ tid: parkedPid, cpu: 3 });
  const { refusal, obstacle } = await lookOnce();
  assert.match(refusal ?? '', /parked on vCPU 3, which is not online/);
  assert.equal(obstacle, undefined);
});
