#!/bin/sh
# Puts the secrets into alertmanager.yml and starts Alertmanager with the result.
#
#   start.sh [alertmanager's own flags]      render, then run
#   start.sh --render FILE                   render into FILE only
#
# A secret comes from the variable of its name, or from the file that NAME_FILE names (Docker and
# Kubernetes secrets). It is written to a file that only this user can read, and nowhere else:
# awk reads it from its environment, so it shows neither in ps nor in a log. What is half set, or
# cannot be what it should, is refused with every problem listed: a channel that fails only when it
# is needed tells nobody.
set -eu
# Classes of characters are those of ASCII, and lengths are bytes.
export LC_ALL=C

here=$(cd "$(dirname "$0")" && pwd)
names='DISCORD_WEBHOOK_URL SLACK_WEBHOOK_URL TELEGRAM_BOT_TOKEN TELEGRAM_CHAT_ID TELEGRAM_API_URL
  EMAIL_TO SMTP_SMARTHOST SMTP_FROM SMTP_USERNAME SMTP_PASSWORD SMTP_REQUIRE_TLS WEBHOOK_URL HEARTBEAT_URL'

# --- the same in every start.sh, each of which is mounted alone
refused=
problem() {
  echo "start.sh: $*" >&2
  refused=yes
}

line_end='
'
carriage_return=$(printf '\r')
# Also the byte order mark and the no-break space, which are seen in no editor.
around=$(printf '(\357\273\277|\302\240|[[:space:]])+')

# Sets `value` to what the variable NAME holds, or the file that NAME_FILE names, without the blanks
# and line ends that editors, web forms and Windows leave around it: a webhook asked for as /hook%20
# is a 404 that nobody sees. Of a password only line ends: a blank at its end may be meant, or not.
given() {
  eval "value=\${$1-} file=\${$1_FILE-}"
  origin=$1
  if [ -n "$file" ]; then
    [ -z "$value" ] || problem "$1 and $1_FILE are both set: which one counts?"
    file=$(printf '%s\n' "$file" | sed -E "s/^$around//; s/$around\$//")
    origin="$1, from $file,"
    if [ ! -f "$file" ] || [ ! -r "$file" ]; then
      # A secret may have been given where its path belongs.
      case $file in
        *[!A-Za-z0-9._/-]* | [!./]*) file='something (not shown, it may be the secret itself)' ;;
      esac
      problem "$1_FILE names $file, which cannot be read: expected the path of a file"
      return
    fi
    value=$(cat "$file")
    [ -n "$value" ] || problem "$origin is empty"
  fi
  raw=$value ends=$around
  case $1 in *PASSWORD) ends="$carriage_return+" ;; esac
  [ -n "$raw" ] || return 0
  value=$(printf '%s\n' "$raw" | sed -E -e "s/^$ends//; s/$ends\$//" -e '/./,$!d')
  [ -n "$value" ] || problem "$origin holds nothing but blanks"
  [ "${#value}" -le 8192 ] || problem "$origin holds ${#value} bytes; at most 8192 are taken"
  case $1:$value in
    *TARGETS:*) ;;
    *"$line_end"* | *"$carriage_return"*) problem "$origin holds more than one line" ;;
    *[[:cntrl:]]*) problem "$origin holds a control character" ;;
    *PASSWORD:" "* | *PASSWORD:*" ") problem "$origin begins or ends with a blank" ;;
    *_URL:*[!!-~]*) problem "$origin holds blanks or letters beyond ASCII, which a URL writes as %20 and the like" ;;
    *_URL:http://[!/]* | *_URL:https://[!/]*) url "$origin" ;;
    *_URL:*) problem "$origin does not start with http:// or https://" ;;
  esac
}

# The host is one, a port is one, % stands before two digits. Of `value`, which is not shown.
url() {
  printf '%s\n' "$value" | grep -Eqx \
    -e 'https?://([^/?#@]*@)?(\[[0-9a-fA-F:.]+\]|[^]/?#@:[]+)(:[0-9]{1,5})?([/?#].*)?' ||
    problem "$1 has no HOST or HOST:PORT behind http:// or https://"
  port=$(printf '%s\n' "$value" | sed -En 's!^https?://([^/?#@]*@)?(\[[^]]*\]|[^]/?#@:[]+):([0-9]{1,5})([/?#].*)?$!\3!p')
  may_be_port "$1" "$port"
  ! printf '%s\n' "$value" | grep -Eq -e '%([^0-9a-fA-F]|$|.([^0-9a-fA-F]|$))' ||
    problem "$1 holds a % without two hexadecimal digits behind it, which is written %25"
}

# NAME and the port it holds, or nothing.
may_be_port() {
  [ -z "$2" ] || { [ "$2" -ge 1 ] && [ "$2" -le 65535 ]; } || problem "${1#SECRET_}: expected a port from 1 to 65535"
}

