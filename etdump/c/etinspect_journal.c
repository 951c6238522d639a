/* The journal of etinspect, see etinspect_journal.h. SPDX-License-Identifier: BSD-3-Clause */
#include "etinspect_journal.h"

#include <string.h>

#define WORDS 8u
#define HEADER_WORDS 16u
#define ALLOCATOR_WORDS 5u
#define CHECKED_WORDS 11u

/* Words of the header. */
enum {
  W_MAGIC = 0,
  W_VERSION = 2,
  W_BYTES = 3,
  W_TABLES = 4,
  W_RING = 5,
  W_CAPACITY = 6,
  W_CLOCK = 7,
  W_PROGRAM = 8,
  W_BOOTS = 10,
  W_CHECK = 11,
  W_NEXT = 12,
  W_EXECUTIONS = 13,
  W_HEARTBEATS = 14,
  W_STACK = 15
};

#define MAGIC_LOW 0x4f4a5445u  /* "ETJO" */
#define MAGIC_HIGH 0x4c4e5255u /* "URNL" */
#define VERSION (2u | ETJ_RECORD_BYTES << 16)

enum {
  KIND_BEGIN = 1,
  KIND_END = 2,
  KIND_ALLOCATION = 3,
  KIND_MARK = 4,
  KIND_FAULT = 5,
  KIND_HEARTBEAT = 6,
  KIND_STACK = 7,
  KIND_BOOT = 8,
  KIND_RUN = 9
};

__attribute__((weak)) uint64_t etj_ticks(void) { return 0; }

#define CHECK_SEED 0x9e3779b9u

static inline uint32_t step(uint32_t sum, uint32_t word) {
  sum = (sum ^ word) * 0x85ebca6bu;
  return sum ^ sum >> 15;
}

static uint32_t check(const uint32_t* words, uint32_t count) {
  uint32_t sum = CHECK_SEED;
  for (uint32_t i = 0; i < count; i++) {
    sum = step(sum, words[i]);
  }
  return sum;
}

/* Writes a word of a record's slot and takes it into the check value. */
#define STORE(index, word)      \
  do {                          \
    const uint32_t value = word; \
    slot[index] = value;        \
    sum = step(sum, value);     \
  } while (0)

/* Adds 1 to a word and returns what it was, also between interrupts. */
static inline __attribute__((always_inline)) uint32_t fetch_add(uint32_t* word) {
#if defined(__ARM_ARCH_6M__) || defined(__ARM_ARCH_8M_BASE__)
  uint32_t masked, before;
  __asm volatile("mrs %0, primask\n\tcpsid i" : "=r"(masked)::"memory");
  before = (*word)++;
  __asm volatile("msr primask, %0" ::"r"(masked) : "memory");
  return before;
#else
  return __atomic_fetch_add(word, 1, __ATOMIC_RELAXED);
#endif
}

/* Sets a word to `set` if it is `found`, also between interrupts. */
static inline void exchange(uint32_t* word, uint32_t found, uint32_t set) {
#if defined(__ARM_ARCH_6M__) || defined(__ARM_ARCH_8M_BASE__)
  uint32_t masked;
  __asm volatile("mrs %0, primask\n\tcpsid i" : "=r"(masked)::"memory");
  if (*word == found) {
    *word = set;
  }
  __asm volatile("msr primask, %0" ::"r"(masked) : "memory");
#else
  __atomic_compare_exchange_n(word, &found, set, 0, __ATOMIC_RELAXED, __ATOMIC_RELAXED);
#endif
}

static uint32_t saturated(uint64_t value) {
  return value > 0xffffffffu ? 0xffffffffu : (uint32_t)value;
}

/* Writes a record. Inlined where it is written most, and without a loop: it
 * costs fewer than 60 instructions on a Cortex-M (scripts/firmware.sh counts
 * them). */
