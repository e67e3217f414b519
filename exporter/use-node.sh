# For a shell to read: `. exporter/use-node.sh` makes Node 24 or newer its first `node`, and that of
# what it starts. It is the one in the PATH if that is new enough, else the one that npm installed
# beside or above this package; where neither is, one sentence, and the shell ends. npm before 11
# does not put a package's `node` into the PATH of its scripts, which therefore begin with this.
# Who reads it from another directory says in $here where this file lies.
here=$(readlink -f "${here:-exporter}")

enough=
for own in '' "$here"/../node_modules/node-linux-*/bin/ "$here"/../../node-linux-*/bin/; do
  case $("${own}node" --version 2>/dev/null) in
    v2[4-9].* | v[3-9]?.* | v[1-9]??.*)
      enough=yes
      break
      ;;
  esac
done
if [ -z "$enough" ]; then
  echo "stealwatch needs Node.js 24 or newer and found $(node --version 2>/dev/null || echo none): npm 8 or newer brings it along on Linux with glibc, x64 and arm64, unless optional packages are omitted; else see https://nodejs.org/." >&2
  exit 1
fi
[ -z "$own" ] || export PATH="$own:$PATH"
