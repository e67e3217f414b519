import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Excerpt } from '../kmsg/excerpts.ts';
import { createIncident } from './incident.ts';
import { createIncidentLog } from './incident-log.ts';

const excerptOf = (lines: readonly string[]): Excerpt => ({
  kind: 'hung_task',
  microseconds: 1730e6,
  pid: 160,
  seconds: 120,
  past: false,
  lines,
});

function logged() {
  const records: { level: string; msg: string; fields: object }[] = [];
  const add = (level: string) => (fields: object, msg: string) =>
    records.push({ level, msg, fields });
  let at = 1601;
  const events = createIncidentLog({ info: add('info'), warn: add('warn') }, () => ({
    wall: 1_700_000_000 + at,
    monotonic: at,
  }));
  const met = {
    rule: 'redis_frozen',
    onset: { earliest: 1600, latest: 1600 },
    last: 1601,
  } as const;
  const incident = createIncident(1, 'b-1600', met, 1601);
  return {
    incident,
    events,
    records,
    to: (second: number) => {
      at = second;
      incident.meet({ ...met, last: second });
    },
  };
}

const bytesOf = (records: readonly { fields: object }[]) =>
  records.reduce((sum, { fields }) => sum + Buffer.byteLength(JSON.stringify(fields)), 0);

test('incident log: its onset, a new word of the kernel, every ten minutes, its end', () => {
  const { incident, events, records, to } = logged();
  events.opened?.(incident);
  events.told?.(incident, excerptOf(['INFO: task a:160 blocked', ' schedule+0x1/0x2']));
  for (let at = 1602; at <= 1601 + 1300; at += 1) {
    to(at);
    events.lasts?.(incident, at);
  }
  events.closed?.(incident);
  assert.deepEqual(
    records.map(({ level, msg }) => `${level} ${msg}`),
    [
      'warn incident began',
      'warn the kernel reports',
      'warn incident goes on',
      'warn incident goes on',
      'info incident is over',
    ],
  );
  assert.deepEqual(records[0]?.fields, {
    incident: 'b-1600',
    since: new Date(1_700_001_600_000).toISOString(),
    lasted: 1,
    met: ['Redis did not answer'],
    verdict: 'unknown',
    reason: 'Nothing was said of the cause.',
  });
  assert.deepEqual(records[1]?.fields, {
    incident: 'b-1600',
    kind: 'hung_task',
    sinceBoot: 1730,
    lines: ['INFO: task a:160 blocked', ' schedule+0x1/0x2'],
  });
  assert.match(JSON.stringify(records.at(-1)), /"lasted":1301,/);
});

test('incident log: no flood fills a disk, and the end is told all the same', () => {
  const { incident, events, records, to } = logged();
  events.opened?.(incident);
  const lines = Array.from({ length: 64 }, (_, i) => `${i} ${'"'.repeat(290)}`);
  for (let i = 0; i < 100; i += 1) events.told?.(incident, excerptOf(lines));
  for (let at = 1602; at <= 1601 + 48 * 3600; at += 600) {
    to(at);
    events.lasts?.(incident, at);
  }
  events.closed?.(incident);
  assert.ok(bytesOf(records) <= 32 * 1024, `${bytesOf(records)}`);
  assert.ok(records.every((record) => bytesOf([record]) <= 4000));
  assert.equal(records.at(-1)?.msg, 'incident is over');
});

test('incident log: what was over before the exporter started is not told again', () => {
  const { incident, events, records } = logged();
  events.told?.(incident, excerptOf(['x']));
  events.lasts?.(incident, 9999);
  events.closed?.(incident);
  assert.deepEqual(records, []);
});
