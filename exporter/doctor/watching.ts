/** Who notices a freeze, and who is told: what costs hours where it is missing. */
import { durationText } from '../measure/duration.ts';
import { messageOf } from '../measure/errors.ts';
import {
  cannotSee,
  type Check,
  fail,
  notTried,
  type Outcome,
  pass,
  warn,
  advice,
} from './check.ts';
import type { AlertmanagerFacts, Way } from './alertmanager.ts';
import type { ExporterFacts } from './exporter.ts';
import type { Machine } from './machine.ts';

const startExporter = [
  ...notTried('systemctl enable --now stealwatch'),
  ...advice('or, where it runs in Docker, docker compose up -d exporter'),
];

const exporterRuns: Check = {
  id: 'exporter',
  title: 'The exporter answers',
  why: 'It is what sees a freeze within seconds. Without it there is only what the machine keeps by itself, to be read after the reboot.',
  source: 'GET /status and /metrics of --exporter',
  mends: [startExporter],
  async check(machine) {
    try {
      await machine.exporter();
      return pass('it does');
    } catch (error) {
      return fail(messageOf(error), startExporter);
    }
  },
};

/** What rests on the exporter cannot be seen without it, and the check above says why. */
async function exporterOf(machine: Machine): Promise<ExporterFacts> {
  try {
    return await machine.exporter();
  } catch (error) {
    throw new Error('the exporter does not answer', { cause: error });
  }
}

const watchFromOutside = advice(
  'set STEALWATCH_HEARTBEAT_URL to a check of healthchecks.io or Uptime Kuma and restart the exporter',
  'or let Prometheus on another machine scrape this one: docs/watching-from-outside.md',
);

const recentSeconds = 60;

const outside: Check = {
  id: 'outside-monitoring',
  title: 'Somebody outside notices',
  why: 'A monitor on the machine it watches freezes with it: in the outage that made this project nobody was paged for hours.',
  source: "the exporter: who asked for /metrics or /status, and its last heartbeat's answer",
  mends: [watchFromOutside],
  async check(machine) {
    const { askedSecondsAgo, check } = await exporterOf(machine);
    const { fromElsewhere: asked, throughGateway: hidden } = askedSecondsAgo;
    const beating = check('heartbeat')?.state === 'sent';
    if (asked !== undefined && asked <= recentSeconds) {
      return pass(`asked from another machine ${durationText(asked)} ago`);
    }
    if (beating) return pass('the watcher outside took the last heartbeat');
    if (hidden !== undefined && hidden <= recentSeconds) {
      return cannotSee(
        "it is asked through the gateway of its container, behind which anybody may be, this machine's own Prometheus too",
        watchFromOutside,
      );
    }
    const when =
      asked === undefined
        ? 'nobody from another machine has asked the exporter'
        : `nobody from another machine has asked the exporter for ${durationText(asked)}`;
    return fail(`${when}, and no heartbeat arrives anywhere`, watchFromOutside);
  },
};

const setHeartbeat = advice(
  'set STEALWATCH_HEARTBEAT_URL to a check of healthchecks.io or Uptime Kuma and restart the exporter',
);

const heartbeat: Check = {
  id: 'heartbeat',
  title: "A dead man's switch",
  why: 'It pages when the beats stop, so it needs nothing here to work at the moment it matters: not Prometheus, not a network in, not the exporter.',
  source: "the exporter's /status, check heartbeat",
  mends: [setHeartbeat],
  async check(machine) {
    const found = (await exporterOf(machine)).check('heartbeat');
    if (found === undefined) return warn('none is configured', setHeartbeat);
    if (found.state === 'none') return cannotSee('the exporter has only just started');
    return found.ok ? pass(found.reason) : fail(found.reason, setHeartbeat);
  },
};

const proveRoute = [
  ...notTried('amtool alert add Test severity=page --alertmanager.url=URL'),
  ...advice('and wait for your phone'),
];
const nameAlertmanager = notTried('stealwatch doctor --alertmanager http://HOST:9093');

/** Of the notifications; a few fail on any network, and are told. */
const manyFailed = 0.1;

const failures = ({ name, failed, sent }: Way) =>
  `${failed} of ${sent} notifications by ${name} failed since its start`;

