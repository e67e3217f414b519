/** Every check, in the order of what would have shortened a freeze most. */
import type { Check } from './check.ts';
import { containerChecks } from './container-checks.ts';
import { clockChecks, hostChecks } from './host.ts';
import { kernelChecks, optionalProof, proofChecks } from './kernel.ts';
import { machineChecks, timeChecks } from './machine-checks.ts';
import { lossChecks, persistenceChecks } from './persistence.ts';
import { proofKept } from './proof-kept.ts';
import { questions } from './questions.ts';
import { redisAnswers, redisLimits, redisTraces } from './redis-settings.ts';
import { deadMansSwitch, watchingChecks } from './watching.ts';

export const checks: readonly Check[] = [
  redisAnswers,
  ...watchingChecks,
  deadMansSwitch,
  ...hostChecks,
  ...persistenceChecks,
  ...proofKept,
  ...proofChecks,
  ...containerChecks,
  ...redisTraces,
  ...lossChecks,
  ...kernelChecks,
  ...machineChecks,
  ...redisLimits,
  ...clockChecks,
  ...timeChecks,
  ...optionalProof,
  ...questions,
];
