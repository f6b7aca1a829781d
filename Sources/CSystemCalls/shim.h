// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

// System calls that Swift's modules of the C libraries leave out on Linux, in one form for all systems.
// Each function returns what the system call returns.

#include <errno.h>
#include <sys/types.h>
#include <sys/xattr.h>
#include <unistd.h>
#ifdef __linux__
#include <sys/syscall.h>
#endif

// Copies bytes between files in the kernel, which shares their blocks if the file system can. Fails with ENOSYS on other
// systems than Linux.
static inline ssize_t envelope_copy_file_range(int from, long long *from_offset, int to, long long *to_offset, size_t size) {
#ifdef __linux__
  return syscall(SYS_copy_file_range, from, from_offset, to, to_offset, size, 0u);
#else
  errno = ENOSYS;
  return -1;
#endif
}

// Syncs the file system that a file lies in; on other systems than Linux, all of them.
static inline int envelope_syncfs(int file) {
#ifdef __linux__
  return (int)syscall(SYS_syncfs, file);
#else
  sync();
  return 0;
#endif
}

static inline ssize_t envelope_listxattr(const char *path, char *names, size_t size) {
#ifdef __APPLE__
  return listxattr(path, names, size, 0);
#else
  return listxattr(path, names, size);
#endif
}

static inline ssize_t envelope_getxattr(const char *path, const char *name, void *value, size_t size) {
#ifdef __APPLE__
  return getxattr(path, name, value, size, 0, 0);
#else
  return getxattr(path, name, value, size);
#endif
}

static inline ssize_t envelope_fgetxattr(int file, const char *name, void *value, size_t size) {
#ifdef __APPLE__
  return fgetxattr(file, name, value, size, 0, 0);
#else
  return fgetxattr(file, name, value, size);
#endif
}

static inline int envelope_fsetxattr(int file, const char *name, const void *value, size_t size) {
#ifdef __APPLE__
  return fsetxattr(file, name, value, size, 0, 0);
#else
  return fsetxattr(file, name, value, size, 0);
#endif
}
