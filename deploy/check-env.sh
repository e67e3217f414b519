#!/bin/sh
# Whether every variable of .env is one that something reads. Compose passes over a name it does not know
# without a word, and a webhook that is set under it tells nobody.
#
#   deploy/check-env.sh [FILE]        in the folder of docker-compose.yml; .env
#
# Shows names, never values. Ends with 1 where a name is unknown, or where others may read the file.
set -eu
export LC_ALL=C

file=${1-.env}
known=$(dirname "$0")/../.env.example
if [ ! -f "$file" ] || [ ! -r "$file" ]; then
  echo "check-env.sh: $file cannot be read: install -m 600 .env.example .env" >&2
  exit 2
fi

wrong=
# GNU's, then BSD's.
mode=$(stat -L -c %a "$file" 2>/dev/null || stat -L -f %Lp "$file")
case $mode in
  *00) ;;
  *)
    echo "check-env.sh: $file may be read by others (mode $mode), and holds secrets: chmod 600 $file" >&2
    wrong=yes
    ;;
esac

# What Compose and the engine's client read themselves begins with their names.
awk '
  function least(a, b) { return a < b ? a : b }
  function mistakes(a, b,   i, j, row, above, corner) {
    for (j = 0; j <= length(b); j++) row[j] = j
    for (i = 1; i <= length(a); i++) {
      corner = row[0]
      row[0] = i
      for (j = 1; j <= length(b); j++) {
        above = row[j]
        row[j] = least(least(above, row[j - 1]) + 1, corner + (substr(a, i, 1) != substr(b, j, 1)))
        corner = above
      }
    }
    return row[length(b)]
  }
  {
    sub(/\r$/, "")
    name = $0
    if (!sub(/=.*/, "", name)) next
  }
  FNR == NR { sub(/^#/, "", name); if (name ~ /^[A-Z_]+$/) is[name] = 1; next }
  {
    gsub(/^[ \t]*(export[ \t]+)?|[ \t]+$/, "", name)
    if (name ~ /^#/ || name in is || name ~ /^(COMPOSE|DOCKER)_[A-Z_]+$/) next
    # A line that is no NAME=VALUE may be the rest of a secret.
    if (name !~ /^[A-Za-z_][A-Za-z0-9_]*$/ || length(name) > 60) {
      print "line " FNR ": expected NAME=VALUE (not shown)"
    } else {
      best = ""
      most = 1 + int(length(name) / 4)
      for (one in is) {
        n = mistakes(toupper(name), one)
        if (n < most || (n == most && (best == "" || one < best))) { most = n; best = one }
      }
      print "line " FNR ": " name ": nothing reads it" (best == "" ? "" : "; is " best " meant?")
    }
    bad = 1
  }
  END { exit bad }
' "$known" "$file" >&2 || wrong=yes
[ -z "$wrong" ] || exit 1
echo "$file: every variable is one that something reads"