static inline __attribute__((always_inline)) void write_record(const etj_journal* journal,
                                                               uint32_t head, uint32_t a,
                                                               uint32_t b, uint32_t c) {
  const uint32_t sequence = fetch_add(&journal->next[0]);
  const uint64_t ticks = etj_ticks();
  uint32_t* const slot = &journal->ring[sequence % journal->capacity * WORDS];
  uint32_t sum = CHECK_SEED;
  /* First: a record that has its number but not its check value is torn. */
  slot[0] = sequence;
  STORE(1, (uint32_t)ticks);
  STORE(2, (uint32_t)(ticks >> 32));
  STORE(3, head);
  STORE(4, a);
  STORE(5, b);
  STORE(6, c);
  slot[7] = step(sum, sequence);
  /* Nothing that follows may be moved before the record is there. */
  __asm volatile("" ::: "memory");
}

static __attribute__((noinline)) void record(const etj_journal* journal, uint32_t head, uint32_t a,
                                             uint32_t b, uint32_t c) {
  if (journal->capacity != 0) {
    write_record(journal, head, a, b, c);
  }
}

static inline uint32_t head(uint32_t kind, uint32_t detail, uint32_t chain) {
  return kind | detail << 8 | chain << 16;
}

static uint32_t names_words(const etj_config* config) {
  const uint32_t words = config->name_bytes / 4;
  return words > 0xffffu ? 0xffffu : words;
}

static uint32_t tables(const etj_config* config) {
  return config->allocators | names_words(config) << 16;
}

/* Where the ring lies; 0 if a record fits, -1 if not. */
static int lay_out(etj_journal* journal, uint32_t* memory, size_t bytes, const etj_config* config) {
  const uint32_t before = HEADER_WORDS + config->allocators * ALLOCATOR_WORDS + names_words(config);
  const uint32_t ring = (before + WORDS - 1) / WORDS * WORDS;
  journal->words = memory;
  journal->next = memory + W_NEXT;
  journal->ring = memory + ring;
  journal->capacity = bytes / 4 > ring ? (uint32_t)((bytes / 4 - ring) / WORDS) : 0;
  return journal->capacity > 0 ? 0 : -1;
}

static void seal(const etj_journal* journal) {
  journal->words[W_CHECK] = check(journal->words, CHECKED_WORDS);
}

int etj_create(etj_journal* journal, uint32_t* memory, size_t bytes, const etj_config* config) {
  if (lay_out(journal, memory, bytes, config) != 0) {
    return -1;
  }
  memset(memory, 0, bytes / 4 * 4);
  memory[W_VERSION] = VERSION;
  memory[W_BYTES] = (uint32_t)(bytes / 4 * 4);
  memory[W_TABLES] = tables(config);
  memory[W_RING] = (uint32_t)(journal->ring - memory) * 4;
  memory[W_CAPACITY] = journal->capacity;
  memory[W_CLOCK] = config->ticks_per_second;
  memory[W_PROGRAM] = (uint32_t)config->program_id;
  memory[W_PROGRAM + 1] = (uint32_t)(config->program_id >> 32);
  memory[W_BOOTS] = 1;
  memory[W_NEXT] = 1;
  memory[W_MAGIC] = MAGIC_LOW;
  memory[W_MAGIC + 1] = MAGIC_HIGH;
  seal(journal);
  return 0;
}

static int is_of(const etj_journal* journal, size_t bytes, const etj_config* config) {
  const uint32_t* words = journal->words;
  return words[W_MAGIC] == MAGIC_LOW && words[W_MAGIC + 1] == MAGIC_HIGH &&
         words[W_CHECK] == check(words, CHECKED_WORDS) && words[W_VERSION] == VERSION &&
         words[W_BYTES] == bytes / 4 * 4 && words[W_TABLES] == tables(config) &&
         words[W_CLOCK] == config->ticks_per_second &&
         words[W_PROGRAM] == (uint32_t)config->program_id &&
         words[W_PROGRAM + 1] == (uint32_t)(config->program_id >> 32);
}

