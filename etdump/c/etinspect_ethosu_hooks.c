/*
 * Ethos-U: the weak hooks of ExecuTorch's backend and of Arm's driver, so that
 * a journal shows whether the unit was started and whether it answered.
 *
 * Link this file into the firmware and set `etj_npu_journal` before the first
 * inference. From a timer interrupt, `etj_npu_overdue` says whether the unit
 * has worked for too long:
 *
 *     if (etj_npu_overdue(2 * 400000000ull)) { save_the_journal_and_reset(); }
 *
 * Call `etj_npu_interrupt` first in the unit's interrupt handler: the journal
 * then tells a unit that never answered from a driver that did not wake up. On
 * bare metal, etinspect_ethosu_guard.c does that and ends the wait by itself.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */
#include "etinspect_journal.h"

struct ethosu_driver;

/* The journal that is written; NULL for none. */
const etj_journal* etj_npu_journal = NULL;

/* When the unit was started; 0 while it rests. */
static volatile uint64_t started = 0;

/* Whether the unit has worked for more than `ticks` without an answer. */
int etj_npu_overdue(uint64_t ticks) {
  const uint64_t since = started;
  return since != 0 && etj_ticks() - since > ticks;
}

/* Marks of the journal: the backend took over, and gave back. */
enum { MARK_BACKEND_BEGIN = 0x45550001, MARK_BACKEND_END = 0x45550002, MARK_INTERRUPT = 0x45550003 };

/* The unit's interrupt came. */
void etj_npu_interrupt(void) {
  if (etj_npu_journal != NULL) {
    etj_mark(etj_npu_journal, MARK_INTERRUPT, 0);
  }
}

void EthosUBackend_execute_begin(void) {
  if (etj_npu_journal != NULL) {
    etj_mark(etj_npu_journal, MARK_BACKEND_BEGIN, 0);
  }
}

void EthosUBackend_execute_end(void) {
  if (etj_npu_journal != NULL) {
    etj_mark(etj_npu_journal, MARK_BACKEND_END, 0);
  }
}

void ethosu_inference_begin(struct ethosu_driver* driver, void* argument) {
  (void)driver;
  (void)argument;
  const uint64_t now = etj_ticks();
  started = now != 0 ? now : 1;
  if (etj_npu_journal != NULL) {
    etj_begin(etj_npu_journal, ETJ_NPU, ETJ_NO_CHAIN, 0, ETJ_NO_NAME);
  }
}

void ethosu_inference_end(struct ethosu_driver* driver, void* argument) {
  (void)driver;
  (void)argument;
  started = 0;
  if (etj_npu_journal != NULL) {
    etj_end(etj_npu_journal, ETJ_NPU, ETJ_NO_CHAIN, 0, ETJ_NO_NAME, 0);
  }
}
