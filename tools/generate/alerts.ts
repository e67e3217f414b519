/**
 * The alerts and docs/slo.md, from the files people edit:
 *
 *   alerts/slo.yml        what is promised            -> generated/slo.yml, docs/slo.md
 *   alerts/rules/*.yml    the alerts, written by hand -> generated/*.yml, with layer and links
 *   alerts/links.ts       where the links lead
 *   alerts/messages/      why, what it cost and what to type
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { isMap, isSeq, parseDocument, Scalar, type YAMLMap } from 'yaml';
import { Document } from 'yaml';
import { costOf, doOf, whyOf } from '../../alerts/messages/annotations.ts';
import { links } from '../../alerts/links.ts';
import { sloDocument } from '../../alerts/slo/document.ts';
import { sloGroups } from '../../alerts/slo/rules.ts';
import { readSloSpec } from '../../alerts/slo/spec.ts';
import type { GeneratedFiles } from './files.ts';

const directory = join(import.meta.dirname, '..', '..', 'alerts');
const style = { lineWidth: 0, singleQuote: true } as const;

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

const runbooks = join(directory, '..', 'docs', 'runbooks');

/** One that is not written yet is told by its test, with what to write. */
function commandFor(alert: string): Record<string, string> {
  const path = join(runbooks, `${alert}.md`);
  return existsSync(path) ? { do: doOf(readFileSync(path, 'utf8')) } : {};
}

interface Kind {
  readonly layer: string;
  readonly severity: unknown;
  /** How long it goes on after its expression has nothing any more: `30s`. */
  readonly held: unknown;
}

function annotationsOf(alert: string, { layer, severity, held }: Kind): Record<string, string> {
  const board = fromOutside.includes(alert)
    ? 'stealwatch-overview?'
    : 'stealwatch-freeze?var-host={{ $labels.host | urlquery }}&';
  return {
    why: whyOf(alert, layer),
    ...(severity === 'page' && layer !== 'meta' ? { cost: costOf(alert) } : {}),
    ...(typeof held === 'string' ? { held } : {}),
    ...commandFor(alert),
    runbook_url: `${links.runbooks}${alert}.md`,
    dashboard_url: `/d/${board}from=${from}&to=now`,
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
  const severity = rule.getIn(['labels', 'severity']);
  const kind = { layer, severity, held: rule.get('keep_firing_for') };
  for (const [name, text] of Object.entries(annotationsOf(alert, kind))) {
    const value = new Scalar(text);
    value.type = Scalar.QUOTE_SINGLE;
    rule.setIn(['annotations', name], value);
  }
}

function header(source: string): string {
  return `# Generated from ${source} by npm run generate. Edit that, not this.\n`;
}

/** Comments of the source stay: a person who reads the loaded rules at night needs them. */
function completeRules(text: string, layer: string): string {
  const document = parseDocument(text);
  for (const error of document.errors) throw error;
  for (const rule of rulesOf(document)) complete(rule, layer);
  document.commentBefore = null;
  return header(`alerts/rules/${layer}.yml`) + document.toString(style);
}

function sloRules(text: string): string {
  const document = new Document(
    { groups: sloGroups(readSloSpec(text)) },
    { aliasDuplicateObjects: false },
  );
  for (const rule of rulesOf(document)) complete(rule, 'slo');
  return header('alerts/slo.yml') + document.toString(style);
}

export function generatedAlerts(): GeneratedFiles {
  const slo = readFileSync(join(directory, 'slo.yml'), 'utf8');
  const layers = readdirSync(join(directory, 'rules')).map((file) => basename(file, '.yml'));
  return new Map([
    ['alerts/generated/slo.yml', sloRules(slo)],
    ...layers.map(
      (layer) =>
        [
          `alerts/generated/${layer}.yml`,
          completeRules(readFileSync(join(directory, 'rules', `${layer}.yml`), 'utf8'), layer),
        ] as const,
    ),
    ['docs/slo.md', sloDocument(readSloSpec(slo))],
  ]);
}
