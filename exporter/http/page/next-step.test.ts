import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { test } from 'node:test';
import type { Check, Stopped } from '../../core/collector.ts';
import { type Verdict, verdicts } from '../../core/verdict.ts';
import { redisStates } from '../../redis/state.ts';
import { type Known, nextStep } from './next-step.ts';

const verdict = (name: Verdict['name']): Verdict => ({ name, severity: 'bad', text: 'x' });
const check = (name: string, state: string, ok = false): Check => ({
  name,
  critical: true,
  ok,
  state,
  reason: 'x',
  sinceSeconds: 0,
  ageSeconds: 0,
});

const quiet: Known = {
  verdict: { ...verdict('quiet'), severity: 'good' },
  checks: [],
  findings: [],
  signals: [],
  incidents: [],
  wall: 100_000,
};

const runbookOf = (more: Partial<Known>) => nextStep({ ...quiet, ...more })?.runbook;

const here = [{ name: 'redis_process', supported: true, reason: 'x' }];

test('next step: whatever is ill has one, and each runbook it names is there', () => {
  const illVerdicts = verdicts.filter((name) => !['unknown', 'quiet'].includes(name));
  const illStates = redisStates.filter((state) => !['up', 'slow'].includes(state));
  const steps = [
    ...illVerdicts.map((name) => nextStep({ ...quiet, verdict: verdict(name) })),
    ...[here, []].flatMap((signals) =>
      illStates.map((state) => nextStep({ ...quiet, signals, checks: [check('redis', state)] })),
    ),
    nextStep({
      ...quiet,
      checks: [check('asynq', 'unserved')],
      findings: [{ severity: 'bad', text: 'x' }],
    }),
    nextStep({ ...quiet, checks: [check('sampler_steal', 'stale')] }),
  ];
  for (const step of steps) {
    assert.ok(step?.runbook !== undefined || step?.command !== undefined);
    assert.match(step.text, /^[A-Z].{5,}[^.]$/);
    if (step.runbook === undefined) continue;
    const file = new URL(`../../../docs/runbooks/${step.runbook}.md`, import.meta.url);
    assert.ok(existsSync(file), step.runbook);
  }
  assert.equal(nextStep(quiet), undefined);
});

test('next step: a page that does not come back first, then Redis, then the rest of the host', () => {
  const checks = [check('redis', 'frozen')];
  assert.equal(runbookOf({ checks, verdict: verdict('page_in_stuck') }), 'PageInStuck');
  assert.equal(runbookOf({ checks, verdict: verdict('cpu_steal') }), 'RedisFrozen');
  assert.equal(runbookOf({ verdict: verdict('cpu_steal') }), 'StealHigh');
  assert.equal(runbookOf({ checks: [check('redis', 'frozen', true)] }), undefined);
});

const stopped: Stopped = { seconds: 9, text: 'x', by: 'signal', pid: 42, seenFrom: 'machine' };
const stoppedStep = (more: Partial<Stopped> = {}, known: Partial<Known> = {}) => {
  const checks = [check('redis', 'frozen')];
  return nextStep({ ...quiet, checks, signals: here, stopped: { ...stopped, ...more }, ...known });
};

test('next step: a Redis that was stopped is let go on, by what ends its stop and where its pid is one', () => {
  assert.deepEqual(stoppedStep(), {
    text: 'Let Redis go on, unless somebody stopped it on purpose',
    command: 'kill -CONT 42',
    runbook: 'RedisFrozen',
  });
  const onHost = stoppedStep({ seenFrom: 'container' });
  assert.equal(onHost?.command, 'kill -CONT 42');
  assert.match(onHost?.text ?? '', /, on the host$/);
  const nowhere = stoppedStep({ seenFrom: 'part' });
  assert.equal(nowhere?.command, undefined, 'another process may have this pid on the host');
  assert.match(nowhere?.text ?? '', /needs SIGCONT, and is pid 42 where this exporter runs$/);
  // No signal ends that stop.
  assert.equal(stoppedStep({ by: 'debugger' })?.command, 'grep TracerPid /proc/42/status');
  assert.match(stoppedStep({ by: 'debugger' })?.text ?? '', /which debugger holds Redis/);
  assert.match(
    stoppedStep({ by: 'debugger', seenFrom: 'part' })?.text ?? '',
    /Redis is pid 42 where this exporter runs$/,
  );
});

