/** Text before or after what a parser wants makes it something else, and that is told. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseLoadavg } from './loadavg.ts';
import { parseListening } from './net-tcp.ts';
import { parseSchedstat } from './schedstat.ts';
import { parseTaskStatus } from './task-status.ts';

test('strangers: before and after one record', () => {
  parseLoadavg('0.20 0.18 0.12 1/80 11206\n');
  parseSchedstat('1000 20 3\n');
  for (const [parse, texts] of [
    [parseLoadavg, ['x0.20 0.18 0.12 1/80 11206\n', ' 0.20 0.18 0.12 1/80 11206\n', '0.20x 0.18']],
    [parseSchedstat, ['x1000 20 3\n', '1000 20 3x\n', '1000 20 3 4\n', '\n1000 20 3\n']],
  ] as const) {
    for (const text of texts) assert.throws(() => parse(text), /unexpected text/, text);
  }
});

test('strangers: fields of status whose names end like those that are wanted', () => {
  const text = [
    'xUid:\t7\t7\t7\t7',
    'xNSpid:\t9',
    'xCapEff:\tffffffffffffffff',
    'nonvoluntary_ctxt_switches:\t100',
    'Uid:\t1\t2\t3\t4',
    'NSpid:\t300\t5',
    'CapEff:\t0000000000080000',
    'voluntary_ctxt_switches:\t1',
    'Xvoluntary_ctxt_switches:\t5000',
    '',
  ].join('\n');
  assert.deepEqual(parseTaskStatus(text), {
    contextSwitches: 101,
    uid: 1,
    innermostPid: 5,
    capabilities: 0x80000n,
  });
});

test('strangers: the head of a socket table in the middle of a line is no head', () => {
  assert.throws(() => parseListening('x  sl  local_address\n'), /unexpected line "x/);
  assert.deepEqual(parseListening('  sl  local_address rem_address\n').sockets, []);
});