int etj_resume(etj_journal* journal, uint32_t* memory, size_t bytes, const etj_config* config,
               uint32_t reset_reason) {
  if (lay_out(journal, memory, bytes, config) != 0) {
    return -1;
  }
  if (!is_of(journal, bytes, config)) {
    etj_create(journal, memory, bytes, config);
    return 0;
  }
  /* What the counter lost in the reset, the records know. */
  uint32_t newest = memory[W_NEXT] - 1;
  for (uint32_t slot = 0; slot < journal->capacity; slot++) {
    const uint32_t* words = journal->ring + slot * WORDS;
    if (words[0] > newest && words[0] % journal->capacity == slot &&
        words[WORDS - 1] == step(check(words + 1, WORDS - 2), words[0])) {
      newest = words[0];
    }
  }
  memory[W_NEXT] = newest + 1;
  memory[W_BOOTS] += 1;
  seal(journal);
  record(journal, head(KIND_BOOT, 0, ETJ_NO_CHAIN), reset_reason, memory[W_BOOTS], 0);
  return 1;
}

uint32_t etj_name(const etj_journal* journal, const char* name) {
  size_t length = strlen(name);
  if (length == 0 || journal->capacity == 0) {
    return ETJ_NO_NAME;
  }
  length = length > 255 ? 255 : length;
  const uint32_t start = HEADER_WORDS + (journal->words[W_TABLES] & 0xffffu) * ALLOCATOR_WORDS;
  const uint32_t count = journal->words[W_TABLES] >> 16;
  const uint32_t needed = (uint32_t)(length + 3) / 4;
  uint32_t* const table = journal->words + start;
  uint32_t at = 0;
  for (uint32_t id = 1; at < count; id++) {
    const uint32_t own = table[at] & 0xffu;
    if (table[at] == 0) {
      if (at + 1 + needed > count) {
        return ETJ_NAME_LOST;
      }
      uint32_t pair[2] = {(uint32_t)length, 0};
      for (uint32_t i = 0; i < needed; i++) {
        pair[1] = 0;
        memcpy(&pair[1], name + i * 4, length - i * 4 < 4 ? length - i * 4 : 4);
        table[at + 1 + i] = pair[1];
        pair[0] = check(pair, 2);
      }
      table[at] = (uint32_t)length | (pair[0] & 0xffff0000u);
      return id;
    }
    if (own == length && memcmp(&table[at + 1], name, length) == 0) {
      return id;
    }
    at += 1 + (own + 3) / 4;
  }
  return ETJ_NAME_LOST;
}

void etj_begin(const etj_journal* journal, enum etj_scope scope, uint32_t chain,
               uint32_t instruction, uint32_t name) {
  if (journal->capacity != 0) {
    const uint32_t execution = journal->next[W_EXECUTIONS - W_NEXT];
    write_record(journal, head(KIND_BEGIN, scope, chain), instruction, name, execution);
  }
}

void etj_end(const etj_journal* journal, enum etj_scope scope, uint32_t chain,
             uint32_t instruction, uint32_t name, uint32_t status) {
  if (journal->capacity != 0) {
    write_record(journal, head(KIND_END, scope, chain), instruction, name, status);
  }
}

void etj_run(const etj_journal* journal, uint32_t name, int execute) {
  if (journal->capacity > 0) {
    const uint32_t execution = execute ? fetch_add(&journal->words[W_EXECUTIONS]) + 1 : 0;
    record(journal, head(KIND_RUN, 0, ETJ_NO_CHAIN), name, execution, 0);
  }
}

/* Entry of the allocator table, or NULL. */
static uint32_t* allocator(const etj_journal* journal, uint32_t index) {
  if (journal->capacity == 0 || index >= (journal->words[W_TABLES] & 0xffffu)) {
    return NULL;
  }
  return journal->words + HEADER_WORDS + index * ALLOCATOR_WORDS;
}

