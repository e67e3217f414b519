/** docs/proof.md: one table per scenario, made from what the run measured. */
import { readdirSync, readFileSync } from 'node:fs';
import type { Outcome, Row } from './figures.ts';
import { signals } from './figures.ts';
import { asleepWithin, type Counted, pageIns, readReport } from './remained.ts';
import { sysstatSeconds } from './remains.ts';
import { scrapeSeconds } from './prometheus.ts';
import { scenarios } from './scenarios.ts';

function shown(value: number | null, title: string): string {
  const signal = signals.find((one) => one.title === title);
  if (value === null || signal === undefined) return 'not there';
  const unit = signal.kind === 'per_minute' ? '/min' : '';
  switch (signal.unit) {
    case 'ratio':
      return `${(value * 100).toFixed(0)} %`;
    case 'seconds':
      return `${value.toFixed(value < 10 ? 1 : 0)} s${unit}`;
    case 'count':
      return `${Number(value.toFixed(value < 10 ? 1 : 0))}${unit}`;
  }
}

const isGeneric = ({ title }: Row) => signals.find((one) => one.title === title)?.generic === true;

function tableRow(row: Row): string {
  return `| ${row.title} | ${shown(row.before, row.title)} | ${shown(row.during, row.title)} |`;
}

/** Generic signals that stayed where they were: within noise of nothing. */
export function unmoved(rows: readonly Row[]): string[] {
  return rows
    .filter(isGeneric)
    .filter(
      ({ before, during }) => before !== null && during !== null && during < 0.05 && before < 0.05,
    )
    .map(({ title }) => title);
}

function list(
  entries: readonly { readonly name: string; readonly afterSeconds: number }[],
): string {
  return (
    entries.map(({ name, afterSeconds }) => `${name} (${afterSeconds} s)`).join(', ') || 'none'
  );
}

/** What held when it began, and what came then. */
function story(verdicts: Outcome['verdicts']): string {
  const already = verdicts.findLast(({ afterSeconds }) => afterSeconds <= 0);
  const then = verdicts.filter(({ afterSeconds }) => afterSeconds > 0);
  const before = already === undefined ? '' : `${already.name} before, then `;
  return then.length === 0 ? `${already?.name ?? 'none'} throughout` : before + list(then);
}

const minute = (unix: number) =>
  `${new Date(unix * 1000).toISOString().slice(0, 16).replace('T', ' ')} UTC`;

const silence = (seconds: number) => `${seconds.toFixed(1)} s`;

const rate = (value: number | null) => (value === null ? 'not there' : `${value.toFixed(1)}/min`);

function countedRow(title: string, { exporter, sysstat }: Counted): string {
  return `| ${title} | ${rate(exporter)} | ${rate(sysstat)} |`;
}

/** What was left after a reset, against what was known. */
function remained(outcome: Outcome): string[] {
  const counted = pageIns(outcome);
  const report = readReport(outcome.name);
  if (counted === undefined || report === undefined || report.incident === null) return [];
  const { from, to } = asleepWithin(outcome);
  const since = (at: number) => `${(at - outcome.event).toFixed(1)} s`;
  const { earliest, latest } = report.incident.onset;
  const causes = report.causes.map(
    (id) => `\`${id}\` (${report.findings[id]?.certainty ?? 'no word'})`,
  );
  return [
    `**After the reset** there were the kernel log (its records, written down outside as rsyslog does, without most of what a kernel says while it starts), the file of \`sadc -S DISK,INT\` (a reading every ${sysstatSeconds} s), the log of Redis, and what was fetched from \`/evidence\` before it. \`stealwatch report\` on these names ${causes.join(', ')}. By the clock of the lab redis-server fell asleep between ${since(from)} and ${since(to)}; the report says between ${since(Date.parse(earliest) / 1000)} and ${since(Date.parse(latest) / 1000)}. What it wrote is beside the recording: tools/lab/recorded/remains/${outcome.name}/report.`,
    '',
    '| page-ready interrupts of the host | counted by the exporter | HYP in the file of sysstat |',
    '|---|---|---|',
    countedRow('half a minute of nothing', counted.quiet),
    countedRow('pages were moved out and came back', counted.pagedOut),
    countedRow('redis-server slept', counted.asleep),
    `| from the first to the last, in all | ${counted.all.exporter?.toFixed(0)} | ${counted.all.sysstat?.toFixed(0)} |`,
    '',
    'So the file keeps them through a reset. As Debian sets sysstat up (`-S DISK`) the row is not in it.',
    '',
  ];
}

