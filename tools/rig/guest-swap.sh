#!/bin/sh
# Gives this machine a little swap on a loop device, and a memory cgroup whose path it says after
# `ready`. For each line on its standard input it pushes the memory of the processes in the cgroup
# out to swap and says `out`. At the end of standard input, which is also what the death of the
# starting process looks like, it puts everything back.
#
# usage: guest-swap.sh DIRECTORY LONGEST_SECONDS
set -eu
directory=$1 longest_seconds=$2

if [ -e /sys/fs/cgroup/cgroup.controllers ]; then
  version=2 group=/sys/fs/cgroup/stealwatch-swap-$$
else
  own=$(sed -n 's/^[0-9]*:memory://p' /proc/self/cgroup)
  version=1 group=/sys/fs/cgroup/memory$own/stealwatch-swap-$$
fi

put_back() {
  trap - EXIT
  set +e
  exec > /dev/null 2>&1
  for pid in $(cat "$group/cgroup.procs"); do kill -KILL "$pid"; done
  for _ in $(seq 50); do rmdir "$group" && break; sleep 0.1; done
  if [ -n "${device:-}" ]; then
    swapoff "$device"
    losetup -d "$device"
  fi
  rm -rf "$directory"
}
trap put_back EXIT
trap 'exit 1' INT TERM HUP
trap '' PIPE

mkdir "$group"
truncate -s 256M "$directory/swap"
device=$(losetup --find --show "$directory/swap")
mkswap -q "$device" > /dev/null
swapon "$device"
echo "ready $group"

# Neither gets all that it asks for, and says so with an error.
push_out() {
  case $version in
    2) echo 1G > "$group/memory.reclaim" || true ;;
    1) echo 1 > "$group/memory.force_empty" || true ;;
  esac
  echo out
}

timeout "$longest_seconds" cat | while read -r _; do push_out; done
