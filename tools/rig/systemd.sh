#!/bin/sh
# systemd.sh ROOT CHANGES CGROUP: systemd as process 1 of a Debian in ROOT, in namespaces of its own, until it is
# killed. What it writes goes into CHANGES; CGROUP is an empty group of cgroup v2. Needs root.
#
# /proc/sys and /sys are read-only in it, it has no network but a loopback, and it says nothing to the
# kernel log: it changes nothing outside. All mounts end with it.
set -eu
export ROOT="$1" CHANGES="$2"
mkdir -p "$CHANGES/upper" "$CHANGES/work" "$CHANGES/root"
echo $$ > "$3/cgroup.procs"
exec unshare --mount --propagation private --uts --ipc --pid --net --cgroup --fork --kill-child sh -euc '
  root=$CHANGES/root
  mount -t overlay overlay -o "lowerdir=$ROOT,upperdir=$CHANGES/upper,workdir=$CHANGES/work" "$root"
  mount -t proc proc "$root/proc"
  mount -t sysfs -o ro sysfs "$root/sys"
  mount -t cgroup2 cgroup2 "$root/sys/fs/cgroup"
  mount --bind "$root/proc/sys" "$root/proc/sys"
  mount -o remount,bind,ro "$root/proc/sys"
  mount -t tmpfs -o mode=755 tmpfs "$root/run"
  mount -t tmpfs -o mode=755 tmpfs "$root/dev"
  for device in null zero full random urandom tty kmsg; do
    numbers=$(stat -c "%Hr %Lr" "/dev/$device")
    mknod -m 666 "$root/dev/$device" c $numbers
  done
  # As the kernel makes it; who may really read it CAP_SYSLOG says.
  chmod 644 "$root/dev/kmsg"
  mkdir "$root/dev/pts" "$root/dev/shm"
  mount -t devpts -o newinstance,ptmxmode=666,gid=5 devpts "$root/dev/pts"
  mount -t tmpfs tmpfs "$root/dev/shm"
  ln -s pts/ptmx "$root/dev/ptmx"
  ln -s /proc/self/fd "$root/dev/fd"
  ip link set lo up
  # Not chroot alone: in one no unit may have a user namespace of its own.
  cd "$root"
  pivot_root . .
  umount -l .
  exec chroot . env -i container=other PATH=/usr/sbin:/usr/bin:/sbin:/bin /sbin/init --log-target=console
' < /dev/null
