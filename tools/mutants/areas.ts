/** What is mutated, area by area, and what would have to notice. */
import { basename } from 'node:path';
import { type Mutation } from './mutation.ts';
import { isTypescript, typescriptMutations } from './typescript.ts';
import { isYaml, type YamlKind, yamlMutations } from './yaml.ts';

export interface Area {
  readonly name: string;
  /** Files of the repository that belong to it. */
  readonly files: RegExp;
  readonly mutations: (text: string) => readonly Mutation[];
  readonly isValid: (text: string) => boolean;
  /** Run in the copy before the tests, because they read what it writes. */
  readonly generators: readonly string[];
  /** The tests that read these files; none where coverage and imports tell. */
  readonly tests?: RegExp;
  /** Of a test file of many, the names of those that are about this file; all where undefined. */
  readonly namesOf?: (test: string, file: string) => string | undefined;
}

const code = (name: string, files: RegExp): Area => ({
  name,
  files,
  mutations: typescriptMutations,
  isValid: isTypescript,
  generators: [],
});

const folder = (name: string) =>
  code(`exporter/${name}`, new RegExp(`^exporter/${name}/[^/]+\\.ts$`));

/** Sources that write what is read elsewhere: which tests run them tells nothing. */
const sources = (
  name: string,
  files: RegExp,
  generators: readonly string[],
  tests: RegExp,
): Area => ({
  name,
  files,
  mutations: typescriptMutations,
  isValid: isTypescript,
  generators,
  tests,
});

const yaml = (
  name: string,
  files: RegExp,
  kind: YamlKind,
  generators: readonly string[],
  tests: RegExp,
): Area => ({
  name,
  files,
  mutations: (text) => yamlMutations(text, kind),
  isValid: isYaml,
  generators,
  tests,
});

const rules = ['tools/generate/main.ts'];
/** Not the replays of days, nor the same tests under another Prometheus: minutes for each mistake. */
const ruleTests = /^alerts\/(?:rules|states\/states|tests\/installed|slo\/spec)\.test\.ts$/;

/** Its own promtool tests, and those of what is made of all rules; of minutes, not of hours. */
function promtoolTestsOf(test: string, file: string): string | undefined {
  if (!test.startsWith('alerts/tests/')) return undefined;
  return `^rules of (?:${basename(file, '.yml')}|why|dashboards)\\.yml `;
}

export const areas: readonly Area[] = [
  ...[
    'config',
    'core',
    'exposition',
    'http',
    'http/access',
    'log',
    'measure',
    'collectors',
    'cpu',
    'canary',
    'procfs',
    'kmsg',
    'tasks',
    'redis',
    'asynq',
    'doctor',
    'http/page',
    'http/runbooks',
    'files',
    'status',
    'evidence',
    'evidence/keeper',
    'rescue',
  ].map(folder),
  code('exporter/report', /^exporter\/report\/(?:[^/]+\/)?[^/]+\.ts$/),
  code('exporter/top', /^exporter\/[^/]+\.ts$/),
  sources('alerts/slo', /^alerts\/slo\/[^/]+\.ts$/, rules, ruleTests),
  code('alerts/replays', /^alerts\/replays\/[^/]+\.ts$/),
  sources(
    'dashboards',
    /^dashboards\/(?:boards|kit)\/[^/]+\.ts$/,
    ['tools/generate/main.ts'],
    // Not what a Prometheus draws of them in an afternoon and a month: minutes.
    /^dashboards\/(?!incident|drift|public-pages)[^/]+\.test\.ts$/,
  ),
  {
    ...yaml('alerts/rules', /^alerts\/rules\/[^/]+\.yml$/, 'rules', rules, ruleTests),
    namesOf: promtoolTestsOf,
  },
  yaml(
    'alerts/alertmanager',
    /^alerts\/alertmanager\/alertmanager\.yml$/,
    'alertmanager',
    [],
    /^alerts\/alertmanager\/[^/]+\.test\.ts$/,
  ),
  yaml(
    'deploy/prometheus',
    /^deploy\/prometheus\/prometheus\.yml$/,
    'prometheus',
    [],
    /^deploy\/prometheus(?:-running)?\.test\.ts$/,
  ),
  yaml(
    'deploy/compose',
    /^docker-compose\.yml$/,
    'compose',
    [],
    /^deploy\/(?:compose[^/]*|exporter-settings)\.test\.ts$/,
  ),
];

/** Never mutated: what only tests and benchmarks run, and the tests themselves. */
const apart = /\.test\.ts$|\/(?:testing|drill|demo|incident)\//;

export function filesOf(area: Area, all: readonly string[]): string[] {
  return all.filter((file) => area.files.test(file) && !apart.test(file));
}

/** `exporter` is all of exporter/..., `exporter/http/access` that one. */
export function areasNamed(name: string): Area[] {
  return areas.filter((area) => area.name === name || area.name.startsWith(`${name}/`));
}

/**
 * Tests that are left out: they build the bundle, freeze file systems, load the machine or take
 * minutes. What only they would notice is reported as survived.
 */
export const leftOut = {
  files:
    /^(?:exporter\/(?:golden|freeze|http\/abuse|doctor\/deadline)|tools\/.*|alerts\/drill\/.*|dashboards\/public-pages|deploy\/(?:watch|health-check))\.test\.ts$/,
  names:
    'really blocked|frozen file system|own swap|CPU burners|nothing can wake|real parent blocked in vfork|^rules of [a-z]+-[a-z]+\\.yml ',
} as const;
