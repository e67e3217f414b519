/** What containers of other programs wrote: how often they could not reach a server, by the minute. */
import type { ContainerLog } from './containers.ts';
import type { ReadContext } from './context.ts';
import { bytesOf, lookAt } from './file-window.ts';
import type { Focus } from './focus.ts';
import { containerLine } from './redis-line.ts';
import { createSystemEvents } from './system-events.ts';
import { readLog } from './text-file.ts';
import type { Gathered, Source } from '../facts/facts.ts';
import { whyNot } from './packed-file.ts';

const mostBytesOfContainer = 32 * 1024 * 1024;
const mostBytesOfAll = 256 * 1024 * 1024;

/** Nothing of a line is kept: what programs write may be anybody's. */
export async function readContainerPrograms(
  logs: readonly ContainerLog[],
  { zone, surroundings }: ReadContext,
  focus: Focus,
): Promise<Gathered> {
  if (logs.length === 0) return {};
  const id = 'container logs';
  const events = createSystemEvents(id);
  const problems: string[] = [];
  let records = 0;
  let left = mostBytesOfAll;
  for (const { container, path } of logs) {
    const timeOf = (line: string) => containerLine(line, zone)?.at;
    try {
      const { packed } = await lookAt(path);
      const part = packed ? {} : await bytesOf(path, focus, timeOf);
      const mostBytes = Math.min(left, mostBytesOfContainer);
      const read = await readLog(path, { env: surroundings.env, mostBytes, ...part }, (text) => {
        const line = containerLine(text, zone);
        if (line === undefined || line.at < focus.from || line.at > focus.to) return;
        records++;
        events.line('', line.text, line.at, undefined);
      });
      left -= read.bytes;
      problems.push(...read.problems.filter((problem) => problem !== 'it is empty'));
    } catch (error) {
      problems.push(`container ${container}: ${whyNot(error)}`);
    }
  }
  const systemEvents = events.all();
  const source: Source = {
    id,
    kind: 'container_log',
    name: `logs of ${logs.length} containers`,
    records,
    timeErrorSeconds: 0.1,
    problems,
  };
  return systemEvents.length === 0 ? {} : { systemEvents, sources: [source] };
}
