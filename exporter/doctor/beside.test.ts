/** The doctor beside a real exporter and a real Alertmanager, as they ship. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { startAlertmanager } from '../../tools/rig/alertmanager.ts';
import { createAuthority } from '../../tools/rig/certificates.ts';
import { examineOne, exporterAt } from '../../tools/rig/doctor-machine.ts';
import { startExporter } from '../../tools/rig/exporter-process.ts';
import { fixtureTree } from '../../tools/rig/fixture-tree.ts';
import { startRedis, until } from '../../tools/rig/redis-server.ts';
import { httpSink } from '../../tools/rig/http-sink.ts';
import { parseRedisAddress } from '../redis/address.ts';
import { installedTools } from '../../tools/rig/prometheus-tools.ts';

async function startSecured(t: TestContext) {
  const authority = createAuthority(t);
  authority.issue('server');
  const webConfigFile = join(authority.directory, 'web.yml');
  const token = createHash('sha256').update('T0ken').digest('hex');
  const tls = 'tls_server_config:\n  cert_file: server.pem\n  key_file: server.key\n';
  writeFileSync(webConfigFile, `${tls}bearer_tokens:\n  watcher: ${token}\n`);
  const exporter = await startExporter(t, ['--web-config-file', webConfigFile]);
  return { exporter, webConfigFile };
}

test('doctor: an exporter with TLS and a token, by its own files', async (t) => {
  const root = fixtureTree(t, {});
  const { exporter, webConfigFile } = await startSecured(t);
  const one = (more: Parameters<typeof exporterAt>[1]) =>
    examineOne('exporter', root, { exporter: exporterAt(exporter.url, more) });
  const right = { named: false, webConfigFile, token: 'T0ken' };
  assert.equal((await one(right)).state, 'pass', (await one(right)).reason);
  assert.match(
    (await one({ ...right, token: undefined })).reason,
    /asks for credentials \(HTTP 401\)/,
  );
  assert.match(
    (await one({ ...right, token: 'wrong' })).reason,
    /does not take the credentials that it was given \(HTTP 401\)/,
  );
  assert.match((await one({ ...right, webConfigFile: undefined })).reason, /ECONNRESET|HPE_/);
  assert.match(
    (await one({ ...right, webConfigFile: join(root, 'none') })).reason,
    /none: cannot be read/,
  );
  const other = createAuthority(t);
  const { certFile } = other.issue('server');
  const file = join(other.directory, 'web.yml');
  writeFileSync(file, `tls_server_config:\n  cert_file: ${certFile}\n  key_file: server.key\n`);
  assert.match(
    (await one({ ...right, webConfigFile: file })).reason,
    /SELF_SIGNED|UNABLE_TO|SIGNATURE/,
  );
});

test('doctor: a real Alertmanager that tells nobody, then somebody, then in vain', async (t) => {
  const { alertmanager: program } = installedTools();
  const root = fixtureTree(t, {});
  const watchdog = { labels: { alertname: 'Watchdog' } };
  const said = async (url: string) => {
    const { state, reason } = await examineOne('alert-route', root, { alertmanager: new URL(url) });
    return `${state}: ${reason}`;
  };
  const sink = await httpSink(t, (_request, response) => response.end());
  const beating = await startAlertmanager(program, { HEARTBEAT_URL: sink.url });
  t.after(() => beating.stop());
  await beating.post([watchdog]);
  assert.equal(await said(beating.url), 'fail: its receivers tell nobody: people');

  const telling = await startAlertmanager(program, { WEBHOOK_URL: sink.url });
  t.after(() => telling.stop());
  assert.match(await said(telling.url), /^fail: the Watchdog is not firing/);
  await telling.post([watchdog]);
  assert.equal(await said(`${telling.url}/`), 'warn: it has told nobody anything yet');

  // Its beats arrive, which says nothing of a phone.
  for (const [way, words] of [
    ['DISCORD_WEBHOOK_URL', /^warn: it has told nobody anything yet$/],
    ['WEBHOOK_URL', /^cannot_see: the Watchdog's beats go by webhook too/],
  ] as const) {
    const { url } = await httpSink(t);
    const heart = await httpSink(t);
    const both = await startAlertmanager(program, { HEARTBEAT_URL: heart.url, [way]: url });
    t.after(() => both.stop());
    await both.post([watchdog]);
    await until('a beat was told, and counted', async () => {
      const metrics = await (await fetch(`${both.url}/metrics`)).text();
      return /^alertmanager_notifications_total\{integration="webhook".*\} [1-9]/m.test(metrics);
    });
    assert.match(await said(both.url), words);
  }
});

test('doctor: a Redis that turns us away answers, and is not taken for frozen', async (t) => {
  const redis = await startRedis(t, { args: ['--requirepass', 's3cret'] });
  const root = fixtureTree(t, {});
  const say = async (id: string, url: string) => {
    const { state, reason } = await examineOne(id, root, { redis: parseRedisAddress(url) });
    return `${state}: ${reason}`;
  };
  const withPassword = redis.url.replace('//', '//:s3cret@');
  assert.match(await say('redis', redis.url), /^cannot_see: redis:\S+ refuses INFO \(NOAUTH/);
  assert.equal(await say('slowlog', redis.url), 'cannot_see: Redis turns us away');
  const wrong = await say('redis', redis.url.replace('//', '//:wr0ng@'));
  assert.match(wrong, /^cannot_see: .*WRONGPASS/);
  assert.doesNotMatch(wrong, /wr0ng/);
  assert.match(await say('redis', withPassword), /^pass: redis:\S+, version \d/);
  assert.equal(await say('slowlog', withPassword), 'pass: from 10 ms');
});
