/** What it did to others, and who noticed. */
import { durationText } from '../../measure/duration.ts';
import { joined, name, say } from '../text/say.ts';
import { counted, utc } from '../text/units.ts';
import { claim, type Claim } from './claim.ts';
import { at, lastedAtMost } from './when.ts';

export const impact: readonly Claim[] = [
  claim(
    'impact.unavailable',
    ['redis_asleep', 'incident'],
    ({ incident: { data } }) =>
      say`Redis unavailable: ${lastedAtMost(data)}. What asked it waited or failed.`,
  ),
  claim(
    'impact.back',
    ['redis_back'],
    ({ redis_back: { data } }) =>
      say`Redis was ready again at ${at(data.at)}${data.keys === undefined ? '' : `, with ${counted(data.keys, 'key')}`}.`,
  ),
  claim(
    'impact.data',
    ['data_lost', 'incident'],
    ({ data_lost: { data } }) =>
      say`It came back with data of ${at(data.asOf)}: what was written after that is lost.`,
  ),
  claim(
    'impact.victims',
    ['victims'],
    ({ victims: { data } }) =>
      say`${counted(data.count, 'line')} of programs that could not reach a server, from ${at(data.first)} to ${at(data.last)}.`,
  ),
  claim(
    'impact.queue',
    ['queue_waited'],
    ({ queue_waited: { data } }) =>
      say`The oldest job in a queue waited ${durationText(data.seconds)}.`,
  ),
];

export const detection: readonly Claim[] = [
  claim('detection.alerts', ['alerted', 'incident'], ({ alerted: { data }, incident }) => {
    const lines = data.alerts.map(({ name: alert, severity, from }) => {
      const after = from - incident.data.onset.latest;
      const late =
        after >= 0 ? `${durationText(after)} after the beginning` : 'already firing before it';
      return say`${name(alert)} (${severity}) at ${utc(from)}, ${late}`;
    });
    return say`Alerts: ${joined(lines, '; ')}.`;
  }),
  claim(
    'detection.nobody',
    ['nobody_alerted'],
    ({ nobody_alerted: { data } }) =>
      say`No alert of ours fired, as far as ${data.source} remembers.`,
  ),
];
