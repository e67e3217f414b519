/** What the flight recorder knew: files that the prober kept, or the answer of an exporter that runs. */
import { createHash } from 'node:crypto';
import { readdirSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import { httpGet, textOf } from '../../core/http-get.ts';
import { readSmallFile } from '../../core/read-file.ts';
import type { EvidenceFile } from '../../evidence/format.ts';
import { parseEvidence, parseEvidenceFile } from '../../evidence/parse.ts';
import { messageOf } from '../../measure/errors.ts';
import type { Gathered, Missing, Source } from '../facts/facts.ts';
import type { ReadContext } from './context.ts';
import { datedAnswer } from './evidence-clock.ts';
import { evidenceFacts } from './evidence-facts.ts';
import { type Found, machinesOf, namesToChoose, withoutCopies } from './evidence-machines.ts';
import { whyNot } from './packed-file.ts';

const deadlineMs = 10_000;
/** Of an answer; an exporter gives less (evidence/answer.ts). */
export const mostEvidenceBytes = 1024 * 1024;
const mostFiles = 200;

type Outcome = Found | { readonly name: string; readonly problem: string };

/** Newest last. Throws where the folder cannot be looked into. */
function jsonFiles(directory: string): string[] {
  return readdirSync(directory, { withFileTypes: true })
    .flatMap((entry) => {
      const path = join(directory, entry.name);
      if (entry.isDirectory()) return jsonFilesOf(path);
      return entry.name.endsWith('.json') ? [path] : [];
    })
    .toSorted();
}

/** Of one host: no deeper. */
function jsonFilesOf(directory: string): string[] {
  try {
    return readdirSync(directory)
      .filter((name) => name.endsWith('.json'))
      .map((name) => join(directory, name));
  } catch {
    return [];
  }
}

/** Of the prober it has a host; what somebody saved of /evidence himself has none. */
function keptIn(text: string): Pick<Found, 'answer' | 'host' | 'fetched'> {
  try {
    const file: EvidenceFile = parseEvidenceFile(text);
    return { answer: file, host: file.host, fetched: file.fetched };
  } catch (error) {
    const saved = attempt(() => parseEvidence(text));
    if (saved === undefined) throw error;
    return { answer: saved };
  }
}

function attempt<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}

async function fileOutcome(path: string): Promise<Outcome> {
  const name = path;
  let text: string;
  try {
    text = (await readSmallFile(path)).toString();
  } catch (error) {
    return { name, problem: whyNot(error) };
  }
  try {
    return { name, text, ...keptIn(text) };
  } catch (error) {
    return { name, problem: `it is no evidence: ${messageOf(error)}` };
  }
}

async function urlOutcome(url: string): Promise<Outcome> {
  const target = new URL(url);
  const name = `${target.origin}${target.pathname}`;
  if (target.pathname === '/') target.pathname = '/evidence';
  try {
    const { status, body } = await httpGet(target, deadlineMs, mostEvidenceBytes);
    if (status === 401 || status === 403)
      return {
        name,
        problem: `it refuses us (${status}): it wants a password, or to be asked on its own machine`,
      };
    if (status !== 200) return { name, problem: `it answers ${status}` };
    const text = textOf(body);
    return { name, text, answer: parseEvidence(text) };
  } catch (error) {
    return { name, problem: messageOf(error) };
  }
}

