/** alerts/slo.yml as it is: what rules, dashboards and documents are made from. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { readSloSpec, type SloSpec } from './spec.ts';

export const shippedSpec = (): SloSpec =>
  readSloSpec(readFileSync(join(import.meta.dirname, '..', 'slo.yml'), 'utf8'));
