/** Rows of who notices and who is told. */
import { type Row, told } from './row.ts';

const beat = (state: string, ok: boolean, reason: string) => ({
  exporter: { checks: [{ name: 'heartbeat', state, ok, reason }] },
});

const lying = (...rows: readonly string[]) => ({
  exporter: { metrics: rows.map((row) => `stealwatch_app_health_lying${row}\n`).join('') },
});

const alertmanager = {
  receivers: [{ name: 'people', ways: 1 }],
  failed: 0,
  sent: 12,
  watchdog: true,
};

export const watchingRows: readonly Row[] = [
  {
    id: 'redis',
    state: 'pass',
    said: /^redis:\/\/redis:6379, version 7\.2\.5$/,
    told: told({}, 'redis_version:7.2.5'),
  },
  { id: 'redis', state: 'fail', said: /no answer within 1500 ms/ },

  { id: 'exporter', state: 'pass', said: /it does/, told: { exporter: {} } },
  { id: 'exporter', state: 'fail', said: /^http:\/\/127\.0\.0\.1:10190: no answer/ },

  {
    id: 'outside-monitoring',
    state: 'pass',
    said: /another machine 12 s ago/,
    told: { exporter: { asked: { fromElsewhere: 12 } } },
  },
  {
    id: 'outside-monitoring',
    state: 'pass',
    said: /took the last heartbeat/,
    told: beat('sent', true, 'sent'),
  },
  {
    id: 'outside-monitoring',
    state: 'fail',
    said: /has asked the exporter, and no heartbeat/,
    told: { exporter: {} },
  },
  {
    id: 'outside-monitoring',
    state: 'fail',
    said: /has asked the exporter for 61 s/,
    told: { exporter: { asked: { fromElsewhere: 61 } } },
  },
  {
    id: 'outside-monitoring',
    state: 'fail',
    said: /no heartbeat/,
    told: beat('failed', false, 'HTTP 404'),
  },
  {
    id: 'outside-monitoring',
    state: 'cannot_see',
    said: /gateway of its container/,
    told: { exporter: { asked: { throughGateway: 1 } } },
  },
  { id: 'outside-monitoring', state: 'cannot_see', said: /^the exporter does not answer$/ },

  { id: 'alert-route', state: 'pass', said: /12 notifications/, told: { alertmanager } },
  {
    id: 'alert-route',
    state: 'warn',
    said: /^what goes to night tells nobody$/,
    told: {
      alertmanager: {
        ...alertmanager,
        receivers: [...alertmanager.receivers, { name: 'night', ways: 0 }],
      },
    },
  },
  {
    id: 'alert-route',
    state: 'warn',
    said: /1 of 12 notifications failed/,
    told: { alertmanager: { ...alertmanager, failed: 1 } },
  },
  {
    id: 'alert-route',
    state: 'warn',
    said: /told nobody anything/,
    told: { alertmanager: { ...alertmanager, sent: 0 } },
  },
  {
    id: 'alert-route',
    state: 'fail',
    said: /its receivers tell nobody: people/,
    told: { alertmanager: { ...alertmanager, receivers: [{ name: 'people', ways: 0 }] } },
  },
  {
    id: 'alert-route',
    state: 'fail',
    said: /Watchdog is not firing/,
    told: { alertmanager: { ...alertmanager, watchdog: false } },
  },
  {
    id: 'alert-route',
    state: 'fail',
    said: /3 of 12 notifications failed/,
    told: { alertmanager: { ...alertmanager, failed: 3 } },
  },
  {
    id: 'alert-route',
    state: 'fail',
    said: /ECONNREFUSED/,
    told: { alertmanager: new Error('http://a:9093: ECONNREFUSED') },
  },
  { id: 'alert-route', state: 'cannot_see', said: /no --alertmanager/ },

  {
    id: 'health-endpoint',
    state: 'pass',
    said: /^shop: not lying now/,
    told: lying('{app="shop"} 0'),
  },
  { id: 'health-endpoint', state: 'warn', said: /not tested/, told: { exporter: {} } },
  {
    id: 'health-endpoint',
    state: 'fail',
    said: /^shop says all is well/,
    told: lying('{app="mail"} 0', '{app="shop"} 1'),
  },
  { id: 'health-endpoint', state: 'cannot_see', said: /exporter does not answer/ },

  {
    id: 'heartbeat',
    state: 'pass',
    said: /took it/,
    told: beat('sent', true, 'the watcher took it'),
  },
  { id: 'heartbeat', state: 'warn', said: /none is configured/, told: { exporter: {} } },
  { id: 'heartbeat', state: 'fail', said: /HTTP 404/, told: beat('failed', false, 'HTTP 404') },
  {
    id: 'heartbeat',
    state: 'cannot_see',
    said: /just started/,
    told: beat('none', true, 'no heartbeat yet'),
  },
];
