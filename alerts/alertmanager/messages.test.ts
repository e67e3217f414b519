/**
 * What people get to read when the names in an alert are not to be trusted: whoever may write into
 * Redis, name a thread or a machine chooses labels. A real Alertmanager sends to every channel; what
 * arrived rings nobody, links nowhere but to the runbook, and keeps to its line.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { until } from '../../tools/rig/redis-server.ts';
import { type Channels, startChannels } from '../../tools/rig/channels.ts';
import { webhookMessage } from '../../tools/rig/http-sink.ts';
import { allTools } from '../../tools/rig/prometheus-tools.ts';

const hostile: Readonly<Record<string, string>> = {
  'a mention of Slack': '<!channel> <!here> <@U012AB3CD> <#C1> <!subteam^S1>',
  'a link of Slack': '<http://evil.example|runbook> <https://evil.example>',
  'a link of Markdown':
    '[x](http://evil.example) [runbook](<http://evil.example>) ![x](https://evil.example)',
  'a link of nothing but itself':
    'http://evil.example HTTPS://EVIL.example tg://resolve?domain=evil',
  'a mention by name': '@everyone @here @channel @some_user <@&123> <@!1>',
  HTML: '</b><a href="https://evil.example">runbook</a><script>x</script><img src=x> &lt;b&gt; &amp; &#64;',
  Markdown: '**b** __u__ *i* _i_ ~~s~~ ||sp|| `c` ```\ncode [a][b] \\',
  'backslashes at the end': 'x\\\\\\',
  'backslashes before markup': '\\[x\\](http://evil.example) \\\\<!channel> \\@everyone',
  'line ends':
    'a\nRedisFrozen: all is well\r\n# head\n> quote\n- list\rb\u2028c\u2029d\u0085e\u000bf\u000cg',
  'the other direction': '\u202eevil\u202c \u2066x\u2069 \u200fx',
  'control characters': 'a\u0000b\u001b[31mred\u0007\u0008\u007f',
  'a template': '{{ .ExternalURL }} {{ template "stealwatch.title" . }} %s %!d(x) $1 ${0} \\1',
  'a header': 'x\r\nBcc: evil@evil.example\r\n\r\nbody',
  'much of each': '<@[`*\\&_'.repeat(200),
  'characters of two units': '🧊'.repeat(400),
};

const runbook = 'https://github.com/stealwatch/stealwatch/blob/main/docs/runbooks/X.md?a=1&b=2';

interface Told {
  /** The message as the channel takes it: every text that a person gets to see. */
  readonly title: string;
  readonly text: string;
}

function postedTo({ sink }: Channels, path: string): string[] {
  return sink.posted.filter((posted) => posted.path.startsWith(path)).map(({ body }) => body);
}

interface DiscordMessage {
  readonly content?: string;
  readonly embeds: readonly Readonly<Record<string, unknown>>[];
}

function ofDiscord(body: string): Told {
  const { content, embeds }: DiscordMessage = JSON.parse(body);
  assert.equal(content ?? '', '');
  assert.equal(embeds.length, 1);
  const { title, description, color, ...rest } = embeds[0] ?? {};
  assert.equal(typeof color, 'number');
  assert.deepEqual(rest, {});
  return { title: String(title), text: String(description) };
}

interface SlackMessage {
  readonly text?: string;
  readonly link_names?: boolean;
  readonly attachments: readonly Readonly<Record<string, unknown>>[];
}

