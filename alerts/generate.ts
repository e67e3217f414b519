/**
 * Writes everything under alerts/generated/, and docs/slo.md, from the files people edit:
 *
 *   alerts/slo.yml        what is promised            -> generated/slo.yml, docs/slo.md
 *   alerts/rules/*.yml    the alerts, written by hand -> generated/*.yml, with layer and links
 *   alerts/links.ts       where the links lead
 *
 *   npm run rules
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { isMap, isSeq, parseDocument, Scalar, type YAMLMap } from 'yaml';
import { Document } from 'yaml';
import { links } from './links.ts';
import { sloDocument } from './slo/document.ts';
import { sloGroups } from './slo/rules.ts';
import { readSloSpec } from './slo/spec.ts';

const directory = import.meta.dirname;
const style = { lineWidth: 0, singleQuote: true } as const;

export interface Generated {
  /** Relative to the repository. */
  readonly path: string;
  readonly text: string;
}

/** Half an hour before now, in the milliseconds that Grafana wants. */
const from = '{{ with query "time() - 1800" }}{{ . | first | value | printf "%.0f000" }}{{ end }}';

/**
 * What is seen from outside has a name and no exporter, what is about Prometheus itself is about no
 * machine that is watched: a board of all machines says more.
 */
export const fromOutside: readonly string[] = [
  'ProbeFailed',
  'ProberSilent',
  'NothingWatched',
  'StorageCapReached',
  'NotificationsFailing',
  'Watchdog',
];

function linksOf(alert: string): Record<string, string> {
  const board = fromOutside.includes(alert)
    ? 'stealwatch-overview?'
    : 'stealwatch-freeze?var-host={{ $labels.host | urlquery }}&';
  return {
    runbook_url: `${links.runbooks}${alert}.md`,
    dashboard_url: `${links.grafana}/d/${board}from=${from}&to=now`,
  };
}

function rulesOf(document: Document): YAMLMap[] {
  const groups = document.get('groups');
  if (!isSeq(groups)) throw new Error('expected a list under groups');
  return groups.items.flatMap((group) => {
    const rules = isMap(group) ? group.get('rules') : undefined;
    return isSeq(rules) ? rules.items.filter((rule) => isMap(rule)) : [];
  });
}

function complete(rule: YAMLMap, layer: string): void {
  const alert = rule.get('alert');
  if (typeof alert !== 'string') return;
  rule.setIn(['labels', 'layer'], layer);
  for (const [name, text] of Object.entries(linksOf(alert))) {
    const value = new Scalar(text);
    value.type = Scalar.QUOTE_SINGLE;
    rule.setIn(['annotations', name], value);
  }
}

function header(source: string): string {
  return `# Generated from ${source} by alerts/generate.ts. Edit that, not this.\n`;
}

/** Comments of the source stay: a person who reads the loaded rules at night needs them. */
export function completeRules(text: string, layer: string): string {
  const document = parseDocument(text);
  for (const error of document.errors) throw error;
  for (const rule of rulesOf(document)) complete(rule, layer);
  document.commentBefore = null;
  return header(`alerts/rules/${layer}.yml`) + document.toString(style);
}

export function sloRules(text: string): string {
  const document = new Document(
    { groups: sloGroups(readSloSpec(text)) },
    { aliasDuplicateObjects: false },
  );
  for (const rule of rulesOf(document)) complete(rule, 'slo');
  return header('alerts/slo.yml') + document.toString(style);
}

export function generate(): Generated[] {
  const slo = readFileSync(join(directory, 'slo.yml'), 'utf8');
  const layers = readdirSync(join(directory, 'rules')).map((file) => basename(file, '.yml'));
  return [
    { path: 'alerts/generated/slo.yml', text: sloRules(slo) },
    ...layers.map((layer) => ({
      path: `alerts/generated/${layer}.yml`,
      text: completeRules(readFileSync(join(directory, 'rules', `${layer}.yml`), 'utf8'), layer),
    })),
    { path: 'docs/slo.md', text: sloDocument(readSloSpec(slo)) },
  ];
}

if (import.meta.main) {
  for (const { path, text } of generate()) writeFileSync(join(directory, '..', path), text);
}