async function outcomes(evidence: string): Promise<Outcome[]> {
  if (/^https?:\/\//.test(evidence)) return [await urlOutcome(evidence)];
  const isFolder = attempt(() => statSync(evidence).isDirectory()) === true;
  const files = isFolder ? jsonFiles(evidence) : [evidence];
  return Promise.all(files.slice(-mostFiles).map(fileOutcome));
}

const isFound = (outcome: Outcome): outcome is Found => 'answer' in outcome;

/** Of several hosts one must be named. */
function ofHost(found: readonly Found[], host: string | undefined): Found[] | Missing {
  const hosts = [...new Set(found.flatMap((one) => one.host ?? []))];
  if (host !== undefined) return found.filter((one) => (one.host ?? host) === host);
  if (hosts.length <= 1) return [...found];
  const why = `there are files of ${hosts.length} hosts: name one with --host (${hosts.slice(0, 20).join(', ')})`;
  return { what: 'the flight recorder', why, named: true };
}

/** One label was given to all of them. */
function severalMachines(machines: readonly (readonly Found[])[]): Missing {
  const names = namesToChoose(machines).slice(0, 20);
  const why = `its files are of ${machines.length} machines under one name, for different boots ran at the same time, and machines are not mixed: name one with --evidence (${names.join(', ')})`;
  return { what: 'the flight recorder', why, named: true };
}

function runningBoot({ surroundings }: ReadContext): string {
  try {
    const id = surroundings.procfs.read('sys/kernel/random/boot_id') ?? '';
    return id.trim().replaceAll('-', '');
  } catch {
    return '';
  }
}

/** In all of them the file is called by the incident, unless somebody called it otherwise. */
function sourceId({ name }: Found, all: readonly Found[]): string {
  const called = all.filter((other) => basename(other.name) === basename(name));
  return `evidence ${called.length > 1 ? name : basename(name)}`;
}

function factsOf(found: Found, source: string, context: ReadContext): Gathered {
  const { copies = [] } = found;
  const { answer, doubt } = datedAnswer(found, context.surroundings.now());
  const { surroundings } = context;
  const origin = { source, runningBoot: runningBoot(context), now: surroundings.now() };
  const facts = evidenceFacts(answer, origin);
  const times = doubt === undefined ? { timeErrorSeconds: 1 } : { timeDoubt: doubt };
  const copied = copies.map((copy) => sourceOf(copy, `evidence ${copy.name}`, times, []));
  const own = sourceOf(found, source, times, doubt === undefined ? [] : [doubt]);
  return { ...facts, sources: [own, ...copied] };
}

function sourceOf(
  { name, text, answer }: Found,
  id: string,
  times: Pick<Source, 'timeErrorSeconds' | 'timeDoubt'>,
  problems: readonly string[],
): Source {
  const rows = answer.incidents.flatMap(({ samples }) =>
    samples.parts.map((part) => part.rows.length),
  );
  const excerpts = answer.incidents.reduce((sum, { kernel }) => sum + kernel.length, 0);
  return {
    id,
    kind: 'evidence',
    name,
    records: rows.reduce((sum, count) => sum + count, excerpts),
    sha256: createHash('sha256').update(text).digest('hex'),
    ...times,
    problems,
  };
}

/** Files that are no evidence, or cannot be read, cost themselves. */
export async function readEvidence(context: ReadContext): Promise<Gathered[]> {
  const { evidence, host } = context.options;
  if (evidence === undefined) return [];
  const what = 'the flight recorder';
  let all: Outcome[];
  try {
    all = await outcomes(evidence);
  } catch (error) {
    return [{ missing: [{ what: `${what}: ${evidence}`, why: whyNot(error), named: true }] }];
  }
  if (all.length === 0)
    return [{ missing: [{ what, why: `there are no files of it in ${evidence}`, named: true }] }];
  const found = ofHost(all.filter(isFound), host);
  const broken = all.flatMap((outcome): Gathered[] =>
    isFound(outcome)
      ? []
      : [{ missing: [{ what: `${what}: ${outcome.name}`, why: outcome.problem, named: true }] }],
  );
  if (!Array.isArray(found)) return [...broken, { missing: [found] }];
  const machines = machinesOf(found);
  if (machines.length > 1) return [...broken, { missing: [severalMachines(machines)] }];
  const once = withoutCopies(found);
  return [...broken, ...once.map((one) => factsOf(one, sourceId(one, once), context))];
}

/** Of the exporter of this machine, which nobody named: where it does not run, that is no fault of a report. */
export function readRecorder(context: ReadContext): Gathered {
  const { recorder } = context.surroundings;
  if (recorder === undefined) return {};
  const { name } = recorder;
  const why = (problem: string): Gathered => ({
    missing: [{ what: `the flight recorder of a running exporter, ${name}`, why: problem }],
  });
  if ('problem' in recorder) return why(recorder.problem);
  try {
    const { text } = recorder;
    const found = { name, text, answer: parseEvidence(text) };
    return factsOf(found, `evidence ${name}`, context);
  } catch (error) {
    return why(`what it answers is no evidence: ${messageOf(error)}`);
  }
}
