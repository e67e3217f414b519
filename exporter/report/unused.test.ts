/** What was named and could not be used is said on the terminal. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { noFacts, source } from '../../tools/rig/report/build.ts';
import { unusedLines } from './unused.ts';

const none = { journal: undefined, kernLog: [], sysstat: [], redisLog: [] };
const problems = ['its times have no zone', 'it is binary'];

test('what was named and is of no use is said, and what was only looked for is not', () => {
  const missing = [
    { what: 'the flight recorder: a.json', why: 'it is no evidence: expected JSON', named: true },
    { what: 'sysstat', why: 'there are no files of it' },
  ] as const;
  const sources = [
    { ...source('p', 'prometheus', 'http://127.0.0.1:9', 0), problems: ['ECONNREFUSED'] },
    { ...source('r', 'redis_log', 'named.log', 0), problems },
    { ...source('s', 'redis_log', 'found.log', 0), problems },
    { ...source('t', 'redis_log', 'half.log', 5), problems },
  ];
  const options = { ...none, redisLog: ['named.log', 'half.log'] };
  assert.deepEqual(unusedLines({ ...noFacts, missing, sources }, options), [
    'not used: the flight recorder: a.json: it is no evidence: expected JSON',
    'not used: http://127.0.0.1:9: ECONNREFUSED',
    'not used: named.log: it is binary',
  ]);
});

test('hostile names stay one line, and many stay few', () => {
  const missing = Array.from({ length: 13 }, (_, i) => ({
    what: `x\n\u001b[31m${i}`,
    why: 'z'.repeat(5000),
    named: true as const,
  }));
  const lines = unusedLines({ ...noFacts, missing }, none);
  assert.equal(lines.length, 11);
  assert.equal(lines.at(-1), 'and 3 more in report.md');
  assert.ok(lines.every((line) => line.length <= 520 && !/\p{C}/u.test(line)));
});