# NAME OTHER why: NAME is of no use without OTHER.
needs() {
  eval "[ -z \"\${$1-}\" ] || [ -n \"\${$2-}\" ]" || problem "${1#SECRET_} is set and ${2#SECRET_} is not: $3"
}

# NAME expression, and what was expected: the value matches as a whole. It is not shown, since what is
# wrong with it may be that it is another's, a password's.
expect() {
  eval "value=\${$1-}"
  [ -z "$value" ] || printf '%s\n' "$value" | grep -Eqx -e "$2" || problem "${1#SECRET_}: expected $3"
}
# --- until here

for name in $names; do
  given "$name"
  export "SECRET_$name=$value"
done

needs SECRET_TELEGRAM_BOT_TOKEN SECRET_TELEGRAM_CHAT_ID 'the bot does not know whom to tell'
needs SECRET_TELEGRAM_CHAT_ID SECRET_TELEGRAM_BOT_TOKEN 'there is no bot to tell it'
needs SECRET_TELEGRAM_API_URL SECRET_TELEGRAM_BOT_TOKEN 'there is no bot to tell it'
needs SECRET_EMAIL_TO SECRET_SMTP_SMARTHOST 'no server takes the mail'
needs SECRET_EMAIL_TO SECRET_SMTP_FROM 'a mail has a sender'
for name in SMTP_SMARTHOST SMTP_FROM SMTP_USERNAME SMTP_PASSWORD SMTP_REQUIRE_TLS; do
  needs "SECRET_$name" SECRET_EMAIL_TO 'nobody gets the mail'
done
needs SECRET_SMTP_USERNAME SECRET_SMTP_PASSWORD 'a mail server asks for both or for none'
needs SECRET_SMTP_PASSWORD SECRET_SMTP_USERNAME 'a mail server asks for both or for none'

expect SECRET_TELEGRAM_BOT_TOKEN '[0-9]+:[A-Za-z0-9_-]+' 'what BotFather gave, digits, a colon and more (not shown)'
expect SECRET_TELEGRAM_CHAT_ID '-?[1-9][0-9]{0,17}' "a number such as -1001234567890 (not shown)"
# A page of a channel is no webhook, and each service has a form of its own.
case $SECRET_DISCORD_WEBHOOK_URL in
  *://discord.com/api/*webhooks/?* | *://discordapp.com/api/*webhooks/?* | *://*.discord.com/api/*webhooks/?* | *://*.discordapp.com/api/*webhooks/?*) ;;
  *://discord.com* | *://discordapp.com* | *://*.discord.com* | *://*.discordapp.com* | *://hooks.slack.com*)
    problem 'DISCORD_WEBHOOK_URL: expected https://discord.com/api/webhooks/ID/TOKEN, from the settings of the channel, Integrations (not shown)' ;;
esac
case $SECRET_SLACK_WEBHOOK_URL in
  *://hooks.slack.com/*/?* | *://hooks.slack-gov.com/*/?*) ;;
  *://discord.com/*/slack) ;;
  *://slack.com* | *://*.slack.com* | *://discord.com* | *://discordapp.com* | *://*.discord.com* | *://*.discordapp.com*)
    problem 'SLACK_WEBHOOK_URL: expected https://hooks.slack.com/services/..., an incoming webhook of a Slack app (not shown)' ;;
esac
expect SECRET_EMAIL_TO '.*[^@ ]@[^@ ].*' "an address such as oncall@example.org (not shown)"
expect SECRET_SMTP_FROM '.*[^@ ]@[^@ ].*' "an address such as stealwatch@example.org (not shown)"
expect SECRET_SMTP_SMARTHOST '([^: ]+|\[[0-9a-fA-F:.]+\]):[0-9]{1,5}' "HOST:PORT such as smtp.example.org:587 (not shown)"
may_be_port SECRET_SMTP_SMARTHOST "$(printf '%s\n' "$SECRET_SMTP_SMARTHOST" | sed -En 's/^([^: ]+|\[[0-9a-fA-F:.]+\]):([0-9]{1,5})$/\2/p')"
expect SECRET_SMTP_REQUIRE_TLS 'true|false' "true or false (not shown)"
[ -z "$refused" ] || exit 1

[ -n "$SECRET_TELEGRAM_API_URL" ] || SECRET_TELEGRAM_API_URL=https://api.telegram.org
[ -n "$SECRET_SMTP_REQUIRE_TLS" ] || SECRET_SMTP_REQUIRE_TLS=true
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
# Compose puts some settings into arguments.
for argument do
  shift
  set -- "$@" "$(printf '%s\n' "$argument" | sed -E "s/$around\$//")"
done
exec "${ALERTMANAGER:-alertmanager}" --config.file="$target" "$@" > "$pipe/log" 2>&1
