/** What all dashboards share: variables, links, annotations, and the last touches to the JSON. */
import * as dashboard from '@grafana/grafana-foundation-sdk/dashboard';
import { colors } from './palette.ts';
import type { Panel } from './panels.ts';
import { datasource, here, refId } from './query.ts';

export const uids = {
  overview: 'stealwatch-overview',
  slo: 'stealwatch-slo',
  freeze: 'stealwatch-freeze',
  asynq: 'stealwatch-asynq',
  compare: 'stealwatch-compare',
  exporter: 'stealwatch-exporter',
} as const;

/** What each page is called in Grafana's own lists and, short for a phone, in the menu; in reading order. */
const pages: readonly { readonly uid: string; readonly title: string; readonly menu: string }[] = [
  { uid: uids.overview, title: 'Overview', menu: 'Overview' },
  { uid: uids.freeze, title: 'Redis freeze forensics', menu: 'Freeze' },
  { uid: uids.asynq, title: 'Asynq', menu: 'Asynq' },
  { uid: uids.slo, title: 'SLO', menu: 'SLO' },
  { uid: uids.compare, title: 'Compare hosts and providers', menu: 'Compare' },
  { uid: uids.exporter, title: 'Exporter', menu: 'Exporter' },
];

/** Pages of hours. A burn-down of six hours says nothing, and a month of seconds is no forensics. */
const ofHours: readonly string[] = [uids.overview, uids.freeze, uids.asynq];

export interface Annotation {
  readonly name: string;
  readonly expr: string;
  readonly color: string;
  readonly title: string;
  readonly text: string;
}

export interface Outline {
  readonly uid: string;
  readonly description: string;
  /** How far back: `6h`. */
  readonly from: string;
  /** How often to reload; empty for a page that is read, not watched. */
  readonly refresh: string;
  readonly panels: readonly Panel[];
  /** At the end, closed until somebody opens it: asks nothing before. */
  readonly folded?: { readonly title: string; readonly panels: readonly Panel[] };
  readonly annotations?: readonly Annotation[];
  /** A variable more, besides data source, job and host. */
  readonly variables?: readonly dashboard.QueryVariableBuilder[];
}

const all = { selected: true, text: ['All'], value: ['$__all'] };

/** A variable filled from the values of a label. Named exactly as the label. */
export function labelVariable(o: {
  readonly name: string;
  readonly label: string;
  readonly query: string;
  /** What "All" stands for where a host may lack the label. Without it: those in the list, and no others. */
  readonly allValue?: '.*';
  readonly current?: { selected: boolean; text: string[]; value: string[] };
}): dashboard.QueryVariableBuilder {
  const variable = new dashboard.QueryVariableBuilder(o.name)
    .label(o.label)
    .datasource(datasource)
    .query({ query: o.query, refId: `Variable-${o.name}` })
    .definition(o.query)
    .refresh(dashboard.VariableRefresh.OnTimeRangeChanged)
    .sort(dashboard.VariableSort.NaturalAsc)
    .multi(true)
    .includeAll(true)
    .current(o.current ?? all);
  return o.allValue === undefined ? variable : variable.allValue(o.allValue);
}

function variables(): dashboard.DatasourceVariableBuilder {
  return new dashboard.DatasourceVariableBuilder('datasource')
    .label('Data source')
    .type('prometheus')
    .multi(false);
}

/** Of the exporter, or of one that is down: the rule of the verdict still answers for that one. */
const known = '__name__=~"stealwatch_build_info|instance:stealwatch_verdict:code"';

/** "All" is those in the list: `up` and `process_*` have every other job of this Prometheus as well. */
const job = labelVariable({
  name: 'job',
  label: 'Job',
  query: `label_values({${known}}, job)`,
});

/** A target that was given no name is still there under "All". */
const host = labelVariable({
  name: 'host',
  label: 'Host',
  query: `label_values({${known},job=~"$job"}, host)`,
  allValue: '.*',
});

function annotate({
  name,
  expr,
  color,
  title,
  text,
}: Annotation): dashboard.AnnotationQueryBuilder {
  return new dashboard.AnnotationQueryBuilder()
    .name(name)
    .datasource(datasource)
    .enable(true)
    .iconColor(color)
    .expr(expr)
    .step('15s')
    .titleFormat(title)
    .textFormat(text);
}

