#!/bin/sh
# Puts the secrets into alertmanager.yml and starts Alertmanager with the result.
#
#   start.sh [alertmanager's own flags]      render, then run
#   start.sh --render FILE                   render into FILE only
#
# A secret comes from the variable of its name, or from the file that NAME_FILE names. It is written to
# a file that only this user can read, and nowhere else. What is half set or cannot be what it should
# is refused.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
# Beside this folder in a container, in deploy/ of the repository.
fill=$here/../fill.sh
[ -e "$fill" ] || fill=$here/../../deploy/fill.sh
. "$fill"
names='DISCORD_WEBHOOK_URL SLACK_WEBHOOK_URL TELEGRAM_BOT_TOKEN TELEGRAM_CHAT_ID TELEGRAM_API_URL
  EMAIL_TO SMTP_SMARTHOST SMTP_FROM SMTP_USERNAME SMTP_PASSWORD SMTP_REQUIRE_TLS WEBHOOK_URL HEARTBEAT_URL GRAFANA_URL'

for name in $names; do
  given "$name"
  export "$name=$value"
done

needs TELEGRAM_BOT_TOKEN TELEGRAM_CHAT_ID 'the bot does not know whom to tell'
needs TELEGRAM_CHAT_ID TELEGRAM_BOT_TOKEN 'there is no bot to tell it'
needs TELEGRAM_API_URL TELEGRAM_BOT_TOKEN 'there is no bot to tell it'
needs EMAIL_TO SMTP_SMARTHOST 'no server takes the mail'
needs EMAIL_TO SMTP_FROM 'a mail has a sender'
for name in SMTP_SMARTHOST SMTP_FROM SMTP_USERNAME SMTP_PASSWORD SMTP_REQUIRE_TLS; do
  needs "$name" EMAIL_TO 'nobody gets the mail'
done
needs SMTP_USERNAME SMTP_PASSWORD 'a mail server asks for both or for none'
needs SMTP_PASSWORD SMTP_USERNAME 'a mail server asks for both or for none'

expect TELEGRAM_BOT_TOKEN '[0-9]+:[A-Za-z0-9_-]+' 'what BotFather gave, digits, a colon and more (not shown)'
expect TELEGRAM_CHAT_ID '-?[1-9][0-9]{0,17}' "a number such as -1001234567890 (not shown)"
# A page of a channel is no webhook, and each service has a form of its own.
case $DISCORD_WEBHOOK_URL in
  *://discord.com/api/*webhooks/?* | *://discordapp.com/api/*webhooks/?* | *://*.discord.com/api/*webhooks/?* | *://*.discordapp.com/api/*webhooks/?*) ;;
  *://discord.com* | *://discordapp.com* | *://*.discord.com* | *://*.discordapp.com* | *://hooks.slack.com*)
    problem 'DISCORD_WEBHOOK_URL: expected https://discord.com/api/webhooks/ID/TOKEN, from the settings of the channel, Integrations (not shown)' ;;
esac
case $SLACK_WEBHOOK_URL in
  *://hooks.slack.com/*/?* | *://hooks.slack-gov.com/*/?*) ;;
  *://discord.com/*/slack) ;;
  *://slack.com* | *://*.slack.com* | *://discord.com* | *://discordapp.com* | *://*.discord.com* | *://*.discordapp.com*)
    problem 'SLACK_WEBHOOK_URL: expected https://hooks.slack.com/services/..., an incoming webhook of a Slack app (not shown)' ;;
esac
expect EMAIL_TO '.*[^@ ]@[^@ ].*' "an address such as oncall@example.org (not shown)"
expect SMTP_FROM '.*[^@ ]@[^@ ].*' "an address such as stealwatch@example.org (not shown)"
expect_address SMTP_SMARTHOST smtp.example.org:587
expect SMTP_REQUIRE_TLS 'true|false' "true or false (not shown)"
refuse

