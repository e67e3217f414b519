import assert from 'node:assert/strict';
import { test } from 'node:test';
import { incidentId, timeOfId, type Incident } from './incident.ts';
import { called } from './incidents.ts';

const at = Date.UTC(2026, 9, 14, 21, 3, 31) / 1000;

const incident = (onset: number): Incident => ({
  id: incidentId(onset),
  onset: { earliest: onset - 9, latest: onset },
  end: { at: onset + 60, how: 'measured' },
  signs: [],
});

test('incidents: a name finds its incident though the boot is dated a second off the next time', () => {
  const all = [incident(at - 3600), incident(at), incident(at + 4)];
  for (const [name, onset] of [
    [at, at],
    [at + 4, at + 4],
    [at - 1, at],
    [at + 1, at],
    [at + 3, at + 4],
    [at - 3605, at - 3600],
  ] as const)
    assert.equal(called(all, incidentId(name))?.onset.latest, onset, `${name - at}`);
  for (const name of [at - 6, at - 60, at + 10])
    assert.equal(called(all, incidentId(name)), undefined);
  assert.equal(called(all, 'x'), undefined);
  assert.equal(timeOfId(incidentId(at + 0.7)), at);
});
