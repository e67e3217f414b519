/** The demo's phone: what a running Alertmanager sends to Slack is on the page, and is text there. */
import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import type { IncomingMessage } from 'node:http';
import { test } from 'node:test';
import { startAlertmanager } from '../../tools/rig/alertmanager.ts';
import { httpSink } from '../../tools/rig/http-sink.ts';
import { installedTools } from '../../tools/rig/prometheus-tools.ts';
import { until } from '../../tools/rig/redis-server.ts';
import { bodyOf, createInbox } from './inbox.ts';

const inbox = () => createInbox(() => new Date('2026-02-03T17:48:09Z'));
const slack = (title: string, text: string, color = 'danger') =>
  JSON.stringify({ attachments: [{ title, text, color }] });

test('demo: the message is on the page as Alertmanager sent it', async (t) => {
  const sink = await httpSink(t);
  const alertmanager = await startAlertmanager(installedTools().alertmanager, {
    SLACK_WEBHOOK_URL: `${sink.url}/slack`,
  });
  t.after(() => alertmanager.stop());
  await alertmanager.post([
    {
      labels: { alertname: 'RedisFrozen', host: 'demo', severity: 'page', layer: 'redis' },
      annotations: {
        summary: 'demo: nothing for <12> s & more',
        why: 'Its host is quiet.',
        do: "timeout 3 redis-cli ping > x; ps | grep -E '^D'",
        runbook_url: 'https://example.org/RedisFrozen.md?a=1&b=2',
      },
    },
  ]);
  await until('it is sent', () => sink.posted.length > 0, 20);
  const phone = inbox();
  assert.equal(phone.take(sink.posted[0]?.body ?? ''), true);
  assert.equal(
    phone.html(),
    `<article class="firing"><h2>PAGE demo: RedisFrozen</h2><time>17:48:09 UTC</time>
<p>RedisFrozen: demo: nothing for &lt;12&gt; s &amp; more<br><b>why</b> Its host is quiet.<br><b>do</b> <code>timeout 3 redis-cli ping &gt; x; ps | grep -E &#39;^D&#39;</code><br><b>runbook</b> <a href="https://example.org/RedisFrozen.md?a=1&amp;b=2">https://example.org/RedisFrozen.md?a=1&amp;b=2</a></p></article>`,
  );
});

test('demo: the newest message is first, and twenty are kept', () => {
  const phone = inbox();
  assert.match(phone.html(), /Nothing yet/);
  for (let i = 0; i < 25; i++) phone.take(slack(`message ${i}`, 'x', i === 24 ? 'good' : 'danger'));
  const titles = [...phone.html().matchAll(/class="(\w+)"><h2>message (\d+)/g)];
  assert.equal(titles.length, 20);
  assert.deepEqual(titles[0]?.slice(1), ['over', '24']);
  assert.deepEqual(titles.at(-1)?.slice(1), ['firing', '5']);
});

test('demo: what is no message is refused, and no message is markup', () => {
  const phone = inbox();
  for (const body of [
    '',
    '{',
    'null',
    '[]',
    '{"attachments":{}}',
    '{"attachments":[{"title":1}]}',
  ]) {
    assert.equal(phone.take(body), false, body);
  }
  phone.take(slack('<script>', 'runbook: javascript:x\nforensics: https://a"onclick=x\n<img>'));
  assert.doesNotMatch(phone.html(), /<script|<img|href="javascript|"onclick/);
});

const of = (...chunks: string[]) =>
  bodyOf(Readable.from(chunks.map((chunk) => Buffer.from(chunk))) as IncomingMessage);

test('demo: a body is read to its end, or not at all', async () => {
  assert.equal(await of('a', 'b'), 'ab');
  assert.equal(await of('a'.repeat(40_000), 'b'.repeat(40_000)), undefined);
});
