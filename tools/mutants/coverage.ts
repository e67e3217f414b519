/** What a test file runs, from V8's coverage of its process and of those it started. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

/** Offsets from, to, and whether it ran. Of those around a place the shortest decides. */
export type Range = readonly [start: number, end: number, ran: boolean];
/** By file, relative to the repository; for each process its ranges. */
export type Coverage = Readonly<Record<string, readonly (readonly Range[])[]>>;

interface V8Coverage {
  readonly result: readonly {
    readonly url: string;
    readonly functions: readonly {
      readonly ranges: readonly { startOffset: number; endOffset: number; count: number }[];
    }[];
  }[];
}

export function coverageFrom(reports: readonly V8Coverage[], root: string): Coverage {
  const prefix = pathToFileURL(`${root}/`).href;
  const coverage: Record<string, Range[][]> = {};
  for (const { url, functions } of reports.flatMap(({ result }) => result)) {
    if (!url.startsWith(prefix) || url.includes('/node_modules/')) continue;
    const ranges = functions
      .flatMap((one) => one.ranges)
      .map(({ startOffset, endOffset, count }): Range => [startOffset, endOffset, count > 0]);
    const file = decodeURIComponent(url.slice(prefix.length));
    (coverage[file] ??= []).push(ranges);
  }
  return coverage;
}

export function readCoverage(directory: string, root: string): Coverage {
  const reports = readdirSync(directory).map(
    (name) => JSON.parse(readFileSync(join(directory, name), 'utf8')) as V8Coverage,
  );
  return coverageFrom(reports, root);
}

/** Whether the code at this place ran, in any of the processes. */
export function ran(coverage: Coverage, file: string, offset: number): boolean {
  return (coverage[file] ?? []).some((ranges) => {
    let narrowest: Range | undefined;
    for (const range of ranges) {
      const [start, end] = range;
      if (offset < start || offset >= end) continue;
      if (narrowest === undefined || end - start <= narrowest[1] - narrowest[0]) narrowest = range;
    }
    return narrowest?.[2] === true;
  });
}
