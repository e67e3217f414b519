#!/bin/sh
# Freezes one thread of a process with the cgroup freezer; says `ready`; waits for the end of its
# standard input, which is also what the death of the starting process looks like; thaws it.
#
# Under cgroup version 1 such a thread sleeps in D state and not even SIGKILL ends it; under version
# 2 it answers to nothing but SIGKILL.
#
# usage: frozen-thread.sh PID TID LONGEST_SECONDS
set -eu
pid=$1 tid=$2 longest_seconds=$3
name=stealwatch-frozen-$$

if [ -e /sys/fs/cgroup/cgroup.controllers ]; then
  version=2 parent=/sys/fs/cgroup
else
  version=1 parent=/sys/fs/cgroup/freezer$(sed -n 's/^[0-9]*:freezer://p' /proc/self/cgroup)
fi
group=$parent/$name

put_back() {
  trap - EXIT
  set +e
  exec > /dev/null 2>&1
  case $version in
    1)
      echo THAWED > "$group/freezer.state"
      echo "$tid" > "$parent/tasks"
      ;;
    2)
      echo 0 > "$group/thread/cgroup.freeze"
      echo "$pid" > "$parent/cgroup.procs"
      for _ in $(seq 50); do rmdir "$group/thread" && break; sleep 0.1; done
      ;;
  esac
  for _ in $(seq 50); do rmdir "$group" && break; sleep 0.1; done
}
trap put_back EXIT
trap 'exit 1' INT TERM HUP
trap '' PIPE

mkdir "$group"
case $version in
  1)
    echo "$tid" > "$group/tasks"
    echo FROZEN > "$group/freezer.state"
    until grep -q FROZEN "$group/freezer.state"; do sleep 0.1; done
    ;;
  2)
    # Only within a cgroup of its own may the threads of a process be told apart.
    echo "$pid" > "$group/cgroup.procs"
    mkdir "$group/thread"
    echo threaded > "$group/thread/cgroup.type"
    echo "$tid" > "$group/thread/cgroup.threads"
    echo 1 > "$group/thread/cgroup.freeze"
    until grep -q 'frozen 1' "$group/thread/cgroup.events"; do sleep 0.1; done
    ;;
esac

echo ready
exec > /dev/null 2>&1
timeout "$longest_seconds" cat || true