export function build(o: Outline): dashboard.Dashboard {
  const title = pages.find(({ uid }) => uid === o.uid)?.title ?? o.uid;
  const builder = new dashboard.DashboardBuilder(`stealwatch / ${title}`)
    .uid(o.uid)
    .description(o.description)
    .tags(['stealwatch'])
    .readonly()
    .timezone('browser')
    .tooltip(dashboard.DashboardCursorSync.Crosshair)
    .time({ from: `now-${o.from}`, to: 'now' })
    .refresh(o.refresh)
    .variables([variables(), job, host, ...(o.variables ?? [])])
    .annotations((o.annotations ?? []).map(annotate));
  for (const page of pages) {
    if (page.uid !== o.uid) builder.link(menuEntry(o.uid, page));
  }
  for (const panel of o.panels) builder.withPanel(panel);
  if (o.folded !== undefined) {
    const row = new dashboard.RowBuilder(o.folded.title).collapsed(true);
    for (const panel of o.folded.panels) row.withPanel(panel);
    builder.withRow(row);
  }
  return finish(builder.build());
}

function menuEntry(
  from: string,
  { uid, title, menu }: (typeof pages)[number],
): dashboard.DashboardLinkBuilder {
  return new dashboard.DashboardLinkBuilder(menu)
    .type(dashboard.DashboardLinkType.Link)
    .tooltip(title)
    .url(`/d/${uid}`)
    .includeVars(true)
    .keepTime(ofHours.includes(from) && ofHours.includes(uid));
}

type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

/** Keys that the SDK writes on every variable and that only an interval variable has. */
const intervalKeys = ['auto', 'auto_min', 'auto_count'];

/**
 * Mend what the SDK leaves: `placement: inControlsMenu` hides links and annotations behind a
 * menu, panels and queries come without numbers. Keys are sorted, so that an upgrade of the SDK that only moves
 * them changes nothing.
 */
function finish(model: dashboard.Dashboard): dashboard.Dashboard {
  for (const variable of model.templating?.list ?? []) {
    for (const key of intervalKeys) Reflect.deleteProperty(variable, key);
  }
  const open = model.panels ?? [];
  const all = [...open, ...open.flatMap((panel) => ('panels' in panel ? panel.panels : []))];
  for (const [i, panel] of all.entries()) {
    panel.id = i + 1;
    if (!('targets' in panel)) continue;
    // The SDK says 0, and Grafana cuts the names of bars to that many characters.
    Reflect.deleteProperty(panel.options ?? {}, 'xTickLabelMaxLength');
    for (const [j, target] of (panel.targets ?? []).entries()) {
      Reflect.set(target, 'refId', refId(j));
    }
  }
  return sorted(JSON.parse(JSON.stringify(model)) as Json) as unknown as dashboard.Dashboard;
}

function sorted(value: Json): Json {
  if (Array.isArray(value)) return value.map(sorted);
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([key, inner]) => key !== 'placement' || inner !== 'inControlsMenu')
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, inner]) => [key, sorted(inner)]),
  );
}

/**
 * The step in which each alert began. Grafana draws what is there for many steps as a region, and those of
 * several alerts lie on each other: the graphs would be red from the first on, just when one reads them.
 * An alert about no machine in particular is everybody's.
 */
const firing = (when: string) =>
  `max by (alertname, severity, host) (last_over_time(ALERTS{alertstate="firing",alertname!="Watchdog",host=~"$host|"}${when}))`;

/** Annotations for pages on which an incident is read; each can be switched off at the top. */
export const incidentAnnotations: readonly Annotation[] = [
  {
    name: 'Alert began',
    expr: `${firing('[$__rate_interval]')} unless ${firing('[$__rate_interval] offset $__interval')}`,
    color: colors.bad,
    title: '{{alertname}}',
    text: '{{severity}} {{host}}',
  },
  {
    name: 'Hung tasks',
    expr: `increase(stealwatch_hung_tasks_total{${here}}[$__rate_interval]) > 0`,
    color: colors.pageIn,
    title: 'The kernel reported a hung task',
    text: '{{cause}} {{host}}',
  },
  {
    name: 'Reboot or migration',
    expr: `changes(stealwatch_boot_time_seconds{${here}}[$__rate_interval]) > 0 or increase(stealwatch_vm_restores_total{${here}}[$__rate_interval]) > 0`,
    color: colors.own,
    title: 'Reboot, migration or restore',
    text: '{{host}}',
  },
  {
    name: 'Redis restart',
    expr: `increase(redis_restarts_total{${here}}[$__rate_interval]) > 0`,
    color: colors.degraded,
    title: 'Redis restarted',
    text: '{{host}}',
  },
];
