/**
 * `stealwatch report` on files that sysstat of two versions wrote side by side, and on what their own `sadf -d`
 * made of them, which is read on any machine: the same is said, word for word.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, utimesSync } from 'node:fs';
import { test, type TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import { placed, temporaryRoot } from '../../tools/rig/temporary-root.ts';
import { report } from './command.ts';

const fixture = (name: string): Buffer =>
  gunzipSync(
    readFileSync(new URL(`../fixtures/sysstat/own-load/sa01.${name}.gz`, import.meta.url)),
  );
/** When the last sample was written. */
const recorded = Date.UTC(2026, 11, 1, 3, 15, 12) / 1000;

const numberOf = (version: string): number =>
  version.split('.').reduce((sum, part) => sum * 100 + Number(part), 0);
const sadf = /sysstat version ([\d.]+)/.exec(
  spawnSync('sadf', ['-V'], { encoding: 'utf8' }).stdout ?? '',
)?.[1];
const unreadable = (version: string): string | false =>
  sadf !== undefined && numberOf(sadf) >= numberOf(version) ? false : `no sadf of ${version}`;

interface Written {
  readonly md: string;
  readonly json: string;
}

async function reportOn(
  t: TestContext,
  file: string,
  bytes: Buffer,
  argv: readonly string[] = [],
): Promise<Written> {
  const root = temporaryRoot(t);
  placed(root, 'etc/hostname', 'vps\n');
  utimesSync(placed(root, file, bytes), recorded, recorded);
  const before = process.cwd();
  process.chdir(root);
  try {
    const complaints: string[] = [];
    const code = await report({
      argv: ['--root', '.', ...argv, '--out', 'out'],
      env: process.env,
      print: () => undefined,
      complain: (text) => void complaints.push(text),
    });
    assert.deepEqual([code, complaints], [0, []]);
    assert.deepEqual(readdirSync('out').sort(), ['report.json', 'report.md'], 'it is ours');
    return {
      md: readFileSync('out/report.md', 'utf8'),
      json: readFileSync('out/report.json', 'utf8'),
    };
  } finally {
    process.chdir(before);
  }
}

/** All that is said, but of which file it was read: a newer sadf prints other rows besides. */
function said({ md, json }: Written): unknown {
  const { sources: _sources, ...rest } = JSON.parse(json) as Record<string, unknown>;
  return [md.split('\n').filter((line) => !line.startsWith('| sysstat |')), rest];
}

const golden = (version: string, file: string): string =>
  fileURLToPath(new URL(`../golden/sysstat/${version}/${file}`, import.meta.url));

for (const version of ['12.5.2', '12.7.5']) {
  const text = (t: TestContext) =>
    reportOn(t, 'sa01.sadf', fixture(`${version}.sadf`), ['--sysstat', 'sa01.sadf']);

  test(`sysstat ${version}: what its sadf printed becomes a report, word for word`, async (t) => {
    const { md, json } = await text(t);
    const { causes } = JSON.parse(json) as { readonly causes: readonly string[] };
    assert.deepEqual(causes, ['own_load']);
    const asItIs = { serializers: [(value: string) => value] };
    t.assert.fileSnapshot(md, golden(version, 'report.md'), asItIs);
    t.assert.fileSnapshot(json, golden(version, 'report.json'), asItIs);
  });

  test(`sysstat ${version}: its file says the same`, { skip: unreadable(version) }, async (t) => {
    const file = await reportOn(t, 'var/log/sysstat/sa01', fixture(version));
    assert.deepEqual(said(file), said(await text(t)));
  });
}
