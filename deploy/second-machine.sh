#!/bin/sh
# A second machine that watches: a certificate for the agent, a token for the watcher, and both ends checked.
#
#   1. on the watcher   deploy/second-machine.sh watcher
#   2. on each VPS      deploy/second-machine.sh agent TOKEN-SHA256 NAME ADDRESS...      as 1 printed it
#   3. on the watcher   deploy/second-machine.sh add                          and paste what 2 printed
#   4. on either        deploy/second-machine.sh check
#
# The token never leaves the watcher, and the key never leaves the VPS: what is carried over is public.
#
#   --port PORT    where the agent listens (agent; 10190)
#   --dir DIR      where its key, certificate and web.yml go (agent, check; secrets/agent)
#   --user UID     who must be able to read them there (agent; 10190, as in the container)
#
# Run in the folder of docker-compose.yml; it writes below secrets/ and targets/, and edits nothing else.
set -eu
export LC_ALL=C

directory=secrets/agent
port=10190
user=10190
watcher=secrets/watcher
# Days that a certificate is good for; who checks is told a month before.
days=825
soon=$((30 * 24 * 3600))

die() {
  echo "second-machine.sh: $*" >&2
  exit 2
}

# USER FILE...: readable by that user and by nobody else, or what to type for it.
belongs_to() {
  owner=$1
  shift
  chmod 400 "$@"
  chown "$owner" "$@" 2>/dev/null || echo "Then, as root, since user ${owner%:*} must read them: chown $owner $*"
}

# A label of alerts and a file name: no dash in front, no path.
name_of() {
  case $1 in
    '' | -* | .* | *[!A-Za-z0-9._-]*) die "$1: expected a name of letters, digits, . _ -, such as vps1" ;;
  esac
  [ "${#1}" -le 60 ] || die 'expected a name of at most 60 letters'
}

# DNS:name, or IP:address.
alternative_name() {
  case $1 in
    '' | -* | *[!A-Za-z0-9.:-]*) die "$1: expected a host name or an IP address, without port and brackets" ;;
    *:*) echo "IP:$1" ;;
    *[!0-9.]*) echo "DNS:$1" ;;
    *) echo "IP:$1" ;;
  esac
}

make_token() {
  command -v openssl >/dev/null || die 'openssl is not here: apt install openssl'
  token=$watcher/agent-token
  if [ ! -s "$token" ]; then
    (umask 077 && mkdir -p "$watcher" && openssl rand -hex 32 > "$token.new" && mv "$token.new" "$token")
    # Prometheus is user 65534 and the prober 10190; the folder is no secret, what is in it is.
    chmod 755 "$watcher"
    chmod 440 "$token"
    chown 65534:10190 "$token" 2>/dev/null || echo "Then, as root: chown 65534:10190 $token"
  fi
  [ -r "$token" ] || die "$token cannot be read: run this as root"
  hash=$(tr -d '\n' < "$token" | openssl dgst -sha256 -r | cut -d' ' -f1)
  cat <<END
In .env of this machine:
  COMPOSE_PROFILES=watch
  AGENT_TOKEN_FILE=/etc/stealwatch/secrets/agent-token
On each VPS, with its name in messages and every name and address it is reached at, the watcher's first:
  deploy/second-machine.sh agent $hash vps1 vps1.example.org 203.0.113.7
END
}