test('next step: a stop is known before Redis is missed, beside any load, and not above a lost page', () => {
  assert.equal(stoppedStep({}, { checks: [] })?.command, 'kill -CONT 42');
  assert.equal(stoppedStep({}, { verdict: verdict('own_load') })?.command, 'kill -CONT 42');
  const lost = stoppedStep({}, { verdict: verdict('page_in_lost') });
  assert.equal(lost?.command, 'stealwatch rescue');
});

const frozen = (known: Partial<Known>) =>
  nextStep({ ...quiet, checks: [check('redis', 'frozen')], ...known })?.text ?? '';

test('next step: what a frozen Redis waits for is looked for where it runs', () => {
  assert.doesNotMatch(frozen({ signals: here }), /where it runs/);
  assert.match(
    frozen({ signals: [{ name: 'redis_process', supported: false, reason: 'x' }] }),
    /look where it runs$/,
  );
  assert.match(frozen({}), /look where it runs$/);
});

test('next step: what nobody could look at yet is looked at again, unless something is ill already', () => {
  const pending: Verdict = { ...verdict('unknown'), severity: 'warning', pending: true };
  const signals = [{ name: 'x', supported: false, reason: 'x' }];
  assert.match(nextStep({ ...quiet, verdict: pending, signals })?.text ?? '', /again in a second/);
  assert.equal(runbookOf({ verdict: pending, checks: [check('redis', 'refused')] }), 'RedisDown');
  const { pending: _, ...unknown } = pending;
  assert.match(
    nextStep({ ...quiet, verdict: unknown, signals })?.text ?? '',
    /cannot be seen here/,
  );
});

test('next step: what has no runbook of its own leads to all of them, what is over does not', () => {
  const bad = { severity: 'bad', text: 'The app lies.' } as const;
  assert.equal(runbookOf({ findings: [bad] }), '');
  assert.equal(runbookOf({ checks: [check('procfs', 'wrong')] }), '');
  assert.equal(runbookOf({ findings: [{ ...bad, past: true }] }), undefined);
});

const commandOf = (more: Partial<Known>) => nextStep({ ...quiet, ...more })?.command;

test('next step: it is for what leads the page, and not for what stands below it', () => {
  const bad = { severity: 'bad', text: 'The app lies.' } as const;
  const busy: Verdict = { ...verdict('own_load'), severity: 'warning' };
  const still: Verdict = { ...verdict('kernel_page_in'), ended: true };
  const ended = { ...bad, ended: true } as const;
  assert.equal(commandOf({ verdict: busy }), 'top');
  assert.equal(commandOf({ verdict: busy, findings: [bad] }), undefined);
  assert.equal(commandOf({ verdict: busy, findings: [ended] }), undefined);
  assert.equal(runbookOf({ verdict: verdict('cpu_steal'), findings: [bad] }), 'StealHigh');
  assert.equal(runbookOf({ verdict: still, findings: [ended] }), 'HostStalled');
  assert.equal(runbookOf({ verdict: still, findings: [bad] }), '');
  assert.equal(
    runbookOf({ verdict: still, checks: [check('sampler_x', 'stale')] }),
    'SamplerStale',
  );
  assert.equal(runbookOf({ verdict: still, checks: [check('redis', 'refused')] }), 'RedisDown');
});

test('next step: queues that nobody serves have their own', () => {
  const checks = [{ ...check('asynq', 'unserved'), critical: false }];
  const late = { severity: 'bad', text: 'q: 1 task waiting.' } as const;
  assert.equal(runbookOf({ checks, findings: [late] }), 'AsynqNoConsumers');
  assert.equal(runbookOf({ checks }), undefined, 'a deploy');
});

test('next step: of an incident of the last day the report, and nothing of one under way', () => {
  const cause = { name: 'quiet', text: 'x' };
  const past = { id: 'a', began: 96_340, seconds: 60, open: false, met: ['x'], cause };
  assert.deepEqual(nextStep({ ...quiet, incidents: [past] }), {
    text: 'An incident ended 60 min ago, ticket and post-mortem draft',
    command: 'stealwatch report',
  });
  assert.equal(nextStep({ ...quiet, incidents: [{ ...past, open: true }] }), undefined);
  assert.equal(nextStep({ ...quiet, incidents: [past], wall: 200_000 }), undefined);
  // A clock that was set back.
  assert.match(nextStep({ ...quiet, incidents: [past], wall: 5 })?.text ?? '', /ended 0 s ago/);
});
