#!/bin/bash
# What a real machine keeps of a real hung task: systemd-journald, sadc and a Redis or Valkey run, the file
# system of the latter is frozen, the kernel reports it, and both daemons are killed. In name spaces of its
# own: the host name, the machine and the boot that are written down are made up.
#
# Needs root, loop devices, systemd-journald, sysstat. It sets kernel.hung_task_* for a minute, and puts all
# back whatever happens.
#
# usage: record-remains.sh DIRECTORY SERVER_PROGRAM
set -eu
directory=$(realpath "$1") server=$2
kernel=/proc/sys/kernel

if [ "${3:-}" != inside ]; then
  exec 9>/tmp/stealwatch-frozen-filesystem.lock
  flock -w 180 9
  old_timeout=$(cat $kernel/hung_task_timeout_secs) old_warnings=$(cat $kernel/hung_task_warnings)
  trap 'echo "$old_timeout" > $kernel/hung_task_timeout_secs; echo "$old_warnings" > $kernel/hung_task_warnings' EXIT
  echo -1 > $kernel/hung_task_warnings
  echo 10 > $kernel/hung_task_timeout_secs
  unshare --mount --uts --propagation private bash "$0" "$directory" "$server" inside
  exit
fi

work=$(mktemp -d)
mount_point=$work/data
pids=()
end() {
  set +e
  fsfreeze --unfreeze "$mount_point" 2> /dev/null
  for pid in "${pids[@]}"; do kill -KILL "$pid" 2> /dev/null; done
  sleep 1
  umount "$mount_point" 2> /dev/null || umount --lazy "$mount_point"
  umount --lazy /run
  rm -rf "$work"
}
trap end EXIT

hostname vps
mkdir -p "$directory"/var/log/{journal,redis,sysstat} "$mount_point"
echo 5f1d0c6e8a7b4d3c9e2f1a0b5c6d7e8f > "$work/machine-id"
echo 0b6e7a52-6a0e-4c55-9d0f-3f2a9c1e7b14 > "$work/boot-id"
mount --bind "$work/machine-id" /etc/machine-id
mount --bind "$work/boot-id" /proc/sys/kernel/random/boot_id
mkdir -p /var/log/journal
mount --bind "$directory/var/log/journal" /var/log/journal
mount -t tmpfs tmpfs /run
mkdir -p /run/systemd/journal /run/log "/var/log/journal/$(cat /etc/machine-id)"
: > /run/systemd/journal/flushed
# From now on: what the ring holds of other times is no part of it.
last=$(dd if=/dev/kmsg iflag=nonblock bs=8k 2> /dev/null | awk -F'[,;]' '/^[0-9]/ { n = $2 } END { print n + 1 }')
perl -e 'print pack("Q", shift)' "$last" > /run/systemd/journal/kernel-seqnum
/lib/systemd/systemd-journald & journald=$!
pids+=("$journald")

truncate -s 64M "$work/image"
mkfs.ext4 -q -F "$work/image"
mount -o loop "$work/image" "$mount_point"
/usr/lib/sysstat/sadc -F -L -S DISK,INT 2 200 "$directory/var/log/sysstat/sa$(date +%d)" & pids+=($!)
log=$directory/var/log/redis/redis-server.log
start() {
  "$server" --port 16399 --bind 127.0.0.1 --dir "$mount_point" --logfile "$log" --appendonly yes \
    --appendfsync always --save '5 1' & redis=$!
  pids+=("$redis")
  until redis-cli -p 16399 ping 2> /dev/null | grep -q PONG; do sleep 0.2; done
}
start
for i in $(seq 20); do redis-cli -p 16399 set key "$i" > /dev/null; sleep 1; done
date -u +%FT%T.%NZ > "$directory/frozen-at"
fsfreeze --freeze "$mount_point"
timeout 2 redis-cli -p 16399 set key frozen > /dev/null || true
sleep 45
kill -KILL "$journald"
kill -KILL "$redis"
fsfreeze --unfreeze "$mount_point"
sleep 2
start
sleep 1
redis-cli -p 16399 shutdown > /dev/null || true
sleep 1
