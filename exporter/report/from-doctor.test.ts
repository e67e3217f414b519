import assert from 'node:assert/strict';
import { test } from 'node:test';
import { noFacts } from '../../tools/rig/report/build.ts';
import { advice, notTried, type Result, type State, tried } from '../doctor/check.ts';
import { askDoctor, missingFrom, withDoctor } from './from-doctor.ts';
import type { Facts } from './facts/facts.ts';
import { leftOutLocal } from './sources/local.ts';

const result = (state: State, mend: Result['mend'] = []): Result => ({
  id: state,
  title: `title ${state}`,
  why: 'why',
  state,
  reason: `reason ${state}`,
  question: false,
  mend,
});

test('report: what is missing is what the doctor says fails, with what mends it', () => {
  const others = [result('pass'), result('warn'), result('cannot_see')];
  const what = 'title fail';
  const why = 'reason fail';
  assert.deepEqual(missingFrom(others), []);
  assert.deepEqual(missingFrom([...others, result('fail')]), [{ what, why }]);
  for (const [mend, rest] of [
    [tried('a', 'b'), { why, command: 'a && b' }],
    [
      [...tried('a'), ...notTried('b'), ...advice('and c')],
      { why: `${why}; and c`, command: 'a && b' },
    ],
    [advice('read c'), { why: `${why}; read c` }],
  ] as const) {
    assert.deepEqual(missingFrom([result('fail', mend)]), [{ what, ...rest }]);
  }
});

const facts = (missing: Facts['missing']): Facts => ({ ...noFacts, missing });

test('report: the doctor of this machine says nothing of another one', async () => {
  const found = [{ what: 'a', why: 'b' }];
  const own = { what: 'kern.log', why: 'not there' };
  assert.deepEqual(withDoctor(facts([own]), found).missing, [own, ...found]);
  const same = { what: 'journal', why: 'not kept', command: 'mkdir x' };
  assert.deepEqual(withDoctor(facts([{ ...own, command: 'mkdir x' }]), [same]).missing.length, 1);
  assert.deepEqual(withDoctor(facts([leftOutLocal]), found).missing, [leftOutLocal]);
  const usual = { root: '/', lastBoot: true, kernLog: [], sysstat: [], redisLog: [] };
  const env = { REDIS_URL: 'redis://127.0.0.1:1', STEALWATCH_LISTEN: '127.0.0.1:1' };
  for (const elsewhere of [
    { root: '/somewhere' },
    { journal: '/somewhere' },
    { kernLog: ['/somewhere/kern.log'] },
    { sysstat: ['/somewhere/sa01'] },
    { redisLog: ['/somewhere/redis.log'] },
  ]) {
    assert.deepEqual(await askDoctor({ ...usual, ...elsewhere }, env), []);
  }
  assert.deepEqual(await askDoctor(usual, { ...env, STEALWATCH_LISTEN: 'wrong' }), []);
  const here = await askDoctor(usual, env);
  assert.ok(here.some(({ what, why }) => what === 'Redis answers' && why.includes('ECONNREFUSED')));
});
