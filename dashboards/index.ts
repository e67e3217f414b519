/** Every dashboard, in the order of the menu. */
import type { Dashboard } from '@grafana/grafana-foundation-sdk/dashboard';
import { asynq } from './boards/asynq.ts';
import { compare } from './boards/compare.ts';
import { exporter } from './boards/exporter.ts';
import { freeze } from './boards/freeze.ts';
import { overview } from './boards/overview.ts';
import { slo } from './boards/slo.ts';

export const dashboards: readonly Dashboard[] = [overview, freeze, slo, asynq, compare, exporter];