function section(outcome: Outcome): string {
  const scenario = scenarios.find(({ name }) => name === outcome.name);
  const { client, rows, event, notes, scrapes } = outcome;
  const came =
    scrapes.failed === 0
      ? `All ${scrapes.all} scrapes came through.`
      : `${scrapes.failed} of ${scrapes.all} scrapes did not come through.`;
  return [
    `## ${scenario?.title ?? outcome.name}`,
    '',
    scenario?.what ?? '',
    '',
    ...notes.map(({ at, text }) => `- ${Math.round(at - event)} s: ${text}`),
    '',
    ...remained(outcome),
    `**Alerts**, seconds after the beginning: ${list(outcome.alerts)}.${outcome.firingBefore.length > 0 ? ` Firing before it: ${outcome.firingBefore.join(', ')}.` : ''}`,
    '',
    `**Verdict** of the exporter: ${story(outcome.verdicts)}. Of the dashboards' rule: ${story(outcome.dashboardVerdicts)}.`,
    '',
    `**Did not move**: ${unmoved(rows).join(', ') || 'none'}.`,
    '',
    '| signal | before | during |',
    '|---|---|---|',
    ...rows.filter((row) => !isGeneric(row)).map(tableRow),
    ...rows.filter(isGeneric).map(tableRow),
    `| an application: longest time without an answer to PING | ${silence(client.before.longestSilenceSeconds)} | ${silence(client.during.longestSilenceSeconds)} |`,
    `| an application: slowest read | ${silence(client.before.slowestReadSeconds)} | ${silence(client.during.slowestReadSeconds)} |`,
    '',
    `${came} Recorded from ${minute(outcome.from)} on.`,
    '',
  ].join('\n');
}

export function readRecorded(): Outcome[] {
  const directory = new URL('recorded/', import.meta.url);
  return readdirSync(directory)
    .filter((name) => name.endsWith('.json'))
    .map((name) => JSON.parse(readFileSync(new URL(name, directory), 'utf8')) as Outcome);
}

function notRecorded(outcomes: readonly Outcome[]): string {
  const missing = scenarios.filter(({ name }) => !outcomes.some((one) => one.name === name));
  if (missing.length === 0) return '';
  return `Not in this recording: ${missing.map(({ title }) => `"${title}"`).join(', ')}.\n\n`;
}

export function proofOf(outcomes: readonly Outcome[]): string {
  const order = scenarios.map(({ name }) => name);
  const sorted = [...outcomes].sort((a, b) => order.indexOf(a.name) - order.indexOf(b.name));
  return `# Proof: what moves when the host swaps its guest

Generated by \`npm run lab\`. Do not edit.

A KVM host with swap and a VPS on it, on a machine without hardware virtualisation: QEMU emulates an AMD processor with
its virtualisation extension, a Debian kernel on it plays the provider, and its KVM runs the VPS with a real redis-server
and the exporter as it ships. The page-ins, the threads in D state and the hung-task reports are the kernel's own. A real
Prometheus scrapes the VPS from outside every ${scrapeSeconds} s and judges it by the shipped rules.

What is not real is speed: everything in the VPS takes 10 to 100 times as long as on hardware, and the emulator competes
with itself for CPU, which the VPS sees as steal and as standstill, also when nothing happens. Read those rows against the
"before" column, and times as upper bounds. "Before" is all that came before the beginning: half a minute of nothing, then
what prepares the scenario (pages are moved out, and what is in constant use comes back), during which the VPS is busy
and scrapes may fail; alerts that this sets off are listed as firing before. Where the dashboards' rule says unknown, no
scrape had come through for 20 s. Each section is one run, in a VPS booted for it; nothing in it was changed afterwards.

Made of: ${(sorted[0]?.madeOf ?? []).join(', ')}.

${notRecorded(sorted)}${sorted.map(section).join('\n')}`;
}
