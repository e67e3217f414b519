/** The rows of alerts/rules/app.yml. */
import type { Row } from './play.ts';
import { machine } from './reasons.ts';

export const app: readonly Row[] = [
  {
    alert: 'HealthEndpointLies',
    file: 'app.yml',
    inputs: [
      { series: 'stealwatch_app_health_status_code{app="shop"}', good: 200, bad: 200 },
      { series: 'stealwatch_app_health_lying{app="shop"}', good: 0, bad: 1 },
    ],
    fires: 30,
    lasts: 60,
    ends: 60,
    free: machine,
    except: { 'one nan': [false, 'asked every 5 s, and never NaN'] },
  },
  {
    alert: 'ProbeFailed',
    file: 'app.yml',
    job: 'stealwatch-probe',
    inputs: [{ series: 'probe_success', good: 1, bad: 0 }],
    fires: 46,
    lasts: 60,
    ends: 90,
    except: { zero: [true, 'has never answered'] },
  },
];
