import { generatedAlerts } from './alerts.ts';
import { generatedDashboards } from './dashboards.ts';
import { generatedDoctor } from './doctor.ts';
import type { GeneratedFiles } from './files.ts';
import { generatedMetrics } from './metrics.ts';
import { generatedSettings } from './settings.ts';
import { generatedVersion } from './version.ts';
import { proofOf, readRecorded } from '../lab/proof.ts';

/** Everything that is generated and committed, but what needs servers and minutes. */
export async function generatedFiles(): Promise<GeneratedFiles> {
  return new Map([
    ...generatedAlerts(),
    ...generatedDashboards(),
    ...generatedDoctor(),
    ...(await generatedMetrics()),
    ...generatedSettings(),
    ...generatedVersion(),
    ['docs/proof.md', proofOf(readRecorded())],
  ]);
}
