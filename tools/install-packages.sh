#!/bin/sh
# Debian packages for the tests, as root. Debian starts what it installs and enables it for each boot: here neither is
# done, since an unasked Prometheus would listen on all addresses of a VPS. What was enabled before stays so.
#
#   tools/install-packages.sh NAME...
#
# STEALWATCH_ROOT: where `/` is, for its test.
set -eu
root=${STEALWATCH_ROOT-}
policy=$root/usr/sbin/policy-rc.d
kept=$policy.before-stealwatch

# What a boot starts: links of systemd, and those by which sysvinit starts.
links() {
  find "$root/etc/systemd/system" "$root"/etc/rc[S0-9].d -type l ! -name 'K*' 2>/dev/null | sort
}

put_back() {
  trap - EXIT
  rm -f "$policy"
  [ ! -e "$kept" ] || mv "$kept" "$policy"
  # Debian takes a link that is gone for a decision: an update of the package does not make it anew.
  links | comm -13 "$before" - | while read -r link; do
    case $link in
      "$root"/etc/rc*) update-rc.d "${link##*/S[0-9][0-9]}" disable ;;
      *) rm -f "$link" ;;
    esac
  done
  rm -f "$before"
}

before=$(mktemp)
links >"$before"
trap put_back EXIT
trap 'exit 1' HUP INT TERM
# 101: the action is not allowed. Who has one that allows it gets it back.
[ ! -e "$policy" ] || mv "$policy" "$kept"
printf '#!/bin/sh\nexit 101\n' >"$policy"
chmod 755 "$policy"

export DEBIAN_FRONTEND=noninteractive
apt-get update -qq
apt-get install -y -qq --no-install-recommends "$@" >/dev/null
