/**
 * `stealwatch report` on what was left of a VPS that a real KVM host paged out and that was reset:
 * the documents word for word, and what they say against what the lab knew.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { report } from '../../exporter/report/command.ts';
import type { Outcome } from './figures.ts';
import { asleepWithin, noted, pageIns, readReport, remainsOf, type Report } from './remained.ts';
import { readRecorded } from './proof.ts';

const outcomes = readRecorded().filter(({ hostPageIns }) => hostPageIns !== undefined);
/** hung_task_timeout_secs in the VPS. */
const detectorSeconds = 10;
/** How far the times of the kernel log may be off, as the report itself says. */
const clockSeconds = 1;

const said = spawnSync('sadf', ['-V'], { encoding: 'utf8' }).stdout ?? '';
const [, major = 0, minor = 0, patch = 0] = /version (\d+)\.(\d+)\.(\d+)/.exec(said) ?? [];
const readsHyp = Number(major) * 1e4 + Number(minor) * 100 + Number(patch) >= 12_06_01;
const skip = readsHyp ? false : 'no sadf of 12.6.1 or later';

const documents = ['ticket.md', 'report.md', 'report.json'] as const;

const kernLog = ['--kern-log', 'var/log/kern.log'];
const evidence = ['--evidence', 'evidence'];

/** Paths as a person types them, so that none of this machine's is in the documents. */
async function reportOn(
  name: string,
  sources: readonly string[],
  root = '.',
): Promise<Map<string, string>> {
  process.chdir(fileURLToPath(remainsOf(name)));
  const directory = mkdtempSync(join(tmpdir(), 'stealwatch-remains-'));
  const out = join(directory, 'report');
  const argv = ['--root', root, ...sources, '--out', out];
  try {
    const complaints: string[] = [];
    const complain = (text: string) => void complaints.push(text);
    const code = await report({ argv, env: process.env, print: () => undefined, complain });
    assert.deepEqual([code, complaints], [0, []]);
    return new Map(documents.map((file) => [file, readFileSync(join(out, file), 'utf8')]));
  } finally {
    rmSync(directory, { recursive: true });
  }
}

test('remains: both resets are recorded', () => {
  assert.deepEqual(outcomes.map(({ name }) => name).sort(), ['lost-reset', 'stall-reset']);
});

for (const { name } of outcomes) {
  test(`remains: ${name}: the three documents`, { skip }, async (t) => {
    const asItIs = { serializers: [(value: string) => value] };
    process.chdir(fileURLToPath(remainsOf(name)));
    const sysstat = readdirSync('var/log/sysstat').flatMap((file) => [
      '--sysstat',
      `var/log/sysstat/${file}`,
    ]);
    const redis = ['--redis-log', 'var/log/redis/redis-server.log'];
    const sources = [...kernLog, ...evidence, ...redis, ...sysstat];
    for (const [file, text] of await reportOn(name, sources)) {
      t.assert.fileSnapshot(
        text,
        fileURLToPath(new URL(`report/${file}`, remainsOf(name))),
        asItIs,
      );
    }
  });
}

for (const { name } of outcomes) {
  // Who wrote into a copy of kern.log, its name does not prove.
  const alone = [
    [kernLog, 'very likely'],
    [evidence, 'proven'],
  ] as const;
  for (const [source, certainty] of alone) {
    test(`remains: ${name}: ${source.join(' ')} alone makes it ${certainty}`, async () => {
      // A root in which there is nothing else.
      const json = (await reportOn(name, source, 'report')).get('report.json') ?? '';
      const { causes, findings } = JSON.parse(json) as Report;
      assert.deepEqual(causes, ['page_withheld_traced']);
      assert.equal(findings['page_withheld_traced']?.certainty, certainty);
    });
  }
}

function incidentOf({ name }: Outcome) {
  const written = readReport(name);
  assert.ok(written !== undefined, `no report of ${name}`);
  assert.ok(written.incident !== null, `no incident in the report of ${name}`);
  return { ...written, incident: written.incident };
}

for (const outcome of outcomes) {
  test(`remains: ${outcome.name}: that the host withheld memory is proven, and nothing else is said`, () => {
    const { causes, findings, incident } = incidentOf(outcome);
    assert.deepEqual(causes, ['page_withheld_traced']);
    assert.equal(findings['page_withheld_traced']?.certainty, 'proven');
    assert.ok(incident.reports > 3);
  });

  test(`remains: ${outcome.name}: the onset is dated to one round of the detector`, () => {
    const { onset } = incidentOf(outcome).incident;
    const [earliest, latest] = [onset.earliest, onset.latest].map(
      (text) => Date.parse(text) / 1000,
    );
    assert.ok(earliest !== undefined && latest !== undefined);
    assert.ok(latest - earliest <= detectorSeconds + 2 * clockSeconds, `${latest - earliest} s`);
    const truth = asleepWithin(outcome);
    assert.ok(earliest <= truth.to + clockSeconds, `${earliest} is after ${truth.to}`);
    assert.ok(latest >= truth.from - clockSeconds, `${latest} is before ${truth.from}`);
  });

  test(`remains: ${outcome.name}: the end is the reset`, () => {
    const { end } = incidentOf(outcome).incident;
    const reset = noted(outcome, 'the VPS is reset');
    const booted = noted(outcome, 'the VPS has booted again');
    const at = Date.parse(end.at) / 1000;
    assert.ok(at > reset - 2 * detectorSeconds && at < booted, `${end.how} ${end.at}`);
  });

  test(`remains: ${outcome.name}: HYP in the file of sysstat told it as well as the exporter`, () => {
    const counted = pageIns(outcome);
    assert.ok(counted !== undefined);
    const { quiet, pagedOut, all } = counted;
    assert.deepEqual(quiet, { exporter: 0, sysstat: 0 });
    assert.ok(Number(pagedOut.sysstat) > 5, `${pagedOut.sysstat}/min`);
    // The rates of the file have two decimals, and the step of the reset is not in it.
    const difference = Math.abs(Number(all.exporter) - Number(all.sysstat));
    assert.ok(difference <= 2 + 0.1 * Number(all.exporter), JSON.stringify(all));
  });
}

test('remains: a lost message is told from a disk that stands still, by the pages that came meanwhile', () => {
  for (const outcome of outcomes) {
    const lost = incidentOf(outcome).findings['page_lost']?.certainty;
    const expected = outcome.name === 'lost-reset' ? ['possible', true] : [undefined, false];
    assert.deepEqual([lost, Number(pageIns(outcome)?.asleep.sysstat) > 30], expected);
  }
});
