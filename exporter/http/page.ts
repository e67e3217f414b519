/**
 * The page at `/`: what is happening to this machine now, in words, then the last 15 minutes of
 * the few signals that matter, then what this machine cannot tell. Made on the server from
 * memory: no script, no asset, readable on a phone at 3 a.m.; it reloads itself.
 */
import type { IncidentSummary } from '../evidence/summary.ts';
import type { Chart, Check, Finding, Report, Severity, Signal } from '../core/collector.ts';
import { statusOf } from '../core/status.ts';
import { durationText } from '../measure/duration.ts';
import { percentText } from '../measure/percent.ts';

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** Colours a terminal that shows the page, or turns its text around. */
const unseen = /[\p{Cc}\p{Bidi_Control}]/gu;

function codeOf(character: string): string {
  const digits = character.charCodeAt(0).toString(16);
  return digits.length > 2 ? `\\u${digits}` : `\\x${digits.padStart(2, '0')}`;
}

function escaped(text: string): string {
  return text
    .replaceAll(/[&<>"']/g, (character) => entities[character] ?? '')
    .replaceAll(unseen, codeOf);
}

const marks: Readonly<Record<Severity, string>> = { bad: '✖', warning: '▲', good: '✔' };

function shown(value: number, unit: Chart['unit']): string {
  switch (unit) {
    case 'ratio':
      return percentText(value);
    case 'seconds':
      return durationText(value);
    case 'per_second':
      return `${value.toFixed(value < 10 ? 1 : 0)}/s`;
    case 'count':
      return String(Math.round(value));
  }
}

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
    const y = (height - 2 - (value / top) * (height - 6)).toFixed(1);
    path += drawing ? `L${x} ${y}` : `M${x} ${y}h${step.toFixed(1)}`;
    drawing = true;
  });
  return path;
}

/** None while nothing was recorded in all that time. */
function chartOf({ title, unit, history }: Chart): string[] {
  const points = history.points();
  const values = points.filter((value) => value !== null);
  const last = values.at(-1);
  if (last === undefined) return [];
  const span = durationText(points.length * history.stepSeconds);
  const highest = Math.max(0, ...values);
  const words = `now ${shown(last, unit)}, highest in ${span} ${shown(highest, unit)}`;
  // A ratio is drawn against 100 %, so that 0.3 % does not look like a mountain.
  const top = unit === 'ratio' ? 1 : highest > 0 ? highest : 1;
  return [
    `<figure><figcaption><b>${escaped(title)}</b> ${escaped(words)}</figcaption>
<svg viewBox="0 0 ${width} ${height}" preserveAspectRatio="none" role="img" aria-label="${escaped(`${title}: ${words}`)}"><path d="${pathsOf(points, top)}"/></svg></figure>`,
  ];
}

function findingOf({ severity, text }: Finding): string {
  return `<li class="${severity}"><span aria-hidden="true">${marks[severity]}</span> ${escaped(text)}</li>`;
}

/** The verdict, unless something is worse than it: a Redis that is down beside a quiet host. */
function headline(verdict: Finding, findings: readonly Finding[]): Finding {
  const [worst] = findings;
  return verdict.severity !== 'bad' && worst?.severity === 'bad' ? worst : verdict;
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

/** To the second and in UTC, as a ticket says it. */
const utc = (seconds: number) =>
  new Date(seconds * 1000)
    .toISOString()
    .replace('T', ' ')
    .replace(/\.\d+Z$/, ' UTC');

function incidentRow({ began, seconds, open, met, cause }: IncidentSummary): string {
  const length = `${durationText(Math.round(seconds))}${open ? ' so far' : ''}`;
  const said = met.join('; ');
  const what = `${escaped(said.charAt(0).toUpperCase() + said.slice(1))}. ${escaped(cause.text)}`;
  return `<tr><td>${utc(began)}</td><td class="${open ? 'bad' : 'good'}">${length}</td><td>${what} <a href="evidence">evidence</a></td></tr>`;
}

function section(title: string, body: string): string {
  return body === '' ? '' : `<h2>${title}</h2>\n${body}\n`;
}

const style = `
:root{color-scheme:light dark;--bad:#c62f2e;--warning:#9a6200;--good:#3f6b52;--line:#7a4fb0;--rule:#8884}
@media(prefers-color-scheme:dark){:root{--bad:#ff7b72;--warning:#f2a93b;--good:#8fc7a5;--line:#b877d9}}
body{font:16px/1.5 system-ui,sans-serif;margin:0 auto;max-width:46rem;padding:1rem}
h1{font-size:1.35rem;line-height:1.3;margin:.2em 0 .6em}h2{font-size:1rem;margin:1.6em 0 .4em}
ul{list-style:none;padding:0;margin:0}li{padding:.25em 0}
.bad{color:var(--bad)}.warning{color:var(--warning)}.good{color:var(--good)}
figure{margin:0 0 .9em}figcaption{font-size:.9rem}
svg{width:100%;height:56px;border-bottom:1px solid var(--rule)}
path{fill:none;stroke:var(--line);stroke-width:1.5;vector-effect:non-scaling-stroke}
table{border-collapse:collapse;width:100%;font-size:.9rem}
td,th{text-align:left;vertical-align:top;padding:.3em .6em .3em 0;border-bottom:1px solid var(--rule)}
footer{margin-top:2em;font-size:.85rem;opacity:.8}`;

/** The whole page. Every text in it that came from outside is escaped. */
export function pageOf(
  reports: readonly Report[],
  version: string,
  incidents: readonly IncidentSummary[],
): string {
  const { status, verdict, checks, findings } = statusOf(reports);
  const charts = reports.flatMap((report) => report.charts ?? []);
  const signals = reports.flatMap((report) => report.signals ?? []);
  const missing = signals.filter(({ supported }) => !supported);
  const top = headline(verdict, findings);
  const rest = [verdict, ...findings].filter((finding) => finding !== top);
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">
<meta http-equiv="refresh" content="10"><title>${marks[top.severity]} stealwatch</title><style>${style}</style></head>
<body><main>
<h1 class="${top.severity}"><span aria-hidden="true">${marks[top.severity]}</span> ${escaped(top.text)}</h1>
${rest.length === 0 ? '' : `<ul>${rest.map(findingOf).join('\n')}</ul>`}
${section('The last 15 minutes', charts.flatMap(chartOf).join('\n'))}
${section('Incidents since boot', tableOf(['Began', 'Lasted', 'What'], incidents.toReversed().map(incidentRow)))}
${section('What this machine does not let us see', tableOf(['Signal', 'Why'], missing.map(signalRow)))}
${section('Checks', tableOf(['Check', 'State', 'Why'], checks.map(checkRow)))}
<footer>status: ${status} · <a href="metrics">metrics</a> · <a href="status">status</a> · stealwatch ${escaped(version)} · this page reloads every 10 s</footer>
</main></body></html>
`;
}
