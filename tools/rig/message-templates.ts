/** What a channel gets to see, without running an Alertmanager: its templates as start.sh sets them up, by amtool. */
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { startScript } from './alertmanager.ts';
import { run } from './prometheus-tools.ts';
import { inTemporaryDirectory } from './temporary-root.ts';

/** The data of a template, as far as ours look. */
export interface TemplateAlert {
  readonly status: 'firing' | 'resolved';
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly startsAt: string;
  readonly endsAt: string;
}

/** The texts of alertmanager.yml, each a template of its own. */
export interface ChannelTexts {
  readonly title: string;
  readonly discord: string;
  readonly slack: string;
  readonly slackLink: string;
  readonly telegram: string;
  readonly mail: string;
}

interface Config {
  readonly templates: readonly string[];
  readonly receivers: readonly {
    readonly discord_configs?: readonly { title: string; message: string }[];
    readonly slack_configs?: readonly { text: string; title_link: string }[];
    readonly telegram_configs?: readonly { message: string }[];
    readonly email_configs?: readonly { text: string }[];
  }[];
}

export function channelTexts(settings: Readonly<Record<string, string>>): ChannelTexts {
  const config = inTemporaryDirectory((directory): Config => {
    const target = join(directory, 'alertmanager.yml');
    const { status, stderr } = spawnSync(startScript, ['--render', target], {
      encoding: 'utf8',
      env: {
        PATH: process.env['PATH'],
        DISCORD_WEBHOOK_URL: 'http://127.0.0.1:9/',
        SLACK_WEBHOOK_URL: 'http://127.0.0.1:9/',
        TELEGRAM_BOT_TOKEN: '1:a',
        TELEGRAM_CHAT_ID: '-5',
        EMAIL_TO: 'oncall@example.org',
        SMTP_SMARTHOST: '127.0.0.1:9',
        SMTP_FROM: 'stealwatch@example.org',
        ...settings,
      },
    });
    if (status !== 0) throw new Error(stderr);
    return parse(readFileSync(target, 'utf8'));
  });
  const [people] = config.receivers;
  return {
    title: people?.discord_configs?.[0]?.title ?? '',
    discord: people?.discord_configs?.[0]?.message ?? '',
    slack: people?.slack_configs?.[0]?.text ?? '',
    slackLink: people?.slack_configs?.[0]?.title_link ?? '',
    telegram: people?.telegram_configs?.[0]?.message ?? '',
    mail: people?.email_configs?.[0]?.text ?? '',
  };
}

const templates = join(startScript, '..', 'templates', '*.tmpl');

/** A group of alerts as a template writes it. Labels that all of them have are common, as in Alertmanager. */
export function rendered(
  amtool: string,
  template: string,
  alerts: readonly TemplateAlert[],
): string {
  const [first] = alerts;
  const commonLabels = Object.fromEntries(
    Object.entries(first?.labels ?? {}).filter(([name, value]) =>
      alerts.every(({ labels }) => labels[name] === value),
    ),
  );
  const status = alerts.some((one) => one.status === 'firing') ? 'firing' : 'resolved';
  return inTemporaryDirectory((directory) => {
    const data = join(directory, 'data.json');
    writeFileSync(data, JSON.stringify({ status, alerts, commonLabels }));
    const { code, text } = run(amtool, [
      'template',
      'render',
      `--template.glob=${templates}`,
      `--template.data=${data}`,
      `--template.text=${template}`,
    ]);
    if (code !== 0) throw new Error(text);
    return text;
  });
}
