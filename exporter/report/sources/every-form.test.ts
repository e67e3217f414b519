/** One kernel log says the same, whichever way it was kept. */
import assert from 'node:assert/strict';
import { utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { kernelEntry, makeJournal, whyNoJournal } from '../../../tools/rig/journal.ts';
import {
  dmesgJson,
  kernelLogs,
  lineForms,
  type LoggedRecord,
  recordsOf,
} from '../../../tools/rig/kernel-log-forms.ts';
import { assembleReports, type HungTaskReport } from '../../kmsg/hung-task.ts';
import { createKernelEventReader } from '../../kmsg/kernel-events.ts';
import { createPseudoFs } from '../../procfs/reader.ts';
import { reasonOfTrace } from '../../tasks/reasons.ts';
import type { Facts } from '../facts/facts.ts';
import { gather, type GatherOptions } from './index.ts';
import { placed, temporaryRoot } from '../../../tools/rig/temporary-root.ts';
import type { ReadContext } from './context.ts';
import { readKernelRing } from './kernel-ring.ts';
import { together } from './together.ts';
import { utc } from './zone.ts';

const bootedAt = Date.UTC(2026, 10, 29, 21) / 1000;

const said = ({ comm, pid, tgid, seconds, onLock, inIoWait, frames }: HungTaskReport) => ({
  comm,
  pid,
  tgid,
  seconds,
  onLock,
  inIoWait,
  frames,
  reason: reasonOfTrace(frames),
});

/** As the exporter reads them from /dev/kmsg. */
function live(records: readonly LoggedRecord[]) {
  const reports: ReturnType<typeof said>[] = [];
  const assembler = assembleReports((report) => reports.push(said(report)));
  const readEvent = createKernelEventReader();
  const events: string[] = [];
  for (const record of records) {
    assembler.feed(record, false);
    const event = readEvent(record.text, record.microseconds);
    if (event !== undefined) events.push(event.kind);
  }
  assembler.quiet();
  assembler.quiet();
  return { reports, events };
}

const kept = ({ kernelReports, kernelEvents }: Facts) => ({
  reports: kernelReports.map(({ report }) => said(report)),
  events: kernelEvents.map(({ kind }) => kind),
});

function options(root: string, ...kernLog: string[]): GatherOptions {
  return { root, lastBoot: false, kernLog, sysstat: [], redisLog: [] };
}

const surroundings = {
  env: process.env,
  now: () => bootedAt + 1e6,
  uid: 0,
  procfs: createPseudoFs('/nowhere'),
};

/** As if the machine had been up for as long as the recording says. */
function ringContext(root: string): ReadContext {
  placed(root, 'proc/uptime', '1000000.00 1.00\n');
  const procfs = createPseudoFs(join(root, 'proc'));
  return {
    options: options(root),
    surroundings: { ...surroundings, procfs },
    zone: utc,
    zoneProblem: undefined,
    hostname: undefined,
    running: undefined,
    range: { from: undefined, to: undefined },
    boots: [],
  };
}

async function throughFile(root: string, text: string, saved: number): Promise<Facts> {
  const path = join(root, 'saved.log');
  writeFileSync(path, text);
  utimesSync(path, saved, saved);
  return gather(options(root, path), surroundings);
}

for (const name of kernelLogs) {
  test(`${name}: every way in gives what /dev/kmsg gave`, async (t) => {
    const root = temporaryRoot(t);
    const records = recordsOf(name);
    const expected = live(records);
    assert.ok(expected.reports.length + expected.events.length > 0, 'the recording says nothing');
    const saved = bootedAt + (records.at(-1)?.microseconds ?? 0) / 1e6;
    const asRecord = lineForms['records of /dev/kmsg'] ?? assert.fail();
    const ring = placed(root, 'ring', records.map((one) => `${asRecord(one, 0)}\n`).join(''));
    assert.deepEqual(kept(together([readKernelRing(ring, ringContext(root))])), expected, 'ring');
    const texts: [form: string, text: string][] = [
      ['dmesg -J', dmesgJson(records)],
      ...Object.entries(lineForms).map(([form, write]): [string, string] => [
        form,
        records.map((record) => `${write(record, bootedAt)}\n`).join(''),
      ]),
    ];
    const journal = join(root, 'journal');
    if (whyNoJournal() === undefined) {
      const boot = { boot: 'a'.repeat(32), start: bootedAt };
      makeJournal(
        journal,
        records.map(({ microseconds, text }) => kernelEntry(boot, microseconds / 1e6, text)),
      );
      texts.push(['journal', '']);
    }
    for (const [form, text] of texts) {
      const facts =
        form === 'journal'
          ? await gather({ ...options(root), journal }, surroundings)
          : await throughFile(root, text, saved);
      assert.deepEqual(kept(facts), expected, form);
      const first = records.find(({ text }) => text.startsWith('INFO: task '));
      const report = facts.kernelReports[0];
      if (first !== undefined && report !== undefined) {
        const due = bootedAt + first.microseconds / 1e6;
        assert.ok(Math.abs(report.at - due) <= 1.01, `${form}: ${report.at - due} s off`);
      }
      for (const { lines } of facts.kernelReports) {
        assert.match(lines[0] ?? '', /^INFO: task /, form);
        assert.doesNotMatch(lines.join('\n'), /R(?:[0-9A-D][0-9XIPS]|SP|IP|BP|DI|SI):|Code:/, form);
      }
    }
  });
}
