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
  ways: [{ name: 'telegram', failed: 0, sent: 12, beats: false }],
  watchdog: true,
  silenced: false,
};

const telegram = (failed: number, sent: number) => ({
  alertmanager: { ...alertmanager, ways: [{ name: 'telegram', failed, sent, beats: false }] },
});
const beatsToo = { name: 'webhook', failed: 0, sent: 2000, beats: true };

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
    said: /1 of 12 notifications by telegram failed/,
    told: telegram(1, 12),
  },
  {
    id: 'alert-route',
    state: 'warn',
    said: /told nobody anything/,
    told: telegram(0, 0),
  },
  {
    id: 'alert-route',
    state: 'fail',
    said: /5 of 5 notifications by email failed/,
    told: {
      alertmanager: {
        ...alertmanager,
        ways: [beatsToo, { name: 'email', failed: 5, sent: 5, beats: false }],
      },
    },
  },
  {
    id: 'alert-route',
    state: 'cannot_see',
    said: /beats go by webhook too, so its 2000 notifications do not say that a page arrived/,
    told: { alertmanager: { ...alertmanager, ways: [beatsToo] } },
  },
  {
    id: 'alert-route',
    state: 'warn',
    said: /Watchdog is silenced/,
    told: { alertmanager: { ...alertmanager, silenced: true } },
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
    said: /3 of 12 notifications by telegram failed/,
    told: telegram(3, 12),
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
  {
    id: 'health-endpoint',
    state: 'cannot_see',
    said: /^shop: the exporter cannot tell now$/,
    told: lying('{app="mail"} 0', '{app="shop"} NaN'),
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
