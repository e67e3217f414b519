/** `stealwatch report` on what real daemons kept of a real hung task, word for word; and against when it was. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import { temporaryRoot } from '../../tools/rig/temporary-root.ts';
import { report } from './command.ts';

const fixture = (path: string): string =>
  fileURLToPath(new URL(`../fixtures/real-remains/${path}`, import.meta.url));

const [, major = 0, minor = 0, patch = 0] =
  /version (\d+)\.(\d+)\.(\d+)/.exec(
    spawnSync('sadf', ['-V'], { encoding: 'utf8' }).stdout ?? '',
  ) ?? [];
const readsHyp = Number(major) * 1e4 + Number(minor) * 100 + Number(patch) >= 12_06_01;
const hasJournal = spawnSync('journalctl', ['--version']).status === 0;
const skip = readsHyp && hasJournal ? false : 'no journalctl, or no sadf of 12.6.1 or later';

const machine = '5f1d0c6e8a7b4d3c9e2f1a0b5c6d7e8f';
/** The file, where it is in the machine, and when it was last written there: the zone of a log hangs on that. */
const kept = [
  ['system.journal.gz', `var/log/journal/${machine}/system.journal`],
  ['sa30.gz', 'var/log/sysstat/sa30'],
  ['redis-server.log', 'var/log/redis/redis-server.log'],
] as const;

function rootOf(t: TestContext, name: string, frozenAt: number): string {
  const root = temporaryRoot(t);
  for (const [file, place] of kept) {
    const bytes = readFileSync(fixture(`${name}/${file}`));
    const path = join(root, place);
    mkdirSync(join(path, '..'), { recursive: true });
    writeFileSync(path, file.endsWith('.gz') ? gunzipSync(bytes) : bytes);
    utimesSync(path, frozenAt + 51, frozenAt + 51);
  }
  return root;
}

interface Written {
  readonly causes: readonly string[];
  readonly incident: { readonly onset: { readonly earliest: string; readonly latest: string } };
}

for (const name of ['redis-7', 'redis-8', 'valkey-9']) {
  test(
    `real remains: ${name}: a frozen file system is found, dated, and no matter for the provider`,
    { skip },
    async (t) => {
      const frozenAt = Date.parse(readFileSync(fixture(`${name}/frozen-at`), 'utf8').trim()) / 1000;
      const root = rootOf(t, name, frozenAt);
      const before = process.cwd();
      t.after(() => process.chdir(before));
      process.chdir(root);
      const complaints: string[] = [];
      const code = await report({
        argv: ['--root', '.', '--out', 'out'],
        env: process.env,
        print: () => undefined,
        complain: (text) => void complaints.push(text),
      });
      assert.deepEqual([code, complaints], [0, []]);
      assert.throws(() => readFileSync('out/ticket.md'), /ENOENT/);
      const json = readFileSync('out/report.json', 'utf8');
      const { causes, incident } = JSON.parse(json) as Written;
      // The machine was busy besides, and that is told.
      assert.equal(causes[0], 'filesystem_frozen');
      const { earliest, latest } = incident.onset;
      assert.ok(Date.parse(earliest) / 1000 - 1 <= frozenAt, `${earliest} ${frozenAt}`);
      assert.ok(frozenAt <= Date.parse(latest) / 1000 + 1, `${latest} ${frozenAt}`);
      const golden = (file: string) =>
        fileURLToPath(new URL(`../golden/real-remains/${name}/${file}`, import.meta.url));
      const asItIs = { serializers: [(value: string) => value] };
      t.assert.fileSnapshot(readFileSync('out/report.md', 'utf8'), golden('report.md'), asItIs);
      t.assert.fileSnapshot(json, golden('report.json'), asItIs);
    },
  );
}
