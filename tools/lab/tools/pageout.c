/*
 * pageout PID < RANGES: moves parts of a guest's memory to the host's swap.
 *
 * RANGES are lines `ADDRESS LENGTH`, guest-physical, in hex (see ranges.c). Guest memory is the
 * largest anonymous mapping of the VMM; below 3 GiB the guest's address 0 is its start. A page
 * pushed out stays in the swap cache, from where it comes back without any reading of the disk; one
 * read back from there and pushed out again is clean, and leaves for good. Prints how many pages are present and how many are in swap.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

static unsigned long guest_memory(const char *pid) {
  char path[64], line[512], perm[8];
  unsigned long from, to, inode, best = 0, size = 0;
  snprintf(path, sizeof path, "/proc/%s/maps", pid);
  FILE *maps = fopen(path, "r");
  while (maps && fgets(line, sizeof line, maps))
    if (sscanf(line, "%lx-%lx %7s %*s %*s %lu", &from, &to, perm, &inode) == 4 &&
        perm[1] == 'w' && inode == 0 && to - from > size) {
      size = to - from;
      best = from;
    }
  return best;
}

static void push_out(int pid, int pidfd, struct iovec *range) {
  char byte;
  for (int round = 0; round < 2; round++) {
    if (syscall(SYS_process_madvise, pidfd, range, 1, MADV_PAGEOUT, 0) < 0) perror("madvise");
    if (round == 1) break;
    /* Let the writes end, then take the pages out of the swap cache again. */
    usleep(30000 + range->iov_len / 4096 * 200);
    for (size_t at = 0; at < range->iov_len; at += 4096) {
      struct iovec local = {&byte, 1}, remote = {(char *)range->iov_base + at, 1};
      process_vm_readv(pid, &local, 1, &remote, 1, 0);
    }
  }
}

int main(int argc, char **argv) {
  if (argc != 2) return 2;
  int pid = atoi(argv[1]), pidfd = syscall(SYS_pidfd_open, pid, 0);
  unsigned long base = guest_memory(argv[1]), address, length, present = 0, swapped = 0;
  char path[64];
  snprintf(path, sizeof path, "/proc/%d/pagemap", pid);
  int pagemap = open(path, O_RDONLY);
  if (pidfd < 0 || base == 0 || pagemap < 0) return perror("pageout"), 1;
  while (scanf("%lx %lx", &address, &length) == 2) {
    struct iovec range = {(void *)(base + address), length};
    push_out(pid, pidfd, &range);
    for (unsigned long at = base + address; at < base + address + length; at += 4096) {
      uint64_t entry = 0;
      if (pread(pagemap, &entry, 8, at / 4096 * 8) != 8) continue;
      present += entry >> 63 & 1;
      swapped += entry >> 62 & 1;
    }
  }
  printf("present %lu swapped %lu\n", present, swapped);
  return 0;
}
