/*
 * lose PID VCPU: makes the host forget the page-ready messages it owes one vCPU, and nothing else.
 *
 * The VMM's own vCPU thread is made to issue KVM_SET_MSRS(MSR_KVM_ASYNC_PF_EN = 0), which empties
 * the queue of pages that are being fetched, as three bugs of KVM did (fixed in 5.13, 5.17 and, on
 * leaving system management mode, at the end of 2025). These left the MSR as it was, so it is set
 * back. KVM takes that for a new beginning and wakes all that is parked; so for this one message the
 * vCPU is told by another vector, which its kernel passes over, and then the place where the message
 * was left is cleared. Done with ptrace at system call boundaries.
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

/* MSR_KVM_ASYNC_PF_EN, _INT, _ACK of arch/x86/include/uapi/asm/kvm_para.h. */
enum { EN = 0x4b564d02, INT = 0x4b564d06, ACK = 0x4b564d07 };
/* Nothing is bound to it. Linux counts it and says so. */
enum { OTHER_VECTOR = 0x61 };
/* MiB of memory that the VPS has at least: the largest mapping of the VMM is its memory. */
enum { LEAST_MIB = 128 };

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

/* Where the thread stands. */
static struct user_regs_struct old;

/* Has the stopped thread make this system call of the VMM's vCPU; the entry comes back as it is then. */
static long long ioctl_there(int tid, int fd, unsigned long request, struct one_msr *msr) {
  struct user_regs_struct regs;
  int status;
  /* Below the red zone of the stack, put back afterwards. */
  unsigned long at = (old.rsp - 1024) & ~63ul, saved[3], words[3];
  memcpy(words, msr, sizeof words);
  for (int i = 0; i < 3; i++) {
    saved[i] = ptrace(PTRACE_PEEKDATA, tid, at + 8 * i, 0);
    ptrace(PTRACE_POKEDATA, tid, at + 8 * i, words[i]);
  }
  regs = old;
  regs.rip = old.rip - 2;
  regs.rax = 16; /* ioctl */
  regs.orig_rax = -1;
  regs.rdi = fd;
  regs.rsi = request;
  regs.rdx = at;
  ptrace(PTRACE_SETREGS, tid, 0, &regs);
  for (int i = 0; i < 2; i++) {
    ptrace(PTRACE_SYSCALL, tid, 0, 0);
    waitpid(tid, &status, __WALL);
    ptrace(PTRACE_GETREGS, tid, 0, &regs);
  }
  for (int i = 0; i < 3; i++) {
    words[i] = ptrace(PTRACE_PEEKDATA, tid, at + 8 * i, 0);
    ptrace(PTRACE_POKEDATA, tid, at + 8 * i, saved[i]);
  }
  memcpy(msr, words, sizeof words);
  ptrace(PTRACE_SETREGS, tid, 0, &old);
  return (long long)regs.rax;
}

static uint64_t get(int tid, int fd, uint32_t index) {
  struct one_msr msr = {1, 0, index, 0, 0};
  return ioctl_there(tid, fd, KVM_GET_MSRS, &msr) == 1 ? msr.data : 0;
}

static long long set(int tid, int fd, uint32_t index, uint64_t data) {
  struct one_msr msr = {1, 0, index, 0, data};
  return ioctl_there(tid, fd, KVM_SET_MSRS, &msr);
}

/* Lets the vCPU run for a while. */
static int run_on(int tid, int ms) {
  ptrace(PTRACE_CONT, tid, 0, 0);
  usleep(ms * 1000);
  return stop_at_syscall(tid, &old) != 0;
}

/* Where the memory of the VPS begins in the VMM: guest addresses below 3 GiB follow from there. */
static unsigned long memory_of(const char *pid) {
  char path[64], line[512];
  unsigned long from, to, best = 0, size = LEAST_MIB << 20;
  snprintf(path, sizeof path, "/proc/%s/maps", pid);
  FILE *file = fopen(path, "r");
  while (file && fgets(line, sizeof line, file)) {
    if (sscanf(line, "%lx-%lx", &from, &to) == 2 && to - from >= size) best = from, size = to - from;
  }
  if (file) fclose(file);
  return best;
}

int main(int argc, char **argv) {
  if (argc != 3) return 2;
  int fd = vcpu_fd(argv[1], argv[2]), tid = vcpu_thread(argv[1], argv[2]);
  if (fd < 0 || tid < 0) return fprintf(stderr, "no vCPU %s in %s\n", argv[2], argv[1]), 1;
  unsigned long memory = memory_of(argv[1]);
  if (ptrace(PTRACE_SEIZE, tid, 0, 0) < 0) return perror("seize"), 1;
  if (stop_at_syscall(tid, &old) == 0) return ptrace(PTRACE_DETACH, tid, 0, 0), 1;
  uint64_t value = get(tid, fd, EN), vector = get(tid, fd, INT);
  if (memory == 0 || value == 0 || vector == 0) {
    fprintf(stderr, "memory %lx value %llx vector %llx\n", memory, (unsigned long long)value,
            (unsigned long long)vector);
    return ptrace(PTRACE_DETACH, tid, 0, 0), 1;
  }
  long long lost = set(tid, fd, EN, 0);
  long long back = set(tid, fd, INT, OTHER_VECTOR) == 1 ? set(tid, fd, EN, value) : 0;
  int stopped = run_on(tid, 1000);
  /* struct kvm_vcpu_pv_apf_data: flags, then the token of the page that is there. */
  unsigned long place = memory + (value & ~63ull);
  uint32_t left = 0;
  if (stopped) {
    unsigned long words = ptrace(PTRACE_PEEKDATA, tid, place, 0);
    left = words >> 32;
    ptrace(PTRACE_POKEDATA, tid, place, words & 0xfffffffful);
  }
  set(tid, fd, INT, vector);
  set(tid, fd, ACK, 1);
  printf("KVM_SET_MSRS returned %lld, and %lld for what it held; message %x was passed over\n", lost,
         back, left);
  ptrace(PTRACE_DETACH, tid, 0, 0);
  return lost == 1 && back == 1 && left != 0 ? 0 : 1;
}
