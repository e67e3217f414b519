/** The dashboards and their recording rules, from dashboards/ and alerts/verdict/. */
import { dashboardGroup, ruleFile, verdictGroup } from '../../alerts/verdict/rules.ts';
import { dashboards } from '../../dashboards/index.ts';
import type { GeneratedFiles } from './files.ts';

export function generatedDashboards(): GeneratedFiles {
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
