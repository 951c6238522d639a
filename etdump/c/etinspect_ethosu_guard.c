/*
 * Ethos-U on bare metal: semaphores for Arm's driver whose wait has a limit.
 *
 * The driver's own semaphores wait for ever, so that a unit that never answers
 * hangs the board. These replace them (they are weak in the driver): a wait that
 * lasts longer than `etj_npu_limit` ticks fails, the driver resets the unit, and
 * ExecuTorch reports an error instead of falling silent. The journal says when
 * the interrupt came. With an operating system, whose port has semaphores of its
 * own, leave this file out and call `etj_npu_interrupt` in the handler.
 *
 *     etj_npu_limit = 2 * 400000000ull;
 *
 * Needs etinspect_ethosu_hooks.c, and an `etj_ticks` that counts.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */
#include "etinspect_journal.h"

void etj_npu_interrupt(void);

/* Ticks that the unit may take for an invocation; 0 for no limit. */
uint64_t etj_npu_limit = 0;

/* Semaphores: one for each driver, and one for the list of drivers. */
#define SEMAPHORES 4u
static volatile int32_t counts[SEMAPHORES];
static uint32_t given_out = 0;

void* ethosu_semaphore_create(void) {
  if (given_out == SEMAPHORES) {
    return NULL;
  }
  counts[given_out] = 0;
  return (void*)&counts[given_out++];
}

void ethosu_semaphore_destroy(void* semaphore) { (void)semaphore; }

/* Adds to a count, also between interrupts. */
static void add(volatile int32_t* count, int32_t number) {
#if defined(__ARM_ARCH_6M__) || defined(__ARM_ARCH_8M_BASE__)
  uint32_t masked;
  __asm volatile("mrs %0, primask\n\tcpsid i" : "=r"(masked)::"memory");
  *count += number;
  __asm volatile("msr primask, %0" ::"r"(masked) : "memory");
#else
  __atomic_fetch_add(count, number, __ATOMIC_ACQ_REL);
#endif
}

/* Waits until the count is above 0 and takes one. The driver takes any negative
 * result for a timeout. `timeout` has no unit in the driver and is not used, but
 * for 0, which does not wait. */
int ethosu_semaphore_take(void* semaphore, uint64_t timeout) {
  volatile int32_t* count = (volatile int32_t*)semaphore;
  const uint64_t begun = etj_ticks();
  while (*count == 0) {
    const int over = etj_npu_limit != 0 && etj_ticks() - begun > etj_npu_limit;
    if (timeout == 0 || over) {
      return -1;
    }
  }
  add(count, -1);
  return 0;
}

/* From the driver's interrupt handler; also when a driver is given back, with no
 * interrupt, so that it counts only while the unit works. */
int ethosu_semaphore_give(void* semaphore) {
  volatile int32_t* count = (volatile int32_t*)semaphore;
#if defined(__ARM_ARCH_PROFILE) && __ARM_ARCH_PROFILE == 'M'
  uint32_t handler;
  __asm volatile("mrs %0, ipsr" : "=r"(handler));
  if (handler != 0) {
    etj_npu_interrupt();
  }
#else
  etj_npu_interrupt();
#endif
  add(count, 1);
  return 0;
}
