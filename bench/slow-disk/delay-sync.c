/* Loaded into a process with LD_PRELOAD: every sync of a file takes DELAY_SYNC_US microseconds longer. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <unistd.h>

static void delay(void) {
  static long us = -1;
  if (us < 0) {
    const char *text = getenv("DELAY_SYNC_US");
    us = text == NULL ? 0 : atol(text);
  }
  if (us > 0) usleep((useconds_t)us);
}

int fsync(int fd) {
  int (*real)(int) = (int (*)(int))dlsym(RTLD_NEXT, "fsync");
  int result = real(fd);
  delay();
  return result;
}

int fdatasync(int fd) {
  int (*real)(int) = (int (*)(int))dlsym(RTLD_NEXT, "fdatasync");
  int result = real(fd);
  delay();
  return result;
}