make_agent() {
  [ $# -ge 3 ] || die 'expected agent TOKEN-SHA256 NAME ADDRESS...'
  hash=$1 name=$2
  shift 2
  case $hash in *[!0-9a-f]*) die 'expected the SHA-256 of the token, 64 hexadecimal digits, as `watcher` prints it' ;; esac
  [ "${#hash}" = 64 ] || die 'expected the SHA-256 of the token, 64 hexadecimal digits, as `watcher` prints it'
  name_of "$name"
  printf '%s\n' "$port" | grep -Eqx '[1-9][0-9]{0,4}' && [ "$port" -le 65535 ] || die '--port: expected a number from 1 to 65535'
  names=
  for one do
    alternative=$(alternative_name "$one") || exit 2
    names=$names,$alternative
  done
  [ ! -e "$directory/web.yml" ] || die "$directory/web.yml is there already: move it away to make another"
  command -v openssl >/dev/null || die 'openssl is not here: apt install openssl'
  umask 077
  mkdir -p "$directory"
  # Trusted by the watcher as it is, and good for nothing else: it can sign no other.
  cat > "$directory/tls.cnf" <<END
[req]
distinguished_name = name
x509_extensions = extensions
prompt = no
[name]
CN = $name
[extensions]
subjectAltName = ${names#,}
basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature
extendedKeyUsage = serverAuth
END
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days $days -sha256 \
    -config "$directory/tls.cnf" -keyout "$directory/tls.key" -out "$directory/tls.crt" 2>"$directory/tls.log" ||
    { cat "$directory/tls.log" >&2; rm -f "$directory"/tls.cnf "$directory"/tls.log "$directory"/tls.key; die 'openssl made no certificate'; }
  rm "$directory/tls.cnf" "$directory/tls.log"
  cat > "$directory/web.yml" <<END
tls_server_config:
  cert_file: tls.crt
  key_file: tls.key
bearer_tokens:
  watcher: $hash
END
  chmod 755 "$directory"
  belongs_to "$user" "$directory/tls.key" "$directory/tls.crt" "$directory/web.yml"
  case $1 in *:*) at="[$1]:$port" ;; *) at=$1:$port ;; esac
  cat <<LINES
In .env of this machine, and then docker compose up -d --wait:
  COMPOSE_PROFILES=agent
  GRAFANA_ADMIN_PASSWORD=
  EXPORTER_PORT=0.0.0.0:$port
  WEB_CONFIG_FILE=/etc/stealwatch/web.yml
On the watcher, all that follows:

deploy/second-machine.sh add <<'END'
agent $name $at
$(cat "$directory/tls.crt")
END
LINES
}

# One of a file of many, without those of NAME; each stands behind a line `# agent NAME`.
without() {
  [ ! -s "$2" ] || awk -v name="$1" '/^# agent /{ off = ($3 == name) } !off' "$2"
}

add_agent() {
  pasted=$(cat)
  first=$(printf '%s\n' "$pasted" | sed -n '1p')
  certificate=$(printf '%s\n' "$pasted" | sed -n '/^-----BEGIN CERTIFICATE-----$/,/^-----END CERTIFICATE-----$/p')
  set -f
  # shellcheck disable=SC2086
  set -- $first
  set +f
  [ $# = 3 ] && [ "$1" = agent ] || die 'expected what `agent` printed on the VPS, from the line "agent NAME ADDRESS" on'
  name=$2 at=$3
  name_of "$name"
  printf '%s\n' "$at" | grep -Eqx '(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9.-]+):[0-9]{1,5}' || die 'expected HOST:PORT behind the name'
  printf '%s\n' "$certificate" | openssl x509 -noout 2>/dev/null || die 'expected the certificate, whole, from -----BEGIN to -----END'
  [ -s "$watcher/agent-token" ] || die "$watcher/agent-token is not there: deploy/second-machine.sh watcher comes first"
  umask 022
  mkdir -p targets
  file=$watcher/agent-ca.pem
  first_one=
  [ -s "$file" ] || first_one=yes
  { without "$name" "$file" && printf '# agent %s\n%s\n' "$name" "$certificate"; } > "$file.new"
  chmod 644 "$file.new" && mv "$file.new" "$file"
  target=targets/$name.yml
  if [ -e "$target" ] && ! grep -Fq "'$at'" "$target"; then
    die "$target is there with another address than $at: move it away, or write $at into it and check"
  fi
  # What somebody added to it stays.
  if [ ! -e "$target" ]; then
    printf -- "- targets: ['%s']\n  labels: { host: '%s', __scheme__: https }\n" "$at" "$name" > "$target.new"
    mv "$target.new" "$target"
  fi
  echo "Written: $target, where provider, plan and price may be added, and $file."
  if [ -n "$first_one" ]; then
    echo 'It is the first certificate: docker compose up -d --wait --force-recreate prometheus-watch prober'
  else
    echo 'Prometheus and the prober see it by themselves.'
  fi
  check_one "$name" "$at"
}

failed=
told() {
  echo "$*"
  case $1 in FAIL) failed=yes ;; esac
}

