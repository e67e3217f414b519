# What every start.sh does with its settings and its template: it is read by them (`.`), never run.
#
# A setting comes from the variable NAME, or from the file that NAME_FILE names (Docker and Kubernetes
# secrets). What is half set, or cannot be what it should, is refused with every problem listed: what
# fails only when it is needed tells nobody.

# Classes of characters are those of ASCII, and lengths are bytes.
export LC_ALL=C

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
  [ -z "$2" ] || { [ "$2" -ge 1 ] && [ "$2" -le 65535 ]; } || problem "$1: expected a port from 1 to 65535"
}

# NAME OTHER why: NAME is of no use without OTHER.
needs() {
  eval "[ -z \"\${$1-}\" ] || [ -n \"\${$2-}\" ]" || problem "$1 is set and $2 is not: $3"
}

# NAME expression, and what was expected: the value matches as a whole. It is not shown, since what is
# wrong with it may be that it is another's, a password's.
expect() {
  eval "value=\${$1-}"
  [ -z "$value" ] || printf '%s\n' "$value" | grep -Eqx -e "$2" || problem "$1: expected $3"
}

# NAME example: HOST:PORT.
expect_address() {
  expect "$1" '([^]/: []+|\[[0-9a-fA-F:.]+\]):[0-9]{1,5}' "HOST:PORT such as $2 (not shown)"
  may_be_port "$1" "$(printf '%s\n' "$value" | sed -En 's/^([^]/: []+|\[[0-9a-fA-F:.]+\]):([0-9]{1,5})$/\2/p')"
}

# Ends here with every problem told, if there is one.
refuse() {
  [ -z "$refused" ] || exit 1
}

# TEMPLATE: prints it with values for ${NAME}, and what stands between `#if NAME` and `#end` only where
# NAME is set; conditions may lie in one another. Values stand in single quotes, where YAML knows one
# escape: '' for '. PROBES and ALERTMANAGERS are lists that are quoted already. awk reads them from its environment, so
# they show neither in ps nor in a log.
fill() {
  awk '
    /^ *#if / { depth++; if (!off && ENVIRON[$2] == "") off = depth; next }
    /^ *#end/ { if (off == depth) off = 0; depth--; next }
    off { next }
    {
      rest = $0; line = ""
      while (!/^ *#/ && match(rest, /\$\{[A-Z_]+\}/)) {
        name = substr(rest, RSTART + 2, RLENGTH - 3)
        value = ENVIRON[name]
        if (name != "PROBES" && name != "ALERTMANAGERS") gsub(/\047/, "\047\047", value)
        line = line substr(rest, 1, RSTART - 1) value
        rest = substr(rest, RSTART + RLENGTH)
      }
      print line rest
    }
  ' "$1"
}

# Compose puts some settings into arguments.
for argument do
  shift
  set -- "$@" "$(printf '%s\n' "$argument" | sed -E "s/$around\$//")"
done
