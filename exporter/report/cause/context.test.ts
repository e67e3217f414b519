import assert from 'node:assert/strict';
import { test } from 'node:test';
import { boot, noFacts, source, time } from '../../../tools/rig/report/build.ts';
import { contextOf, kernelLogOver } from './context.ts';

test('context: a kernel log whose beginning is lost says nothing of what was before', () => {
  const from = time('2026-10-14 21:00:00');
  const over = (since?: number) => {
    const log = source('journal', 'kernel_log', 'ring');
    const facts = {
      ...noFacts,
      sources: [since === undefined ? log : { ...log, since }],
      boots: [boot('b', '2026-10-14 08:00:00')],
    };
    const incident = {
      id: 'x',
      onset: { earliest: from, latest: from },
      end: { at: from + 60, how: 'measured' as const },
      signs: [],
    };
    return kernelLogOver(contextOf(facts, incident, from + 9000))?.id;
  };
  assert.equal(over(), 'journal');
  assert.equal(over(from - 1), 'journal');
  assert.equal(over(from + 1), undefined);
});
