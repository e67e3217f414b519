/**
 * Writes everything that is generated and committed, so that it can be used without a toolchain:
 * rules, dashboards, docs/metrics.md, settings.md, slo.md and proof.md,
 * and the version in docker-compose.yml.
 *
 *   npm run generate [-- --check]    `--check` writes nothing and names what is not up to date
 *
 * Apart, because they need servers and minutes: `npm run golden`, `npm run replays`.
 */
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { generatedFiles } from './all.ts';

const root = join(import.meta.dirname, '..', '..');
/** Where nothing is that is not generated. */
const folders = ['alerts/generated', 'dashboards/generated'];

const files = await generatedFiles();

const isCurrent = ([path, text]: readonly [string, string]) =>
  existsSync(join(root, path)) && readFileSync(join(root, path), 'utf8') === text;

const stale = [...files].filter((file) => !isCurrent(file));
const left = folders
  .flatMap((folder) => readdirSync(join(root, folder)).map((name) => `${folder}/${name}`))
  .filter((path) => !files.has(path));

if (!process.argv.includes('--check')) {
  for (const [path, text] of stale) writeFileSync(join(root, path), text);
} else if (stale.length > 0) {
  const names = stale.map(([path]) => path).join(', ');
  console.error(`Not what the sources generate: ${names}. Run: npm run generate`);
  process.exitCode = 1;
}
if (left.length > 0) {
  console.error(`Generated from nothing any more, delete: ${left.join(', ')}`);
  process.exitCode = 1;
}
