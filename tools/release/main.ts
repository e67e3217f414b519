/**
 * Proves of a release what one machine can, then tags it. Nothing is pushed: RELEASE.md says how.
 *
 *   npm run release -- --dry-run [--out DIR]    no tag either; what would be published is left in DIR
 *   npm run release                             all of it, and the tag
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { messageOf } from '../../exporter/measure/errors.ts';
import { tagOf } from './problems.ts';
import { currentVersion, isTagged, setTag, steps } from './steps.ts';

/** False when a step failed; the others need it. */
function prove(version: string, directory: string): boolean {
  for (const { name, run } of steps) {
    try {
      const found = run({ version, directory });
      console.log(
        typeof found === 'string' ? `ok   ${name}: ${found}` : `skip ${name}: ${found.skipped}`,
      );
    } catch (error) {
      console.error(`FAIL ${name}\n${messageOf(error).replaceAll(/^/gm, '     ')}`);
      return false;
    }
  }
  return true;
}

function release(version: string): void {
  const tag = tagOf(version);
  if (isTagged(version)) console.log(`${tag} is set already`);
  else setTag(version);
  console.log(`Nothing was pushed. To publish: git push origin main ${tag}`);
}

const { values } = parseArgs({
  options: { 'dry-run': { type: 'boolean', default: false }, out: { type: 'string' } },
});
const temporary =
  values.out === undefined ? mkdtempSync(join(tmpdir(), 'stealwatch-out-')) : undefined;
try {
  const version = currentVersion();
  if (!prove(version, temporary ?? resolve(values.out ?? ''))) process.exitCode = 1;
  else if (values['dry-run'])
    console.log(`stealwatch ${version} could be released. Nothing was tagged or pushed.`);
  else release(version);
} finally {
  if (temporary !== undefined) rmSync(temporary, { recursive: true });
}
