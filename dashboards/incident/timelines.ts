/**
 * The machines of the fixture and what happens to them on one afternoon, 16:30 to 19:30 UTC.
 * vps1 lives through a Redis freeze as it was seen in February: the last save succeeds at 17:48,
 * then the main thread of redis-server sleeps on a page the host has swapped out, for the rest
 * of the day; no steal, no pressure, the health endpoint says 200. The others are one verdict each.
 */
import { type Machine, ableToAll, ableToNothing } from './world.ts';

/** The day of the fixture. Any would do; it must not be today, so that nothing depends on now. */
export const day = '2026-02-11';
export const begins = '16:30:00';
export const ends = '19:30:00';
/** Of vps1, whose every second matters; the others are there to be compared. */
export const closeSeconds = 5;
export const coarseSeconds = 15;

const february: Machine = {
  name: 'vps1',
  provider: 'alpha',
  price: '5',
  cpus: 2,
  scrapeSeconds: closeSeconds,
  abilities: ableToAll,
  changes: [
    {
      at: '16:30:00',
      because: 'Its Redis is a replica, for reports; the link to the master is up.',
      now: { master: 'up' },
    },
    {
      at: '16:40:00',
      because: 'A neighbour takes 30 % of both cores for five minutes: 3.0 CPU-minutes.',
      now: { steal: 0.3, denied: 0.3 / (0.3 + 0.12), deniedSeconds: 1 },
    },
    {
      at: '16:45:00',
      because: 'The neighbour is done.',
      now: { steal: 0, denied: 0, deniedSeconds: 0 },
    },
    {
      at: '16:52:00',
      because: 'The master is restarted: no link for a minute.',
      now: { master: 'down' },
    },
    { at: '16:53:00', because: 'It is back.', now: { master: 'up' } },
    {
      at: '17:20:00',
      because: 'The host runs short of memory and swaps: cold pages of ours first.',
      now: { pageIns: 0.4 },
    },
    {
      at: '17:45:00',
      because: 'It gets worse; short standstills begin.',
      now: { pageIns: 6, stalled: 0.05, stallLength: 1.6, redis: 'slow', tasksOut: 5.5 },
    },
    {
      at: '17:47:00',
      because:
        'A save is due. The fork alone takes 1.4 s; the child makes the host bring in everything.',
      now: { bgsave: true, forkSeconds: 1.4, pageIns: 60, stalled: 0.12 },
    },
    {
      at: '17:48:00',
      because: 'The save succeeds: the last one.',
      now: { bgsave: false, pageIns: 8 },
    },
    {
      at: '17:48:40',
      because:
        'The main thread touches a page that does not come back. Nothing completes any more.',
      now: {
        blocked: 'host_page_in',
        hungTaskReports: true,
        pageIns: 0,
        stalled: 0,
        redis: 'frozen',
        writes: 0,
        tasksOut: 0,
      },
    },
  ],
};

/** A machine of which only the host is watched. */
const hostOnly = { ...ableToAll, sameHost: false, redis: false, asynq: false, canary: false };

const storm: Machine = {
  name: 'vps2',
  provider: 'beta',
  price: '4',
  cpus: 2,
  scrapeSeconds: coarseSeconds,
  abilities: hostOnly,
  changes: [
    {
      at: '16:30:00',
      because: 'Six seconds of every minute go to somebody else, all day.',
      now: { steal: 0.05, denied: 1, deniedSeconds: 0.1 },
    },
  ],
};

const blind: Machine = {
  name: 'vps3',
  provider: 'beta',
  price: '4',
  cpus: 1,
  scrapeSeconds: coarseSeconds,
  abilities: ableToNothing,
  changes: [],
};

const march: Machine = {
  name: 'vps4',
  provider: 'alpha',
  price: '5',
  cpus: 2,
  scrapeSeconds: coarseSeconds,
  abilities: { ...ableToAll, asynq: false, canary: false },
  changes: [
    {
      at: '18:00:00',
      because: 'The shared disk starves; every fsync of the AOF is late.',
      now: { delayedFsyncs: 1 / 60, pressureIo: 0.6, blocked: 'disk', redis: 'slow' },
    },
  ],
};

const busy: Machine = {
  name: 'vps5',
  provider: 'alpha',
  price: '5',
  cpus: 2,
  scrapeSeconds: coarseSeconds,
  abilities: hostOnly,
  changes: [
    {
      at: '17:00:00',
      because: 'A deploy builds assets, for hours.',
      now: { own: 0.97, pressureCpu: 0.8 },
    },
  ],
};

const gone: Machine = {
  name: 'vps6',
  provider: 'beta',
  price: '4',
  cpus: 2,
  scrapeSeconds: coarseSeconds,
  abilities: hostOnly,
  changes: [{ at: '19:00:00', because: 'The machine does not answer.', now: { answers: false } }],
};

export const machines: readonly Machine[] = [february, storm, blind, march, busy, gone];
