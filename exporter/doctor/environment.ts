/** The settings of the exporter that runs as a service, which no shell has in its environment. */
import { parseEnv } from 'node:util';
import { readSmallFileSync, whyUnreadable } from '../core/read-file.ts';

/** Of the unit (deploy/stealwatch.service). */
export const unitEnvironment = '/etc/stealwatch/environment';

type Environment = Readonly<Record<string, string | undefined>>;

/** What is set already stays; undefined where the file is not there. */
export function withUnitEnvironment(
  env: Environment,
  path = unitEnvironment,
): { readonly env: Environment; readonly problem?: string } {
  try {
    return { env: { ...parseEnv(readSmallFileSync(path).toString('utf8')), ...env } };
  } catch (error) {
    const why = whyUnreadable(error);
    if (why === 'ENOENT' || why === 'ENOTDIR') return { env };
    return { env, problem: `${path}, the settings of the exporter, cannot be read (${why})` };
  }
}
