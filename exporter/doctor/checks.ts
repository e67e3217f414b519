/** Every check, in the order of what would have shortened a freeze most. */
import type { Check } from './check.ts';
import { kernelChecks, optionalProof, proofChecks } from './kernel.ts';

export const checks: readonly Check[] = [...proofChecks, ...kernelChecks, ...optionalProof];
