#!/bin/sh
# Fills prometheus.yml in from the environment and starts Prometheus with the result.
#
#   start.sh [prometheus' own flags]     render, then run
#   start.sh --render FILE               render into FILE only
#
# Prometheus replaces no variables in its configuration. Passwords end up in a file that only this
# user can read, and nowhere else: Prometheus shows them as <secret>.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
# Where rules, targets and secrets are.
ETC=${ETC:-/etc/stealwatch}
export ETC

# "shop=https://...,api=https://..." is what the prober gets; here only the names are needed. The
# URL of Sentinels has commas of its own: what follows one and is no NAME= names nothing.
if [ -n "${STEALWATCH_TARGETS:-}" ]; then
  PROBES=$(printf %s "$STEALWATCH_TARGETS" | tr , '\n' | sed -n "s/^ *\([A-Za-z0-9_.@-]*\)=.*/'\1'/p" | paste -s -d , -)
  export PROBES
fi
AGENT_CA=
[ ! -s "$ETC/secrets/agent-ca.pem" ] || AGENT_CA=yes
export AGENT_CA
if [ -n "${AGENT_USER:-}" ] && [ -n "${AGENT_TOKEN:-}" ]; then
  echo 'start.sh: set AGENT_TOKEN or AGENT_USER, not both' >&2
  exit 1
fi

umask 077
if [ "${1:-}" = --render ]; then
  target=$2
else
  target=/tmp/prometheus.yml
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

unset AGENT_TOKEN AGENT_PASSWORD REMOTE_WRITE_PASSWORD REMOTE_WRITE_TOKEN STEALWATCH_TARGETS
exec "${PROMETHEUS:-prometheus}" --config.file="$target" "$@"
