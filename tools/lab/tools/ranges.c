/*
 * ranges PID LEAST_KIB [MOST_KIB]: where the large anonymous mappings of a process lie in
 * guest-physical memory, as lines `ADDRESS LENGTH` in hex. Runs under 32 KiB are left out.
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static void print_run(uint64_t start, uint64_t pages) {
  if (pages >= 8) printf("%llx %llx\n", (unsigned long long)start * 4096, (unsigned long long)pages * 4096);
}

static void print_mapping(int pagemap, unsigned long from, unsigned long to) {
  uint64_t start = 0, pages = 0;
  for (unsigned long at = from; at < to; at += 4096) {
    uint64_t entry = 0, frame;
    if (pread(pagemap, &entry, 8, at / 4096 * 8) != 8 || !(entry >> 63)) continue;
    frame = entry & ((1ull << 55) - 1);
    if (pages > 0 && frame == start + pages) {
      pages++;
      continue;
    }
    print_run(start, pages);
    start = frame;
    pages = 1;
  }
  print_run(start, pages);
}

int main(int argc, char **argv) {
  char path[64], line[512], perm[8];
  unsigned long from, to, inode;
  if (argc < 3) return 2;
  unsigned long least = strtoul(argv[2], 0, 10) * 1024;
  unsigned long most = argc > 3 ? strtoul(argv[3], 0, 10) * 1024 : ~0ul;
  snprintf(path, sizeof path, "/proc/%s/pagemap", argv[1]);
  int pagemap = open(path, O_RDONLY);
  snprintf(path, sizeof path, "/proc/%s/maps", argv[1]);
  FILE *maps = fopen(path, "r");
  if (pagemap < 0 || !maps) return perror("ranges"), 1;
  while (fgets(line, sizeof line, maps))
    if (sscanf(line, "%lx-%lx %7s %*s %*s %lu", &from, &to, perm, &inode) == 4 && perm[1] == 'w' &&
        inode == 0 && to - from >= least && to - from <= most)
      print_mapping(pagemap, from, to);
  return 0;
}
