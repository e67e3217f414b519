/**
 * What each alert says in each state of its inputs. Times are seconds from the onset. An alert
 * without a row here fails the tests.
 */
import { app } from './app.ts';
import { asynq } from './asynq.ts';
import { host } from './host.ts';
import { meta } from './meta.ts';
import { redis } from './redis.ts';
import type { Row } from './play.ts';

export const table: readonly Row[] = [...host, ...redis, ...asynq, ...app, ...meta];

/** Alerts that the table cannot play, and where they are tested instead. */
export const elsewhere: Readonly<Record<string, string>> = {
  Watchdog: 'fires always: tests/meta.yml',
  NothingWatched: 'about all targets at once: tests/meta.yml',
  ProberSilent: 'about all probes at once: tests/meta.yml',
  SloPeriodShortened: 'takes days: tests/meta-days.yml',
  ErrorBudgetBurnFast: 'added up from slices: tests/slo*.yml',
  ErrorBudgetBurnSlow: 'added up from slices: tests/slo*.yml',
};
