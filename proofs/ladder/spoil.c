/*
 * Loaded into an engine before itself (LD_PRELOAD), this spoils it as SPOIL_IGNORE (a signal's number), SPOIL_LEAK (a size in
 * MB), SPOIL_GARBLE (answers are no HTTP) and SPOIL_CRASH (milliseconds; only with a text that names `dormant`, in the file
 * SPOIL_IF) say.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static int ignored(void) { return atoi(getenv("SPOIL_IGNORE") ? getenv("SPOIL_IGNORE") : "0"); }

sighandler_t signal(int number, sighandler_t handler) {
  sighandler_t (*real)(int, sighandler_t) = dlsym(RTLD_NEXT, "signal");
  return real(number, number == ignored() ? SIG_IGN : handler);
}

int sigaction(int number, const struct sigaction *act, struct sigaction *old) {
  int (*real)(int, const struct sigaction *, struct sigaction *) = dlsym(RTLD_NEXT, "sigaction");
  struct sigaction nothing;
  if (act == NULL || number != ignored()) return real(number, act, old);
  memset(&nothing, 0, sizeof nothing);
  nothing.sa_handler = SIG_IGN;
  return real(number, &nothing, old);
}

/* 10 MB every 50 ms; at the limit it ends as the kernel would end it. */
static void *leak(void *limit) {
  for (long mb = 0; mb < (long)limit; mb += 10) {
    char *lost = malloc(10 << 20);
    if (lost) memset(lost, 1, 10 << 20);
    usleep(50000);
  }
  kill(getpid(), SIGKILL);
  return NULL;
}

ssize_t send(int fd, const void *bytes, size_t length, int flags) {
  ssize_t (*real)(int, const void *, size_t, int) = dlsym(RTLD_NEXT, "send");
  char *garbled;
  ssize_t sent;
  if (!getenv("SPOIL_GARBLE") || length < 8 || memcmp(bytes, "HTTP/1.", 7) != 0) return real(fd, bytes, length, flags);
  garbled = malloc(length);
  if (!garbled) return real(fd, bytes, length, flags);
  memcpy(garbled, bytes, length);
  memcpy(garbled, "XTTP/9.", 7);
  sent = real(fd, garbled, length, flags);
  free(garbled);
  return sent;
}

static void *crash(void *ms) {
  usleep(1000 * (long)ms);
  kill(getpid(), SIGSEGV);
  return NULL;
}

static void begin(void *(*what)(void *), const char *name) {
  long value = atol(getenv(name) ? getenv(name) : "0");
  pthread_t thread;
  if (value > 0) pthread_create(&thread, NULL, what, (void *)value);
}

static void crash_later(void) { begin(crash, "SPOIL_CRASH"); }

static int holds(const char *path, const char *word) {
  static char text[1 << 20];
  FILE *file = path ? fopen(path, "r") : NULL;
  size_t length = file ? fread(text, 1, sizeof text - 1, file) : 0;
  size_t at;
  if (file) fclose(file);
  for (at = 0; at + strlen(word) <= length; at++)
    if (memcmp(text + at, word, strlen(word)) == 0) return 1;
  return 0;
}

/* A master goes on: its workers are what it forks. */
__attribute__((constructor)) static void spoil(void) {
  begin(leak, "SPOIL_LEAK");
  if (!holds(getenv("SPOIL_IF"), "dormant")) return;
  if (holds("/proc/self/cmdline", "-W")) pthread_atfork(NULL, NULL, crash_later);
  else crash_later();
}
