/** Every dashboard, in the order of the menu. */
import type { Dashboard } from '@grafana/grafana-foundation-sdk/dashboard';
import { asynq } from './asynq.ts';
import { compare } from './compare.ts';
import { exporter } from './exporter.ts';
import { freeze } from './freeze.ts';
import { overview } from './overview.ts';
import { slo } from './slo.ts';

export const dashboards: readonly Dashboard[] = [overview, freeze, slo, asynq, compare, exporter];
