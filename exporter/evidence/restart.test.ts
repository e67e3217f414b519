/** The exporter as it ships is killed in the middle of an incident, and its next life knows it by name. */
import assert from 'node:assert/strict';
import { appendFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { startExporter } from '../../tools/rig/exporter-process.ts';
import { startRedis, until } from '../../tools/rig/redis-server.ts';
import { temporaryRoot } from '../../tools/rig/temporary-root.ts';
import type { EvidenceIncident } from './format.ts';
import { parseEvidence } from './parse.ts';

const recording = new URL('../fixtures/kmsg/6.12-redis-kvm-async-pf.txt', import.meta.url);

/** The recorded report, as if the kernel printed it now. */
function reportNow(): string {
  const now = Math.round(Number(process.hrtime.bigint()) / 1000);
  const records = readFileSync(recording, 'latin1').split('\n');
  const first = Number(records[0]?.split(',')[2]);
  return records
    .filter((line) => line !== '')
    .map((line) =>
      line.replace(
        /^(\d+,\d+),(\d+)/,
        (_, head: string, at: string) => `${head},${now + Number(at) - first}`,
      ),
    )
    .map((line) => `${line}\n`)
    .join('');
}

const incidents = async (url: string): Promise<readonly EvidenceIncident[]> =>
  parseEvidence(await (await fetch(`${url}/evidence`)).text()).incidents;

const told = async (url: string) => (await incidents(url)).find(({ kernel }) => kernel.length > 0);

test('evidence: the same incident has the same name after a restart, and the same words of the kernel', async (t) => {
  const kmsg = join(temporaryRoot(t), 'kmsg');
  writeFileSync(kmsg, '');
  const redis = await startRedis(t);
  const start = async () => startExporter(t, ['--redis-url', redis.url, '--kmsg', kmsg]);

  const first = await start();
  redis.freeze();
  await until('Redis opens it', async () => (await incidents(first.url)).length === 1);
  const [opened] = await incidents(first.url);
  appendFileSync(kmsg, reportNow());
  await until('the kernel tells of it', async () => (await told(first.url))?.kernel.length === 2);
  const before = await told(first.url);
  assert.deepEqual(before?.formerIds, [opened?.id]);
  assert.notEqual(before?.id, opened?.id);
  assert.ok(first.log().includes('"msg":"incident began"'));
  assert.ok(first.log().includes('"msg":"the kernel reports"'));

  process.kill(first.pid, 'SIGKILL');
  await first.ended;
  const second = await start();
  await until('it is read again', async () => (await told(second.url)) !== undefined);
  const again = await told(second.url);
  assert.equal(again?.id, before?.id);
  assert.deepEqual(again?.kernel, before?.kernel);
  // That of before was told by the one before.
  assert.ok(!second.log().includes('the kernel reports'));
});
