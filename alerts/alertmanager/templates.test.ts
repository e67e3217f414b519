/**
 * The texts of a message as every channel gets them, by the templates alone: what no alert of ours makes
 * them say, and what fits. That a running Alertmanager sends them is in messages.test.ts.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { alertsOf, ruleFiles } from '../testing/rule-files.ts';
import { sentences } from '../verdict/why.ts';
import {
  channelTexts,
  type ChannelTexts,
  rendered,
  type TemplateAlert,
} from '../../tools/rig/message-templates.ts';
import { allTools } from '../../tools/rig/prometheus-tools.ts';

const grafana = 'https://grafana.example.org';
const texts = channelTexts({ GRAFANA_URL: `${grafana}/` });
const channels = ['discord', 'slack', 'telegram', 'mail'] as const;

const one: TemplateAlert = {
  status: 'firing',
  labels: { alertname: 'RedisFrozen', host: 'vps1', severity: 'page', layer: 'redis' },
  annotations: {
    summary: 'vps1: Redis has answered nothing for 12 s.',
    why: 'Your host takes CPU.',
    cost: '600 s without Redis.',
    held: '30s',
    do: "redis-cli ping; ps -eLo state | grep -E '^(D|R)' && x > $HOME/y",
    runbook_url: 'https://example.org/RedisFrozen.md',
    dashboard_url: '/d/stealwatch-freeze?var-host=vps1&from=1000&to=now',
  },
  startsAt: '2026-02-03T17:48:00.400Z',
  endsAt: '2026-02-03T18:00:14.100Z',
};
const over: TemplateAlert = { ...one, status: 'resolved' };

function named(alertname: string, from: TemplateAlert, annotations = {}): TemplateAlert {
  return {
    ...from,
    labels: { ...from.labels, alertname },
    annotations: { ...from.annotations, ...annotations },
  };
}

const whysIn = (text: string) => text.match(/why/g)?.length;

for (const { label, amtool } of allTools()) {
  const say = (channel: keyof ChannelTexts, ...alerts: readonly TemplateAlert[]) =>
    rendered(amtool, texts[channel], alerts);

  test(`what, why, what to type, and where to read on (${label})`, () => {
    // Half an hour before it began, whenever it was last evaluated.
    const board = `${grafana}/d/stealwatch-freeze?var-host=vps1&from=1770139080400`;
    assert.equal(
      say('mail', one),
      [
        'RedisFrozen: vps1: Redis has answered nothing for 12 s.',
        'why: Your host takes CPU.',
        "do: redis-cli ping; ps -eLo state | grep -E '^(D|R)' && x > $HOME/y",
        'runbook: https://example.org/RedisFrozen.md',
        `forensics: ${board}&to=now`,
        '',
      ].join('\n'),
    );
    assert.equal(
      say('discord', one),
      [
        '**RedisFrozen** vps1: Redis has answered nothing for 12 s.',
        '**why** Your host takes CPU.',
        "**do** `redis-cli ping; ps -eLo state | grep -E '^(D|R)' && x > $HOME/y`",
        '[runbook](https://example.org/RedisFrozen.md)',
        `[forensics](${board}&to=now)`,
        '',
      ].join('\n'),
    );
    const slack = say('slack', one);
    assert.match(slack, /^do: .*'\^\(D\|R\)' &amp;&amp; x &gt; \$HOME\/y$/m);
    assert.ok(slack.includes(`forensics: ${board.replaceAll('&', '&amp;')}&amp;to=now\n`), slack);
    assert.equal(say('slackLink', one), `${board}&to=now`);
  });

  test(`the end: how long it lasted, what it cost, how to make the report (${label})`, () => {
    assert.equal(
      say('mail', over),
      [
        'RedisFrozen is over (fired for 12m14s, the last 30s to be sure). Last seen: vps1: Redis has answered nothing for 12 s.',
        'why: Your host takes CPU.',
        'cost: 600 s without Redis.',
        'report: stealwatch report --from 2026-02-03T17:18Z --to 2026-02-03T18:10Z',
        `forensics: ${grafana}/d/stealwatch-freeze?var-host=vps1&from=1770139080400&to=1770142214100`,
        '',
      ].join('\n'),
    );
    const rest = named('RedisDown', over, { cost: '' });
    const text = say('mail', named('AofFsyncDelayed', one), rest);
    assert.match(text, /\nover: RedisDown \(fired for 12m14s, the last 30s to be sure\)\n$/);
    const ticket = { ...over, labels: { ...over.labels, severity: 'ticket' } };
    const watching = { ...over, labels: { ...over.labels, layer: 'meta' } };
    const clockBack = { ...over, endsAt: '2026-02-03T17:00:00Z' };
    for (const channel of channels) {
      assert.doesNotMatch(say(channel, rest), /cost/, 'nothing that was not recorded');
      assert.doesNotMatch(say(channel, ticket), /report/, 'no report of a ticket');
      assert.doesNotMatch(say(channel, watching), /report/, 'nor of the watching');
      assert.match(say(channel, clockBack), /is over\. Last/, 'a clock that went back');
      for (const held of ['', '@everyone', '30 s', '1e9s']) {
        const text = say(channel, named('RedisDown', over, { held }));
        assert.match(text, /is over \(fired for 12m14s\)\. Last/, 'no other word than a time');
      }
    }
  });

  test(`no link where GRAFANA_URL is not given, or leads to this machine (${label})`, () => {
    for (const url of ['', 'http://localhost:3000', 'http://127.0.0.1:3000/', 'http://[::1]']) {
      const without = channelTexts(url === '' ? {} : { GRAFANA_URL: url });
      for (const channel of [...channels, 'slackLink'] as const) {
        const text = rendered(amtool, without[channel], [one]);
        assert.doesNotMatch(text, /forensics|grafana|localhost|127\.0\.0\.1/, `${url}: ${text}`);
      }
    }
  });

  test(`a path that is none, and a command that could do something here, are left out (${label})`, () => {
    const paths = ['https://evil.example/d/stealwatch-freeze?', '//evil', '/d/x)[y](http://e', ''];
    const commands = ['a`b', 'a\nb', '@everyone', 'curl http://evil.example', 'ü', 'x'.repeat(261)];
    for (const dashboard_url of paths) {
      const text = say('discord', named('X', one, { dashboard_url }));
      assert.doesNotMatch(text, /forensics|evil/, dashboard_url);
    }
    // Slack has a template of its own for it.
    for (const channel of ['discord', 'slack'] as const) {
      const text = commands.map((command) => say(channel, named('X', one, { do: command })));
      assert.doesNotMatch(text.join(''), /^(do:|\*\*do\*\*)/m, channel);
    }
  });

  test(`each machine has its own why, and what is the same is told once (${label})`, () => {
    const other = { ...one, labels: { ...one.labels, host: 'vps2' } };
    const quiet = named('RedisFrozen', other, { why: 'Its host is quiet.' });
    for (const channel of channels) {
      assert.equal(whysIn(say(channel, one, named('RedisDown', one))), 1, channel);
      assert.equal(whysIn(say(channel, one, quiet)), 2, channel);
    }
    assert.match(say('title', one, quiet), /^PAGE \(several hosts\): /);
  });

  test(`sixty alerts fit into every channel, firing, over and both (${label})`, () => {
    const long = 'Überlänge 🧊 '.repeat(60);
    const path = `/d/stealwatch-freeze?var-host=${'%C3'.repeat(30)}&from=1000&to=now`;
    const longest = channelTexts({ GRAFANA_URL: `https://${'g'.repeat(72)}` });
    const big = (from: TemplateAlert, i: number): TemplateAlert => ({
      ...from,
      labels: { ...from.labels, host: 'h'.repeat(80), alertname: `${'A'.repeat(50)}${i}` },
      annotations: {
        summary: long,
        why: `${i}${long}`,
        cost: long,
        do: 'x&'.repeat(130),
        runbook_url: `https://example.org/${'r'.repeat(80)}`,
        dashboard_url: path,
      },
    });
    for (const count of [2, 60]) {
      const mixes = [one, over].map((from) =>
        Array.from({ length: count }, (_, i) => big(from, i)),
      );
      for (const alerts of [...mixes, mixes.flat()]) {
        const [discord, telegram] = (['discord', 'telegram'] as const).map((channel) =>
          rendered(amtool, longest[channel], alerts),
        );
        assert.match(`${discord}`, new RegExp(`https://${'g'.repeat(72)}/d/`));
        assert.ok(`${discord}`.length <= 4096, `discord: ${discord?.length} of ${count}`);
        assert.ok(`${telegram}`.length <= 4096, `telegram: ${telegram?.length} of ${count}`);
        if (count === 60) assert.match(`${discord}`, /and 60 in all: see Alertmanager/);
      }
    }
  });
}

test('every command of ours is shown, and so is every sentence, whole', () => {
  const [tools] = allTools();
  for (const { alert, annotations } of ruleFiles.flatMap(alertsOf)) {
    const command = annotations['do'] ?? '';
    // What promtool makes of it, and of nothing else: a label in a command would be typed by somebody.
    const plain = command.replaceAll('{{ "{{" }}', '{{');
    assert.doesNotMatch(plain, /\$(labels|value)\b/, alert);
    assert.match(plain, /^[ -?A-_a-~]{1,260}$/, `${alert}: at most 260 characters of ASCII`);
    assert.doesNotMatch(plain, /:\/\/(?!(HOST|localhost|127\.0\.0\.1):)/, `${alert}: a link`);
  }
  // 200 characters are shown; behind a quiet host stands what is known of Redis, 80 at most.
  for (const { why, figure = '' } of sentences) assert.ok(`${why}${figure}`.length <= 170, why);
  for (const { why } of sentences.filter(({ verdict }) => verdict === 'quiet')) {
    assert.ok(why.length <= 116, why);
  }
  const link = named('X', one, {
    do: 'curl -s http://HOST:10190/status; curl http://localhost:1/',
  });
  assert.match(rendered(tools?.amtool ?? '', texts.mail, [link]), /^do: curl -s http:\/\/HOST/m);
});
