/**
 * The page at `/` for a browser: what is happening to this machine now, in words, then the last
 * minutes of the few signals that matter, then what this machine cannot tell. Made on the server from
 * memory: no script, no asset, readable on a phone at 3 a.m.; it reloads itself.
 */
import type { Check, Finding, Severity, Signal } from '../../core/collector.ts';
import type { IncidentSummary } from '../../evidence/summary.ts';
import { durationText } from '../../measure/duration.ts';
import { escapeHtml } from './escape.ts';
import type { NextStep } from './next-step.ts';
import { incidentLength, incidentSentences, type Overview } from './overview.ts';
import { type Drawn, utc, visible } from './shown.ts';

export function escaped(text: string): string {
  return visible(escapeHtml(text));
}

/** The page loads itself again this often, */
const reloadSeconds = 10;
/** and is old once that has failed twice. */
const oldSeconds = 30;

/** Text and its own styles: no script, no frame around it, no form. */
export const contentSecurityPolicy =
  "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const marks: Readonly<Record<Severity, string>> = { bad: '✖', warning: '▲', good: '✔' };

const width = 360;
const height = 56;

/** One path per unbroken run of points: a gap stays a gap. A lone point is drawn as a dash. */
function pathsOf(points: readonly (number | null)[], top: number): string {
  const step = width / points.length;
  let path = '';
  let drawing = false;
  points.forEach((value, i) => {
    if (value === null) {
      drawing = false;
      return;
    }
    const x = (i * step).toFixed(1);
    const y = (height - 2 - Math.min(1, value / top) * (height - 6)).toFixed(1);
    path += drawing ? `L${x} ${y}` : `M${x} ${y}h${step.toFixed(1)}`;
    drawing = true;
  });
  return path;
}

function chartOf({ title, unit, points, highest, words }: Drawn): string {
  // A ratio is drawn against 100 %, so that 0.3 % does not look like a mountain.
  const top = unit === 'ratio' ? 1 : highest > 0 ? highest : 1;
  return `<figure><figcaption><b>${escaped(title)}</b> ${escaped(words)}</figcaption>
<svg viewBox="0 0 ${width} ${height}" preserveAspectRatio="none" role="img" aria-label="${escaped(`${title}: ${words}`)}"><path d="${pathsOf(points, top)}"/></svg></figure>`;
}

function findingOf({ severity, text }: Finding): string {
  return `<li class="${severity}"><span aria-hidden="true">${marks[severity]}</span> ${escaped(text)}</li>`;
}

function listOf(findings: readonly Finding[]): string {
  return findings.length === 0 ? '' : `<ul>${findings.map(findingOf).join('\n')}</ul>`;
}

function nextOf(step: NextStep | undefined): string {
  if (step === undefined) return '';
  const { text, command, runbook } = step;
  const ways = [
    ...(command === undefined ? [] : [`<code>${escaped(command)}</code>`]),
    ...(runbook === undefined
      ? []
      : [`<a href="runbook/${runbook}">runbook ${escaped(runbook)}</a>`]),
  ];
  const end = ways.length === 0 ? '.' : `: ${ways.join(', ')}`;
  return `<p class="next"><b>Next:</b> ${escaped(text)}${end}</p>`;
}

function tableOf(heads: readonly string[], rows: readonly string[]): string {
  if (rows.length === 0) return '';
  return `<table><tr>${heads.map((head) => `<th>${head}</th>`).join('')}</tr>\n${rows.join('\n')}</table>`;
}

function signalRow({ name, reason }: Signal): string {
  return `<tr><td>${escaped(name)}</td><td>${escaped(reason)}</td></tr>`;
}

function checkRow({ name, ok, state, reason }: Check): string {
  const severity = ok ? 'good' : 'bad';
  return `<tr><td>${escaped(name)}</td><td class="${severity}">${marks[severity]} ${escaped(state)}</td><td>${escaped(reason)}</td></tr>`;
}

const checkTable = (checks: readonly Check[]) =>
  tableOf(['Check', 'State', 'Why'], checks.map(checkRow));

function checksOf({ failing, well }: Pick<Overview, 'failing' | 'well'>): string {
  if (well.length === 0) return checkTable(failing);
  const folded = `<details><summary class="good">${marks.good} ${well.length} ${well.length === 1 ? 'is' : 'are'} well</summary>
${checkTable(well)}</details>`;
  return [checkTable(failing), folded].filter((part) => part !== '').join('\n');
}

