/**
 * What a replica says of the link to its master. Without labels: who the master is changes with
 * each failover, and series would stay behind. A master has none of these.
 */
import { type Finding, gauge } from '../core/collector.ts';
import { shownLabelValue } from '../core/label-value.ts';
import { as, type InfoField } from './info-field.ts';
import { numberOf, type RedisInfo } from './info.ts';
import { durationText } from '../measure/duration.ts';

const linkStates: Readonly<Record<string, number>> = { up: 1, down: 0 };

function linkUp(info: RedisInfo): number | undefined {
  const text = info.get('master_link_status');
  if (text === undefined) return undefined;
  const value = Object.hasOwn(linkStates, text) ? linkStates[text] : undefined;
  if (value === undefined) {
    const shown = JSON.stringify(text.slice(0, 80));
    throw new Error(`INFO: master_link_status is ${shown}, expected up or down`);
  }
  return value;
}

export const replicationFields: readonly InfoField[] = [
  {
    metric: gauge({
      name: 'redis_master_link_up',
      help: '1 when a replica is connected to its master, from INFO replication.',
      note: '1 when a replica is connected to its master, 0 when not, and then what it answers is as old as that; absent on a master, from INFO replication.',
    }),
    read: linkUp,
  },
  {
    metric: gauge({
      name: 'redis_master_last_io_seconds_ago',
      help: 'Time since a replica last heard of its master, from INFO replication.',
      note: 'Time since a replica last heard of its master, which calls every 10 s; absent while the link is down and on a master, from INFO replication.',
    }),
    read: as('master_last_io_seconds_ago'),
  },
  {
    metric: gauge({
      name: 'redis_master_link_down_since_seconds',
      help: 'How long the link of a replica to its master is down, from INFO replication.',
      note: 'How long the link of a replica to its master has been down; absent while it is up, before it was up for the first time, and on a master, from INFO replication.',
    }),
    read: as('master_link_down_since_seconds'),
  },
  {
    metric: gauge({
      name: 'redis_master_sync_in_progress',
      help: '1 while a replica copies the data set of its master, from INFO replication.',
      note: '1 while a replica copies the whole data set of its master, during which the link counts as down; absent on a master, from INFO replication.',
    }),
    read: as('master_sync_in_progress'),
  },
];

function readable(read: () => number | undefined): number | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}

/** What a person should know of the link; nothing while it is up, and of a master. */
export function linkFindings(info: RedisInfo): Finding[] {
  if (readable(() => linkUp(info)) !== 0) return [];
  const master = `${shownLabelValue(info.get('master_host') ?? '?')}:${shownLabelValue(info.get('master_port') ?? '?')}`;
  if (readable(() => numberOf(info, 'master_sync_in_progress')) === 1) {
    return [
      {
        severity: 'warning',
        text: `Redis is a replica of ${master} and is copying its whole data set: until then what it answers is old.`,
      },
    ];
  }
  const seconds = readable(() => numberOf(info, 'master_link_down_since_seconds')) ?? -1;
  const since =
    seconds < 0 ? 'since it was started or made a replica' : `for ${durationText(seconds)}`;
  return [
    {
      severity: 'bad',
      text: `Redis is a replica that has had no link to its master ${master} ${since}: what it answers, the numbers of queues too, is as old as that.`,
    },
  ];
}