function ofSlack(body: string): Told {
  const { text: outside, link_names, attachments }: SlackMessage = JSON.parse(body);
  assert.equal(outside ?? '', '');
  assert.equal(link_names ?? false, false);
  assert.equal(attachments.length, 1);
  const { title, text, fallback, title_link, mrkdwn_in, color, ...rest } = attachments[0] ?? {};
  assert.equal(color, 'danger');
  assert.equal(fallback, title);
  if (title_link !== undefined) {
    assert.match(JSON.stringify(title_link), /^"https:\/\/grafana\.example\.org\//);
  }
  assert.deepEqual(mrkdwn_in, ['pretext']);
  assert.deepEqual(rest, { callback_id: '', footer: '' });
  return { title: String(title), text: String(text) };
}

function ofTelegram(body: string): Told {
  const { text = '', parse_mode = '', chat_id }: Record<string, string> = JSON.parse(body);
  assert.equal(parse_mode, '', 'no markup is read');
  assert.equal(chat_id, '-5');
  assert.ok(text.length <= 4096);
  const [title = '', ...rest] = text.split('\n\n');
  return { title, text: rest.join('\n\n') };
}

/** Quoted-printable of RFC 2045; in a header (RFC 2047) a blank is an underscore. */
function decoded(text: string): string {
  const bytes = text
    .replaceAll('=\n', '')
    .replace(/=([0-9A-F]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
  return Buffer.from(bytes, 'latin1').toString();
}

function ofMail(whole: string): Told {
  const [header = '', part = ''] = whole.split(/\n\n--\S+\n/);
  const fields = header.split('\n').map((line) => /^[\w-]+/.exec(line)?.[0]);
  // Alertmanager writes them in any order.
  assert.equal(fields.length, 7);
  assert.deepEqual(
    new Set(fields),
    new Set(['From', 'To', 'Subject', 'Date', 'Message-Id', 'MIME-Version', 'Content-Type']),
  );
  const types = [...whole.matchAll(/^Content-Type: (\S+);/gm)].map((match) => match[1]);
  assert.deepEqual(types, ['multipart/alternative', 'text/plain'], 'no HTML');
  const subject = /^Subject: (.*)$/m.exec(header)?.[1] ?? '';
  const title = subject
    .replaceAll('?= =?utf-8?q?', '')
    .replace(/^=\?utf-8\?q\?(.*)\?=$/, (_, q: string) => decoded(q.replaceAll('_', ' ')));
  const text = /\n\n([\s\S]*?)\n--/.exec(part)?.[1] ?? '';
  return { title, text: decoded(text) };
}

interface Channel {
  readonly told: (channels: Channels) => Told[];
  /** What the channel itself would make something of: nothing of it may be there. */
  readonly markup?: RegExp;
  /** The whole text of a message of one alert: the summary, the why, and where the runbook is. */
  readonly link: RegExp;
}

const channels: Readonly<Record<string, Channel>> = {
  discord: {
    told: (all) => postedTo(all, '/discord').map(ofDiscord),
    markup: /[*~|<>`[\]\\]/,
    link: /^\*\*X\*\* ([^\n]*)\n\*\*why\*\* ([^\n]*)\n\[runbook\]\((\S+)\)(?:\n\[forensics\]\((\S+)\))?\n$/,
  },
  slack: {
    told: (all) => postedTo(all, '/slack').map(ofSlack),
    markup: /[<>]|&(?!(amp|lt|gt);)/,
    link: /^X: ([^\n]*)\nwhy: ([^\n]*)\nrunbook: (\S+)(?:\nforensics: (\S+))?\n$/,
  },
  telegram: {
    told: (all) => postedTo(all, '/bot').map(ofTelegram),
    link: /^X: ([^\n]*)\nwhy: ([^\n]*)\nrunbook: (\S+)(?:\nforensics: (\S+))?\n?$/,
  },
  mail: {
    told: ({ mail: { mails } }) => mails.map(ofMail),
    link: /^X: ([^\n]*)\nwhy: ([^\n]*)\nrunbook: (\S+)(?:\nforensics: (\S+))?\n+$/,
  },
};

/** No channel shows these as they are, or they ring somebody, or become a link. */
const anywhere = /[\p{Cc}\p{Zl}\p{Zp}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]|@[\w!&#]|:\/\//u;

/** What is left once what is escaped is gone is what Discord reads. */
function readBy(name: string, text: string): string {
  return name === 'discord' ? text.replaceAll(/\\(?:[^\w\s]|_)/g, '') : text;
}

function assertPlain(name: string, text: string, what: string): void {
  assert.doesNotMatch(text, anywhere, `${name}, ${what}`);
  const { markup } = channels[name] ?? {};
  if (markup !== undefined) assert.doesNotMatch(readBy(name, text), markup, `${name}, ${what}`);
}

/** The one message whose title begins so. */
async function message(all: Channels, name: string, beginning: string): Promise<Told> {
  const find = () =>
    channels[name]?.told(all).find(({ title }) => title.startsWith(`PAGE ${beginning}`));
  await until(`${beginning} by ${name}`, () => find() !== undefined, 30);
  return find() ?? { title: '', text: '' };
}

/** As the rules write it: Go's urlquery leaves as little as this. */
const board = (host: string) =>
  `/d/stealwatch-freeze?${new URLSearchParams({ 'var-host': host }).toString().replaceAll('*', '%2A')}&from=1000&to=now`;

/** To the dashboards of that machine and nowhere else; a name that is too long for a message has no link. */
function assertLeadsTo(host: string, forensics: string | undefined): void {
  if (forensics === undefined) {
    assert.ok(board(host).length > 120, `no link of ${JSON.stringify(host)}`);
    return;
  }
  const url = new URL(forensics.replaceAll('&amp;', '&'));
  assert.equal(url.origin + url.pathname, 'https://grafana.example.org/d/stealwatch-freeze');
  assert.equal(url.searchParams.get('var-host'), host);
  assert.deepEqual([...url.searchParams.keys()], ['var-host', 'from', 'to']);
}

const page = { severity: 'page', layer: 'host' };
const badRunbooks = [
  'http://evil.example/)[x](http://a',
  'https://a/<!channel>',
  'javascript:x',
  'https://a/ @everyone',
  `https://a/${'x'.repeat(120)}`,
];

for (const tools of allTools()) {
  test(`labels are text, whatever is in them (${tools.label})`, async (t) => {
    const { alertmanager, ...all } = await startChannels(t, tools.alertmanager);
    const cases = Object.entries(hostile).map(([what, value], i) => {
      const host = `c${i} ${value}`;
      const summary = `${host}: the oldest task in queue ${value} has waited 2m`;
      return { what, labels: { alertname: 'X', host, queue: value, ...page }, summary };
    });
    await alertmanager.post(
      cases.map(({ labels, summary }) => ({
        labels,
        annotations: {
          summary,
          why: summary,
          runbook_url: runbook,
          dashboard_url: board(labels.host),
        },
      })),
    );
    for (const [name, { link }] of Object.entries(channels)) {
      for (const [i, { what }] of cases.entries()) {
        const { title, text } = await message(all, name, `c${i} `);
        const [, said = '', why = '', url, forensics] = link.exec(text) ?? [];
        assert.ok(url !== undefined, `${name}, ${what}: ${JSON.stringify(text)}`);
        assert.equal(url.replaceAll('&amp;', '&'), runbook);
        assertLeadsTo(cases[i]?.labels.host ?? '', forensics);
        for (const one of [title, said, why]) assertPlain(name, one, what);
        assert.doesNotMatch(title, /[<>&`*~|[\]]/, what);
        assert.match(title, /^PAGE .*: X$/, what);
        assert.ok(title.length <= 256, what);
      }
    }
    const received = postedTo(all, '/people').flatMap(
      (body) => webhookMessage({ path: '', at: 0, body }).alerts,
    );
    for (const { labels } of cases) {
      const same = received.find((one) => one.labels['host'] === labels.host);
      assert.deepEqual(same?.labels, labels, 'for programs it stays what it is');
    }
  });

  test(`names of alerts and addresses of runbooks are text, too (${tools.label})`, async (t) => {
    const { alertmanager, ...all } = await startChannels(t, tools.alertmanager);
    const value = Object.values(hostile).slice(0, 6).join(' ');
    const posted = badRunbooks.map((runbook_url, i) => ({
      labels: { alertname: `${i}${value}`, host: 'h', ...page },
      annotations: { summary: 'up', runbook_url },
    }));
    await alertmanager.post(posted);
    for (const name of Object.keys(channels)) {
      const { title, text } = await message(all, name, 'h:');
      const lines = text.split('\n').filter((line) => line !== '');
      assert.equal(lines.length, posted.length, `${name}: no link, a line each: ${text}`);
      for (const line of [title, ...lines]) {
        assertPlain(name, line.replace(/^\*\*(.*)\*\* up ?$/, '$1'), 'name of an alert');
      }
    }
  });

  test(`characters that count twice fit as well (${tools.label})`, async (t) => {
    const { alertmanager, ...all } = await startChannels(t, tools.alertmanager);
    const ice = '🧊'.repeat(400);
    const posted = Array.from({ length: 9 }, (_, i) => ({
      labels: { alertname: `${i}${ice}`, host: `h${ice}`, ...page },
      annotations: { summary: `${ice}${'_'.repeat(400)}`, runbook_url: runbook },
    }));
    await alertmanager.post(posted);
    for (const name of ['discord', 'telegram']) {
      const { title, text } = await message(all, name, 'h');
      assert.ok(title.length <= 256, `${name}: title of ${title.length}`);
      assert.ok(title.length + 2 + text.length <= 4096, `${name}: text of ${text.length}`);
    }
  });

  test(`what people write stays legible (${tools.label})`, async (t) => {
    const { alertmanager, ...all } = await startChannels(t, tools.alertmanager);
    const summary = 'vps-1: p95 of emails_low > 5 s & rising (99.5 %, 3 of 4), «Überlänge» #1';
    const labels = { alertname: 'X', host: "Bob's vps-1.example.org (prod)", ...page };
    await alertmanager.post([{ labels, annotations: { summary, why: 'y', runbook_url: runbook } }]);
    for (const [name, { link }] of Object.entries(channels)) {
      const { title, text } = await message(all, name, 'Bob');
      assert.equal(title, "PAGE Bob's vps-1.example.org (prod): X", name);
      const said = link.exec(text)?.[1] ?? '';
      const entities = said
        .replaceAll('&lt;', '<')
        .replaceAll('&gt;', '>')
        .replaceAll('&amp;', '&');
      const shown = name === 'slack' ? entities : said.replaceAll(/\\(?=[^\w\s]|_)/g, '');
      assert.equal(shown, summary, name);
    }
  });
}