function incidentRow(incident: IncidentSummary): string {
  const { began, open, quietSeconds } = incident;
  return `<tr><td>${utc(began)}</td><td class="${open && quietSeconds === undefined ? 'bad' : 'good'}">${incidentLength(incident)}</td><td>${escaped(incidentSentences(incident))}</td></tr>`;
}

/** A link that ends at a 403 says that something is broken; the command reads it for whoever may. */
function incidentsOf({
  incidents,
  identified,
}: Pick<Overview, 'incidents' | 'identified'>): string {
  if (incidents.length === 0) return '';
  const recorded = identified ? ' What was recorded: <a href="evidence">evidence</a>.' : '';
  return `${tableOf(['Began', 'Lasted', 'What'], incidents.map(incidentRow))}
<p>Ticket and post-mortem draft of one: <code>stealwatch report</code>.${recorded}</p>`;
}

/**
 * A machine that stands still does not answer, and its last good news would stay on the screen. Nothing
 * but styles takes part: shown by an animation that a page which is loaded again never gets to.
 */
const oldNews = (wall: number): string =>
  `<p class="old bad">${marks.bad} Not loaded again for ${oldSeconds} s, though it should be every ${reloadSeconds} s: the exporter or its whole machine does not answer, or this browser loads nothing by itself. What stands here was so at ${utc(wall)}.</p>`;

function section(title: string, body: string): string {
  return body === '' ? '' : `<h2>${title}</h2>\n${body}\n`;
}

export const style = `
:root{color-scheme:light dark;--bad:#c62f2e;--warning:#9a6200;--good:#3f6b52;--line:#7a4fb0;--rule:#8884}
@media(prefers-color-scheme:dark){:root{--bad:#ff7b72;--warning:#f2a93b;--good:#8fc7a5;--line:#b877d9}}
body{font:16px/1.5 system-ui,sans-serif;margin:0 auto;max-width:46rem;padding:1rem;overflow-wrap:break-word}
h1{font-size:1.35rem;line-height:1.3;margin:.2em 0 .6em}h2{font-size:1rem;margin:1.6em 0 .4em}
ul{list-style:none;padding:0;margin:0}li{padding:.25em 0}
.bad{color:var(--bad)}.warning{color:var(--warning)}.good{color:var(--good)}
.next{border-left:4px solid var(--line);margin:0 0 .8em;padding:.1em .7em}
code{font:.95em/1.4 ui-monospace,monospace}summary{cursor:pointer}
figure{margin:0 0 .9em}figcaption{font-size:.9rem}
svg{width:100%;height:56px;border-bottom:1px solid var(--rule)}
path{fill:none;stroke:var(--line);stroke-width:1.5;vector-effect:non-scaling-stroke}
table{border-collapse:collapse;width:100%;font-size:.9rem}
td,th{text-align:left;vertical-align:top;padding:.3em .6em .3em 0;border-bottom:1px solid var(--rule)}
th{white-space:nowrap}
td:last-child{overflow-wrap:anywhere}
footer{margin-top:2em;font-size:.85rem;opacity:.8}
.old{font-size:0;margin:0;visibility:hidden;animation:old 0s ${oldSeconds}s forwards}
@keyframes old{to{font-size:1rem;margin:0 0 .8em;visibility:visible}}`;

/** The longest of what is drawn: a young exporter has seen less than the others. */
function chartsTitle(charts: readonly Drawn[]): string {
  return `The last ${durationText(Math.max(0, ...charts.map(({ seconds }) => seconds)))}`;
}

/** The whole page. Every text in it that came from outside is escaped. */
export function htmlOf(overview: Overview): string {
  const { headline, status, version, wall, charts, missing } = overview;
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">
<meta http-equiv="refresh" content="${reloadSeconds}"><title>${marks[headline.severity]} stealwatch</title><style>${style}</style></head>
<body><main>
${oldNews(wall)}
<h1 class="${headline.severity}"><span aria-hidden="true">${marks[headline.severity]}</span> ${escaped(headline.text)}</h1>
${nextOf(overview.next)}
${listOf(overview.present)}
${section(chartsTitle(charts), charts.map(chartOf).join('\n'))}
${section('Incidents since boot', incidentsOf(overview))}
${section('Earlier', listOf(overview.past))}
${section('What this machine does not let us see', tableOf(['Signal', 'Why'], missing.map(signalRow)))}
${section('Checks', checksOf(overview))}
<footer><a href="status">/status</a> says ${status} at ${utc(wall)} · <a href="metrics">metrics</a> · <a href="runbook/">runbooks</a> · stealwatch ${escaped(version)} · this page reloads every ${reloadSeconds} s</footer>
</main></body></html>
`;
}
