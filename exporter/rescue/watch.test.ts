/** The watcher: whom it believes, when it writes, and what of it is told. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { createRescueRecorder, readRescueRecord } from '../core/rescue-record.ts';
import { manualClock } from '../measure/clock.ts';
import { createPseudoFs } from '../procfs/reader.ts';
import { parkedMachine, parkedPid } from '../../tools/rig/parked-machine.ts';
import type { Acting } from './act.ts';
import { askVerdict, onlyOfThisMachine } from './exporter.ts';
import type { Look } from './look.ts';
import { openOwnEyes } from './own-eyes.ts';
import type { Released } from './release.ts';
import { createWatch, secondsBetweenLooks } from './watch.ts';

const status = (name: string, ok = true) =>
  JSON.stringify({
    verdict: { name, text: `It is ${name}.` },
    checks: [{ name: 'sampler_blocked_tasks', ok }],
  });

function watching(
  t: TestContext,
  own = 'quiet',
  clock = manualClock(),
  machine = parkedMachine(t),
) {
  const path = join(machine.root, 'record.json');
  const logged: string[] = [];
  const note = (fields: object, message: string) =>
    void logged.push(`${message} ${Object.values(fields).map(String).join(' ')}`.trim());
  let answer: string | Error = status('quiet');
  let refusal: string | undefined;
  let obstacle: string | undefined;
  let seconds = 3;
  let begun = 0;
  let acted = 0;
  let unreadable = false;
  let broken: Error | undefined;
  const released: Released = {
    result: 'released',
    written: [{ cpu: 1, hyp: 1, woke: 1, of: 1 }],
    fates: [],
    redis: 'Redis answers.',
    text: 'It was written.',
  };
  // Of a look, the watcher wants these.
  const lookNow = () =>
    ({
      refusal,
      obstacle,
      targets: [1],
      threads: [{ seconds }],
      watchedSeconds: 3,
    }) as unknown as Look;
  let outcome: Partial<Released> | Error = {};
  async function act(): Promise<Released> {
    acted += 1;
    if (outcome instanceof Error) throw outcome;
    if (outcome.result === 'refused') return { ...released, ...outcome };
    const rescue = { result: 'released', cpus: [1], text: 'It was written.' } as const;
    createRescueRecorder(path).done({ ...rescue, time: clock.monotonic() });
    return { ...released, ...outcome };
  }
  const watch = createWatch({
    clock,
    stuckAfter: 180,
    ask: async () => async () => {
      if (answer instanceof Error) throw answer;
      return answer;
    },
    eyes: { verdict: () => ({ verdict: own, text: `We see ${own}.` }) },
    begin: async (): Promise<Acting> => {
      begun += 1;
      if (broken !== undefined) throw broken;
      return { look: lookNow(), act };
    },
    record: createRescueRecorder(path),
    readRecord() {
      if (unreadable) throw new Error('EACCES');
      return readRescueRecord(path);
    },
    sinceBoot: () => clock.monotonic(),
    log: { info: note, warn: (fields, message) => note(fields, `warn: ${message}`) },
  });
  return {
    logged,
    clock,
    machine,
    sleepFor: (next: number) => void (seconds = next),
    comesTo: (next: Partial<Released> | Error) => void (outcome = next),
    losesRecord: () => void (unreadable = true),
    failsToBegin: (error: Error) => void (broken = error),
    counts: () => readRescueRecord(path)?.counts,
    lastLook: () => readRescueRecord(path)?.watch,
    acted: () => acted,
    begun: () => begun,
    set: (next: { answer?: string | Error; refusal?: string; obstacle?: string }) => {
      answer = next.answer ?? answer;
      ({ refusal, obstacle } = next);
    },
    pass: async (seconds: number) => {
      for (let left = seconds; left > 0; left -= secondsBetweenLooks) {
        clock.advance(secondsBetweenLooks);
        await watch.step();
      }
    },
  };
}

test('rescue watch: writes when the exporter has said lost for a minute, and not before', async (t) => {
  const { set, pass, acted, logged } = watching(t);
  await pass(600);
  set({ answer: status('page_in_lost') });
  await pass(60);
  assert.equal(acted(), 0);
  await pass(5);
  assert.equal(acted(), 1);
  assert.ok(logged.some((line) => line.startsWith('warn: writing the async page fault MSR back')));
  assert.ok(logged.some((line) => line.startsWith('It was written. released')));
  await pass(3600);
  assert.equal(acted(), 3, 'at most three times an incident');
});

test('rescue watch: started anew, or a second one beside it, it writes no more often', async (t) => {
  const { set, pass, acted, clock, machine } = watching(t);
  set({ answer: status('page_in_lost') });
  await pass(65);
  assert.equal(acted(), 1);
  const next = watching(t, 'quiet', clock, machine);
  next.set({ answer: status('page_in_lost') });
  await next.pass(290);
  assert.equal(next.acted(), 0, 'five minutes');
  await next.pass(3600);
  assert.equal(next.acted(), 2, 'three times an incident');
  const last = watching(t, 'quiet', clock, machine);
  last.set({ answer: status('page_in_lost') });
  await last.pass(3600);
  assert.equal(last.acted(), 0);
  last.set({ answer: status('quiet') });
  await last.pass(305);
  last.set({ answer: status('page_in_lost') });
  await last.pass(65);
  assert.equal(last.acted(), 1, 'another incident');
});

test('rescue watch: whatever is said, it wakes nobody who was not seen to sleep here', async (t) => {
  const { set, pass, acted, counts, sleepFor, logged } = watching(t);
  set({ answer: status('page_in_lost') });
  sleepFor(0);
  await pass(300);
  assert.equal(acted(), 0);
  assert.equal(counts()?.refused, 1);
  assert.ok(
    logged.some((line) => line.includes('no thread of this machine has slept through 3 s')),
  );
  sleepFor(3);
  await pass(65);
  assert.equal(acted(), 1);
});

test('rescue watch: a write that ended in an error counts as one, and the watch goes on', async (t) => {
  const { set, pass, acted, comesTo, lastLook } = watching(t);
  set({ answer: status('page_in_lost') });
  comesTo(new Error(`no answer of the device ${'x'.repeat(2000)}`));
  await pass(65);
  assert.equal(acted(), 1);
  assert.equal(lastLook()?.problem?.length, 1000);
  assert.match(lastLook()?.problem ?? '', /^no answer of the device/);
  await pass(290);
  assert.equal(acted(), 1, 'five minutes');
  await pass(3600);
  assert.equal(acted(), 3, 'three times an incident');
});

test('rescue watch: where all woke by themselves nothing was written, and it may be tried again', async (t) => {
  const { set, pass, acted, comesTo } = watching(t);
  set({ answer: status('page_in_lost') });
  comesTo({ result: 'refused', written: [], text: 'Nothing was written.' });
  await pass(65);
  assert.equal(acted(), 1);
  await pass(300);
  assert.equal(acted(), 6, 'a minute later each time');
});

test('rescue watch: a write that did not help is a warning, with what failed', async (t) => {
  const { set, pass, comesTo, logged } = watching(t);
  set({ answer: status('page_in_lost') });
  comesTo({ result: 'not_released', failure: 'EPERM' });
  await pass(65);
  const line = logged.find((text) => text.includes('It was written.'));
  assert.match(line ?? '', /^warn: .* not_released .* EPERM$/);
});

test('rescue watch: without a record that can be read it goes by what it has done itself', async (t) => {
  const { set, pass, acted, losesRecord } = watching(t);
  losesRecord();
  set({ answer: status('page_in_lost') });
  await pass(3600);
  assert.equal(acted(), 3);
});

test('rescue watch: a look that fails is told, and does not end it', async (t) => {
  const { set, pass, failsToBegin, lastLook, logged, begun } = watching(t);
  failsToBegin(new Error('no /proc'));
  set({ answer: status('page_in_lost') });
  await pass(300);
  assert.equal(lastLook()?.problem, 'no /proc');
  assert.equal(logged.filter((line) => line.includes('could not write if it were')).length, 1);
  assert.equal(begun(), 9, 'a rehearsal and an attempt a minute');
});

const askLost = async () => async () => status('page_in_lost');

test('rescue watch: what an exporter elsewhere says is of another machine', async () => {
  for (const here of ['http://127.0.0.1:10190', 'http://localhost', 'https://[::1]:1']) {
    assert.equal(
      (await askVerdict(await onlyOfThisMachine(new URL(here), askLost)())).verdict,
      'page_in_lost',
    );
  }
  for (const elsewhere of [
    'http://192.0.2.7:10190',
    'http://127.0.0.1.example',
    'http://[2001:db8::7]',
  ]) {
    await assert.rejects(
      onlyOfThisMachine(new URL(elsewhere), askLost)(),
      /expected an address of this machine/,
    );
  }
});

test('rescue watch: an exporter that is frozen, gone, stale or another is not believed', async (t) => {
  const unheard = [
    new Error('no answer within 1.8 s'),
    status('quiet', false),
    'not JSON',
    '{"verdict":{"name":"quiet"}}',
    status('a verdict of tomorrow'),
    '{"verdict":{"name":"page_in_lost","text":""},"checks":[]}',
  ];
  for (const answer of unheard) {
    const { set, pass, acted, logged } = watching(t, 'page_in_stuck');
    set({ answer });
    await pass(190);
    assert.equal(acted(), 1, String(answer));
    const told = logged.filter((line) => line.startsWith('warn: the exporter says nothing of now'));
    assert.equal(told.length, 1, 'told once');
  }
});

test('rescue watch: what is refused is counted once for each reason, and tried again', async (t) => {
  const { set, pass, acted, counts, logged } = watching(t);
  set({ answer: status('page_in_lost'), refusal: 'the kernel is locked down' });
  await pass(600);
  assert.equal(acted(), 0);
  assert.equal(counts()?.refused, 1);
  assert.equal(logged.filter((line) => line.includes('it is refused')).length, 1);
  set({ refusal: 'a vCPU stands still' });
  await pass(65);
  assert.equal(counts()?.refused, 2);
  set({});
  await pass(65);
  assert.equal(acted(), 1);
});

test('rescue watch: rehearses once a minute, and says beforehand what stands in the way', async (t) => {
  const { set, pass, begun, lastLook, logged } = watching(t);
  await pass(60);
  assert.equal(begun(), 1);
  assert.ok(logged.includes('ready to write'));
  assert.deepEqual(lastLook(), { lookedAt: 1060 });
  set({ obstacle: 'the msr module is not loaded' });
  await pass(60);
  assert.deepEqual(lastLook(), { lookedAt: 1120, problem: 'the msr module is not loaded' });
  assert.equal(logged.filter((line) => line.includes('could not write if it were')).length, 1);
});

test('rescue watch: its own eyes see what the exporter would', async (t) => {
  const machine = parkedMachine(t);
  const clock = manualClock();
  machine.put({ tid: parkedPid, cpu: 1 });
  const eyes = openOwnEyes({
    procfs: createPseudoFs(machine.procfs),
    sysfs: createPseudoFs(machine.sysfs),
    clock,
    rescueRecord: join(machine.root, 'record.json'),
  });
  clock.advance(70);
  assert.equal(eyes.verdict().verdict, 'page_in_stuck');
  machine.hyp(1, 2);
  clock.advance(2);
  assert.equal(eyes.verdict().verdict, 'page_in_lost');
  machine.wake({ tid: parkedPid, cpu: 1 });
  clock.advance(70);
  assert.notEqual(eyes.verdict().verdict, 'page_in_lost');
});
