// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

// Extended attributes, which Swift's modules of the C libraries leave out on Linux, in one form for all systems.
// Each function returns what the system call returns.

#include <sys/types.h>
#include <sys/xattr.h>

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
