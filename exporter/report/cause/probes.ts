/** What series say of a sleep that the kernel reported: the last answer before, whether it went on, the first after. */
import { isRedisProcess } from '../../tasks/redis-names.ts';
import type { Boot, Facts, Instant, Recorded, SeenAsleep, Series } from '../facts/facts.ts';
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

function answeredAsleep(sleep: Sleep, { points, stepSeconds, source }: Series): Shown[] {
  const from = sleep.chief.onset.latest + stepSeconds;
  const answer = points.find(({ at, value }) => value === 1 && at > from && at < sleep.chief.last);
  return answer === undefined ? [] : [{ at: answer.at, source }];
}

/** Answers in the middle of its sleep: of another Redis of the machine, or one of the clocks is wrong. */
export const answersAsleep = (sleep: Sleep, series: readonly Series[]): Shown[] =>
  probesOf(sleep, series).flatMap((one) => answeredAsleep(sleep, one));

/** The one that slept gave no answer; others of the machine may have gone on. */
function fellSilent(sleep: Sleep, one: Series): boolean {
  const { latest } = sleep.chief.onset;
  const until = lastOf(sleep) + one.stepSeconds;
  const silent = one.points.some(({ at, value }) => value === 0 && at > latest && at <= until);
  return silent && answeredAsleep(sleep, one).length === 0;
}

/** The last answer of a probe that had none while it slept. */
export function answeredBefore(sleep: Sleep, series: readonly Series[]): Shown | undefined {
  const { latest } = sleep.chief.onset;
  const own = probesOf(sleep, series).filter((one) => fellSilent(sleep, one));
  const answers = own.flatMap(({ points, source }): Shown[] => {
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

/** What the kernel and the recorder say of one moment may differ by so much, besides what their clocks are off. */
const lookSeconds = 2;

export interface SeenBy extends SeenAsleep {
  readonly source: string;
}

const seenBy = ({ asleep, source }: Recorded): SeenBy[] =>
  asleep.map((one) => Object.assign({}, one, { source }));

/** Looks of the recorder at threads of this name, in sleeps that went on when the kernel found it asleep. */
function looksAt({ chief }: Sleep, boot: string, { recorded }: Pick<Facts, 'recorded'>): SeenBy[] {
  return recorded
    .filter((one) => one.boot === boot)
    .flatMap(seenBy)
    .filter(({ comm, last }) => comm === chief.comm && last > chief.onset.latest);
}

/** By then it was seen asleep; of several of one name the one that was seen last counts. */
export function seenAsleepBy(
  sleep: Sleep,
  boot: string,
  facts: Pick<Facts, 'recorded'>,
): SeenBy | undefined {
  const { earliest } = sleep.chief.onset;
  return looksAt(sleep, boot, facts)
    .filter(({ since }) => since >= earliest - lookSeconds)
    .sort((one, other) => other.since - one.since)[0];
}

/** Seen asleep before the kernel's detector looked and found it awake, in the one sleep that was seen. */
export function seenTooEarly(
  sleep: Sleep,
  boot: string,
  facts: Pick<Facts, 'recorded'>,
): SeenBy | undefined {
  const looks = looksAt(sleep, boot, facts);
  return seenAsleepBy(sleep, boot, facts) === undefined ? looks[0] : undefined;
}
