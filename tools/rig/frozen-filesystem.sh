#!/bin/sh
# Makes a small ext4 file system on a loop device and makes the kernel's hung task detector
# impatient; says `ready`; waits for the end of its standard input; puts everything back.
#
# The end of standard input is also what the death of the starting process looks like, SIGKILL
# included, and there is a time limit besides. So nobody else needs to clean up, ever. Run it in
# a session of its own, or the Ctrl-C that ends the test ends this first.
#
# usage: frozen-filesystem.sh DIRECTORY HUNG_TASK_TIMEOUT_SECONDS LONGEST_SECONDS LOCK_FILE
set -eu
directory=$1 timeout_seconds=$2 longest_seconds=$3 lock=$4
kernel=/proc/sys/kernel
mount_point=$directory/mount

# The settings are the machine's: two of us would each put back what the other had set.
exec 9>"$lock"
flock -w 180 9 || { echo "another test has held $lock for 3 minutes" >&2; exit 75; }

old_timeout=$(cat $kernel/hung_task_timeout_secs)
old_warnings=$(cat $kernel/hung_task_warnings)

put_back() {
  trap - EXIT
  set +e
  # Whoever read our output may be dead.
  exec > /dev/null 2>&1
  fsfreeze --unfreeze "$mount_point"
  echo "$old_timeout" > $kernel/hung_task_timeout_secs
  echo "$old_warnings" > $kernel/hung_task_warnings
  pid=$(cat "$directory/redis.pid")
  if [ -n "$pid" ] && [ "$(cat "/proc/$pid/comm")" = redis-server ]; then
    kill -KILL "$pid"
    for _ in $(seq 100); do
      [ -d "/proc/$pid" ] && ! grep -q '^State:.Z' "/proc/$pid/status" || break
      sleep 0.1
    done
  fi
  umount "$mount_point" || umount --lazy "$mount_point"
  rm -rf "$directory"
}
trap put_back EXIT
trap 'exit 1' INT TERM HUP
# Saying `ready` to one that died meanwhile must fail, not kill us.
trap '' PIPE

truncate -s 64M "$directory/image"
mkfs.ext4 -q -F "$directory/image"
mkdir "$mount_point"
mount -o loop "$directory/image" "$mount_point"
# Without a limit, so that a test does not use up the reports an operator will need.
echo -1 > $kernel/hung_task_warnings
echo "$timeout_seconds" > $kernel/hung_task_timeout_secs

echo ready
exec > /dev/null 2>&1
timeout "$longest_seconds" cat || true