void etj_set_allocator(const etj_journal* journal, uint32_t index, enum etj_allocator kind,
                       uint32_t number, uint64_t capacity) {
  uint32_t* entry = allocator(journal, index);
  if (entry != NULL) {
    entry[0] = (uint32_t)kind | (number & 0xffu) << 8;
    entry[1] = saturated(capacity);
    entry[2] = 0;
    entry[3] = 0;
    entry[4] = check(entry, 4);
  }
}

void etj_allocation(const etj_journal* journal, uint32_t index, uint64_t size, uint64_t offset,
                    uint32_t status) {
  uint32_t* entry = allocator(journal, index);
  if (entry == NULL) {
    return;
  }
  if (status == 0) {
    entry[2] = saturated(offset + size);
    entry[3] = entry[3] > entry[2] ? entry[3] : entry[2];
  } else if (entry[0] >> 16 != 0xffffu) {
    entry[0] += 0x10000u;
  }
  entry[4] = check(entry, 4);
  record(journal, head(KIND_ALLOCATION, entry[0] & 0xffu, index), saturated(size),
         saturated(offset), status);
}

void etj_mark(const etj_journal* journal, uint32_t number, uint32_t value) {
  record(journal, head(KIND_MARK, 0, ETJ_NO_CHAIN), number, value, 0);
}

/* Has the newest record's slot written again, if that is a heartbeat and nobody wrote
 * another in between: heartbeats must not push out what a board hangs in. */
static void give_back_heartbeat(const etj_journal* journal) {
  uint32_t next = journal->next[0];
  const uint32_t last = next - 1;
  const uint32_t* slot = &journal->ring[last % journal->capacity * WORDS];
  if (slot[0] == last && (slot[3] & 0xffu) == KIND_HEARTBEAT) {
    exchange(&journal->next[0], next, last);
  }
}

void etj_heartbeat(const etj_journal* journal, uint32_t stack_pointer) {
  if (journal->capacity > 0) {
    uint32_t* lowest = &journal->words[W_STACK];
    if (stack_pointer != 0 && (*lowest == 0 || stack_pointer < *lowest)) {
      *lowest = stack_pointer;
    }
    give_back_heartbeat(journal);
    const uint32_t count = fetch_add(&journal->words[W_HEARTBEATS]) + 1;
    record(journal, head(KIND_HEARTBEAT, 0, ETJ_NO_CHAIN), count, stack_pointer, 0);
  }
}

void etj_stack(const etj_journal* journal, uint32_t lowest, uint32_t limit) {
  record(journal, head(KIND_STACK, 0, ETJ_NO_CHAIN), lowest, limit, 0);
}

void etj_fault(const etj_journal* journal, const uint32_t frame[8], uint32_t exc_return,
               uint32_t cfsr, uint32_t hfsr, uint32_t mmfar, uint32_t bfar) {
  const uint32_t stack = (uint32_t)(uintptr_t)frame;
  record(journal, head(KIND_FAULT, 1, ETJ_NO_CHAIN), frame[6], frame[5], stack);
  record(journal, head(KIND_FAULT, 2, ETJ_NO_CHAIN), frame[7], cfsr, hfsr);
  record(journal, head(KIND_FAULT, 3, ETJ_NO_CHAIN), mmfar, bfar, exc_return);
  record(journal, head(KIND_FAULT, 4, ETJ_NO_CHAIN), frame[0], frame[1], frame[2]);
  record(journal, head(KIND_FAULT, 5, ETJ_NO_CHAIN), frame[3], frame[4], 0);
}

uint64_t etj_program_id(const void* program, size_t bytes) {
  const uint8_t* byte = (const uint8_t*)program;
  uint64_t hash = 0xcbf29ce484222325u;
  for (size_t i = 0; i < bytes; i++) {
    hash = (hash ^ byte[i]) * 0x00000100000001b3u;
  }
  return hash;
}
