/**
 * What each answer says it is, by the bundle as it ships: there the database of media types is cut down to
 * those that are used, and one that is missing is missed by nobody but a browser.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startExporter } from '../../tools/rig/exporter-process.ts';

test('bundle: every answer says what it is', async (t) => {
  const { url } = await startExporter(t, ['--redis-url=none']);
  const typeOf = async (path: string, accept: string) => {
    const answer = await fetch(url + path, { headers: { accept } });
    await answer.arrayBuffer();
    return answer.headers.get('content-type');
  };
  const plain = 'text/plain; charset=utf-8';
  const html = 'text/html; charset=utf-8';
  for (const path of ['/', '/runbook/', '/runbook/RedisFrozen']) {
    assert.equal(await typeOf(path, '*/*'), plain, path);
    assert.equal(await typeOf(path, 'text/html'), html, path);
  }
  for (const path of ['/livez', '/nothing', '/runbook/nothing', '/probe?target=nothing']) {
    assert.equal(await typeOf(path, '*/*'), plain, path);
  }
  assert.equal(await typeOf('/status', '*/*'), 'application/json; charset=utf-8');
  assert.match((await typeOf('/metrics', '*/*')) ?? '', /^text\/plain; version=/);
});
