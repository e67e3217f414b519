/*
 * lose PID VCPU: makes the host forget the page-ready messages it owes one vCPU.
 *
 * The VMM's own vCPU thread is made to issue KVM_SET_MSRS(MSR_KVM_ASYNC_PF_EN = 0), which empties
 * the queue of pages that are being fetched, as three bugs of KVM did (fixed in 5.13, 5.17 and, on
 * leaving system management mode, at the end of 2025). Done with ptrace at a system call boundary.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <linux/kvm.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

/* struct kvm_msrs with one entry. */
struct one_msr {
  uint32_t count, pad, index, reserved;
  uint64_t data;
};

static int vcpu_fd(const char *pid, const char *vcpu) {
  char path[300], link[128], want[64];
  int fd = -1;
  snprintf(want, sizeof want, "anon_inode:kvm-vcpu:%s", vcpu);
  snprintf(path, sizeof path, "/proc/%s/fd", pid);
  DIR *dir = opendir(path);
  for (struct dirent *entry; dir && (entry = readdir(dir));) {
    snprintf(path, sizeof path, "/proc/%s/fd/%s", pid, entry->d_name);
    ssize_t length = readlink(path, link, sizeof link - 1);
    if (length < 0) continue;
    link[length] = 0;
    if (!strcmp(link, want)) fd = atoi(entry->d_name);
  }
  return fd;
}

static int vcpu_thread(const char *pid, const char *vcpu) {
  char path[300], comm[64], want[64];
  int tid = -1;
  snprintf(want, sizeof want, "CPU %s/KVM\n", vcpu);
  snprintf(path, sizeof path, "/proc/%s/task", pid);
  DIR *dir = opendir(path);
  for (struct dirent *entry; dir && (entry = readdir(dir));) {
    snprintf(path, sizeof path, "/proc/%s/task/%s/comm", pid, entry->d_name);
    FILE *file = fopen(path, "r");
    if (!file) continue;
    if (fgets(comm, sizeof comm, file) && !strcmp(comm, want)) tid = atoi(entry->d_name);
    fclose(file);
  }
  return tid;
}

/* Stops the thread just behind a `syscall` instruction; returns the address of it, or 0. */
static unsigned long stop_at_syscall(int tid, struct user_regs_struct *regs) {
  int status;
  for (int attempt = 0; attempt < 500; attempt++) {
    ptrace(PTRACE_INTERRUPT, tid, 0, 0);
    waitpid(tid, &status, __WALL);
    ptrace(PTRACE_GETREGS, tid, 0, regs);
    if ((ptrace(PTRACE_PEEKTEXT, tid, regs->rip - 2, 0) & 0xffff) == 0x050f) return regs->rip - 2;
    ptrace(PTRACE_CONT, tid, 0, 0);
    usleep(20000);
  }
  return 0;
}

int main(int argc, char **argv) {
  if (argc != 3) return 2;
  int fd = vcpu_fd(argv[1], argv[2]), tid = vcpu_thread(argv[1], argv[2]), status;
  if (fd < 0 || tid < 0) return fprintf(stderr, "no vCPU %s in %s\n", argv[2], argv[1]), 1;
  if (ptrace(PTRACE_SEIZE, tid, 0, 0) < 0) return perror("seize"), 1;
  struct user_regs_struct old, regs;
  unsigned long instruction = stop_at_syscall(tid, &old);
  if (instruction == 0) return ptrace(PTRACE_DETACH, tid, 0, 0), 1;
  struct one_msr msr = {1, 0, 0x4b564d02, 0, 0};
  /* Below the red zone of the stack, put back afterwards. */
  unsigned long at = (old.rsp - 1024) & ~63ul, saved[3], words[3];
  memcpy(words, &msr, sizeof words);
  for (int i = 0; i < 3; i++) {
    saved[i] = ptrace(PTRACE_PEEKDATA, tid, at + 8 * i, 0);
    ptrace(PTRACE_POKEDATA, tid, at + 8 * i, words[i]);
  }
  regs = old;
  regs.rip = instruction;
  regs.rax = 16; /* ioctl */
  regs.orig_rax = -1;
  regs.rdi = fd;
  regs.rsi = KVM_SET_MSRS;
  regs.rdx = at;
  ptrace(PTRACE_SETREGS, tid, 0, &regs);
  for (int i = 0; i < 2; i++) {
    ptrace(PTRACE_SYSCALL, tid, 0, 0);
    waitpid(tid, &status, __WALL);
    ptrace(PTRACE_GETREGS, tid, 0, &regs);
  }
  printf("KVM_SET_MSRS returned %lld\n", (long long)regs.rax);
  for (int i = 0; i < 3; i++) ptrace(PTRACE_POKEDATA, tid, at + 8 * i, saved[i]);
  ptrace(PTRACE_SETREGS, tid, 0, &old);
  ptrace(PTRACE_DETACH, tid, 0, 0);
  return regs.rax == 1 ? 0 : 1;
}
