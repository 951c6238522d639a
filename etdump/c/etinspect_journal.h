/*
 * The journal of etinspect: a flight recorder for firmware.
 *
 * Small records go into a ring in memory that you give, before work begins and
 * after it ends. When the board hangs or dies, `etinspect diagnose --dump` finds
 * the journal in a dump of its RAM and names the instruction that never came
 * back. docs/journal.md describes the bytes; the Rust crate `etdump` writes the
 * same ones.
 *
 * No allocation, no lock, no floating point. On cores with atomic addition
 * (Armv7-M and later, and hosts) it may be called from interrupts and threads.
 *
 *     static uint32_t memory[256] __attribute__((section(".noinit")));
 *     static etj_journal journal;
 *     etj_config config = ETJ_CONFIG(sizeof memory);
 *     config.ticks_per_second = 400000000;
 *     etj_resume(&journal, memory, sizeof memory, &config, reset_reason());
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */
#ifndef ETINSPECT_JOURNAL_H
#define ETINSPECT_JOURNAL_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Bytes of a record, and of the smallest journal that is of use. */
#define ETJ_RECORD_BYTES 32u
#define ETJ_MINIMUM_BYTES 512u

/* Chain of what happens outside of chains, and names that have no entry. */
#define ETJ_NO_CHAIN 0xffffu
#define ETJ_NO_NAME 0u
#define ETJ_NAME_LOST 0xffffu

/* What kind of work begins or ends. */
enum etj_scope {
  ETJ_LOAD = 1,          /* loading a method */
  ETJ_EXECUTE = 2,       /* executing a method */
  ETJ_INSTRUCTION = 3,   /* OPERATOR_CALL */
  ETJ_DELEGATE = 4,      /* DELEGATE_CALL */
  ETJ_JUMP = 5,          /* JF_CALL */
  ETJ_MOVE = 6,          /* MOVE_CALL */
  ETJ_FREE = 7,          /* FREE_CALL */
  ETJ_KERNEL = 8,        /* native_call_... */
  ETJ_DELEGATE_INT = 9,  /* a delegate's operation, with a number as name */
  ETJ_DELEGATE_NAME = 10,/* a delegate's operation, with a name */
  ETJ_NPU = 11,          /* an invocation of a neural processing unit */
  ETJ_OTHER = 12
};

/* Kinds of allocators. */
enum etj_allocator {
  ETJ_METHOD = 1,
  ETJ_PLANNED = 2, /* its number is the memory id */
  ETJ_TEMP = 3,
  ETJ_DELEGATE_ALLOCATOR = 4,
  ETJ_OTHER_ALLOCATOR = 5
};

/* Reset reasons that every chip has, for etj_resume(..., ETJ_RESET(ETJ_RESET_WATCHDOG)).
 * The bits are those of Zephyr's hwinfo_get_reset_cause(), which can be passed as
 * ETJ_RESET(cause). The raw register of a chip may be passed as well: then
 * `diagnose` prints its value. */
#define ETJ_RESET(reasons) (0x52530000u | ((reasons) & 0xffffu))
enum etj_reset {
  ETJ_RESET_PIN = 1,
  ETJ_RESET_SOFTWARE = 2,
  ETJ_RESET_BROWN_OUT = 4,
  ETJ_RESET_POWER_ON = 8,
  ETJ_RESET_WATCHDOG = 16,
  ETJ_RESET_DEBUGGER = 32,
  ETJ_RESET_SECURITY = 64,
  ETJ_RESET_LOW_POWER = 128,
  ETJ_RESET_LOCK_UP = 256
};

/* How a journal is set up. */
typedef struct etj_config {
  uint32_t ticks_per_second; /* 0 if not known */
  uint64_t program_id;       /* etj_program_id() of the .pte, 0 if not known */
  uint16_t allocators;       /* entries of the allocator table */
  uint32_t name_bytes;       /* bytes of the name table */
} etj_config;

/* What suits a journal of `bytes`. */
#define ETJ_CONFIG(bytes)                                               \
  {                                                                     \
    0, 0,                                                               \
        (uint16_t)((bytes) < 4096u ? 4 : (bytes) < 65536u ? 8 : 32),    \
        (bytes) < 1024u ? 64                                            \
                        : (bytes) < 4096u ? 256                         \
                                          : (bytes) < 65536u ? 1024 : 16384 \
  }

/* A journal. All of its state lies in `words`. */
typedef struct etj_journal {
  uint32_t* words;
  uint32_t* next;    /* the word of the next sequence number */
  uint32_t* ring;    /* the first record */
  uint32_t capacity; /* records; 0 for a journal that writes nothing */
} etj_journal;

/* An empty journal in `memory`, which is aligned to 4 bytes. Returns 0, or -1
 * if there is no room for a record; calls with that journal then do nothing. */
int etj_create(etj_journal* journal, uint32_t* memory, size_t bytes, const etj_config* config);

/* The journal that lies in `memory` since before a reset, or an empty one. A
 * record says that the board started, with the value of its reset reason
 * register. Returns 1 if there was one, 0 if not, -1 without room. */
int etj_resume(etj_journal* journal, uint32_t* memory, size_t bytes, const etj_config* config,
               uint32_t reset_reason);

/* The clock. The one that is linked in by default stands still; define your own. */
uint64_t etj_ticks(void);

/* The number of a name, which is added to the table if there is room. To be
 * called while a method loads, from one thread. */
uint32_t etj_name(const etj_journal* journal, const char* name);

/* Work begins and ends. `status` is ExecuTorch's error code. */
void etj_begin(const etj_journal* journal, enum etj_scope scope, uint32_t chain,
               uint32_t instruction, uint32_t name);
void etj_end(const etj_journal* journal, enum etj_scope scope, uint32_t chain,
             uint32_t instruction, uint32_t name, uint32_t status);

/* A block of events begins; with `execute`, an execution is counted. */
void etj_run(const etj_journal* journal, uint32_t name, int execute);

/* Sets up entry `index` of the allocator table. */
void etj_set_allocator(const etj_journal* journal, uint32_t index, enum etj_allocator kind,
                       uint32_t number, uint64_t capacity);

/* An allocation, or with a status one that failed. */
void etj_allocation(const etj_journal* journal, uint32_t index, uint64_t size, uint64_t offset,
                    uint32_t status);

/* A number of your own. */
void etj_mark(const etj_journal* journal, uint32_t number, uint32_t value);

/* The firmware is alive; from a timer interrupt, with the stack pointer. */
void etj_heartbeat(const etj_journal* journal, uint32_t stack_pointer);

/* The stack's high-water mark: lowest address that was used, end of the stack. */
void etj_stack(const etj_journal* journal, uint32_t lowest, uint32_t limit);

/* A fault: from HardFault_Handler, with the frame that the core stacked (R0 to
 * R3, R12, LR, PC, xPSR), the handler's LR, and CFSR, HFSR, MMFAR, BFAR. */
void etj_fault(const etj_journal* journal, const uint32_t frame[8], uint32_t exc_return,
               uint32_t cfsr, uint32_t hfsr, uint32_t mmfar, uint32_t bfar);

/* The id of a program: FNV-1a of its bytes with 64 bits. */
uint64_t etj_program_id(const void* program, size_t bytes);

#ifdef __cplusplus
}
#endif

#endif /* ETINSPECT_JOURNAL_H */
