/**
 * Write the dashboards and their recording rules: `npm run dashboards`.
 * The results are committed, so that they can be imported without a toolchain; a test fails when
 * they are not what this would write.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { dashboards } from './index.ts';
import { dashboardGroup, ruleFile, verdictGroup } from '../alerts/verdict/rules.ts';

export const root = join(import.meta.dirname, '..');

/** Path from the root of the repository to the text that belongs there. */
export function generated(): ReadonlyMap<string, string> {
  return new Map([
    ...dashboards.map(
      (model) =>
        [
          `dashboards/generated/${model.uid ?? ''}.json`,
          `${JSON.stringify(model, null, 2)}\n`,
        ] as const,
    ),
    ['alerts/generated/verdict.yml', ruleFile([verdictGroup])],
    ['alerts/generated/dashboards.yml', ruleFile([dashboardGroup])],
  ]);
}

if (import.meta.main) {
  for (const [path, text] of generated()) {
    const file = join(root, path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
  }
}
