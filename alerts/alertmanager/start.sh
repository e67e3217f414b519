#!/bin/sh
# Puts the secrets into alertmanager.yml and starts Alertmanager with the result.
#
#   start.sh [alertmanager's own flags]      render, then run
#   start.sh --render FILE                   render into FILE only
#
# A secret comes from the variable of its name, or from the file that NAME_FILE names (Docker and
# Kubernetes secrets). It is written to a file that only this user can read, and nowhere else:
# awk reads it from its environment, so it shows neither in ps nor in a log.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
names='DISCORD_WEBHOOK_URL SLACK_WEBHOOK_URL TELEGRAM_BOT_TOKEN TELEGRAM_CHAT_ID TELEGRAM_API_URL
  EMAIL_TO SMTP_SMARTHOST SMTP_FROM SMTP_USERNAME SMTP_PASSWORD WEBHOOK_URL HEARTBEAT_URL'

for name in $names; do
  eval "value=\${$name:-} file=\${${name}_FILE:-}"
  if [ -z "$value" ] && [ -n "$file" ]; then
    [ -r "$file" ] || { echo "start.sh: ${name}_FILE names $file, which cannot be read" >&2; exit 1; }
    value=$(cat "$file")
  fi
  case $value in
    *'
'*) echo "start.sh: $name holds more than one line" >&2; exit 1 ;;
  esac
  export "SECRET_$name=$value"
done
[ -n "$SECRET_TELEGRAM_API_URL" ] || SECRET_TELEGRAM_API_URL=https://api.telegram.org
SECRET_TEMPLATES=$here/templates
export SECRET_TEMPLATES

reached=
for name in DISCORD_WEBHOOK_URL SLACK_WEBHOOK_URL TELEGRAM_BOT_TOKEN EMAIL_TO WEBHOOK_URL; do
  eval "[ -z \"\$SECRET_$name\" ]" || reached="$reached $name"
done
[ -n "$reached" ] || echo 'start.sh: no channel is set, NOBODY WILL BE TOLD. Set DISCORD_WEBHOOK_URL or another.' >&2
[ -n "$SECRET_HEARTBEAT_URL" ] || echo 'start.sh: HEARTBEAT_URL is not set: when this machine freezes, nothing outside will notice.' >&2

umask 077
if [ "${1:-}" = --render ]; then
  target=$2
else
  target=$(mktemp)
fi

# Every value stands in single quotes in the template, where YAML knows one escape: '' for '.
awk '
  /^#if / { keep = ENVIRON["SECRET_" $2] != ""; next }
  /^#end/ { keep = 1; next }
  NR == 1 { keep = 1 }
  !keep { next }
  {
    rest = $0; line = ""
    while (!/^ *#/ && match(rest, /\$\{[A-Z_]+\}/)) {
      value = ENVIRON["SECRET_" substr(rest, RSTART + 2, RLENGTH - 3)]
      quoted = ""
      while (i = index(value, "\047")) {
        quoted = quoted substr(value, 1, i) "\047"
        value = substr(value, i + 1)
      }
      line = line substr(rest, 1, RSTART - 1) quoted value
      rest = substr(rest, RSTART + RLENGTH)
    }
    print line rest
  }
' "$here/alertmanager.yml" > "$target"
[ "${1:-}" != --render ] || exit 0

# Alertmanager writes the URL of a webhook (0.25) and the token of a Telegram bot (still in 0.33)
# into its log when a message fails. So its log passes through here. What is cut out of a URL is
# what follows the host: Discord and Slack keep the token there.
redact() {
  while IFS= read -r line; do
    for name in DISCORD_WEBHOOK_URL SLACK_WEBHOOK_URL TELEGRAM_BOT_TOKEN SMTP_PASSWORD WEBHOOK_URL HEARTBEAT_URL; do
      eval "secret=\$SECRET_$name"
      case $secret in
        http*://*/?*) secret=${secret#*://} secret=${secret#*/} ;;
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

for name in $names TEMPLATES; do unset "$name" "SECRET_$name"; done
exec "${ALERTMANAGER:-alertmanager}" --config.file="$target" "$@" > "$pipe/log" 2>&1
