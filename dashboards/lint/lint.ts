/**
 * The rules every dashboard keeps. Those that grafana/dashboard-linter has go by its names; it is
 * a Go program, so they are written again here. The rest is what that linter cannot know.
 */
import { dashboardChecks } from './dashboard-rules.ts';
import type { DashboardModel } from './model.ts';
import { drawnChecks } from './drawn-rules.ts';
import { panelChecks as ownChecks } from './panel-rules.ts';

export interface Problem {
  readonly rule: string;
  readonly where: string;
  readonly text: string;
}

const panelChecks = { ...ownChecks, ...drawnChecks };

export const ruleNames: readonly string[] = [
  ...Object.keys(dashboardChecks),
  ...Object.keys(panelChecks),
];

export function lint(model: DashboardModel, siblings: readonly DashboardModel[]): Problem[] {
  const problems: Problem[] = [];
  for (const [rule, check] of Object.entries(dashboardChecks)) {
    for (const text of check(model, siblings)) problems.push({ rule, where: model.uid, text });
  }
  for (const panel of model.panels) {
    const where = `${model.uid}, panel "${panel.title}"`;
    for (const [rule, check] of Object.entries(panelChecks)) {
      for (const text of check(panel)) problems.push({ rule, where, text });
    }
  }
  return problems;
}
