import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { EvidenceAnswer, EvidenceIncident } from './format.ts';
import { parseEvidence, parseEvidenceFile } from './parse.ts';

const incident: EvidenceIncident = {
  id: 'bbbbbbbb-1111-2222-3333-444444444444-1370',
  formerIds: [],
  state: 'open',
  onset: { earliest: 1360.5, latest: 1370 },
  openedBy: [{ time: 1371, rule: 'redis_frozen' }],
  cause: { name: 'page_in_stuck', text: 'Your host has paged out memory of this machine.' },
  kernel: [
    {
      kind: 'hung_task',
      time: 1490,
      last: 1610,
      count: 2,
      hash: 'ab12',
      seconds: 240,
      lines: ['INFO: task redis-server:160 blocked for more than 120 seconds.'],
    },
  ],
  tasks: [
    {
      comm: 'redis-server',
      state: 'D',
      wchan: 'kvm_async_pf_task_wait_schedule',
      reason: 'host_page_in',
      since: 1370.2,
      last: 1611,
    },
  ],
  redis: { states: [{ time: 1371, state: 'frozen' }], reason: 'It does not answer.' },
  rescues: [{ time: 1490, result: 'released', cpus: [0, 1], text: 'It was written.' }],
  samples: { columns: ['time', 'redis_state'], parts: [{ step: 1, rows: [[1371, 2]] }] },
};

const answer: EvidenceAnswer = {
  schema: 1,
  machine: { hostname: 'vm' },
  boot: { id: 'bbbbbbbb-1111-2222-3333-444444444444', start: 1_700_000_000 },
  exporter: { version: '0.0.0', start: 20 },
  now: { wall: 1_700_001_371, monotonic: 1371 },
  incidents: [incident],
};

const withIncident = (change: object) =>
  JSON.stringify({ ...answer, incidents: [{ ...incident, ...change }] });

test('evidence: what was written is read, and what a later version adds is left out', () => {
  assert.deepEqual(parseEvidence(JSON.stringify(answer)), answer);
  const { end: _, ...later } = { ...incident, end: undefined, colour: 'red' };
  assert.deepEqual(parseEvidence(JSON.stringify({ ...answer, incidents: [later] })), answer);
  const file = { ...answer, host: 'vps', fetched: 1_700_001_372 };
  assert.deepEqual(parseEvidenceFile(JSON.stringify(file)), file);
});

test('evidence: what is not as expected is refused by its place', () => {
  const refused: readonly (readonly [string, RegExp])[] = [
    ['', /^expected JSON$/],
    ['{"schema":1', /^expected JSON$/],
    ['[]', /: expected an object$/],
    [JSON.stringify({ ...answer, schema: 2 }), /^schema: expected 1$/],
    [JSON.stringify({ ...answer, incidents: {} }), /^incidents: expected a list$/],
    [
      JSON.stringify({ ...answer, incidents: Array.from({ length: 65 }, () => incident) }),
      /^incidents: expected at most 64 entries$/,
    ],
    [withIncident({ id: '../../etc/passwd' }), /^incidents\[0\]\.id: expected letters, digits/],
    [withIncident({ id: '..' }), /^incidents\[0\]\.id/],
    [withIncident({ id: 'a'.repeat(81) }), /^incidents\[0\]\.id/],
    [withIncident({ id: 'a\n' }), /^incidents\[0\]\.id/],
    [withIncident({ formerIds: ['a/b'] }), /^incidents\[0\]\.formerIds\[0\]/],
    [withIncident({ onset: { earliest: '1', latest: 2 } }), /onset\.earliest: expected a number$/],
    [withIncident({ state: 'OPEN' }), /state: expected open or closed$/],
    [
      withIncident({ samples: { columns: ['time', 'x'], parts: [{ step: 1, rows: [[1]] }] } }),
      /row 0 is not as wide/,
    ],
    [
      withIncident({ samples: { columns: ['x'], parts: [] } }),
      /expected the time as first column$/,
    ],
  ];
  for (const [json, message] of refused) {
    assert.throws(() => parseEvidence(json), { message }, json.slice(0, 200));
  }
});

test('evidence: a prototype is no field, and a number that JSON reads as Infinity is none', () => {
  const evil = `{"__proto__":${JSON.stringify(answer)}}`;
  assert.throws(() => parseEvidence(evil), { message: /^schema/ });
  const huge = JSON.stringify(answer).replace('"wall":1700001371', '"wall":1e999');
  assert.throws(() => parseEvidence(huge), { message: 'now.wall: expected a number' });
});

test('evidence: a text without end is cut, a list without end refused', () => {
  const read = parseEvidence(withIncident({ cause: { name: 'disk', text: 'x'.repeat(1e6) } }));
  assert.equal(read.incidents[0]?.cause.text.length, 1000);
  const lines = Array.from({ length: 300 }, () => 'x');
  assert.throws(() => parseEvidence(withIncident({ kernel: [{ ...incident.kernel[0], lines }] })), {
    message: /lines: expected at most 256 entries$/,
  });
});
