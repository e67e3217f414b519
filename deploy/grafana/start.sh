#!/bin/sh
# Refuses to start Grafana with the password that everybody knows, and gives it a key of its own.
# The password comes from GF_SECURITY_ADMIN_PASSWORD, or from the file that the same name with _FILE
# names (Grafana's own __FILE does as well).
set -eu
# Classes of characters are those of ASCII, and lengths are bytes.
export LC_ALL=C

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

GF_SECURITY_ADMIN_PASSWORD_FILE=${GF_SECURITY_ADMIN_PASSWORD_FILE:-${GF_SECURITY_ADMIN_PASSWORD__FILE-}}
for name in GF_SECURITY_ADMIN_PASSWORD GF_SECURITY_ADMIN_USER GF_SERVER_ROOT_URL STEALWATCH_PROMETHEUS_URL; do
  given "$name"
  # Unset it has a default in Grafana, set to nothing it has none.
  [ -z "$value" ] || export "$name=$value"
  unset "${name}_FILE"
done
[ -z "$refused" ] || exit 1
if [ -z "${GF_SECURITY_ADMIN_PASSWORD:-}" ]; then
  echo 'Grafana does not start without a password. Set GRAFANA_ADMIN_PASSWORD in .env, then: docker compose up -d' >&2
  exit 1
fi
unset GF_SECURITY_ADMIN_PASSWORD__FILE

# Grafana encrypts what it stores with a key that is public unless one is given. Made once, kept
# beside the data that it encrypts.
data=${GF_PATHS_DATA:-/var/lib/grafana}
key=$data/stealwatch-secret-key
if [ ! -s "$key" ]; then
  (umask 077 && head -c 32 /dev/urandom | base64 | tr -d '\n' > "$key.new" && mv "$key.new" "$key")
fi
export GF_SECURITY_SECRET_KEY__FILE="$key"
exec "${GRAFANA:-/run.sh}" "$@"
