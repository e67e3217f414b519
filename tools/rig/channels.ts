/** A running Alertmanager with every channel that start.sh knows, each of which ends in a sink. */
import type { TestContext } from 'node:test';
import { type Alertmanager, startAlertmanager } from './alertmanager.ts';
import { type MailSink, startMailSink } from './mail-sink.ts';
import { type HttpSink, startSink } from './http-sink.ts';

export interface Channels {
  /** Paths: /people, /heartbeat, /discord, /slack, and those of Telegram's bot. */
  readonly sink: HttpSink;
  readonly mail: MailSink;
}

export async function startChannels(
  t: TestContext,
  program: string,
): Promise<Channels & { readonly alertmanager: Alertmanager }> {
  const [sink, mail] = [await startSink(), await startMailSink()];
  let alertmanager: Alertmanager | undefined;
  t.after(async () => {
    await alertmanager?.stop();
    await Promise.all([sink.close(), mail.close()]);
  });
  alertmanager = await startAlertmanager(program, {
    WEBHOOK_URL: `${sink.url}/people`,
    HEARTBEAT_URL: `${sink.url}/heartbeat`,
    DISCORD_WEBHOOK_URL: `${sink.url}/discord`,
    SLACK_WEBHOOK_URL: `${sink.url}/slack`,
    TELEGRAM_BOT_TOKEN: '1:a',
    TELEGRAM_CHAT_ID: '-5',
    TELEGRAM_API_URL: sink.url,
    EMAIL_TO: 'oncall@example.org',
    SMTP_SMARTHOST: mail.address,
    SMTP_FROM: 'stealwatch@example.org',
    SMTP_REQUIRE_TLS: 'false',
    GRAFANA_URL: 'https://grafana.example.org',
  });
  return { sink, mail, alertmanager };
}
