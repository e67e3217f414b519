/**
 * What belongs beside the exporter and is no program: rules, dashboards, configurations, units. It is
 * part of the bundle, so that the package and the image have the same as a checkout, in the same folders.
 */
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';

/** Replaced when bundling: an object of path and text as JSON, zipped, in base64. */
declare const STEALWATCH_FILES: string | undefined;

/** Text by path, with slashes. */
export type ShippedFiles = Readonly<Record<string, string>>;

const patterns = [
  '.env.example',
  'docker-compose.yml',
  'alerts/alertmanager/{alertmanager.yml,start.sh,templates/*.tmpl}',
  'alerts/generated/*.yml',
  'dashboards/generated/*.json',
  'dashboards/provisioning/*/*.yml',
  'deploy/*.{service,slice,sh}',
  'deploy/compose.*.yml',
  'deploy/grafana/start.sh',
  'deploy/prometheus/{prometheus.yml,start.sh}',
  'targets/{README.md,agents.yml.example}',
];

/** There is nothing to build an image from: it is pulled, in the version that wrote the file. */
const fromImage = (compose: string): string =>
  compose
    .replaceAll(/^ +build: .*\n/gm, '')
    .replaceAll(/^( +image: )(stealwatch:)/gm, '$1ghcr.io/stealwatch/$2');

/** From source: the files themselves. */
export function filesIn(root: string): ShippedFiles {
  const paths = patterns.flatMap((pattern) => globSync(pattern, { cwd: root })).sort();
  const texts = paths.map((path) => [path, readFileSync(join(root, path), 'utf8')] as const);
  return Object.fromEntries(
    texts.map(([path, text]) => [path, path === 'docker-compose.yml' ? fromImage(text) : text]),
  );
}

export function shippedFiles(): ShippedFiles {
  if (typeof STEALWATCH_FILES !== 'string') return filesIn(join(import.meta.dirname, '../..'));
  const text = gunzipSync(Buffer.from(STEALWATCH_FILES, 'base64')).toString('utf8');
  return JSON.parse(text) as ShippedFiles;
}
