/**
 * The three documents of each story, word for word, and which claims each may make. A sentence that
 * accuses somebody and hangs on no data shows here as an id too many.
 * `npm run golden` rewrites exporter/golden/report; the lists of claims are written by hand.
 */
import assert from 'node:assert/strict';
import { fileURLToPath } from 'node:url';
import { test } from 'node:test';
import type { Story } from '../../../tools/rig/report/machine.ts';
import * as measured from '../../../tools/rig/report/measured-stories.ts';
import * as stories from '../../../tools/rig/report/stories.ts';
import { judge } from '../cause/judge.ts';
import { documentsOf } from './all.ts';
import { mostPlain } from './ticket.ts';

interface Expected {
  readonly story: Story;
  readonly ticket: boolean;
  /** Ids, without those of times and impact that every report of a sleep has. */
  readonly claims: string;
}

const memoryTicket =
  'ask.memory ask.move ask.figures cause.page_traced certainty.page_traced reply.nothing_seen sure.page why.page_traced plain.page action.ticket_memory action.page_wait';
const sleep = 'sure.start';

const expected: Readonly<Record<string, Expected>> = {
  'paged-out': {
    story: stories.pagedOut(),
    ticket: true,
    claims: `${memoryTicket} ${sleep} title.memory_service what.silent_to_reset meanwhile.idle meanwhile.memory meanwhile.disk figure.parked figure.page_ins figure.lost figure.stop_failed reply.steal reply.own_load reply.reboot reply.upgrade sure.to_reset_spent sure.lost sure.data impact.unavailable impact.back impact.data plain.reset action.warnings action.watch_outside`,
  },
  'paged-out-and-back': {
    story: stories.pagedOutAndBack(),
    ticket: true,
    claims: `${memoryTicket} ${sleep} title.memory_service what.alive impact.unavailable action.watch_outside`,
  },
  'text-logs-only': {
    story: stories.textLogsOnly(),
    ticket: true,
    claims: `${memoryTicket} ${sleep} title.memory_service what.to_end_of_boot impact.unavailable impact.back impact.data sure.data action.warnings action.watch_outside`,
  },
  'lost-message': {
    story: stories.lostMessage(),
    ticket: true,
    claims: `${memoryTicket} ${sleep} title.memory_thread what.to_reset meanwhile.idle figure.page_ins figure.lost reply.own_load reply.reboot sure.to_reset sure.lost plain.reset detection.nobody action.watch_outside`,
  },
  'page-wait-measured': {
    story: measured.pageWaitMeasured(),
    ticket: true,
    claims:
      'title.memory_measured what.measured cause.page_measured certainty.page_measured meanwhile.idle ask.memory_measured ask.move_measured ask.figures sure.page_measured plain.page_measured detection.alerts action.ticket_memory_measured',
  },
  'only-sysstat': {
    story: stories.onlySysstat(),
    ticket: true,
    claims:
      'title.memory_thin what.measured cause.page_thin certainty.page_thin meanwhile.idle meanwhile.memory meanwhile.disk ask.memory_thin ask.figures figure.parked sure.page_thin plain.page_thin',
  },
  'steal-storm': {
    story: measured.stealStorm(),
    ticket: true,
    claims:
      'title.cpu what.measured cause.cpu certainty.cpu meanwhile.idle meanwhile.memory meanwhile.disk ask.cpu ask.cpu_move ask.figures figure.demand reply.steal_normal sure.cpu plain.cpu',
  },
  'frozen-by-agent': {
    story: stories.frozenFileSystem(true),
    ticket: true,
    claims: `title.agent what.alive cause.agent cause.frozen certainty.agent meanwhile.disk ask.agent ask.agent_stop ask.figures ${sleep} sure.frozen sure.agent plain.agent impact.unavailable action.thaw action.watch_outside`,
  },
  'other-hypervisor': {
    story: stories.otherHypervisor(),
    ticket: true,
    claims: `${memoryTicket.replace('certainty.page_traced', 'certainty.page_traced_not_kvm')} ${sleep} title.memory_not_kvm what.alive contradiction.hypervisor impact.unavailable action.watch_outside`,
  },
  'disk-of-the-host': {
    story: stories.diskOfTheHost(false),
    ticket: true,
    claims: `title.disk what.unseen_reset cause.disk_host certainty.disk_host meanwhile.disk ask.disk ask.figures figure.await reply.disk_own ${sleep} sure.unseen_spent sure.disk plain.disk action.warnings action.watch_outside`,
  },
  'stood-still': {
    story: stories.stoodStill(true),
    ticket: true,
    claims:
      'title.stopped_vm what.measured cause.stopped certainty.stopped ask.stopped ask.figures sure.stopped plain.stopped detection.nobody',
  },
  // From here on it is ours, or nobody's: no word against the host, and no ticket.
  fsfreeze: {
    story: stories.frozenFileSystem(false),
    ticket: false,
    claims: `title.frozen what.alive whose.frozen cause.frozen cause.frozen_no_agent meanwhile.disk ${sleep} sure.frozen impact.unavailable action.thaw action.watch_outside`,
  },
  'own-load': {
    story: measured.ownLoad(),
    ticket: false,
    claims:
      'title.own_load what.measured whose.own_load cause.own_load meanwhile.memory meanwhile.disk action.own_load',
  },
  'own-disk': {
    story: measured.ownDisk(),
    ticket: false,
    claims:
      'title.own_disk what.measured whose.disk_own cause.own_disk meanwhile.idle meanwhile.memory action.own_disk',
  },
  'short-of-memory': {
    story: measured.shortOfMemory(),
    ticket: false,
    claims:
      'title.short_memory what.measured whose.short_of_memory cause.short_memory meanwhile.disk action.short_memory',
  },
  'out-of-memory': {
    story: measured.outOfMemory(),
    ticket: false,
    claims:
      'title.own_memory what.measured whose.out_of_memory cause.out_of_memory meanwhile.disk action.oom',
  },
  'stopped-by-signal': {
    story: measured.stoppedBySignal(),
    ticket: false,
    claims:
      'title.stopped what.measured whose.redis_stopped_or_busy cause.stopped_or_busy meanwhile.idle detection.alerts action.stopped',
  },
  // Its state is known: what else kept the machine busy did not silence it.
  'seen-stopped': {
    story: measured.seenStopped(),
    ticket: false,
    claims:
      'title.redis_stopped what.measured whose.redis_stopped cause.redis_stopped cause.own_load detection.alerts sure.redis_stopped action.redis_stopped action.own_load',
  },
  'seen-running': {
    story: measured.seenStopped(0),
    ticket: false,
    claims:
      'title.own_load what.measured whose.own_load cause.stopped_or_busy cause.own_load detection.alerts action.stopped action.own_load',
  },
  'refused-connections': {
    story: measured.refusedConnections(),
    ticket: false,
    claims:
      'title.unserved what.measured whose.redis_unserved cause.unserved meanwhile.idle detection.nobody',
  },
  'slow-command': {
    story: measured.slowCommand(),
    ticket: false,
    claims:
      'title.slow what.measured whose.redis_slow cause.slow meanwhile.idle detection.nobody action.slow',
  },
  'two-in-one-boot': {
    story: stories.twoInOneBoot(),
    ticket: true,
    claims: `${memoryTicket} ${sleep} title.memory_service what.alive impact.unavailable action.watch_outside`,
  },
  'disk-of-our-own': {
    story: stories.diskOfTheHost(true),
    ticket: false,
    claims: `title.own_disk what.unseen_reset whose.disk_own cause.own_disk ${sleep} sure.unseen_spent action.warnings action.own_disk action.watch_outside`,
  },
  'gaps-alone': {
    story: stories.stoodStill(false),
    ticket: false,
    claims: 'title.unknown what.measured cause.unknown detection.nobody',
  },
  'reset-alone': {
    story: measured.resetAlone(),
    ticket: false,
    claims: 'title.unclean_end what.measured cause.unclean_end',
  },
  quiet: { story: measured.quiet(), ticket: false, claims: '' },
  'no-sources': { story: measured.noSources(), ticket: false, claims: '' },
  hostile: {
    story: stories.hostile(),
    ticket: true,
    claims: `${memoryTicket} ${sleep} title.memory_thread what.quiet figure.stop_failed sure.woke action.watch_outside`,
  },
};

