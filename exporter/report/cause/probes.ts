/** What series say of a sleep that the kernel reported: the last answer before, whether it went on, the first after. */
import { isRedisProcess } from '../../tasks/redis-names.ts';
import type { Boot, Instant, Series } from '../facts/facts.ts';
import type { Sleep } from './incident.ts';

interface Shown {
  readonly at: Instant;
  readonly source: string;
}

const isMainOfRedis = ({ chief }: Sleep): boolean =>
  isRedisProcess(chief.comm) && chief.pid === chief.process;

const lastOf = ({ chief, reports }: Sleep): Instant => reports.at(-1)?.at ?? chief.last;

const probesOf = (sleep: Sleep, series: readonly Series[]): readonly Series[] =>
  isMainOfRedis(sleep) ? series.filter(({ measure }) => measure === 'redis_up') : [];

/** A probe that had no answer has one again. */
export function shownByProbe(sleep: Sleep, series: readonly Series[], boot: Boot | undefined) {
  const last = lastOf(sleep);
  const until = boot?.end?.at ?? Infinity;
  const answers = probesOf(sleep, series).flatMap(({ points, source, stepSeconds }): Shown[] => {
    const wasDown = points.some(
      ({ at, value }) => value === 0 && at > sleep.chief.onset.latest && at <= last + stepSeconds,
    );
    const back = points.find(({ at, value }) => value === 1 && at > last && at <= until);
    return wasDown && back !== undefined ? [{ at: back.at, source }] : [];
  });
  const [first] = answers.sort((one, other) => one.at - other.at);
  return first === undefined ? undefined : { ...first, how: 'sign_of_life' as const };
}

/** The last answer that was not the last of a probe that knows no better. */
export function answeredBefore(sleep: Sleep, series: readonly Series[]): Shown | undefined {
  const { latest } = sleep.chief.onset;
  const answers = probesOf(sleep, series).flatMap(({ points, source }): Shown[] => {
    const answer = points.findLast(({ at, value }) => value === 1 && at <= latest);
    return answer === undefined ? [] : [{ at: answer.at, source }];
  });
  return answers.sort((one, other) => other.at - one.at)[0];
}

/** From the onset on without a good sample or a hole: until the last of them it went on. */
function lastBad(
  { points, stepSeconds, source }: Series,
  from: Instant,
  until: Instant,
  bad: (value: number) => boolean,
): Shown[] {
  let last: Instant | undefined;
  for (const { at, value } of points) {
    if (at <= from + stepSeconds) continue;
    if (at > until || !bad(value) || at - (last ?? from) > 2 * stepSeconds + 1) break;
    last = at;
  }
  return last === undefined ? [] : [{ at: last, source }];
}

/** Until then a probe had no answer, or a thread was seen waiting for a page of the host. */
export function seenUntil(
  sleep: Sleep,
  series: readonly Series[],
  boot: Boot | undefined,
): Shown | undefined {
  const from = sleep.chief.onset.latest;
  const until = boot?.end?.at ?? Infinity;
  const waits = series.filter(
    ({ measure }) =>
      measure === 'threads_waiting_for_page' && sleep.chief.reason === 'host_page_in',
  );
  const all = [
    ...probesOf(sleep, series).flatMap((one) => lastBad(one, from, until, (up) => up === 0)),
    ...waits.flatMap((one) => lastBad(one, from, until, (threads) => threads >= 1)),
  ];
  return all.sort((one, other) => other.at - one.at)[0];
}
