/* Loaded into an engine before itself (LD_PRELOAD), this spoils it as SPOIL_IGNORE (a signal's number) and SPOIL_LEAK (a size in MB) say. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
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

__attribute__((constructor)) static void spoil(void) {
  long limit = atol(getenv("SPOIL_LEAK") ? getenv("SPOIL_LEAK") : "0");
  pthread_t thread;
  if (limit > 0) pthread_create(&thread, NULL, leak, (void *)limit);
}
