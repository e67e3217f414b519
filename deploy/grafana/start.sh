#!/bin/sh
# Refuses to start Grafana with the password that everybody knows, and gives it a key of its own.
set -eu
if [ -z "${GF_SECURITY_ADMIN_PASSWORD:-}" ]; then
  echo 'Grafana does not start without a password. Set GRAFANA_ADMIN_PASSWORD in .env, then: docker compose up -d' >&2
  exit 1
fi
# Grafana encrypts what it stores with a key that is public unless one is given. Made once, kept
# beside the data that it encrypts.
key=/var/lib/grafana/stealwatch-secret-key
if [ ! -s "$key" ]; then
  (umask 077 && head -c 32 /dev/urandom | base64 | tr -d '\n' > "$key.new" && mv "$key.new" "$key")
fi
export GF_SECURITY_SECRET_KEY__FILE="$key"
exec /run.sh "$@"
