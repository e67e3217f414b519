/** Many readers, one set of facts. */
import type { Facts, Gathered } from '../facts/facts.ts';

type Lists = Omit<Facts, 'machine'>;

const byTime = <T extends { readonly at: number }>(one: T, other: T) => one.at - other.at;

/** What each reader gave, in one, every list in order of time. */
export function together(parts: readonly Gathered[]): Facts {
  const all = <K extends keyof Lists>(key: K): Lists[K][number][] =>
    parts.flatMap((part): readonly Lists[K][number][] => part[key] ?? []);
  return {
    machine: Object.assign({ addresses: [] }, ...parts.map(({ machine }) => machine ?? {})),
    sources: all('sources'),
    missing: all('missing'),
    boots: all('boots').sort((one, other) => one.start.latest - other.start.latest),
    kernelReports: all('kernelReports').sort(byTime),
    kernelEvents: all('kernelEvents').sort(byTime),
    systemEvents: all('systemEvents').sort(byTime),
    series: all('series'),
    gaps: all('gaps').sort((one, other) => one.from - other.from),
    redis: all('redis').sort(byTime),
    alerts: all('alerts').sort((one, other) => one.from - other.from),
    recorded: all('recorded').sort((one, other) => one.onset.latest - other.onset.latest),
  };
}