/** Whether what was sent has arrived. The beats are told to a machine, and hide a page among them. */
function deliveryOutcome(ways: readonly Way[]): Outcome {
  const broken = ways.find(({ failed, sent }) => failed > sent * manyFailed);
  if (broken !== undefined) return fail(failures(broken), proveRoute);
  const weak = ways.find(({ failed }) => failed > 0);
  if (weak !== undefined) return warn(failures(weak), proveRoute);
  const untold = ways.filter(({ beats }) => !beats).reduce((all, { sent }) => all + sent, 0);
  const hiding = ways.find(({ beats, sent }) => beats && sent > 0);
  if (untold > 0) {
    return pass(`${untold} notifications since its start, none failed, and the Watchdog fires`);
  }
  if (hiding !== undefined) {
    return cannotSee(
      `the Watchdog's beats go by ${hiding.name} too, so its ${hiding.sent} notifications do not say that a page arrived`,
      proveRoute,
    );
  }
  return warn('it has told nobody anything yet', proveRoute);
}

function routeOutcome({ receivers, watchdog, silenced, ways }: AlertmanagerFacts): Outcome {
  const empty = receivers.filter(({ ways }) => ways === 0).map(({ name }) => name);
  if (empty.length === receivers.length) {
    return fail(`its receivers tell nobody: ${empty.join(', ')}`, proveRoute);
  }
  if (!watchdog)
    return fail('the Watchdog is not firing: Prometheus does not reach it', proveRoute);
  const delivery = deliveryOutcome(ways);
  if (delivery.state === 'fail') return delivery;
  if (empty.length > 0) return warn(`what goes to ${empty.join(', ')} tells nobody`, proveRoute);
  if (silenced) {
    return warn('the Watchdog is silenced there: look what else is', proveRoute);
  }
  return delivery;
}

const alertRoute: Check = {
  id: 'alert-route',
  title: 'An alert reaches a person',
  why: 'Everything can be measured and nobody told: a receiver that is empty, a webhook that was deleted, a Prometheus that does not reach Alertmanager.',
  source:
    'Alertmanager: /api/v2/status, receivers, alerts, and its own count of failed notifications',
  mends: [proveRoute, nameAlertmanager],
  async check(machine) {
    let facts: AlertmanagerFacts | undefined;
    try {
      facts = await machine.alertmanager();
    } catch (error) {
      return fail(messageOf(error), proveRoute);
    }
    if (facts === undefined) {
      return cannotSee(
        'no --alertmanager was named, and it runs elsewhere as it should',
        nameAlertmanager,
      );
    }
    return routeOutcome(facts);
  },
};

const watchApp = advice(
  'set STEALWATCH_APPS=shop=http://127.0.0.1:8080/health and restart the exporter',
);
const mendApp = advice('read docs/runbooks/HealthEndpointLies.md');

const healthEndpoint: Check = {
  id: 'health-endpoint',
  title: "The application's health endpoint tells the truth",
  why: 'One that says 200 while Redis is frozen kept the outage invisible: every load balancer and every monitor believed it.',
  source: "the exporter's stealwatch_app_health_lying",
  mends: [watchApp, mendApp],
  async check(machine) {
    const { samples } = await exporterOf(machine);
    const apps = samples('stealwatch_app_health_lying');
    const unknown = apps.filter(({ value }) => value !== 0 && value !== 1);
    const lying = apps.filter(({ value }) => value === 1).map(({ labels }) => labels['app']);
    if (lying.length > 0) {
      return fail(`${lying.join(', ')} says all is well while Redis does not answer`, mendApp);
    }
    if (apps.length === 0) return warn('not tested: no application is named', watchApp);
    if (unknown.length > 0) {
      const untold = unknown.map(({ labels }) => labels['app']).join(', ');
      return cannotSee(`${untold}: the exporter cannot tell now`);
    }
    const names = apps.map(({ labels }) => labels['app']).join(', ');
    return pass(`${names}: not lying now; what it says of a frozen Redis shows in a freeze only`);
  },
};

export const watchingChecks: readonly Check[] = [exporterRuns, outside, alertRoute, healthEndpoint];
export const deadMansSwitch: Check = heartbeat;