test('report: the example in docs/ is a ticket as it is written', (t) => {
  const { facts, now } = stories.pagedOut();
  const { ticket = '' } = documentsOf(judge(facts, { lastBoot: false }, now), 'ticket');
  const preface = `<!-- An example, written by \`npm run golden\`. The frames of the trace are recorded
     (exporter/fixtures/kvm-async-pf); machine, times and figures are made up. -->

`;
  const path = fileURLToPath(new URL('../../../docs/evidence-example.md', import.meta.url));
  t.assert.fileSnapshot(preface + ticket, path, { serializers: [(value: string) => value] });
});

interface ReportJson {
  readonly claims: readonly { readonly id: string }[];
}

const pathOf = (story: string, file: string) =>
  fileURLToPath(new URL(`../../golden/report/${story}/${file}`, import.meta.url));

const words = (text: string) => text.split(' ').filter(Boolean).sort();

for (const [name, { story, ticket, claims }] of Object.entries(expected)) {
  test(`report: ${name}`, (t) => {
    const judged = judge(story.facts, { lastBoot: false }, story.now);
    const documents = documentsOf(judged, 'ticket');
    const json = JSON.parse(documents.json) as ReportJson;
    const ids = json.claims.map(({ id }) => id).sort();
    assert.deepEqual(ids, words(claims));
    assert.equal(documents.ticket !== undefined, ticket);
    const asItIs = { serializers: [(value: string) => value] };
    t.assert.fileSnapshot(documents.report, pathOf(name, 'report.md'), asItIs);
    t.assert.fileSnapshot(documents.json, pathOf(name, 'report.json'), asItIs);
    if (documents.ticket !== undefined) {
      t.assert.fileSnapshot(documents.ticket, pathOf(name, 'ticket.md'), asItIs);
      const [, plain = ''] = documents.ticket.split('for a ticket form or chat\n\n```text\n');
      assert.ok(plain.length < mostPlain, `${plain.length} characters`);
    }
  });
}
