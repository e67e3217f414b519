/** Needs `npm run build` before. */
import assert from 'node:assert/strict';
import type { Metafile } from 'esbuild';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { bundledPackages, packagesIn } from './notices.ts';
import { inStep } from './rig/in-step.ts';

const notices = readFileSync('dist/THIRD-PARTY-NOTICES.txt', 'utf8');

test('notices: what is bundled is named with version, licence and text', () => {
  const { devDependencies } = JSON.parse(readFileSync('package.json', 'utf8')) as {
    devDependencies: Record<string, string>;
  };
  for (const name of [
    '@koa/router',
    'bcryptjs',
    'ioredis',
    'koa',
    'pino',
    'systeminformation',
    'yaml',
  ]) {
    const found = new RegExp(`^${name} (\\S+)\\nLicence: (\\S+)\\n=+\\n\\n`, 'm').exec(notices);
    assert.equal(found?.[1], devDependencies[name], name);
    const text = notices.slice((found?.index ?? 0) + (found?.[0].length ?? 0)).slice(0, 3000);
    assert.match(
      text,
      /Permission is hereby granted|Redistribution and use|Permission to use/,
      name,
    );
  }
  assert.match(notices, /^prom-client \(@prometheus-io\/client\) [\d.]+$/m);
  assert.equal(packagesIn(notices).length, notices.match(/^Licence: /gm)?.length);
  const listed = packagesIn(notices).map(({ name, version }) => `${name}@${version}`);
  assert.ok(listed.includes(`koa@${devDependencies['koa']}`));
  assert.ok(listed.includes(devDependencies['prom-client']?.replace('npm:', '') ?? ''));
  assert.doesNotMatch(notices, /^(esbuild|typescript|fast-check) /m, 'tools are not bundled');
});

const says = (row: string) => `docs/licences.md, "${row}": run npm run build and commit it`;

test('notices: the page lists the same', () => {
  const page = readFileSync('docs/licences.md', 'utf8');
  const named = [...notices.matchAll(/^(\S+(?: \(\S+\))?) \S+\nLicence: (\S+)$/gm)];
  const rows = new Set(named.map(([, name, license]) => `| ${name} | ${license} |`));
  assert.ok(rows.size > 20);
  const listed = page.match(/^\| .+ \|$/gm)?.slice(1) ?? [];
  inStep({ have: listed, want: rows, missing: says, needless: says });
});

function packageWith(t: TestContext, license: string, file?: string): Metafile {
  const root = mkdtempSync(join(tmpdir(), 'stealwatch-notices-'));
  t.after(() => rmSync(root, { recursive: true }));
  const directory = join(root, 'node_modules', 'thing');
  mkdirSync(directory, { recursive: true });
  writeFileSync(
    join(directory, 'package.json'),
    JSON.stringify({ name: 'thing', version: '1.0.0', license }),
  );
  if (file !== undefined) writeFileSync(join(directory, file), 'the text');
  return {
    inputs: { [join(directory, 'index.js')]: { bytes: 1, imports: [] } },
    outputs: {},
  };
}

test('notices: texts by whatever name; without one the build fails, unless it is MIT', (t) => {
  for (const file of ['LICENSE', 'license.md', 'LICENCE.txt', 'COPYING', 'NOTICE']) {
    assert.equal(bundledPackages(packageWith(t, 'ISC', file))[0]?.text, 'the text', file);
  }
  assert.match(
    bundledPackages(packageWith(t, 'MIT'))[0]?.text ?? '',
    /Permission is hereby granted/,
  );
  assert.throws(() => bundledPackages(packageWith(t, 'BSD-3-Clause')), /expected a file LICENSE/);
});
