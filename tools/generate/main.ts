/**
 * Writes everything that is generated and committed, so that it can be used without a toolchain:
 * rules, dashboards, docs/metrics.md, settings.md, doctor.md, slo.md and proof.md,
 * and the version in the compose files.
 *
 *   npm run generate [-- --check]    `--check` writes nothing and names what is not up to date
 *
 * Apart, because they need servers and minutes: `npm run golden`, `npm run replays`; and docs/licences.md, which
 * `npm run build` writes, because only it knows what is bundled.
 */
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { generatedFiles } from './all.ts';

const root = join(import.meta.dirname, '..', '..');
/** Where nothing is that is not generated. */
const folders = ['alerts/generated', 'dashboards/generated'];

const options = process.argv.slice(2);
const checks = options.join(' ') === '--check';
if (options.length > 0 && !checks) {
  // A misspelling must not write.
  console.error(`Expected --check or nothing, got ${JSON.stringify(options.join(' '))}`);
  process.exit(2);
}

const files = await generatedFiles();

const isCurrent = ([path, text]: readonly [string, string]) =>
  existsSync(join(root, path)) && readFileSync(join(root, path), 'utf8') === text;

const stale = [...files].filter((file) => !isCurrent(file));
const left = folders
  .flatMap((folder) => readdirSync(join(root, folder)).map((name) => `${folder}/${name}`))
  .filter((path) => !files.has(path));

if (!checks) {
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
