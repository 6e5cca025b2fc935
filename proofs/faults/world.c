/*
 * Loaded into processes before themselves (LD_PRELOAD), this gives them another world, which a file of two numbers (FAULTS)
 * says and may change at any moment: seconds that the clock of the day is off by, and milliseconds that it takes to bring
 * something to the disk for good.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static const volatile int64_t *world;

__attribute__((constructor)) static void begin(void) {
  const char *path = getenv("FAULTS");
  int file = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
  void *found;
  if (file < 0) return;
  found = mmap(NULL, 16, PROT_READ, MAP_SHARED, file, 0);
  close(file);
  if (found != MAP_FAILED) world = found;
}

static int64_t off(void) { return world ? world[0] : 0; }

static void wait_for_disk(void) {
  struct timespec left;
  int64_t ms = world ? world[1] : 0;
  left.tv_sec = ms / 1000;
  left.tv_nsec = ms % 1000 * 1000000;
  if (ms > 0) nanosleep(&left, NULL);
}

int clock_gettime(clockid_t clock, struct timespec *now) {
  static int (*real)(clockid_t, struct timespec *);
  int failed;
  if (!real) real = dlsym(RTLD_NEXT, "clock_gettime");
  failed = real(clock, now);
  if (!failed && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)) now->tv_sec += off();
  return failed;
}

int gettimeofday(struct timeval *restrict now, void *restrict zone) {
  static int (*real)(struct timeval *, void *);
  int failed;
  if (!real) real = dlsym(RTLD_NEXT, "gettimeofday");
  failed = real(now, zone);
  if (!failed) now->tv_sec += off();
  return failed;
}

time_t time(time_t *to) {
  static time_t (*real)(time_t *);
  time_t now;
  if (!real) real = dlsym(RTLD_NEXT, "time");
  now = real(NULL) + off();
  if (to) *to = now;
  return now;
}

int fsync(int file) {
  static int (*real)(int);
  if (!real) real = dlsym(RTLD_NEXT, "fsync");
  wait_for_disk();
  return real(file);
}

int fdatasync(int file) {
  static int (*real)(int);
  if (!real) real = dlsym(RTLD_NEXT, "fdatasync");
  wait_for_disk();
  return real(file);
}
