/**
 * `npm run lab [-- SCENARIO...]`: real page-ins by a real KVM host, on any x86-64 machine, judged by
 * the real exporter, a real Redis and a real Prometheus with the shipped rules. Writes docs/proof.md.
 *
 * Takes about an hour on two cores, 2.5 GB of memory and 1.5 GB of disk below ~/.cache. Needs
 * apt-get, gcc, binutils, xz and prometheus; no root, no /dev/kvm.
 */
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { freePort } from '../rig/redis-server.ts';
import { baselineSeconds, countedBy, figuresOf, type Outcome } from './figures.ts';
import { buildImages, type Images } from './images.ts';
import { createLab, prepareVps } from './lab.ts';
import { bootMachine, freePorts, type Machine } from './machine.ts';
import { labDirectory, type Unpacked, unpackPackages } from './packages.ts';
import { startPrometheus } from './prometheus.ts';
import { proofOf, readRecorded } from './proof.ts';
import { createRemains, type Remains } from './remains.ts';
import { type Scenario, scenarios } from './scenarios.ts';
import { messageOf } from '../../exporter/measure/errors.ts';

const project = fileURLToPath(new URL('../../', import.meta.url));
/** Alerts, and the recording rules of the dashboards: what Prometheus loads in production. */
const rules = process.env['LAB_RULES'] ?? join(project, 'alerts/generated');

/** What the last run saw, kept with the project: tests and docs/proof.md are made from it. */
const recorded = fileURLToPath(new URL('recorded/', import.meta.url));
const settleSeconds = 5;
/** Under this emulation a kernel crashes once in a while: then the scenario begins anew. */
const attempts = 2;

function say(text: string): void {
  process.stdout.write(`${new Date().toISOString().slice(11, 19)} ${text}\n`);
}

async function runScenario(
  machine: Machine,
  scenario: Scenario,
  unpacked: Unpacked,
  remains: Remains | undefined,
): Promise<Outcome> {
  say(scenario.title);
  const prometheus = await startPrometheus(rules, machine.ports.exporter, await freePort());
  const { lab, notebook } = createLab(machine, remains);
  try {
    await sleep(settleSeconds * 1000);
    const from = Date.now() / 1000;
    await lab.wait(baselineSeconds);
    const before = notebook.figures();
    await scenario.run(lab);
    const during = notebook.figures();
    const to = Date.now() / 1000;
    const event = notebook.notes[0]?.at ?? from;
    const { notes } = notebook;
    const figures = await figuresOf(prometheus, { from, event, to });
    const { name, cpu } = scenario;
    const client = { before, during };
    const seen = { name, cpu, madeOf: unpacked.versions, from, event, to, notes, client };
    if (remains === undefined) return { ...seen, ...figures };
    const exporter = await countedBy(prometheus, from, to);
    const sysstat = remains.write(join(recorded, 'remains', name), unpacked);
    return { ...seen, ...figures, hostPageIns: { exporter, sysstat } };
  } finally {
    notebook.close();
    await machine.swapReads('all');
    await prometheus.close();
  }
}

/** On machines of its own: what one scenario leaves behind is not in the recording of the next. */
async function record(scenario: Scenario, unpacked: Unpacked, images: Images): Promise<boolean> {
  const { name, cpu } = scenario;
  say(`booting a provider, and on it a VPS with -cpu ${cpu}`);
  const machine = await bootMachine(unpacked, images, await freePorts());
  const remains = scenario.resets === true ? createRemains(machine) : undefined;
  try {
    await prepareVps(machine, cpu, remains);
    const outcome = await runScenario(machine, scenario, unpacked, remains);
    writeFileSync(join(recorded, `${name}.json`), `${JSON.stringify(outcome, null, 2)}\n`);
    return true;
  } catch (error) {
    say(`${name} FAILED: ${messageOf(error)}`);
    return false;
  } finally {
    remains?.close();
    writeFileSync(
      join(labDirectory, `${name}.dmesg`),
      await machine.vps.run('dmesg | tail -n 150', 90).catch(() => ''),
    );
    await machine.close();
  }
}

async function main(): Promise<void> {
  const asked = process.argv.slice(2);
  const unknown = asked.filter((name) => !scenarios.some((scenario) => scenario.name === name));
  if (unknown.length > 0) {
    throw new Error(
      `no scenario ${unknown.join(', ')}; there are ${scenarios.map(({ name }) => name).join(' ')}`,
    );
  }
  const chosen = scenarios.filter(({ name }) => asked.length === 0 || asked.includes(name));
  mkdirSync(recorded, { recursive: true });
  if (!existsSync(rules)) throw new Error(`no rules in ${rules}`);
  const unpacked = unpackPackages();
  const images = buildImages(unpacked);
  for (const scenario of chosen) {
    let done = false;
    for (let left = attempts; left > 0 && !done; left -= 1) {
      done = await record(scenario, unpacked, images);
    }
    if (!done) process.exitCode = 1;
  }
  writeFileSync(join(project, 'docs/proof.md'), proofOf(readRecorded()));
  say('docs/proof.md is written');
  if (chosen.some(({ resets }) => resets === true)) {
    say('the reports on what remained are written by: npm run golden && npm run generate');
  }
  process.exit();
}

// What was started ends with us: see the `exit` handlers beside each start.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));
await main();
