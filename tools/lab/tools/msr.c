/*
 * msr CPU get | set HEX: the KVM async page fault MSR (MSR_KVM_ASYNC_PF_EN) of this guest's vCPU,
 * through the msr driver. Writing it makes the host wake every thread parked on that vCPU.
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

int main(int argc, char **argv) {
  char path[64];
  uint64_t value = 0;
  if (argc < 3) return 2;
  snprintf(path, sizeof path, "/dev/cpu/%s/msr", argv[1]);
  int fd = open(path, O_RDWR);
  if (fd < 0) return perror(path), 1;
  if (argc > 3) {
    value = strtoull(argv[3], 0, 16);
    if (pwrite(fd, &value, 8, 0x4b564d02) != 8) return perror("write"), 1;
  }
  if (pread(fd, &value, 8, 0x4b564d02) != 8) return perror("read"), 1;
  printf("%llx\n", (unsigned long long)value);
  return 0;
}
