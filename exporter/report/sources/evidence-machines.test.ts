import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { placed, temporaryRoot } from '../../../tools/rig/temporary-root.ts';
import type { EvidenceFile, EvidenceIncident } from '../../evidence/format.ts';
import { createPseudoFs } from '../../procfs/reader.ts';
import type { Facts } from '../facts/facts.ts';
import { gather } from './index.ts';

const start = Date.UTC(2026, 9, 12, 6) / 1000;
const oneBoot = '11111111-2222-3333-4444-555555555555';
const otherBoot = '99999999-2222-3333-4444-555555555555';

const incident = (id: string, from: number, to: number): EvidenceIncident => ({
  id,
  formerIds: [],
  state: 'open',
  onset: { earliest: from, latest: from },
  openedBy: [{ time: from, rule: 'redis_frozen' }],
  cause: { name: 'own_load', text: 'x' },
  kernel: [],
  tasks: [],
  samples: {
    columns: ['time', 'redis_state'],
    parts: [{ step: 1, rows: Array.from({ length: to - from }, (_, i) => [from + i + 1, 2]) }],
  },
});

interface Kept {
  readonly boot: string;
  /** When it began, after `start`. */
  readonly booted?: number;
  readonly incident: EvidenceIncident;
  /** Of the boot, and of the clock of the prober. */
  readonly now: number;
}

const fileOf = ({ boot, booted = 0, incident: one, now }: Kept): EvidenceFile => ({
  schema: 1,
  host: 'db-1',
  fetched: start + booted + now + 1,
  machine: { hostname: 'shop' },
  boot: { id: boot, start: start + booted },
  exporter: { version: '0.1.0', start: 60 },
  now: { wall: start + booted + now, monotonic: now },
  incidents: [one],
});

async function factsOf(
  root: string,
  files: Readonly<Record<string, Kept>>,
  evidence = 'kept',
): Promise<Facts> {
  for (const [path, kept] of Object.entries(files))
    placed(root, `kept/${path}`, JSON.stringify(fileOf(kept)));
  const options = { root, lastBoot: false, kernLog: [], sysstat: [], redisLog: [] };
  return gather(
    { ...options, evidence: join(root, evidence) },
    { env: {}, now: () => start + 90_000, uid: 0, procfs: createPseudoFs('/nowhere') },
  );
}

const seconds = ({ series }: Facts): number[] =>
  series
    .filter(({ measure }) => measure === 'redis_up')
    .map(({ points }) => points.length)
    .sort((a, b) => a - b);

const whyNot = ({ missing }: Facts): string | undefined => missing.find(({ named }) => named)?.why;

const first = { boot: oneBoot, incident: incident('a-3000', 3000, 3100), now: 3100 };

test('evidence: two probers of one machine tell one story, with what either of them knew', async (t) => {
  const renamed = { ...incident('a-2990', 3050, 3200), formerIds: ['a-3000'] };
  const facts = await factsOf(temporaryRoot(t), {
    'here/a-3000.json': first,
    'there/a-2990.json': { ...first, incident: renamed, now: 3200 },
  });
  assert.equal(whyNot(facts), undefined);
  assert.deepEqual(seconds(facts), [200]);
  assert.equal(facts.recorded.length, 1);
  assert.equal(facts.sources.length, 2, 'both are named');
  assert.equal(new Set(facts.sources.map(({ id }) => id)).size, 2);
});

test('evidence: boots and incidents one after the other are of one machine, wherever they lie', async (t) => {
  const facts = await factsOf(temporaryRoot(t), {
    'here/a-3000.json': first,
    'here/a-5000.json': { ...first, incident: incident('a-5000', 5000, 5050), now: 5100 },
    'there/b-500.json': {
      boot: otherBoot,
      booted: 5060,
      incident: incident('b-500', 500, 530),
      now: 600,
    },
  });
  assert.equal(whyNot(facts), undefined);
  assert.deepEqual(seconds(facts), [30, 50, 100]);
});

test('evidence: two machines with one label are not mixed, and what to name is said', async (t) => {
  const root = temporaryRoot(t);
  const second = {
    boot: otherBoot,
    booted: 1000,
    incident: incident('b-2500', 2500, 2600),
    now: 2600,
  };
  const apart = await factsOf(root, { 'here/a-3000.json': first, 'there/b-2500.json': second });
  assert.deepEqual([apart.series, apart.recorded, apart.boots], [[], [], []]);
  const folders = ['here', 'there'].map((name) => join(root, 'kept', name)).join(', ');
  assert.match(whyNot(apart) ?? '', /^its files are of 2 machines under one name/);
  assert.ok(whyNot(apart)?.endsWith(`name one with --evidence (${folders})`), whyNot(apart));
  const one = await factsOf(root, {}, 'kept/there');
  assert.deepEqual([whyNot(one), seconds(one)], [undefined, [100]]);
  // Of a prober that was told twice of one label.
  const both = await factsOf(root, { 'here/b-2500.json': second }, 'kept/here');
  const files = ['a-3000', 'b-2500'].map((name) => join(root, 'kept/here', `${name}.json`));
  assert.ok(whyNot(both)?.endsWith(`(${files.join(', ')})`), whyNot(both));
});
