/** What all dashboards share: variables, links, annotations, and the last touches to the JSON. */
import * as dashboard from '@grafana/grafana-foundation-sdk/dashboard';
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

export interface Annotation {
  readonly name: string;
  readonly expr: string;
  readonly color: string;
  readonly title: string;
  readonly text: string;
}

export interface Outline {
  readonly uid: string;
  readonly title: string;
  readonly description: string;
  /** How far back: `6h`. */
  readonly from: string;
  /** How often to reload; empty for a page that is read, not watched. */
  readonly refresh: string;
  readonly panels: readonly Panel[];
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
  /** What "All" stands for. `.*` where a host may lack the label. */
  readonly allValue: '.+' | '.*';
  readonly current?: { selected: boolean; text: string[]; value: string[] };
}): dashboard.QueryVariableBuilder {
  return new dashboard.QueryVariableBuilder(o.name)
    .label(o.label)
    .datasource(datasource)
    .query({ query: o.query, refId: `Variable-${o.name}` })
    .definition(o.query)
    .refresh(dashboard.VariableRefresh.OnTimeRangeChanged)
    .sort(dashboard.VariableSort.NaturalAsc)
    .multi(true)
    .includeAll(true)
    .allValue(o.allValue)
    .current(o.current ?? all);
}

function variables(): dashboard.DatasourceVariableBuilder {
  return new dashboard.DatasourceVariableBuilder('datasource')
    .label('Data source')
    .type('prometheus')
    .multi(false);
}

const job = labelVariable({
  name: 'job',
  label: 'Job',
  query: 'label_values(stealwatch_build_info, job)',
  allValue: '.+',
});

/** A target that was given no name is still there under "All". */
const host = labelVariable({
  name: 'host',
  label: 'Host',
  query: 'label_values(stealwatch_build_info{job=~"$job"}, host)',
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
  const builder = new dashboard.DashboardBuilder(o.title)
    .uid(o.uid)
    .description(o.description)
    .tags(['stealwatch'])
    .readonly()
    .timezone('browser')
    .tooltip(dashboard.DashboardCursorSync.Crosshair)
    .time({ from: `now-${o.from}`, to: 'now' })
    .refresh(o.refresh)
    .variables([variables(), job, host, ...(o.variables ?? [])])
    .annotations((o.annotations ?? []).map(annotate))
    .link(
      new dashboard.DashboardLinkBuilder('stealwatch')
        .type(dashboard.DashboardLinkType.Dashboards)
        .tags(['stealwatch'])
        .asDropdown(true)
        .includeVars(true)
        .keepTime(true),
    );
  for (const panel of o.panels) builder.withPanel(panel);
  return finish(builder.build());
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
  for (const [i, panel] of (model.panels ?? []).entries()) {
    if (!('targets' in panel)) continue;
    panel.id = i + 1;
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

/** Annotations for pages on which an incident is read; each can be switched off at the top. */
export const incidentAnnotations: readonly Annotation[] = [
  {
    name: 'Alerts firing',
    expr: 'ALERTS{alertstate="firing",alertname!="Watchdog",host=~"$host"}',
    color: '#E0403F',
    title: '{{alertname}}',
    text: '{{severity}} {{host}}',
  },
  {
    name: 'Hung tasks',
    expr: `increase(stealwatch_hung_tasks_total{${here}}[$__rate_interval]) > 0`,
    color: '#B877D9',
    title: 'The kernel reported a hung task',
    text: '{{cause}} {{host}}',
  },
  {
    name: 'Reboot or migration',
    expr: `changes(stealwatch_boot_time_seconds{${here}}[$__rate_interval]) > 0 or increase(stealwatch_vm_restores_total{${here}}[$__rate_interval]) > 0`,
    color: '#8AB8FF',
    title: 'Reboot, migration or restore',
    text: '{{host}}',
  },
  {
    name: 'Redis restart',
    expr: `increase(redis_restarts_total{${here}}[$__rate_interval]) > 0`,
    color: '#F2A93B',
    title: 'Redis restarted',
    text: '{{host}}',
  },
];
