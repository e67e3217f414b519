/** What leaves the box, and that nobody but a claim says what happened. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { parseSync, Visitor } from 'oxc-parser';
import * as measured from '../../../tools/rig/report/measured-stories.ts';
import * as stories from '../../../tools/rig/report/stories.ts';
import { judge } from '../cause/judge.ts';
import { documentsOf, type Redaction } from './all.ts';

const secrets = ['shop-db-1', '192.0.2.10', '2001:db8::10', 'watcher.example.net', 'toucher1'];

const told = [stories.pagedOut(), stories.lostMessage(), measured.pageWaitMeasured()];

function leaked(texts: readonly (string | undefined)[]): string[] {
  return secrets.filter((secret) => texts.some((text) => text?.includes(secret)));
}

function documents(redaction: Redaction) {
  return told.map(({ facts, now }) =>
    documentsOf(judge(facts, { lastBoot: false }, now), redaction),
  );
}

test('leaks: the ticket names nobody, the own copy everybody, unless it was asked for', () => {
  const usual = documents('ticket');
  assert.deepEqual(leaked(usual.map(({ ticket }) => ticket)), []);
  assert.deepEqual(leaked(usual.map(({ report }) => report)), secrets);
  const all = documents('all');
  assert.deepEqual(
    leaked(
      all.flatMap(({ ticket, report, json, summary }) => [ticket, report, json, summary.join()]),
    ),
    [],
  );
  const nothing = documents('nothing');
  assert.ok(leaked(nothing.map(({ ticket }) => ticket)).includes('toucher1'));
});

test('leaks: the copy for machines names no process of a killed one, and keeps the digests', () => {
  const { facts, now } = measured.outOfMemory();
  const kernelEvents = facts.kernelEvents.map((event) =>
    Object.assign({}, event, { text: event.text.replace('redis-server', 'secretjob') }),
  );
  const path = '/srv/acme/logs/kern.log';
  const sources = facts.sources.map((one) =>
    Object.assign({}, one, { id: `x ${path}`, name: path }),
  );
  const events = kernelEvents.map((event) => Object.assign({}, event, { source: `x ${path}` }));
  const judged = judge({ ...facts, sources, kernelEvents: events }, { lastBoot: false }, now);
  const { json } = documentsOf(judged, 'all');
  assert.doesNotMatch(json, /secretjob|acme/);
  assert.match(json, /Killed process \d+ \(proc-1\)/);
  for (const { sha256 = '' } of sources) assert.ok(json.includes(sha256));
});

test('leaks: registers and addresses of user space are in no document', () => {
  for (const { ticket, report, json } of documents('nothing')) {
    assert.doesNotMatch(
      `${ticket}${report}${json}`,
      /RIP: |R1[0-5]: |RSP: |Code: |5615c7364fa3|\b0x401877\b/,
    );
  }
});

/** Where documents are laid out: labels and notes on the report itself, no word on what happened. */
const notes = [
  'No source could be read, so nothing can be said of what happened, or whether anything did.',
  'Nothing was found in what could be dated. Records were left out because their times or values cannot be, so something may have happened that nobody can see here.',
  'What was read holds no record of anything, so nothing can be said of what happened, or whether anything did.',
  'What was read holds nothing from the times that were asked for, so nothing can be said of what happened then, or whether anything did.',
  'Nothing in what was read is out of the ordinary. That is no proof that nothing happened: only what these sources keep can be found.',
  'Registers are left out: they can hold customer data.',
  '- No ticket was written.',
  '- `ticket.md` beside this file is for the provider.',
];

function sentencesIn(path: string): string[] {
  const found: string[] = [];
  const { program } = parseSync(path, readFileSync(path, 'utf8'));
  new Visitor({
    Literal({ value }) {
      if (typeof value === 'string' && /[a-z].* .*[a-z].*\.$/.test(value)) found.push(value);
    },
    TemplateElement({ value }) {
      if (/[a-z]+ [a-z]+ [a-z]+.*\.$/.test(value.raw.trim())) found.push(value.raw);
    },
  }).visit(program);
  return found;
}

test('claims: the documents hold no sentence of their own on what happened', () => {
  const files = readdirSync(import.meta.dirname).filter((name) => /(?<!\.test)\.ts$/.test(name));
  const sentences = files.flatMap((name) => sentencesIn(join(import.meta.dirname, name)));
  assert.deepEqual(sentences.sort(), [...notes].sort());
});
