/** What a report says of the incidents that it is not about. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  boot,
  noFacts,
  placed,
  recorded,
  series,
  source,
  time,
} from '../../../tools/rig/report/build.ts';
import type { Facts } from '../facts/facts.ts';
import { judge } from '../cause/judge.ts';
import { documentsOf } from './all.ts';

test('another incident is as long as is known, not until the next boot', () => {
  const [trace] = recorded('6.12-redis-kvm-async-pf');
  assert.ok(trace);
  const of = (at: string, booted: string, name: string) => ({
    ...placed(trace, { at: time(at), bootedAt: time(booted) }),
    boot: name,
    source: 'journal',
  });
  const end = { at: time('2026-10-14 21:04:05'), how: 'unknown' as const };
  const facts: Facts = {
    ...noFacts,
    sources: [source('journal', 'journal', 'journal')],
    boots: [
      boot('boot-1', '2026-10-14 08:00:00', end),
      boot('boot-2', '2026-10-15 07:00:00', { ...end, at: time('2026-10-15 09:05:00') }),
    ],
    kernelReports: [
      of('2026-10-14 21:04:00', '2026-10-14 08:00:00', 'boot-1'),
      of('2026-10-15 09:04:00', '2026-10-15 07:00:00', 'boot-2'),
    ],
  };
  const judged = judge(facts, { lastBoot: false }, time('2026-10-16 00:00:00'));
  const { summary, report } = documentsOf(judged, 'ticket', { hosts: [], commandFor: (id) => id });
  const line = summary.find((one) => /reported by the kernel/.test(one)) ?? '';
  assert.match(line, /^ {2}2026-10-14 2\d:\d\d:\d\d to .*\(at least \d+ (s|min), at most \d+ h/);
  assert.ok(report.includes(line.trim().slice(0, 60)));
});

const saidOf = (problems: readonly string[]) => {
  const none = { ...source('evidence', 'evidence', 'a.json', 0), problems };
  const judged = judge({ ...noFacts, sources: [none] }, { lastBoot: false }, 0);
  return documentsOf(judged, 'ticket', { hosts: [], commandFor: (id) => id }).summary[0];
};

test('what was read and is empty is not called unreadable', () => {
  assert.match(saidOf([]) ?? '', /^What was read holds no record of anything/);
  assert.match(saidOf(['it is binary']) ?? '', /^No source could be read/);
});

test('where records were left out, the rest is not called ordinary', () => {
  const report = { boot: 'boot-1', source: 'journal' };
  const summaryOf = (at: string) => {
    const [trace] = recorded('6.12-redis-kvm-async-pf');
    assert.ok(trace);
    const one = { ...placed(trace, { at: time(at), bootedAt: time(at) - 3600 }), ...report };
    const sources = [source('journal', 'journal', 'journal')];
    const facts: Facts = { ...noFacts, sources, kernelReports: [one] };
    const judged = judge(facts, { lastBoot: false }, time('2026-10-16 00:00:00'));
    return documentsOf(judged, 'ticket', { hosts: [], commandFor: (id) => id }).summary[0] ?? '';
  };
  assert.match(summaryOf('2031-01-01 00:00:00'), /^Nothing was found in what could be dated\./);
  assert.match(summaryOf('2026-10-15 00:00:00'), /^Host /);
});

test('times of which nothing that was read has a record are a gap, and not ordinary', () => {
  const before = { at: time('2026-10-14 20:02:00'), how: 'unknown' as const };
  const boots = [
    boot('boot-1', '2026-10-14 08:00:00', before),
    boot('boot-2', '2026-10-15 06:00:00'),
  ];
  const hour = { from: time('2026-10-14 21:58:00'), to: time('2026-10-14 22:58:00'), step: 60 };
  const idle = series('cpu_idle', hour, () => 0.9);
  const of = (from: string, to?: string, more: Partial<Facts> = {}) => {
    const sources = [source('journal', 'journal', 'journal'), source('sa14', 'sysstat', 'sa14')];
    const wanted = { from: time(from), to: to === undefined ? to : time(to), lastBoot: false };
    const facts = { ...noFacts, sources, boots, ...more };
    const judged = judge(facts, wanted, time('2026-10-15 12:00:00'));
    return documentsOf(judged, 'ticket', { hosts: [], commandFor: (id) => id }).summary[0] ?? '';
  };
  const gap = /^What was read holds nothing from the times that were asked for/;
  const ordinary = /^Nothing in what was read is out of the ordinary/;
  assert.match(of('2026-10-14 21:58:00', '2026-10-14 22:59:00'), gap);
  assert.match(of('2026-10-13 21:58:00', '2026-10-13 22:59:00'), gap);
  assert.match(of('2026-10-14 19:58:00', '2026-10-14 22:59:00'), ordinary);
  assert.match(of('2026-10-14 21:58:00', '2026-10-15 06:30:00'), ordinary);
  assert.match(of('2026-10-14 21:58:00'), ordinary);
  const measured = { series: [idle] };
  assert.match(of('2026-10-14 21:58:00', '2026-10-14 22:59:00', measured), ordinary);
  assert.match(of('2026-10-14 23:58:00', '2026-10-15 00:59:00', measured), gap);
});

test('times of a clock that nobody set are not believed, in the title of both documents', () => {
  const [trace] = recorded('6.12-redis-kvm-async-pf');
  assert.ok(trace);
  const titlesOf = (day: string) => {
    const [at, bootedAt] = [time(`${day} 21:04:00`), time(`${day} 08:00:00`)];
    const facts: Facts = {
      ...noFacts,
      sources: [source('journal', 'journal', 'journal')],
      boots: [boot('boot-1', `${day} 08:00:00`, { at: at + 5, how: 'unknown' })],
      kernelReports: [{ ...placed(trace, { at, bootedAt }), boot: 'boot-1', source: 'journal' }],
    };
    const judged = judge(facts, { lastBoot: false }, time('2026-10-16 00:00:00'));
    const { report, ticket = '' } = documentsOf(judged, 'ticket');
    return [report, ticket].map(
      (text) => text.split('\n').find((one) => one.startsWith('# ')) ?? '',
    );
  };
  for (const title of titlesOf('1970-01-01'))
    assert.match(title, /\(1970-01-01 .* UTC, by a clock that was not set and is not believed\)/);
  for (const title of titlesOf('2026-10-14')) assert.doesNotMatch(title, /believed/);
});

test('between a clock that nobody had set and one that was set nobody slept for decades', () => {
  const [trace] = recorded('6.12-redis-kvm-async-pf');
  assert.ok(trace);
  const reportOf = (day: string) => {
    const place = { at: time(`${day} 00:15:00`), bootedAt: time(`${day} 00:00:01`) };
    const end = { at: time(`${day} 00:15:05`), how: 'unknown' as const };
    const facts: Facts = {
      ...noFacts,
      sources: [source('journal', 'journal', 'journal')],
      boots: [boot('boot-1', `${day} 00:00:01`, end), boot('boot-2', '2026-10-15 07:00:00')],
      kernelReports: [{ ...placed(trace, place), boot: 'boot-1', source: 'journal' }],
    };
    const judged = judge(facts, { lastBoot: false }, time('2026-10-16 00:00:00'));
    return documentsOf(judged, 'ticket', { hosts: [], commandFor: (id) => id }).report;
  };
  assert.match(reportOf('2026-10-15'), /at least \d+ \w+, at most 6 h/);
  assert.match(reportOf('1970-01-01'), /at least \d+ \w+/);
  assert.doesNotMatch(reportOf('1970-01-01'), /at most/);
});

test('what was measured is said to have been from when its length is counted', () => {
  const from = time('2026-10-14 19:00:00');
  const measure = { from: from - 3600, to: from + 7200, step: 60 };
  const busy = series('cpu_own', measure, (at) => (at > from && at <= from + 3600 ? 1 : 0.05));
  const judged = judge({ ...noFacts, series: [busy] }, { lastBoot: false }, from + 9000);
  const { report } = documentsOf(judged, 'ticket', { hosts: [], commandFor: (id) => id });
  assert.match(report, /From 2026-10-14 19:00:00 to 20:00:00 UTC: \*\*60 min\*\*/);
});
