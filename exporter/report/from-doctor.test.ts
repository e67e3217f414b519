import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startSink } from '../../tools/rig/http-sink.ts';
import { noFacts } from '../../tools/rig/report/build.ts';
import { advice, notTried, type Result, type State, tried } from '../doctor/check.ts';
import { askDoctor, askRecorder, missingFrom, withDoctor } from './from-doctor.ts';
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

const usual = { root: '/', lastBoot: false, kernLog: [], sysstat: [], redisLog: [] };
const env = { REDIS_URL: 'redis://127.0.0.1:1', STEALWATCH_LISTEN: '127.0.0.1:1' };
const otherPlaces = [
  { root: '/somewhere' },
  { journal: '/somewhere' },
  { kernLog: ['/somewhere/kern.log'] },
  { sysstat: ['/somewhere/sa01'] },
  { redisLog: ['/somewhere/redis.log'] },
];

test('report: the exporter of this machine is asked for what it holds, unless another place is named', async (t) => {
  const sink = await startSink((request, response) => {
    const { authorization } = request.headers;
    if (authorization === 'Bearer wrong') response.writeHead(401).end();
    else response.end(`${request.url} ü`);
  });
  t.after(() => sink.close());
  const running = { ...env, STEALWATCH_LISTEN: new URL(sink.url).host };
  const name = `${sink.url}/evidence`;
  assert.deepEqual(await askRecorder(usual, running), { name, text: '/evidence ü' });
  const refused = await askRecorder(usual, { ...running, STEALWATCH_EXPORTER_TOKEN: 'wrong' });
  assert.ok(refused !== undefined && 'problem' in refused);
  assert.match(refused.problem, /does not take the credentials/);
  const asked = sink.requests.length;
  for (const elsewhere of [...otherPlaces, { lastBoot: true }, { evidence: '/somewhere' }]) {
    assert.equal(await askRecorder({ ...usual, ...elsewhere }, running), undefined);
  }
  assert.equal(await askRecorder(usual, { ...env, STEALWATCH_LISTEN: 'wrong' }), undefined);
  assert.equal(sink.requests.length, asked);
  const nobody = await askRecorder(usual, env);
  assert.ok(nobody !== undefined && 'problem' in nobody);
  assert.match(nobody.problem, /ECONNREFUSED/);
});

test('report: the doctor of this machine says nothing of another one', async () => {
  const found = [{ what: 'a', why: 'b' }];
  const own = { what: 'kern.log', why: 'not there' };
  assert.deepEqual(withDoctor(facts([own]), found).missing, [own, ...found]);
  const same = { what: 'journal', why: 'not kept', command: 'mkdir x' };
  assert.deepEqual(withDoctor(facts([{ ...own, command: 'mkdir x' }]), [same]).missing.length, 1);
  assert.deepEqual(withDoctor(facts([leftOutLocal]), found).missing, [leftOutLocal]);
  for (const elsewhere of otherPlaces) {
    assert.deepEqual(await askDoctor({ ...usual, ...elsewhere }, env), []);
  }
  assert.deepEqual(await askDoctor(usual, { ...env, STEALWATCH_LISTEN: 'wrong' }), []);
  const here = await askDoctor(usual, env);
  assert.ok(here.some(({ what, why }) => what === 'Redis answers' && why.includes('ECONNREFUSED')));
});
