/*
 * What a record of the journal in C costs, in instructions: for the machine
 * mps3-an547 of QEMU with `-icount shift=0`, where an instruction takes a
 * nanosecond, so that SysTick (32 MHz) counts them.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */
#include <stddef.h>
#include <stdint.h>

#include "etinspect_journal.h"

#define PAIRS 100000u
/* Instructions in a tick of SysTick, times 4. */
#define INSTRUCTIONS_TIMES_4 125u

#define SYST_CSR (*(volatile uint32_t*)0xe000e010u)
#define SYST_RVR (*(volatile uint32_t*)0xe000e014u)
#define SYST_CVR (*(volatile uint32_t*)0xe000e018u)

static uint32_t memory[256] __attribute__((aligned(32)));

/* What the journal takes of a C library. */
void* memset(void* to, int value, size_t count) {
  for (volatile uint8_t* byte = to; count > 0; count--) {
    *byte++ = (uint8_t)value;
  }
  return to;
}
void* memcpy(void* to, const void* from, size_t count) {
  volatile uint8_t* byte = to;
  for (const uint8_t* source = from; count > 0; count--) {
    *byte++ = *source++;
  }
  return to;
}
int memcmp(const void* one, const void* other, size_t count) {
  const uint8_t *a = one, *b = other;
  for (; count > 0 && *a == *b; count--, a++, b++) {
  }
  return count > 0 ? *a - *b : 0;
}
size_t strlen(const char* text) {
  const char* end = text;
  for (; *end != 0; end++) {
  }
  return (size_t)(end - text);
}

static void semihost(uint32_t operation, const void* argument) {
  register uint32_t r0 __asm("r0") = operation;
  register const void* r1 __asm("r1") = argument;
  __asm volatile("bkpt 0xab" : "+r"(r0) : "r"(r1) : "memory");
}

static void print(const char* label, uint32_t number) {
  char digits[12];
  char* at = digits + sizeof digits;
  *--at = 0;
  *--at = '\n';
  do {
    *--at = (char)('0' + number % 10);
    number /= 10;
  } while (number > 0);
  semihost(4, label); /* SYS_WRITE0 */
  semihost(4, at);
}

/* The board's own clock, whose reading is not the journal's cost. */
static volatile uint32_t ticks;
__attribute__((noinline)) uint64_t etj_ticks(void) { return ticks; }

/* What calls with such arguments cost whoever is called. */
__attribute__((noinline)) static void called(const etj_journal* journal, uint32_t scope,
                                             uint32_t chain, uint32_t instruction, uint32_t name,
                                             uint32_t status) {
  __asm volatile("" ::"r"(journal), "r"(scope), "r"(chain), "r"(instruction), "r"(name), "r"(status));
}

/* Ticks that PAIRS turns take, with records or only with calls and readings of
 * the clock. */
static uint32_t turns(const etj_journal* journal, int records) {
  const uint32_t before = SYST_CVR;
  for (uint32_t i = 0; i < PAIRS; i++) {
    __asm volatile("" : "+r"(i));
    if (records) {
      etj_begin(journal, ETJ_INSTRUCTION, 0, i, 1);
      etj_end(journal, ETJ_INSTRUCTION, 0, i, 1, 0);
    } else {
      called(journal, ETJ_INSTRUCTION, 0, i, 1, 0);
      etj_ticks();
      called(journal, ETJ_INSTRUCTION, 0, i, 1, 0);
      etj_ticks();
    }
  }
  return (before - SYST_CVR) & 0xffffffu;
}

static void start(void) {
  etj_journal journal;
  etj_config config = ETJ_CONFIG(sizeof memory);
  SYST_RVR = 0xffffff;
  SYST_CVR = 0;
  SYST_CSR = 5;
  if (etj_create(&journal, memory, sizeof memory, &config) == 0) {
    const uint32_t empty = turns(&journal, 0);
    const uint32_t full = turns(&journal, 1);
    print("instructions per record in C: ",
          (full - empty) * (INSTRUCTIONS_TIMES_4 / 5) / (2 * PAIRS / 5 * 4));
  }
  static const uint32_t done[2] = {0x20026, 0}; /* ADP_Stopped_ApplicationExit */
  semihost(0x20, done);                         /* SYS_EXIT_EXTENDED */
  for (;;) {
  }
}

extern uint32_t stack_top;
__attribute__((section(".vectors"), used)) static const void* const vectors[] = {&stack_top, start};
