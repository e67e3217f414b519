/**
 * What has to name the version and cannot read it: the tags of our images in compose files, by which
 * `docker compose up` builds or pulls new ones after an update. Its home is package.json.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { GeneratedFiles } from './files.ts';

const root = join(import.meta.dirname, '..', '..');
const read = (path: string) => readFileSync(join(root, path), 'utf8');

export function withVersion(compose: string, version: string): string {
  return compose.replaceAll(/^( +image: .*stealwatch[a-z-]*):[\d.]+(\}?)$/gm, `$1:${version}$2`);
}

export function generatedVersion(): GeneratedFiles {
  const { version } = JSON.parse(read('package.json')) as { version: string };
  const paths = ['docker-compose.yml', 'deploy/compose.agent.yml', 'deploy/demo/compose.yml'];
  return new Map(paths.map((path) => [path, withVersion(read(path), version)]));
}
