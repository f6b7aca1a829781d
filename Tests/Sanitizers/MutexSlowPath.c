// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

// Shows ThreadSanitizer how a contended `Mutex` passes from one thread to another on Linux. The fast path of `Mutex` is
// compiled into its caller, where the sanitizer sees it; the slow path is in the standard library, which is not
// instrumented, so the sanitizer reports races that do not exist. This library is preloaded and wraps the slow path.

#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdint.h>

#define SELF __attribute__((swift_context))
#define METHOD __attribute__((swiftcall))
#define LOCK "$s15Synchronization12_MutexHandleV9_lockSlowyys6UInt32VF"
#define UNLOCK "$s15Synchronization12_MutexHandleV11_unlockSlowyyF"

// Null in processes that run without the sanitizer.
__attribute__((weak)) void __tsan_acquire(void *address);
__attribute__((weak)) void __tsan_release(void *address);

METHOD void lockSlow(uint32_t thread, SELF void *mutex) __asm__(LOCK);
METHOD void unlockSlow(SELF void *mutex) __asm__(UNLOCK);

METHOD void lockSlow(uint32_t thread, SELF void *mutex) {
  METHOD void (*next)(uint32_t, SELF void *) = dlsym(RTLD_NEXT, LOCK);
  next(thread, mutex);
  if (__tsan_acquire) __tsan_acquire(mutex);
}

METHOD void unlockSlow(SELF void *mutex) {
  METHOD void (*next)(SELF void *) = dlsym(RTLD_NEXT, UNLOCK);
  if (__tsan_release) __tsan_release(mutex);
  next(mutex);
}