# URL [curl's own]: sets `code`, the status or 000, and `ended`, curl's.
ask() {
  ended=0
  code=$(curl -sS -o /dev/null -m 10 --connect-timeout 5 -w '%{http_code}' -K - "$@" 2>/dev/null) || ended=$?
}

# NAME HOST:PORT [SCHEME], as Prometheus asks it. The token is no argument: those show in ps.
check_one() {
  command -v curl >/dev/null || die 'curl is not here: apt install curl'
  token=$watcher/agent-token
  [ ! -e "$token" ] || [ -r "$token" ] || die "$token cannot be read: run this as root"
  printf '%s\n' "$2" | grep -Eqx '(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(:[0-9]{1,5})?' || {
    told FAIL "$1: expected HOST:PORT, found $2"
    return 0
  }
  scheme=${3:-https} header= credentials='no token'
  [ ! -s "$token" ] || header="header = \"Authorization: Bearer $(cat "$token")\"" credentials='this token'
  url=$scheme://$2/livez
  # Without the file Prometheus trusts the public ones.
  if [ -s "$watcher/agent-ca.pem" ]; then set -- "$1" "$2" --cacert "$watcher/agent-ca.pem"; else set -- "$1" "$2"; fi
  name=$1 at=$2
  shift 2
  ask "$@" "$url" <<END
$header
END
  case $scheme:$ended:$code in
    https:0:200) told "ok   $name: $at answers, with this certificate and $credentials" ;;
    http:0:200) told "ok   $name: $at answers, without TLS" ;;
    *:0:401)
      if [ -n "$header" ]; then
        told FAIL "$name: $at does not take the token: make web.yml there with the SHA-256 that \`watcher\` prints"
      else
        told FAIL "$name: $at asks for credentials, and $token is not there: \`watcher\` makes it"
      fi
      ;;
    *:0:*) told FAIL "$name: $at answers $code, expected 200" ;;
    *:6:*) told FAIL "$name: $at has no address: the name is not in DNS" ;;
    *:7:*) told FAIL "$name: $at refuses: nothing listens there. EXPORTER_PORT of the agent, or a firewall" ;;
    *:28:*) told FAIL "$name: $at is silent: a firewall, or the machine stands still" ;;
    *:60:*) told FAIL "$name: $at has another certificate, or one for another name: paste what \`agent\` printed there again" ;;
    https:35:* | https:52:* | https:56:*) told FAIL "$name: $at speaks no TLS: WEB_CONFIG_FILE of the agent is not set" ;;
    http:52:* | http:56:*) told FAIL "$name: $at speaks no plain HTTP: __scheme__: https is missing in targets/" ;;
    *) told FAIL "$name: $at cannot be asked (curl ends with $ended)" ;;
  esac
}

