#!/bin/sh
# Fills prometheus.yml in from the environment and starts Prometheus with the result.
#
#   start.sh [prometheus' own flags]     render, then run
#   start.sh --render FILE               render into FILE only
#
# Prometheus replaces no variables in its configuration. Passwords end up in a file that only this
# user can read, and nowhere else: Prometheus shows them as <secret>. Each value may come from a file
# that NAME_FILE names instead. What is half set is refused with every problem listed.
set -eu
# Classes of characters are those of ASCII, and lengths are bytes.
export LC_ALL=C
here=$(cd "$(dirname "$0")" && pwd)
# Where rules, targets and secrets are.
ETC=${ETC:-/etc/stealwatch}
export ETC

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

# AGENT_PASSWORD and REMOTE_WRITE_PASSWORD are passwords, the names of targets a list in lines.
names='LOCAL_TARGET HOST_NAME HOST_PROVIDER HOST_PLAN HOST_PRICE EXTERNAL_LABEL STEALWATCH_TARGETS
  AGENT_TOKEN AGENT_USER AGENT_PASSWORD
  REMOTE_WRITE_URL REMOTE_WRITE_USER REMOTE_WRITE_PASSWORD REMOTE_WRITE_TOKEN'
for name in $names; do
  given "$name"
  export "$name=$value"
done
needs AGENT_USER AGENT_PASSWORD 'agents ask for both'
needs AGENT_PASSWORD AGENT_USER 'agents ask for both'
[ -z "$AGENT_USER" ] || [ -z "$AGENT_TOKEN" ] || problem 'set AGENT_TOKEN or AGENT_USER, not both'
needs REMOTE_WRITE_USER REMOTE_WRITE_PASSWORD 'a store asks for both'
needs REMOTE_WRITE_PASSWORD REMOTE_WRITE_USER 'a store asks for both'
[ -z "$REMOTE_WRITE_USER" ] || [ -z "$REMOTE_WRITE_TOKEN" ] || problem 'set REMOTE_WRITE_TOKEN or REMOTE_WRITE_USER, not both'
for name in REMOTE_WRITE_USER REMOTE_WRITE_PASSWORD REMOTE_WRITE_TOKEN; do
  needs "$name" REMOTE_WRITE_URL 'nothing is written anywhere'
done
expect LOCAL_TARGET '([^]/: []+|\[[0-9a-fA-F:.]+\]):[0-9]{1,5}' "HOST:PORT such as exporter:10190 (not shown)"
may_be_port LOCAL_TARGET "$(printf '%s\n' "$LOCAL_TARGET" | sed -En 's/^([^]/: []+|\[[0-9a-fA-F:.]+\]):([0-9]{1,5})$/\2/p')"
# The Compare dashboard counts with it.
expect HOST_PRICE '[0-9]+(\.[0-9]+)?' "a number such as 7.55 (not shown)"
# Prometheus puts variables into this one.
expect EXTERNAL_LABEL '[^$]+' "a name without \$ (not shown)"
expect AGENT_TOKEN '[!-~]+' 'letters, digits and signs of ASCII without blanks (not shown)'
expect REMOTE_WRITE_TOKEN '[!-~]+' 'letters, digits and signs of ASCII without blanks (not shown)'

# "shop=https://...,api=https://..." is what the prober gets; here only the names are needed. The
# URL of Sentinels has commas of its own: what follows one and is no NAME= names nothing.
PROBES=
if [ -n "$STEALWATCH_TARGETS" ]; then
  PROBES=$(printf '%s\n' "$STEALWATCH_TARGETS" | tr , '\n' | sed -n "s/^[[:space:]]*\([A-Za-z0-9_.@-]*\)=.*/'\1'/p" | paste -s -d , -)
  [ -n "$PROBES" ] || problem 'PROBES: expected NAME=URL,NAME=URL (not shown, it may hold a password)'
fi
export PROBES
AGENT_CA=
[ ! -s "$ETC/secrets/agent-ca.pem" ] || AGENT_CA=yes
export AGENT_CA
[ -z "$refused" ] || exit 1

umask 077
if [ "${1:-}" = --render ]; then
  target=$2
else
  target=${TMPDIR:-/tmp}/prometheus.yml
fi

# Values stand in single quotes in the template, where YAML knows one escape: '' for '. PROBES is
# a list that is quoted already. A condition inside one that does not hold does not hold either.
awk '
  /^ *#if / { depth++; if (!off && ENVIRON[$2] == "") off = depth; next }
  /^ *#end/ { if (off == depth) off = 0; depth--; next }
  off { next }
  {
    rest = $0; line = ""
    while (!/^ *#/ && match(rest, /\$\{[A-Z_]+\}/)) {
      name = substr(rest, RSTART + 2, RLENGTH - 3)
      value = ENVIRON[name]
      if (name != "PROBES") gsub(/\047/, "\047\047", value)
      line = line substr(rest, 1, RSTART - 1) value
      rest = substr(rest, RSTART + RLENGTH)
    }
    print line rest
  }
' "$here/prometheus.yml" > "$target"
[ "${1:-}" != --render ] || exit 0

for name in $names; do unset "$name"; done
# Compose puts some settings into arguments.
for argument do
  shift
  set -- "$@" "$(printf '%s\n' "$argument" | sed -E "s/$around\$//")"
done
exec "${PROMETHEUS:-prometheus}" --config.file="$target" "$@"
