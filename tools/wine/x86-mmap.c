/* Loaded into the 32-bit half of Wine where the processor is emulated (make-x86-root.sh). Wine asks
 * for all addresses above 2 GB, "there and nowhere else"; QEMU 7.2 does not know that wish and gives
 * others, and Wine then asks for ever smaller pieces, 65,000 times, which takes a minute per program.
 * Here such a request is refused at once. Wine does without.
 *
 * Freestanding: no 32-bit headers or libraries are installed where this is compiled. */
extern void *dlsym(void *, const char *);
extern int unsetenv(const char *);

typedef void *map_function(void *, unsigned, int, int, int, long long);

#define RTLD_NEXT ((void *)-1)
#define MAP_FIXED_NOREPLACE 0x100000

void *mmap64(void *start, unsigned size, int protection, int flags, int file, long long offset) {
  static map_function *next;
  const unsigned last = (unsigned)start + size - 1;
  if (!next) next = (map_function *)dlsym(RTLD_NEXT, "mmap64");
  if ((flags & MAP_FIXED_NOREPLACE) && (last >= 0x80000000U || last < (unsigned)start)) {
    size = 0; /* which is refused */
  }
  return next(start, size, protection, flags, file, offset);
}

/* 64-bit programs that are started from here could not load this. */
__attribute__((constructor)) static void leave_no_trace(void) { unsetenv("LD_PRELOAD"); }