# The agents of a file of targets, SCHEME HOST:PORT NAME: in YAML of either style, or JSON. Signs that only hold
# the others together become line ends, but for the brackets of an address.
agents_of() {
  sed -e 's/^#.*//; s/[[:space:]]#.*//' -e 's/"[[:space:]]*:/": /g' -e "s/[\"']//g" \
    -e 's/\[\([0-9A-Fa-f.]*:[0-9A-Fa-f:.]*\)\]:\([0-9]\)/<\1>:\2/g' "$1" | tr '][{},' '\n\n\n\n\n' | awk '
    function flush(  i, at) {
      for (i = 1; i <= count; i++) {
        at = addresses[i]
        sub(/</, "[", at)
        sub(/>/, "]", at)
        print scheme, at, (host == "" ? at : host)
      }
      count = 0; seen = ""; host = ""; scheme = "http"
    }
    BEGIN { flush() }
    {
      sub(/^[ \t-]+/, "")
      sub(/[ \t\r]+$/, "")
      key = $0
      sub(/[ \t]*:([ \t].*)?$/, "", key)
      if (key == $0) key = ""
      value = $0
      sub(/^[^:]*:[ \t]*/, "", value)
    }
    key == "targets" || key == "labels" {
      if (index(seen, key)) flush()
      seen = seen " " key
      part = key
      if (part == "labels" || value == "") next
      $0 = value
      key = ""
    }
    part == "targets" && key == "" && $0 != "" { addresses[++count] = $0 }
    part == "labels" && key == "host" { host = value }
    part == "labels" && key == "__scheme__" { scheme = value }
    END { flush() }'
}

check_agent() {
  certificate=$directory/tls.crt
  if ! openssl x509 -in "$certificate" -noout -checkend $soon >/dev/null 2>&1; then
    told FAIL "$certificate ends within a month, or cannot be read: $(openssl x509 -in "$certificate" -noout -enddate 2>/dev/null || echo unreadable)"
  fi
  ask -k "https://127.0.0.1:$port/livez" < /dev/null
  case $ended:$code in
    0:401) told "ok   127.0.0.1:$port speaks TLS and asks for the token" ;;
    0:200) told FAIL "127.0.0.1:$port lets everybody in: web.yml names no token" ;;
    7:*) told FAIL "127.0.0.1:$port refuses: the exporter does not run, or listens elsewhere (--port)" ;;
    28:*) told FAIL "127.0.0.1:$port is silent" ;;
    *) told FAIL "127.0.0.1:$port speaks no TLS: WEB_CONFIG_FILE is not set, or the exporter is older than it" ;;
  esac
}

check() {
  command -v curl >/dev/null || die 'curl is not here: apt install curl'
  asked=
  if [ -e "$directory/web.yml" ]; then
    asked=yes
    check_agent
  fi
  for file in targets/*.yml targets/*.json; do
    [ -e "$file" ] || continue
    asked=yes
    agents=$(agents_of "$file")
    if [ -z "$agents" ]; then
      told FAIL "$file: no targets are read from it"
      continue
    fi
    while read -r scheme at name; do
      check_one "$name" "$at" "$scheme"
    done <<END
$agents
END
  done
  [ -n "$asked" ] || die "nothing to check: neither $directory/web.yml nor an agent in targets/ is here"
}

usage() { sed -n '2,/^set -eu/{/^set -eu/d;s/^# \{0,1\}//;p}' "$0"; }
word=${1-}
[ $# = 0 ] || shift
rest=
while [ $# -gt 0 ]; do
  case $1 in
    --port | --dir | --user)
      [ $# -ge 2 ] || die "$1: expected a value after it"
      case $1 in --port) port=$2 ;; --dir) directory=$2 ;; --user) user=$2 ;; esac
      shift 2
      ;;
    -*) die "$1: no such option; there are --port, --dir and --user" ;;
    # Kept in order; names and addresses have no blanks.
    *) rest="$rest $1" && shift ;;
  esac
done
set -f
# shellcheck disable=SC2086
case $word in
  watcher) make_token ;;
  agent) make_agent $rest ;;
  add) set +f && add_agent ;;
  check) set +f && check ;;
  -h | --help | help) usage && exit 0 ;;
  '') usage >&2 && exit 2 ;;
  *) die "$word: expected watcher, agent, add or check; --help says more" ;;
esac
[ -z "$failed" ] || exit 1
