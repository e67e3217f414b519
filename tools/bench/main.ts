/**
 * `npm run bench [NAME...]`: figures, never pass or fail. Run it on a quiet machine, and read
 * ratios rather than times.
 */
import { benchAsynq } from './asynq.ts';
import { benchDashboards } from './dashboards.ts';
import { benchCost } from './cost.ts';
import { benchEvidence } from './evidence.ts';
import { benchFleet } from './fleet.ts';
import { benchFreeze } from './freeze.ts';
import { benchReport } from './report.ts';
import { benchStall } from './stall.ts';

const benches: Readonly<Record<string, () => Promise<void>>> = {
  cost: benchCost,
  freeze: benchFreeze,
  dashboards: benchDashboards,
  asynq: benchAsynq,
  stall: benchStall,
  report: benchReport,
  evidence: benchEvidence,
  fleet: benchFleet,
};

const asked = process.argv.slice(2);
const unknown = asked.filter((name) => !(name in benches));
if (unknown.length > 0) {
  console.error(`no benchmark ${unknown.join(', ')}; there are ${Object.keys(benches).join(', ')}`);
  process.exit(2);
}
for (const [name, bench] of Object.entries(benches)) {
  if (asked.length > 0 && !asked.includes(name)) continue;
  console.log(`\n== ${name} ==`);
  await bench();
}