[ -n "$TELEGRAM_API_URL" ] || TELEGRAM_API_URL=https://api.telegram.org
[ -n "$SMTP_REQUIRE_TLS" ] || SMTP_REQUIRE_TLS=true
TEMPLATES=$here/templates
export TEMPLATES

# How a phone reaches the dashboards. A link that is dead there would be worse than none, and no link no
# reason to tell nobody; it stands inside markup, and in every message, which has a limit.
while [ "${GRAFANA_URL%/}" != "$GRAFANA_URL" ]; do GRAFANA_URL=${GRAFANA_URL%/}; done
FORENSICS=
no_link() {
  echo "start.sh: GRAFANA_URL $*: messages have no link to the dashboards." >&2
}
case $GRAFANA_URL in
  '') no_link 'is not set' ;;
  *://localhost | *://localhost[:/]* | *://127.* | *://0.0.0.0* | *://'[::1]'*)
    no_link 'names this machine itself, which a phone does not reach' ;;
  *)
    if [ "${#GRAFANA_URL}" -gt 80 ]; then
      no_link 'has more than 80 characters, which is too long for a message'
    elif printf '%s\n' "$GRAFANA_URL" | grep -Eqx -e 'https?://([A-Za-z0-9._-]+|\[[0-9a-fA-F:]+\])(:[0-9]+)?(/[A-Za-z0-9._~/-]*)?'; then
      FORENSICS='{{ define "stealwatch.forensics" }}{{ template "stealwatch.forensics.at" (stringSlice "'$GRAFANA_URL'" (index . 0) (index . 1) (index . 2) (index . 3) (index . 4) (index . 5)) }}{{ end }}'
    else
      no_link 'is not https://HOST or https://HOST/PATH of letters, digits and - . _ ~'
    fi ;;
esac
export FORENSICS

reached=
for name in DISCORD_WEBHOOK_URL SLACK_WEBHOOK_URL TELEGRAM_BOT_TOKEN EMAIL_TO WEBHOOK_URL; do
  eval "[ -z \"\$$name\" ]" || reached="$reached $name"
done
[ -n "$reached" ] || echo 'start.sh: no channel is set, NOBODY WILL BE TOLD. Set DISCORD_WEBHOOK_URL or another.' >&2
[ -n "$HEARTBEAT_URL" ] || echo 'start.sh: HEARTBEAT_URL is not set: when this machine freezes, nothing outside will notice.' >&2

umask 077
if [ "${1:-}" = --render ]; then
  target=$2
else
  target=$(mktemp)
fi

fill "$here/alertmanager.yml" > "$target"
[ "${1:-}" != --render ] || exit 0

# Alertmanager writes the URL of a webhook (0.25) and the token of a Telegram bot (still in 0.33)
# into its log when a message fails. So its log passes through here. What is cut out of a URL is
# what follows the host: Discord and Slack keep the token there.
redact() {
  while IFS= read -r line; do
    for name in DISCORD_WEBHOOK_URL SLACK_WEBHOOK_URL TELEGRAM_BOT_TOKEN SMTP_PASSWORD WEBHOOK_URL HEARTBEAT_URL; do
      eval "secret=\$$name"
      case $secret in
        # What is short is no token, and a piece of many words: /x made e<redacted>ec of exec.
        http*://*/?*) secret=${secret#*://} secret=${secret#*/} && [ "${#secret}" -ge 8 ] || continue ;;
      esac
      [ -n "$secret" ] || continue
      kept=
      while case $line in *"$secret"*) true ;; *) false ;; esac; do
        kept="$kept${line%%"$secret"*}<redacted>"
        line=${line#*"$secret"}
      done
      line=$kept$line
    done
    printf '%s\n' "$line"
  done
}
pipe=$(mktemp -d)
mkfifo "$pipe/log"
# The braces open the pipe before it is taken out of the directory.
{ rm -r "$pipe"; redact; } < "$pipe/log" &

for name in $names TEMPLATES FORENSICS; do unset "$name"; done
exec "${ALERTMANAGER:-alertmanager}" --config.file="$target" "$@" > "$pipe/log" 2>&1
