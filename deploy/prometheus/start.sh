#!/bin/sh
# Fills prometheus.yml in from the environment and starts Prometheus with the result.
#
#   start.sh [prometheus' own flags]     render, then run
#   start.sh --render FILE               render into FILE only
#
# Prometheus replaces no variables in its configuration. Passwords end up in a file that only this
# user can read, and nowhere else: Prometheus shows them as <secret>. Each value may come from a file
# that NAME_FILE names instead. `rules/`, `targets/` and `secrets/` are looked for in ETC.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
# Where rules, targets and secrets are.
ETC=${ETC:-/etc/stealwatch}
export ETC
. "$here/../fill.sh"

# ALERTMANAGER_TARGET is where alerts go, HOST:PORT or a list of them with commas. PROMETHEUS_TARGET, where
# Prometheus itself is scraped, is for those who run it without compose. STEALWATCH_TARGETS is a list in lines.
names='ALERTMANAGER_TARGET PROMETHEUS_TARGET PROBER_TARGET EXTERNAL_LABEL SHARD STEALWATCH_TARGETS
  LOCAL_TARGET HOST_NAME HOST_PROVIDER HOST_PLAN HOST_PRICE
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
expect_address LOCAL_TARGET exporter:10190
all_of_them=$ALERTMANAGER_TARGET
ALERTMANAGERS=
expect ALERTMANAGER_TARGET "[^'*?]+" 'HOST:PORT,HOST:PORT such as alertmanager:9093 (not shown)'
set -f
for ALERTMANAGER_TARGET in $(printf '%s\n' "$all_of_them" | tr , ' '); do
  expect_address ALERTMANAGER_TARGET alertmanager:9093
  ALERTMANAGERS="$ALERTMANAGERS, '$ALERTMANAGER_TARGET'"
done
set +f
ALERTMANAGER_TARGET=$all_of_them
[ -z "$all_of_them" ] || [ -n "$ALERTMANAGERS" ] || problem 'ALERTMANAGER_TARGET holds nothing but commas'
expect_address PROMETHEUS_TARGET 127.0.0.1:9090
expect_address PROBER_TARGET prober:10190
# The Compare dashboard counts with it.
expect HOST_PRICE '[0-9]+(\.[0-9]+)?' "a number such as 7.55 (not shown)"
# Prometheus puts variables into this one.
expect EXTERNAL_LABEL '[^$]+' "a name without \$ (not shown)"
# Which share of the agents in targets/ this watcher takes.
share='[1-9][0-9]{0,3}/[1-9][0-9]{0,3}'
expect SHARD "$share" 'which of how many, such as 2/5'
SHARD_COUNT=${SHARD#*/} SHARD_INDEX=
if printf '%s\n' "$SHARD" | grep -Eqx "$share"; then
  SHARD_INDEX=$((${SHARD%/*} - 1))
  [ "$SHARD_INDEX" -lt "$SHARD_COUNT" ] || problem "SHARD: there is no ${SHARD%/*} of $SHARD_COUNT"
fi
export SHARD_COUNT SHARD_INDEX
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
refuse

# Prometheus starts all the same without any of these, and what is missing is what would have told.
some() { [ -e "$1" ]; }
some "$ETC"/rules/*.yml || echo "start.sh: $ETC/rules has no rules, NOBODY WILL BE TOLD. Copy alerts/generated/*.yml there." >&2
[ -n "$ALERTMANAGERS" ] || echo 'start.sh: ALERTMANAGER_TARGET is not set: alerts go to alertmanager:9093, which only docker-compose.yml has.' >&2
[ -n "$LOCAL_TARGET" ] || some "$ETC"/targets/*.yml || some "$ETC"/targets/*.json ||
  echo "start.sh: nothing is watched: LOCAL_TARGET is not set, and $ETC/targets has no *.yml." >&2
: "${PROMETHEUS_TARGET:=127.0.0.1:9090}"
ALERTMANAGERS=${ALERTMANAGERS#, }
export ALERTMANAGERS="${ALERTMANAGERS:-'alertmanager:9093'}"
# Who asks PROBES; what it keeps is scraped only where PROBER_TARGET names it.
export PROBER="${PROBER_TARGET:-prober:10190}"

umask 077
if [ "${1:-}" = --render ]; then
  target=$2
else
  target=${TMPDIR:-/tmp}/prometheus.yml
fi

fill "$here/prometheus.yml" > "$target"
[ "${1:-}" != --render ] || exit 0

for name in $names; do unset "$name"; done
exec "${PROMETHEUS:-prometheus}" --config.file="$target" "$@"
