/**
 * The machines to fetch from, out of the files in which the watcher's Prometheus finds them
 * (targets/*.yml): who lists an agent there has it watched and its evidence kept, and writes nothing
 * down twice.
 */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { parse } from 'yaml';
import { readSmallFile, whyUnreadable } from '../../core/read-file.ts';
import { messageOf } from '../../measure/errors.ts';
import { isMapping, type Mapping } from '../../measure/mapping.ts';

export interface Agent {
  /** Its label `host`, or the host of its address. */
  readonly host: string;
  /** Where its evidence is: beside its metrics. */
  readonly url: URL;
}

export interface Agents {
  readonly agents: readonly Agent[];
  /** What of the files could not be used, a sentence each without what may be secret. */
  readonly problems: readonly string[];
}

const mostFiles = 64;
const mostAgents = 1000;
const longestHost = 200;

const textOf = (value: unknown): string | undefined =>
  typeof value === 'string' ? value : undefined;

/** HOST:PORT and nothing beside it: no path, no user. */
function urlOf(target: unknown, labels: Mapping): URL | undefined {
  const scheme = textOf(labels['__scheme__']) ?? 'http';
  if (typeof target !== 'string' || !/^https?$/.test(scheme)) return undefined;
  if (!/^(?:\[[0-9a-fA-F:.]+\]|[^\s/:?#@[\]]+):\d{1,5}$/.test(target)) return undefined;
  const metrics = URL.parse(
    textOf(labels['__metrics_path__']) ?? '/metrics',
    `${scheme}://${target}`,
  );
  return metrics === null ? undefined : new URL('evidence', metrics);
}

function agentsOf(group: unknown): Agent[] {
  const labels = isMapping(group) && isMapping(group['labels']) ? group['labels'] : {};
  const targets: unknown = isMapping(group) ? group['targets'] : undefined;
  if (!Array.isArray(targets)) throw new Error('expected entries of targets and labels');
  return targets.map((target: unknown) => {
    const url = urlOf(target, labels);
    if (url === undefined) {
      throw new Error('expected HOST:PORT as a target and http or https as __scheme__');
    }
    return { host: (textOf(labels['host']) ?? url.hostname).slice(0, longestHost), url };
  });
}

async function agentsIn(path: string): Promise<Agent[]> {
  const text = (await readSmallFile(path)).toString();
  const groups: unknown = parse(text, { maxAliasCount: 100, logLevel: 'error' });
  if (groups === null) return [];
  if (!Array.isArray(groups)) throw new Error('expected a list');
  return groups.flatMap((group: unknown) => agentsOf(group));
}

/** Of the parser only the place is told: what stands there may be anything. */
function said(error: unknown): string {
  const line = error instanceof Error ? /at line \d+/.exec(error.message)?.[0] : undefined;
  if (line !== undefined) return `it is no YAML ${line}`;
  return error instanceof Error && 'code' in error ? whyUnreadable(error) : messageOf(error);
}

/** One file that cannot be read takes nothing from the others. */
export async function readAgents(directory: string): Promise<Agents> {
  let names: string[];
  try {
    names = (await readdir(directory)).filter((name) => /\.(?:yml|json)$/.test(name)).sort();
  } catch (error) {
    return { agents: [], problems: [`${directory}: ${whyUnreadable(error)}`] };
  }
  const agents: Agent[] = [];
  const problems: string[] = [];
  for (const name of names.slice(0, mostFiles)) {
    try {
      agents.push(...(await agentsIn(join(directory, name))));
    } catch (error) {
      problems.push(`${name}: ${said(error)}`);
    }
  }
  return { agents: agents.slice(0, mostAgents), problems };
}
