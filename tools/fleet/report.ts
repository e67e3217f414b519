/** How long each group and each rule took, as Prometheus itself says. */
import { median } from '../rig/quantile.ts';

interface Rule {
  readonly name: string;
  readonly query: string;
  readonly health: string;
  readonly lastError?: string;
  readonly evaluationTime: number;
}

interface Group {
  readonly name: string;
  readonly interval: number;
  readonly lastEvaluation: string;
  readonly evaluationTime: number;
  readonly rules: readonly Rule[];
}

/** Every evaluation of a group once, by the time at which it began. */
export type Seen = Map<string, Map<string, Group>>;

export async function watchGroups(url: string, seen: Seen): Promise<void> {
  const response = await fetch(`${url}/api/v1/rules`);
  const { data } = (await response.json()) as { data: { groups: Group[] } };
  for (const group of data.groups) {
    if (group.lastEvaluation.startsWith('0001')) continue;
    const evaluations = seen.get(group.name) ?? new Map<string, Group>();
    seen.set(group.name, evaluations.set(group.lastEvaluation, group));
  }
}

/** Groups that were not evaluated meanwhile: their rules as queries, one after the other. */
export async function askGroups(url: string, seen: Seen): Promise<void> {
  const response = await fetch(`${url}/api/v1/rules`);
  const { data } = (await response.json()) as { data: { groups: Group[] } };
  for (const group of data.groups.filter(({ name }) => !seen.has(name))) {
    const rules: Rule[] = [];
    for (const rule of group.rules) {
      const began = performance.now();
      const answer = await fetch(`${url}/api/v1/query`, {
        method: 'POST',
        body: new URLSearchParams({ query: `count(${rule.query})` }),
      });
      const { status, error } = (await answer.json()) as { status: string; error?: string };
      const evaluationTime = (performance.now() - began) / 1000;
      const health = status === 'success' ? 'ok' : 'err';
      rules.push({
        ...rule,
        health,
        evaluationTime,
        ...(error === undefined ? {} : { lastError: error }),
      });
    }
    const evaluationTime = rules.reduce((sum, rule) => sum + rule.evaluationTime, 0);
    const name = `${group.name} (asked)`;
    seen.set(name, new Map([['asked', { ...group, name, rules, evaluationTime }]]));
  }
}

/** Without the first: it runs while Prometheus still reads its own files. */
function measured(evaluations: ReadonlyMap<string, Group>): Group[] {
  const all = [...evaluations.values()];
  return (all.length > 1 ? all.slice(1) : all).sort((a, b) => a.evaluationTime - b.evaluationTime);
}

/** Every rule by its place in its group: a name is no name, five SLOs share it. */
function printRules(seen: Seen): void {
  const rules = [...seen.values()].flatMap((evaluations) => {
    const groups = measured(evaluations);
    return (groups[0]?.rules ?? []).map(({ name, query }, place) => {
      const times = groups.map((group) => group.rules[place]?.evaluationTime ?? 0);
      return { name, query, middle: median(times), longest: Math.max(...times) };
    });
  });
  rules.sort((a, b) => b.middle - a.middle);
  console.log('\nThe slowest rules, median and longest:');
  for (const { name, query, middle, longest } of rules.slice(0, 15)) {
    const text = query.replaceAll(/\s+/g, ' ').slice(0, 110);
    console.log(`  ${middle.toFixed(2)} s ${longest.toFixed(2)} s ${name}: ${text}`);
  }
}

export function printGroups(seen: Seen): void {
  console.log('\n| group | rules | interval, s | evaluations | median, s | longest, s |');
  console.log('|---|---|---|---|---|---|');
  let cores = 0;
  for (const evaluations of seen.values()) {
    const groups = measured(evaluations);
    const longest = groups.at(-1);
    if (longest === undefined) continue;
    const { name, interval } = longest;
    const middle = median(groups.map(({ evaluationTime }) => evaluationTime));
    cores += middle / interval;
    const late = longest.evaluationTime > interval ? ' LATE' : '';
    const failed = longest.rules.find(({ health }) => health === 'err')?.lastError ?? '';
    console.log(
      `| ${name} | ${longest.rules.length} | ${interval} | ${groups.length} | ${middle.toFixed(2)} | ${longest.evaluationTime.toFixed(2)}${late} ${failed} |`,
    );
  }
  console.log(`\nAll groups: ${(cores * 100).toFixed(0)} % of one thread.`);
  printRules(seen);
}
