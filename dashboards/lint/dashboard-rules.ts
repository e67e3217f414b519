/** Rules about a dashboard as a whole. */
import { type DashboardModel, expressions } from './model.ts';
import { faint } from './drawn-rules.ts';
import { parsePromql } from '../../alerts/testing/promql.ts';

type Check = (model: DashboardModel, siblings: readonly DashboardModel[]) => Generator<string>;

function* variable(
  model: DashboardModel,
  name: string,
  all: string | undefined,
): Generator<string> {
  const found = model.templating.list.find((item) => item.name === name);
  if (found === undefined) return yield `has no variable ${name}`;
  const label = name.replace(/^./, (first) => first.toUpperCase());
  if (found.type !== 'query') yield `variable ${name} is a ${found.type}, expected a query`;
  if (found.datasource?.uid !== '${datasource}') yield `variable ${name} has a fixed data source`;
  if (found.label !== label) yield `variable ${name} is labelled ${found.label}, expected ${label}`;
  if (!found.multi) yield `variable ${name} takes one value only`;
  if (found.allValue !== all) yield `variable ${name}: "All" is ${found.allValue}, expected ${all}`;
}

export const dashboardChecks: Readonly<Record<string, Check>> = {
  *'template-datasource-rule'(model) {
    const sources = model.templating.list.filter(({ type }) => type === 'datasource');
    if (sources.length !== 1 || sources[0]?.name !== 'datasource') {
      yield 'expected one variable of type datasource, called datasource';
    }
    if (sources[0]?.query !== 'prometheus') yield 'the data source is no Prometheus';
    if (sources[0]?.label !== 'Data source') yield 'the data source is not labelled "Data source"';
  },
  *'template-job-rule'(model) {
    // An "All" that matches anything takes in what others export as well: `up`, `process_*`, `scrape_*`.
    yield* variable(model, 'job', undefined);
    const { query } = model.templating.list.find(({ name }) => name === 'job') ?? {};
    const text = typeof query === 'string' ? query : (query?.query ?? '');
    for (const name of /__name__=~"([^"]*)"/.exec(text)?.[1]?.split('|') ?? [text])
      if (!/^(?:instance:)?stealwatch_\w+(?::\w+)?$/.test(name)) yield `jobs that have ${name}`;
  },
  /** Not `instance`: private addresses come again. "All" is also who was given no name. */
  *'template-host-rule'(model) {
    yield* variable(model, 'host', '.*');
  },
  *'template-label-promql-rule'(model) {
    for (const { type, name, query } of model.templating.list) {
      if (type !== 'query') continue;
      const text = typeof query === 'string' ? query : query.query;
      const match = /^label_values\((?:(.+),\s*)?(\w+)\)$/.exec(text);
      if (match === null) yield `variable ${name}: ${text} is no label_values()`;
      else if (parsePromql(match[1] ?? '').errors.length > 0)
        yield `variable ${name}: ${text} does not parse`;
      else if (match[2] !== name) yield `variable ${name} takes the values of label ${match[2]}`;
    }
  },
  *'template-on-time-change-reload-rule'(model) {
    for (const { type, name, refresh } of model.templating.list) {
      if (type === 'query' && refresh !== 2)
        yield `variable ${name} does not follow the time range`;
    }
  },
  *'template-few-variables'(model) {
    const visible = model.templating.list.filter(({ type }) => type === 'query');
    if (visible.length > 3) yield `${visible.length} variables, at most 3 fit on a phone`;
  },
  *'uneditable-dashboard-rule'(model) {
    if (model.editable) yield 'is editable: an edit in the browser would be lost';
  },
  *'uid-title-tag'(model, siblings) {
    if (!/^stealwatch-[a-z]+$/.test(model.uid)) yield `uid ${model.uid}`;
    if (siblings.filter(({ uid }) => uid === model.uid).length !== 1)
      yield `uid ${model.uid} twice`;
    if (!model.tags.includes('stealwatch')) yield 'lacks the tag stealwatch';
    if (model.description === '') yield 'has no description';
    if (model.schemaVersion !== 42) yield `schemaVersion ${model.schemaVersion}, expected 42`;
  },
  *'shared-crosshair'(model) {
    if (model.graphTooltip !== 1) yield 'panels do not share their crosshair';
  },
  *'no-hidden-controls'(model) {
    if (JSON.stringify(model).includes('inControlsMenu'))
      yield 'a link or annotation is hidden in a menu';
    if (JSON.stringify(model).includes('__inputs')) yield 'has __inputs';
  },
  /** A region for as long as an alert fires, and of every machine, buries the graphs below it. */
  *'annotations-are-marks-of-the-host'({ annotations }) {
    for (const { name, expr } of annotations.list ?? []) {
      for (const { metric, matchers } of parsePromql(expr).selectors)
        if (!matchers.some(({ label, op }) => label === 'host' && op === '=~'))
          yield `"${name}": ${metric} of every host`;
      if (expr.includes('ALERTS') && !/ unless .* offset \$__interval/.test(expr))
        yield `"${name}" lasts as long as the alert`;
    }
    yield* faint(JSON.stringify(annotations));
  },
  *'panel-ids'(model) {
    const ids = [...model.panels, ...model.notes, ...model.rows].map(({ id }) => id);
    if (new Set(ids).size !== ids.length || ids.some((id) => !(id > 0)))
      yield `panel ids ${ids.join(' ')}`;
  },
  *grid(model) {
    const taken = new Map<string, string>();
    for (const { title, gridPos } of [...model.panels, ...model.notes]) {
      const { x, y, w, h } = gridPos;
      if (x + w > 24 || w < 1 || h < 2) yield `"${title}" does not fit the grid`;
      for (let i = x; i < x + w; i++) {
        for (let j = y; j < y + h; j++) {
          const other = taken.get(`${i} ${j}`);
          if (other !== undefined) return yield `"${title}" lies on "${other}"`;
          taken.set(`${i} ${j}`, title);
        }
      }
    }
  },
  *'even-rows'(model) {
    const heights = new Map<number, number>();
    const widths = new Map<number, number>();
    for (const { title, gridPos } of [...model.panels, ...model.notes]) {
      const height = heights.get(gridPos.y) ?? gridPos.h;
      heights.set(gridPos.y, height);
      widths.set(gridPos.y, (widths.get(gridPos.y) ?? 0) + gridPos.w);
      if (gridPos.h !== height) yield `"${title}" is ${gridPos.h} high, its row ${height}`;
    }
    for (const [y, width] of widths)
      if (width !== 24) yield `the row at ${y} is ${width} wide of 24`;
  },
  /** By its name alone, or by its name as well: two machines may have one address. */
  *'told-apart-by-host'(model) {
    for (const { where, expr } of expressions(model)) {
      const { selectors, groups } = parsePromql(expr);
      for (const { metric, matchers } of selectors)
        if (matchers.some(({ label }) => label === 'instance'))
          yield `${where}: ${metric} is chosen by its address`;
      for (const { keyword, labels } of groups) {
        const [kept, lost] = ['by', 'on'].includes(keyword)
          ? ['instance', 'host']
          : ['host', 'instance'];
        if (labels.includes(kept) && !labels.includes(lost))
          yield `${where}: ${keyword} (${labels.join(', ')}) goes by the address alone`;
      }
    }
    const text = JSON.stringify(model);
    if (text.includes('var-instance')) yield 'a link chooses by the address';
    if (text.includes('{{instance}}')) yield 'something is named by its address';
  },
  *'links-exist'(model, siblings) {
    const uids = new Set(siblings.map(({ uid }) => uid));
    for (const match of JSON.stringify(model).matchAll(/\/d\/([\w-]+)/g)) {
      if (!uids.has(match[1] ?? '')) yield `a link leads to ${match[1]}, which does not exist`;
    }
  },
};
