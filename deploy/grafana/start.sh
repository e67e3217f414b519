#!/bin/sh
# Refuses to start Grafana with the password that everybody knows, and gives it a key of its own.
# The password comes from GF_SECURITY_ADMIN_PASSWORD, or from the file that the same name with _FILE
# names (Grafana's own __FILE does as well).
set -eu
. "$(dirname "$0")/../fill.sh"

GF_SECURITY_ADMIN_PASSWORD_FILE=${GF_SECURITY_ADMIN_PASSWORD_FILE:-${GF_SECURITY_ADMIN_PASSWORD__FILE-}}
for name in GF_SECURITY_ADMIN_PASSWORD GF_SECURITY_ADMIN_USER GF_SERVER_ROOT_URL STEALWATCH_PROMETHEUS_URL; do
  given "$name"
  # Unset it has a default in Grafana, set to nothing it has none.
  [ -z "$value" ] || export "$name=$value"
  unset "${name}_FILE"
done
refuse
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
